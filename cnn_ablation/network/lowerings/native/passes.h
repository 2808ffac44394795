// Both passes over a batch: how it is split into tasks, and in which order sums are added.
#pragma once

#include <memory>
#include <type_traits>

#include "dense.h"
#include "input_gradient.h"
#include "winograd_choice.h"

namespace cnn_ablation {

// Images of one forward task.
constexpr Index kForwardImages = 8;
// Sums of weight gradients kept apart until the end, at most.
constexpr Index kMaxChunks = 64;
// Multiply-adds below which waking another thread costs more than it saves.
constexpr Index kWorthThreads = 400000;

inline Index multiply_adds(const Block& block) {
  return block.batch * block.conv_height() * block.conv_width() * block.features * block.taps();
}

// `parallel(count, body)` runs body(0) ... body(count - 1), in any order and on any threads.
template <typename Element, typename Parallel>
void forward_as(const Block& block, const float* images, const float* kernel, const float* bias,
                float* out, Kept kept, const Parallel& parallel) {
  Scratch& call = Workspace::mine().call;
  call.reuse();
  Vector* weights = call.vectors(block.slices() * block.taps());
  pack_weights(block, kernel, std::is_same_v<Element, Pair>, weights);
  const Index tasks = (block.batch + kForwardImages - 1) / kForwardImages;
  parallel(tasks, [&](Index task) {
    Scratch& scratch = Workspace::mine().image;
    const Index end = std::min(block.batch, (task + 1) * kForwardImages);
    for (Index image = task * kForwardImages; image < end; ++image) {
      scratch.reuse();
      forward_image<Element>(block, images + image * block.image_size(), weights, bias,
                             out + image * block.out_size(), kept.image(block, image), scratch);
    }
  });
}

template <typename Parallel>
void forward(const Block& block, const float* images, const float* kernel, const float* bias,
             float* out, Kept kept, const Parallel& parallel) {
  if (is_dense(block)) return dense_forward(block, images, kernel, bias, out, kept, parallel);
  const auto pass = block.folded() ? forward_as<Pair, Parallel> : forward_as<float, Parallel>;
  pass(block, images, kernel, bias, out, kept, parallel);
}

// What all images of a backward pass share: whether they go Winograd's way, and the kernel for it.
struct Backward {
  bool winograd;
  const float* transposed;
};

// Weight, bias and image gradients of the images from `begin` to `end`, in groups of kLanes.
template <typename Element>
void backward_images(const Block& block, const float* images, const Gradients& gradients,
                     const Backward& shared, Index begin, Index end, Vector* kernel_sums,
                     Vector* bias_sums) {
  constexpr bool folded = std::is_same_v<Element, Pair>;
  Workspace& workspace = Workspace::mine();
  const Index columns = folded ? block.fold() : block.conv_width();
  const Index size = block.slices() * block.conv_height() * columns;
  const Index kept = gradients.images == nullptr ? 1 : kLanes;
  Vector* value_gradients = nullptr;
  workspace.group.reuse();
  if (shared.winograd) {
    value_gradients = workspace.group.vectors(kernel_vectors(block));
    std::fill(value_gradients, value_gradients + kernel_vectors(block), Vector{});
  }
  Vector* group = workspace.group.vectors(kept * size);
  for (Index first = begin; first < end; first += kLanes) {
    const Index count = std::min<Index>(kLanes, end - first);
    for (Index member = 0; member < count; ++member) {
      const Index image = first + member;
      const float* pixels = images + image * block.image_size();
      Scratch& scratch = workspace.image;
      scratch.reuse();
      Vector* mine = group + member % kept * size;
      convolution_gradients(block, folded, gradients.out + image * block.out_size(),
                            gradients.residual.image(block, image), mine, bias_sums, scratch);
      if (shared.winograd) {
        add_value_gradients(block, pixels, mine, value_gradients, scratch);
        continue;
      }
      const View<Element> input = view(block, pixels, scratch, static_cast<Element*>(nullptr));
      add_weight_gradients(block, input, mine, columns, kernel_sums);
    }
    if (gradients.images == nullptr) continue;
    const auto pass = shared.winograd ? winograd_input_gradients : input_gradients;
    workspace.more.reuse();
    pass(block, group, count, shared.transposed, gradients.images + first * block.image_size(),
         workspace.more);
  }
  if (shared.winograd) add_tap_gradients(block, value_gradients, kernel_sums);
}

// Add the chunks' sums in their order, and drop the lanes beyond the last feature.
inline void reduce(const Block& block, const Vector* sums, Index chunks, Index chunk_size,
                   bool folded, const Gradients& gradients) {
  for (Index slice = 0; slice < block.slices(); ++slice) {
    const Index filled = block.filled(slice);
    for (Index tap = 0; tap <= block.taps(); ++tap) {
      const bool is_bias = tap == block.taps();
      const Index at = is_bias ? block.slices() * block.taps() + slice : slice * block.taps() + tap;
      Vector total = {};
      for (Index chunk = 0; chunk < chunks; ++chunk) total += sums[chunk * chunk_size + at];
      if (folded && !is_bias) {
        total = evens(total, total, Lanes()) + odds(total, total, Lanes());
      }
      float* to = is_bias ? gradients.bias : gradients.kernel + tap * block.features;
      store_some(to + slice * kLanes, total, filled);
    }
  }
}

inline Backward prepare(const Block& block, const float* kernel, const Gradients& gradients,
                        Scratch& scratch) {
  Backward shared = {takes_winograd(block), nullptr};
  if (gradients.images == nullptr) return shared;
  if (shared.winograd) {
    shared.transposed = pack_transposed_values(block, kernel, scratch);
    return shared;
  }
  float* transposed = scratch.floats(block.taps() * padded_features(block));
  pack_transposed(block, kernel, transposed);
  shared.transposed = transposed;
  return shared;
}

template <typename Element, typename Parallel>
void backward_as(const Block& block, const float* images, const float* kernel,
                 const Gradients& gradients, const Parallel& parallel) {
  const Index groups = (block.batch + kLanes - 1) / kLanes;
  const Index chunk_images = std::max<Index>(1, (groups + kMaxChunks - 1) / kMaxChunks) * kLanes;
  const Index chunks = (block.batch + chunk_images - 1) / chunk_images;
  const Index chunk_size = block.slices() * (block.taps() + 1);
  Scratch& call = Workspace::mine().call;
  call.reuse();
  Vector* sums = call.vectors(chunks * chunk_size);
  const Backward shared = prepare(block, kernel, gradients, call);
  parallel(chunks, [&](Index chunk) {
    Vector* mine = sums + chunk * chunk_size;
    std::fill(mine, mine + chunk_size, Vector{});
    const Index begin = chunk * chunk_images;
    backward_images<Element>(block, images, gradients, shared, begin,
                             std::min(block.batch, begin + chunk_images), mine,
                             mine + block.slices() * block.taps());
  });
  reduce(block, sums, chunks, chunk_size, std::is_same_v<Element, Pair>, gradients);
}

// The images' gradients need whole rows, so that only a block without them is folded.
template <typename Parallel>
void backward(const Block& block, const float* images, const float* kernel,
              const Gradients& gradients, const Parallel& parallel) {
  if (is_dense(block)) return dense_backward(block, images, kernel, gradients, parallel);
  const bool folded = block.folded() && gradients.images == nullptr &&
                      !takes_winograd(block);
  const auto pass = folded ? backward_as<Pair, Parallel> : backward_as<float, Parallel>;
  pass(block, images, kernel, gradients, parallel);
}

}  // namespace cnn_ablation
