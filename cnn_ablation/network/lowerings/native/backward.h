// Gradients of a block. A group of kLanes images is worked on together: their gradients at the
// convolution's output first, from them the weights' gradients image by image, then the images'.
#pragma once

#include "forward.h"
#include "workspace.h"

namespace cnn_ablation {

// Taps whose sums stay in registers while all pixels of an image go by.
constexpr int kMaxTaps = kRegisters == 32 ? 24 : 12;
// The same of two slices that share the loads of the image's numbers.
constexpr int kPairTaps = 6;

// Gradients through pooling to all members of the window of one output pixel, in one slice; `at` and
// `corner` are where they begin in the conv's rows of slopes and of gradients. Returns their sum.
inline Vector spread_window(const Block& block, Index at, Index filled, Vector incoming,
                            const float* slopes, Vector* corner) {
  const Vector share = incoming * (1.0f / static_cast<float>(block.pool * block.pool));
  Vector total = {};
  for (Index row = 0; row < block.pool; ++row) {
    for (Index column = 0; column < block.pool; ++column) {
      const Index pixel = row * block.conv_width() + column;
      Vector gradient = share;
      if (slopes != nullptr) gradient *= load_some(slopes + at + pixel * block.features, filled);
      corner[pixel] = gradient;
      total += gradient;
    }
  }
  return total;
}

// Gradients through activation and pooling of one output pixel, in one slice; `corner` is where its
// window begins in rows of the convolution. Returns what reaches the bias.
inline Vector gradient_window(const Block& block, Index x, Index slice, const float* incoming_row,
                              Residual residual, Vector* corner) {
  const Index filled = block.filled(slice), at = x * block.features + slice * kLanes;
  Vector incoming = load_some(incoming_row + at, filled);
  if (block.pool == 1 && residual.outputs != nullptr) {
    const Vector output = load_some(residual.outputs + at, filled);
    return *corner = select(output > Vector{}, incoming, Vector{});
  }
  if (block.slopes_before_pooling()) {
    const Index first = x * block.pool * block.features + slice * kLanes;
    return spread_window(block, first, filled, incoming, residual.slopes, corner);
  }
  if (residual.slopes != nullptr) incoming *= load_some(residual.slopes + at, filled);
  if (block.pool == 1) return *corner = incoming;
  const Integers winner = load_some(residual.winners + at, filled);
  Integers member = {};
  for (Index row = 0; row < block.pool; ++row) {
    for (Index column = 0; column < block.pool; ++column) {
      corner[row * block.conv_width() + column] = select(winner == member, incoming, Vector{});
      member += 1;
    }
  }
  return select(winner < member, incoming, Vector{});
}

// The same for a row of pixels, with two sums that do not wait for each other.
inline Vector gradient_rows(const Block& block, Index slice, const float* incoming_row,
                            Residual residual, Vector* rows) {
  const auto window = [&](Index x) {
    return gradient_window(block, x, slice, incoming_row, residual, rows + x * block.pool);
  };
  Vector even = {}, odd = {};
  Index x = 0;
  for (; x + 1 < block.out_width; x += 2) {
    even += window(x);
    odd += window(x + 1);
  }
  if (x < block.out_width) even += window(x);
  return even + odd;
}

// Each pixel of a row beside the next, as `view` pairs the image.
inline void fold_row(const Block& block, const Vector* row, Vector* folded) {
  for (Index x = 0; x < block.conv_width(); x += 2) {
    const Vector right = x + 1 < block.conv_width() ? row[x + 1] : Vector{};
    *folded++ = zip_low(row[x], right, Lanes());
  }
}

// Both for a row behind ReLU where each vector is two whole pixels. Returns their sum.
inline Vector paired_gradients(const Block& block, const float* incoming, const float* outputs,
                               Vector* folded) {
  const Index size = block.conv_width() * block.features;
  Vector total = {};
  for (Index at = 0; at < size; at += kLanes, ++folded) {
    const Index count = std::min<Index>(kLanes, size - at);
    const Vector output = load_some(outputs + at, count);
    *folded = zip(select(output > Vector{}, load_some(incoming + at, count), Vector{}), Lanes());
    total += *folded;
  }
  return evens(total, Vector{}, Lanes()) + odds(total, Vector{}, Lanes());
}

// The same behind windows of 2 x 2, for two rows.
inline Vector pooled_pairs_gradients(const Block& block, const float* incoming_row,
                                     const std::int32_t* winners, Vector* folded) {
  const Index size = block.out_width * block.features;
  Vector total = {};
  for (Index x = 0; x < block.out_width; x += 2) {
    const Index at = x * block.features, count = std::min<Index>(kLanes, size - at);
    const Vector incoming = load_some(incoming_row + at, count);
    const Integers winner = load_some(winners + at, count);
    for (std::int32_t row = 0; row < 2; ++row) {
      Vector* to = folded + row * block.fold() + x;
      const Vector left = select(winner == 2 * row, incoming, Vector{});
      const Vector right = select(winner == 2 * row + 1, incoming, Vector{});
      to[0] = zip_low(left, right, Lanes());
      if (x + 1 < block.out_width) to[1] = zip_high(left, right, Lanes());
    }
    total += select(winner < 4, incoming, Vector{});
  }
  total = zip(total, Lanes());
  return evens(total, Vector{}, Lanes()) + odds(total, Vector{}, Lanes());
}

// One image's gradients at the convolution, as [slice][pixel], folded or not; adds their sums.
inline void convolution_gradients(const Block& block, bool folded, const float* out_gradients,
                                  Residual residual, Vector* gradients, Vector* bias_sums,
                                  Scratch& scratch) {
  const Index width = block.conv_width(), row_size = block.out_width * block.features;
  Vector* rows = folded ? scratch.vectors(block.pool * width) : nullptr;
  const bool pairs = folded && block.fills_pairs();
  for (Index slice = 0; slice < block.slices(); ++slice) {
    Vector total = {};
    for (Index y = 0; y < block.out_height; ++y) {
      if (pairs) {
        const float* incoming = out_gradients + y * row_size;
        const Residual of_row = residual.row(block, y);
        total += block.pool == 1
                     ? paired_gradients(block, incoming, of_row.outputs, gradients)
                     : pooled_pairs_gradients(block, incoming, of_row.winners, gradients);
        gradients += block.pool * block.fold();
        continue;
      }
      total += gradient_rows(block, slice, out_gradients + y * row_size, residual.row(block, y),
                             folded ? rows : gradients);
      for (Index row = 0; folded && row < block.pool; ++row) {
        fold_row(block, rows + row * width, gradients + row * block.fold());
      }
      gradients += block.pool * (folded ? block.fold() : width);
    }
    bias_sums[slice] += total;
  }
}

struct Pixels {
  Index rows, columns;   // of the convolution
  Index step, line;      // elements of the image from one column, and one row, to the next
  Index image_row;       // elements of the image from one kernel row to the next
  Index row_taps;
};

// Add the gradients of kTaps neighbouring taps in each of kRows kernel rows, and of kSlices slices,
// whose gradients and sums lie `gradients_apart` and `out_apart` from one to the other.
template <typename Element, int kSlices, int kRows, int kTaps>
void weight_gradients(const Pixels& pixels, const Element* image, const Vector* gradients,
                      Index gradients_apart, Vector* out, Index out_apart) {
  Vector sums[kSlices][kRows][kTaps] = {};
  for (Index y = 0; y < pixels.rows; ++y) {
    const Element* seen = image + y * pixels.line;
    for (Index x = 0; x < pixels.columns; ++x, seen += pixels.step) {
      Vector gradient[kSlices];
#pragma GCC unroll 2
      for (int slice = 0; slice < kSlices; ++slice) {
        gradient[slice] = gradients[slice * gradients_apart];
      }
      ++gradients;
#pragma GCC unroll 4
      for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 32
        for (int tap = 0; tap < kTaps; ++tap) {
          const Vector shared = broadcast(seen + row * pixels.image_row + tap);
#pragma GCC unroll 2
          for (int slice = 0; slice < kSlices; ++slice) {
            sums[slice][row][tap] += gradient[slice] * shared;
          }
        }
      }
    }
  }
#pragma GCC unroll 2
  for (int slice = 0; slice < kSlices; ++slice) {
#pragma GCC unroll 4
    for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 32
      for (int tap = 0; tap < kTaps; ++tap) {
        out[slice * out_apart + row * pixels.row_taps + tap] += sums[slice][row][tap];
      }
    }
  }
}

