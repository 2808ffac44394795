// Random blocks, and what plain loops make of them. With small integers for values all sums are exact
// in any order: results must be equal.
#pragma once

#include <random>
#include <vector>

#include "passes.h"

namespace cnn_ablation {

// Runs the tasks last to first: none may count on another before it.
struct Serial {
  template <typename Body>
  void operator()(Index count, const Body& body) const {
    for (Index task = count - 1; task >= 0; --task) body(task);
  }
};

// Without slack at the end: a read or write beyond it is an error that a sanitizer sees.
using Floats = std::vector<float>;

inline Floats integers(std::mt19937& random, Index size, int most) {
  std::uniform_int_distribution<int> draw(-most, most);
  Floats values(static_cast<std::size_t>(size));
  for (float& value : values) value = static_cast<float>(draw(random));
  return values;
}

struct Inputs {
  Floats images, kernel, bias, out_gradients;
};

inline Inputs integer_inputs(const Block& block, std::mt19937& random) {
  Inputs in;
  in.images = integers(random, block.batch * block.image_size(), 2);
  in.kernel = integers(random, block.taps() * block.features, 2);
  in.bias = integers(random, block.features, 4);
  in.out_gradients = integers(random, block.batch * block.out_size(), 2);
  return in;
}

struct Results {
  explicit Results(const Inputs& in)
      : out(in.out_gradients.size()),
        images(in.images.size()),
        kernel(in.kernel.size()),
        bias(in.bias.size()) {}
  Results(const Block& block, const Inputs& in) : Results(in) {
    if (block.keeps_winners()) winners.resize(out.size());
    if (block.keeps_slopes()) {
      slopes.resize(static_cast<std::size_t>(block.batch * block.slopes_size()));
    }
  }

  Floats out, images, kernel, bias;
  std::vector<std::int32_t> winners;  // where the block keeps them, as slopes
  Floats slopes;

