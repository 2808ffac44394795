// A block whose kernel covers the whole image: a dense layer. Work is shared by all images then,
// since each has a single pixel of output and the weights are too many to read once per image.
#pragma once

#include "forward.h"
#include "workspace.h"

namespace cnn_ablation {

inline bool is_dense(const Block& block) {
  return block.out_height * block.out_width == 1 && block.pool == 1 && block.pad_top == 0 &&
         block.pad_left == 0 && block.runs() == 1 && block.kernel_height == block.height &&
         block.kernel_width == block.width;
}

constexpr Index kDenseImages = 32;  // of one forward task
constexpr Index kDenseTaps = 256;   // whose weights stay in the fast cache for all those images

// The features of the images from `begin` to `end`, with `weights` as [slice][tap].
inline void dense_images(const Block& block, const float* images, const Vector* weights,
                         const float* bias, float* out, Kept kept, Index begin, Index end,
                         Scratch& scratch) {
  const Index taps = block.taps(), count = end - begin;
  const bool rectified = block.activation == Activation::kRelu;
  scratch.reuse();
  Vector* sums = scratch.vectors(block.slices() * count);
  Vector* part = scratch.vectors(std::max(kMaxColumns, 2 * kPairColumns));
  Vector* slopes = kept.slopes == nullptr ? nullptr : scratch.vectors(count);
  std::fill(sums, sums + block.slices() * count, Vector{});
  for (Index tap = 0; tap < taps; tap += kDenseTaps) {
    const Taps some = {1, 0, 1, 0, std::min(kDenseTaps, taps - tap)};
    const float* pixels = images + begin * taps + tap;
    Index slice = 0;
    for (; slice + 2 <= block.slices(); slice += 2) {
      each_part(count, kPairColumns, [&](Index first, Index columns) {
        convolve_some_of_pair(columns, pixels + first * taps, some, taps,
                              weights + slice * taps + tap, taps, part, kPairColumns);
        for (Index of = 0; of < 2; ++of) {
          Vector* to = sums + (slice + of) * count + first;
          for (Index x = 0; x < columns; ++x) to[x] += part[of * kPairColumns + x];
        }
      });
    }
    for (; slice < block.slices(); ++slice) {
      each_part(count, kMaxColumns, [&](Index first, Index columns) {
        const auto convolve = convolve_columns_for<float>(
            columns, std::make_integer_sequence<int, kMaxColumns>());
        convolve(pixels + first * taps, some, taps, weights + slice * taps + tap, part);
        for (Index x = 0; x < columns; ++x) sums[slice * count + first + x] += part[x];
      });
    }
  }
  for (Index slice = 0; slice < block.slices(); ++slice) {
    const Vector biases = load_some(bias + slice * kLanes, block.filled(slice));
    Vector* line = sums + slice * count;
    const Index first = begin * block.features + slice * kLanes;
    if (rectified) {
      for (Index image = 0; image < count; ++image) line[image] = rectify(line[image], biases);
      store_pixels(block, line, count, block.filled(slice), out + first);
      continue;
    }
    for (Index image = 0; image < count; ++image) line[image] += biases;
    activate_row_for(block.activation)(line, slopes, count);
    store_pixels(block, line, count, block.filled(slice), out + first);
    if (slopes != nullptr) {
      store_pixels(block, slopes, count, block.filled(slice), kept.slopes + first);
    }
  }
}

template <typename Parallel>
void dense_forward(const Block& block, const float* images, const float* kernel,
                   const float* bias, float* out, Kept kept, const Parallel& parallel) {
  Scratch& call = Workspace::mine().call;
  call.reuse();
  Vector* weights = call.vectors(block.slices() * block.taps());
  constexpr Index kPacked = 1024;
  parallel((block.taps() + kPacked - 1) / kPacked, [&](Index task) {
    const Index end = std::min(block.taps(), (task + 1) * kPacked);
    for (Index slice = 0; slice < block.slices(); ++slice) {
      for (Index tap = task * kPacked; tap < end; ++tap) {
        weights[slice * block.taps() + tap] =
            load_some(kernel + tap * block.features + slice * kLanes, block.filled(slice));
      }
    }
  });
  parallel((block.batch + kDenseImages - 1) / kDenseImages, [&](Index task) {
    dense_images(block, images, weights, bias, out, kept, task * kDenseImages,
                 std::min(block.batch, (task + 1) * kDenseImages), Workspace::mine().image);
  });
}

constexpr int kTapTile = kRegisters == 32 ? 12 : 6;    // taps times two slices of sums
constexpr int kImageTile = kRegisters == 32 ? 4 : 2;   // images times kPixelTile of sums
constexpr int kPixelTile = 6;
// Taps of one backward task: all sums over images or features are then its own.
constexpr Index kTaskTaps = 4 * kPixelTile * kLanes;
constexpr Index kSummed = 128;  // images whose weight gradients are summed before they are added
// Taps of an image that are packed together: whole tiles, and whole lines of the cache.
constexpr Index kPackedTaps = 48;
constexpr Index kLine = 16;  // floats

// Weight gradients of kTapTile taps in kSlices slices; `pixels` as [image][kPackedTaps].
template <int kSlices>
void dense_taps(const float* pixels, const Vector* gradients, Index slices, Index images,
                Vector* out) {
  Vector sums[kSlices][kTapTile] = {};
  for (Index image = 0; image < images; ++image) {
    Vector gradient[kSlices];
#pragma GCC unroll 2
    for (int slice = 0; slice < kSlices; ++slice) {
      gradient[slice] = gradients[slice];
      in_register(gradient[slice]);
    }
#pragma GCC unroll 12
    for (int tap = 0; tap < kTapTile; ++tap) {
      const Vector pixel = broadcast(pixels + tap);
#pragma GCC unroll 2
      for (int slice = 0; slice < kSlices; ++slice) sums[slice][tap] += pixel * gradient[slice];
    }
    pixels += kPackedTaps;
    gradients += slices;
  }
#pragma GCC unroll 2
  for (int slice = 0; slice < kSlices; ++slice) {
#pragma GCC unroll 12
    for (int tap = 0; tap < kTapTile; ++tap) out[slice * kTapTile + tap] += sums[slice][tap];
  }
}

// Up to kPackedTaps taps of each image, which begin at `images`, side by side as [image][kPackedTaps].
// Where a row of pixels is a whole number of pages, all images share one place in the cache: each is
// read once, in one piece, and what follows is fetched for the next time.
inline void pack_pixels(const Block& block, const float* images, Index count, Index taps,
                        float* packed) {
  for (Index image = 0; image < count; ++image, packed += kPackedTaps) {
    const float* from = images + image * block.taps();
    if (taps == kPackedTaps) {
#pragma GCC unroll 12
      for (Index at = 0; at < kPackedTaps; at += kLanes) store(packed + at, load(from + at));
    } else {
      std::copy(from, from + taps, packed);
      std::fill(packed + taps, packed + kPackedTaps, 0.0f);
    }
    for (Index at = 0; at < kPackedTaps; at += kLine) __builtin_prefetch(from + kPackedTaps + at);
  }
}

// Weight gradients of up to kPackedTaps of a task's taps, from `tap` on.
inline void dense_weight_gradients(const Block& block, const float* images,
                                   const Vector* gradients, Index tap, Index end, float* out,
                                   Scratch& scratch) {
  const Index slices = block.slices(), tiles = (end - tap + kTapTile - 1) / kTapTile;
  float* pixels = scratch.floats(kSummed * kPackedTaps);
  Vector* sums = scratch.vectors(tiles * slices * kTapTile);
  std::fill(sums, sums + tiles * slices * kTapTile, Vector{});
  for (Index first = 0; first < block.batch; first += kSummed) {
    const Index count = std::min(kSummed, block.batch - first);
    pack_pixels(block, images + first * block.taps() + tap, count, end - tap, pixels);
    const Vector* some = gradients + first * slices;
    for (Index tile = 0; tile < tiles; ++tile) {
      const float* packed = pixels + tile * kTapTile;
      Vector* to = sums + tile * slices * kTapTile;
      Index slice = 0;
      for (; slice + 2 <= slices; slice += 2) {
        dense_taps<2>(packed, some + slice, slices, count, to + slice * kTapTile);
      }
      if (slice < slices) dense_taps<1>(packed, some + slice, slices, count, to + slice * kTapTile);
    }
  }
  for (Index at = tap; at < end; ++at) {
    const Index tile = (at - tap) / kTapTile, of = (at - tap) % kTapTile;
    for (Index slice = 0; slice < slices; ++slice) {
      store_some(out + at * block.features + slice * kLanes,
                 sums[(tile * slices + slice) * kTapTile + of], block.filled(slice));
    }
  }
  scratch.give_back();
  scratch.give_back();
}

// Weights of up to kTaskTaps taps as [feature][tap].
inline void transpose_weights(const Block& block, const float* kernel, Index tap, Index end,
                              Vector* out) {
  for (Index slice = 0; slice < block.slices(); ++slice) {
    for (Index at = 0; at < kTaskTaps / kLanes; ++at) {
      Vector square[kLanes];
      for (Index lane = 0; lane < kLanes; ++lane) {
        const Index from = tap + at * kLanes + lane;
        square[lane] = from < end ? load_some(kernel + from * block.features + slice * kLanes,
                                              block.filled(slice))
                                  : Vector{};
      }
      transpose(square);
      for (Index lane = 0; lane < kLanes; ++lane) {
        out[(slice * kLanes + lane) * (kTaskTaps / kLanes) + at] = square[lane];
      }
    }
  }
}

// Gradients at kPixelTile vectors of pixels of kImageTile images.
inline void dense_pixels(const float* gradients, Index gradient_row, const Vector* weights,
                         Index features, Vector (&sums)[kImageTile][kPixelTile]) {
  Vector own[kImageTile][kPixelTile] = {};
  for (Index feature = 0; feature < features; ++feature) {
    Vector gradient[kImageTile];
#pragma GCC unroll 4
    for (int image = 0; image < kImageTile; ++image) {
      gradient[image] = broadcast(gradients + image * gradient_row + feature);
    }
#pragma GCC unroll 6
    for (int at = 0; at < kPixelTile; ++at) {
      Vector weight = weights[at];
      in_register(weight);
#pragma GCC unroll 4
      for (int image = 0; image < kImageTile; ++image) own[image][at] += gradient[image] * weight;
    }
    weights += kTaskTaps / kLanes;
  }
#pragma GCC unroll 4
  for (int image = 0; image < kImageTile; ++image) {
#pragma GCC unroll 6
    for (int at = 0; at < kPixelTile; ++at) sums[image][at] = own[image][at];
  }
}

// Image gradients of the taps from `tap` to `end`; `gradients` as [image][feature], with images of
// zeros after the last.
inline void dense_image_gradients(const Block& block, const Vector* gradients,
                                  const Vector* weights, Index tap, Index end, float* out) {
  const Index row = block.slices() * kLanes;
  // The weights of a few vectors of taps stay in the fast cache for all images.
  for (Index at = tap; at < end; at += kPixelTile * kLanes) {
    for (Index first = 0; first < block.batch; first += kImageTile) {
      const Index images = std::min<Index>(kImageTile, block.batch - first);
      const float* some = reinterpret_cast<const float*>(gradients) + first * row;
      float* to = out + first * block.taps() + at;
      // What the sums are stored to is fetched while they are computed.
      const Index wanted = std::min<Index>(end - at, kPixelTile * kLanes);
      for (Index image = 0; image < images; ++image) {
        for (Index x = 0; x < wanted; x += kLine) {
          __builtin_prefetch(to + image * block.taps() + x, 1);
        }
      }
      Vector tile[kImageTile][kPixelTile];
      dense_pixels(some, row, weights + (at - tap) / kLanes, block.features, tile);
      for (Index image = 0; image < images; ++image, to += block.taps()) {
        for (Index x = 0; x < kPixelTile && x * kLanes < wanted; ++x) {
          store_some(to + x * kLanes, tile[image][x], wanted - x * kLanes);
        }
      }
    }
  }
}

// The gradient through the activation at one image's units, from the first of them on.
inline Vector dense_gradient(const Gradients& gradients, Index at, Index filled) {
  const Vector incoming = load_some(gradients.out + at, filled);
  if (gradients.residual.outputs != nullptr) {
    const Vector output = load_some(gradients.residual.outputs + at, filled);
    return select(output > Vector{}, incoming, Vector{});
  }
  if (gradients.residual.slopes == nullptr) return incoming;
  return incoming * load_some(gradients.residual.slopes + at, filled);
}

// Gradients through the activation as [image][slice], up to a whole tile of images, and their sums.
inline Vector* dense_gradients(const Block& block, const Gradients& gradients, Scratch& scratch) {
  const Index slices = block.slices();
  const Index padded = (block.batch + kImageTile - 1) / kImageTile * kImageTile;
  Vector* masked = scratch.vectors(padded * slices);
  std::fill(masked + block.batch * slices, masked + padded * slices, Vector{});
  for (Index slice = 0; slice < slices; ++slice) {
    Vector total = {};
    for (Index first = 0; first < block.batch; first += kSummed) {
      Vector sum = {};
      for (Index image = first; image < std::min(block.batch, first + kSummed); ++image) {
        const Index at = image * block.features + slice * kLanes;
        const Vector gradient = dense_gradient(gradients, at, block.filled(slice));
        masked[image * slices + slice] = gradient;
        sum += gradient;
      }
      total += sum;
    }
    store_some(gradients.bias + slice * kLanes, total, block.filled(slice));
  }
  return masked;
}

template <typename Parallel>
void dense_backward(const Block& block, const float* images, const float* kernel,
                    const Gradients& gradients, const Parallel& parallel) {
  Scratch& call = Workspace::mine().call;
  call.reuse();
  const Vector* masked = dense_gradients(block, gradients, call);
  parallel((block.taps() + kTaskTaps - 1) / kTaskTaps, [&](Index task) {
    Scratch& scratch = Workspace::mine().image;
    scratch.reuse();
    const Index begin = task * kTaskTaps, end = std::min(block.taps(), begin + kTaskTaps);
    for (Index tap = begin; tap < end; tap += kPackedTaps) {
      dense_weight_gradients(block, images, masked, tap, std::min(end, tap + kPackedTaps),
                             gradients.kernel, scratch);
    }
    if (gradients.images == nullptr) return;
    Vector* weights = scratch.vectors(block.slices() * kTaskTaps);
    transpose_weights(block, kernel, begin, end, weights);
    dense_image_gradients(block, masked, weights, begin, end, gradients.images);
  });
}

}  // namespace cnn_ablation