template <typename Element>
using WeightGradients = void (*)(const Pixels&, const Element*, const Vector*, Index, Vector*,
                                 Index);

template <typename Element, int kSlices, int kRows, int... kTaps>
WeightGradients<Element> weight_gradients_for(Index taps, std::integer_sequence<int, kTaps...>) {
  static constexpr WeightGradients<Element> table[] = {
      weight_gradients<Element, kSlices, kRows, kTaps + 1>...};
  return table[taps - 1];
}

template <typename Element, int kSlices>
WeightGradients<Element> weight_gradients_for(Index rows, Index taps) {
  constexpr int kMost = kSlices == 2 ? kPairTaps : kMaxTaps;
  if (rows == 3) {
    return weight_gradients_for<Element, kSlices, 3>(taps,
                                                     std::make_integer_sequence<int, kMost / 3>());
  }
  if (rows == 2) {
    return weight_gradients_for<Element, kSlices, 2>(taps,
                                                     std::make_integer_sequence<int, kMost / 2>());
  }
  return weight_gradients_for<Element, kSlices, 1>(taps, std::make_integer_sequence<int, kMost>());
}

// Add one image's weight gradients of kSlices slices, as [slice][tap].
template <int kSlices, typename Element>
void add_slices(const Block& block, View<Element> image, const Pixels& pixels,
                const Vector* gradients, Vector* sums) {
  constexpr Index kMost = kSlices == 2 ? kPairTaps : kMaxTaps;
  const Index run_taps = block.run_taps();
  const Index together = std::min<Index>(3, std::max<Index>(1, kMost / run_taps));
  for (Index row = 0; row < block.kernel_height;) {
    const Index rows = std::min(together, block.kernel_height - row);
    for (Index run = 0; run < block.runs(); ++run) {
      const Element* seen =
          image.pixels + row * pixels.image_row + run * block.dilation * block.channels;
      Vector* out = sums + row * pixels.row_taps + run * run_taps;
      each_part(run_taps, kMost, [&](Index first, Index taps) {
        weight_gradients_for<Element, kSlices>(rows, taps)(pixels, seen + first, gradients,
                                                           pixels.rows * pixels.columns,
                                                           out + first, block.taps());
      });
    }
    row += rows;
  }
}

// Add one image's weight gradients, as [slice][tap].
template <typename Element>
void add_weight_gradients(const Block& block, View<Element> image, const Vector* gradients,
                          Index columns, Vector* sums) {
  const Pixels pixels = {block.conv_height(),
                         columns,
                         block.stride * block.channels * (std::is_same_v<Element, Pair> ? 2 : 1),
                         block.stride * image.row,
                         block.dilation * image.row,
                         block.kernel_width * block.channels};
  const Index of_slice = pixels.rows * columns;
  Index slice = 0;
  if constexpr (kPairSlices) {
    for (; slice + 2 <= block.slices(); slice += 2) {
      add_slices<2>(block, image, pixels, gradients + slice * of_slice,
                    sums + slice * block.taps());
    }
  }
  for (; slice < block.slices(); ++slice) {
    add_slices<1>(block, image, pixels, gradients + slice * of_slice, sums + slice * block.taps());
  }
}

}  // namespace cnn_ablation