  Kept kept() {
    return {winners.empty() ? nullptr : winners.data(), slopes.empty() ? nullptr : slopes.data()};
  }
  Residual residual(const Block& block) const {
    const bool outputs = block.activation == Activation::kRelu && block.pool == 1;
    return {outputs ? out.data() : nullptr, winners.empty() ? nullptr : winners.data(),
            slopes.empty() ? nullptr : slopes.data()};
  }
};

template <typename Parallel>
void run_forward(const Block& block, const Inputs& in, const Parallel& parallel, Results& r) {
  forward(block, in.images.data(), in.kernel.data(), in.bias.data(), r.out.data(),
          r.kept(), parallel);
}

template <typename Parallel>
void run_backward(const Block& block, const Inputs& in, bool want_images, const Parallel& parallel,
                  Results& r) {
  Gradients gradients = {};
  gradients.out = in.out_gradients.data();
  gradients.residual = r.residual(block);
  gradients.kernel = r.kernel.data();
  gradients.bias = r.bias.data();
  gradients.images = want_images ? r.images.data() : nullptr;
  backward(block, in.images.data(), in.kernel.data(), gradients, parallel);
}

template <typename Parallel>
Results ours(const Block& block, const Inputs& in, bool want_images, const Parallel& parallel) {
  Results r(block, in);
  run_forward(block, in, parallel, r);
  run_backward(block, in, want_images, parallel, r);
  return r;
}

// Calls visit(pixel, tap) for each place of the kernel inside the image: where its first channel
// lies, and that channel's weight.
template <typename Visit>
void each_place(const Block& b, Index n, Index y, Index x, Index o, const Visit& visit) {
  for (Index i = 0; i < b.kernel_height; ++i) {
    for (Index j = 0; j < b.kernel_width; ++j) {
      const Index row = y * b.stride + i * b.dilation - b.pad_top;
      const Index column = x * b.stride + j * b.dilation - b.pad_left;
      if (row < 0 || row >= b.height || column < 0 || column >= b.width) continue;
      visit(((n * b.height + row) * b.width + column) * b.channels,
            (i * b.kernel_width + j) * b.channels * b.features + o);
    }
  }
}

inline float plain_sum(const Block& b, const Inputs& in, Index n, Index y, Index x, Index o) {
  const float *images = in.images.data(), *kernel = in.kernel.data();
  float sum = 0;
  each_place(b, n, y, x, o, [&](Index pixel, Index tap) {
    for (Index c = 0; c < b.channels; ++c) sum += images[pixel + c] * kernel[tap + c * b.features];
  });
  return sum;
}

inline void add_plain_gradients(const Block& b, const Inputs& in, Index n, Index y, Index x,
                                Index o, float gradient, Results& r) {
  const float *images = in.images.data(), *kernel = in.kernel.data();
  float *of_images = r.images.data(), *of_kernel = r.kernel.data();
  r.bias[static_cast<std::size_t>(o)] += gradient;
  each_place(b, n, y, x, o, [&](Index pixel, Index tap) {
    for (Index c = 0; c < b.channels; ++c) {
      of_images[pixel + c] += gradient * kernel[tap + c * b.features];
      of_kernel[tap + c * b.features] += gradient * images[pixel + c];
    }
  });
}

// One output that is a maximum: of which member, and where its gradient goes.
inline void plain_maximum(const Block& b, const Inputs& in, Index n, Index y, Index x, Index o,
                          std::size_t at, Results& r) {
  Index best_y = 0, best_x = 0;
  float best = 0;
  for (Index i = 0; i < b.pool; ++i) {
    for (Index j = 0; j < b.pool; ++j) {
      const float sum = plain_sum(b, in, n, y * b.pool + i, x * b.pool + j, o);
      if ((i == 0 && j == 0) || sum > best) {
        best = sum;
        best_y = y * b.pool + i;
        best_x = x * b.pool + j;
      }
    }
  }
  const float value = best + in.bias[static_cast<std::size_t>(o)];
  const bool passes = value > 0 || b.activation == Activation::kNone;
  r.out[at] = passes ? value : 0;
  if (passes) add_plain_gradients(b, in, n, best_y, best_x, o, in.out_gradients[at], r);
}

// One output that is a mean of activated members.
inline void plain_mean(const Block& b, const Inputs& in, Index n, Index y, Index x, Index o,
                       std::size_t at, Results& r) {
  const float share = 1.0f / static_cast<float>(b.pool * b.pool);
  float total = 0;
  for (Index i = 0; i < b.pool; ++i) {
    for (Index j = 0; j < b.pool; ++j) {
      const Index row = y * b.pool + i, column = x * b.pool + j;
      const float value =
          plain_sum(b, in, n, row, column, o) + in.bias[static_cast<std::size_t>(o)];
      if (value <= 0 && b.activation == Activation::kRelu) continue;
      total += value;
      add_plain_gradients(b, in, n, row, column, o, share * in.out_gradients[at], r);
    }
  }
  r.out[at] = total * share;
}

inline Results plain(const Block& b, const Inputs& in) {
  Results r(in);
  std::size_t at = 0;
  for (Index n = 0; n < b.batch; ++n) {
    for (Index y = 0; y < b.out_height; ++y) {
      for (Index x = 0; x < b.out_width; ++x) {
        for (Index o = 0; o < b.features; ++o, ++at) {
          (b.average ? plain_mean : plain_maximum)(b, in, n, y, x, o, at, r);
        }
      }
    }
  }
  return r;
}

// The convolution's height or width, and the padding before it.
struct Side {
  Index size, pad;
};

inline Side side_of(Index image, Index reach, Index stride, bool same) {
  if (!same) return {(image - reach) / stride + 1, 0};
  const Index size = (image + stride - 1) / stride;
  return {size, std::max<Index>((size - 1) * stride + reach - image, 0) / 2};
}

inline Block random_block(std::mt19937& random) {
  const auto draw = [&](int least, int most) {
    return static_cast<Index>(std::uniform_int_distribution<int>(least, most)(random));
  };
  const Index channel_counts[] = {1, 2, 3, 7, 8, 9, 12, 17, 26};
  const Index feature_counts[] = {1, 2, 3, 4, 5, 7, 8, 9, 11, 16, 17, 24, 33};
  Block b = {};
  b.batch = draw(1, 2 * kLanes + 2);
  b.kernel_height = draw(1, 6);
  b.kernel_width = draw(1, 6);
  b.dilation = draw(0, 2) == 0 ? draw(2, 3) : 1;
  const bool dense = draw(0, 5) == 0;
  b.height = b.reach(b.kernel_height) + (dense ? 0 : draw(0, 10));
  b.width = b.reach(b.kernel_width) + (dense ? 0 : draw(0, draw(0, 3) == 0 ? 40 : 10));
  b.channels = channel_counts[draw(0, 8)];
  b.features = feature_counts[draw(0, 12)];
  b.stride = draw(1, 5);
  const bool same = draw(0, 1) == 1;
  const Side rows = side_of(b.height, b.reach(b.kernel_height), b.stride, same);
  const Side columns = side_of(b.width, b.reach(b.kernel_width), b.stride, same);
  b.pad_top = rows.pad;
  b.pad_left = columns.pad;
  b.pool = draw(1, static_cast<int>(std::min<Index>({4, rows.size, columns.size})));
  b.out_height = rows.size / b.pool;
  b.out_width = columns.size / b.pool;
  b.activation = draw(0, 2) == 0 ? Activation::kNone : Activation::kRelu;
  // A ninth is no float.
  b.average = b.pool != 3 && draw(0, 2) == 0;
  // Sixths, which Winograd's way has, are none either.
  b.algorithm = Algorithm::kDirect;
  return b;
}

}  // namespace cnn_ablation
