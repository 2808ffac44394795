// Gradients of a block. A group of kLanes images is worked on together: their gradients at the
// convolution's output first, from them the weights' gradients image by image, then the images'.
#pragma once

#include "forward.h"
#include "workspace.h"

namespace cnn_ablation {

// Taps whose sums stay in registers while all pixels of an image go by.
constexpr int kMaxTaps = kRegisters == 32 ? 24 : 12;

// Gradients through ReLU and pooling, as [slice][pixel] of the convolution; adds their sums.
inline void convolution_gradients(const Block& block, const float* out_gradients,
                                  Residual residual, Vector* gradients, Vector* bias_sums) {
  const Index width = block.conv_width();
  for (Index slice = 0; slice < block.slices(); ++slice) {
    const Index filled = block.filled(slice);
    Vector total = {};
    for (Index y = 0; y < block.out_height; ++y) {
      Vector row_total = {};
      for (Index x = 0; x < block.out_width; ++x) {
        const Index at = (y * block.out_width + x) * block.features + slice * kLanes;
        const Vector incoming = load_some(out_gradients + at, filled);
        if (block.pool == 1) {
          const Vector output = load_some(residual.outputs + at, filled);
          const Vector gradient = select(output > Vector{}, incoming, Vector{});
          gradients[y * width + x] = gradient;
          row_total += gradient;
          continue;
        }
        const Integers winner = load_some(residual.winners + at, filled);
        Vector* corner = gradients + (y * width + x) * block.pool;
        Integers member = {};
        for (Index row = 0; row < block.pool; ++row) {
          for (Index column = 0; column < block.pool; ++column) {
            const Vector gradient = select(winner == member, incoming, Vector{});
            corner[row * width + column] = gradient;
            row_total += gradient;
            member += 1;
          }
        }
      }
      total += row_total;
    }
    bias_sums[slice] += total;
    gradients += block.conv_height() * width;
  }
}

// Each pixel beside the one `fold()` columns further on, as `view` pairs the image.
inline void fold(const Block& block, const Vector* gradients, Vector* folded) {
  const Index width = block.conv_width();
  for (Index y = 0; y < block.conv_height(); ++y) {
    for (Index x = 0; x < block.fold(); ++x) {
      const Index right = x + block.fold();
      const Vector other = right < width ? gradients[y * width + right] : Vector{};
      *folded++ = zip_low(gradients[y * width + x], other, Lanes());
    }
  }
}

struct Pixels {
  Index rows, columns;   // of the convolution
  Index step, line;      // elements of the image from one column, and one row, to the next
  Index image_row;       // elements of the image from one kernel row to the next
  Index row_taps;
};

// Add the gradients of kTaps neighbouring taps in each of kRows kernel rows.
template <typename Element, int kRows, int kTaps>
void weight_gradients(const Pixels& pixels, const Element* image, const Vector* gradients,
                      Vector* out) {
  Vector sums[kRows][kTaps] = {};
  for (Index y = 0; y < pixels.rows; ++y) {
    const Element* seen = image + y * pixels.line;
    for (Index x = 0; x < pixels.columns; ++x, seen += pixels.step) {
      const Vector gradient = *gradients++;
#pragma GCC unroll 4
      for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 32
        for (int tap = 0; tap < kTaps; ++tap) {
          sums[row][tap] += gradient * broadcast(seen + row * pixels.image_row + tap);
        }
      }
    }
  }
#pragma GCC unroll 4
  for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 32
    for (int tap = 0; tap < kTaps; ++tap) out[row * pixels.row_taps + tap] += sums[row][tap];
  }
}

template <typename Element>
using WeightGradients = void (*)(const Pixels&, const Element*, const Vector*, Vector*);

template <typename Element, int kRows, int... kTaps>
WeightGradients<Element> weight_gradients_for(Index taps, std::integer_sequence<int, kTaps...>) {
  static constexpr WeightGradients<Element> table[] = {
      weight_gradients<Element, kRows, kTaps + 1>...};
  return table[taps - 1];
}

template <typename Element>
WeightGradients<Element> weight_gradients_for(Index rows, Index taps) {
  if (rows == 3) {
    return weight_gradients_for<Element, 3>(taps, std::make_integer_sequence<int, kMaxTaps / 3>());
  }
  if (rows == 2) {
    return weight_gradients_for<Element, 2>(taps, std::make_integer_sequence<int, kMaxTaps / 2>());
  }
  return weight_gradients_for<Element, 1>(taps, std::make_integer_sequence<int, kMaxTaps>());
}

// Add one image's weight gradients, as [slice][tap].
template <typename Element>
void add_weight_gradients(const Block& block, View<Element> image, const Vector* gradients,
                          Index columns, Vector* sums) {
  const Index row_taps = block.kernel_width * block.channels;
  const Pixels pixels = {block.conv_height(), columns,   block.stride * block.channels,
                         block.stride * image.row, image.row, row_taps};
  const Index tiles = (row_taps + kMaxTaps - 1) / kMaxTaps;
  const Index together = std::min<Index>(3, std::max<Index>(1, kMaxTaps / row_taps));
  for (Index slice = 0; slice < block.slices(); ++slice) {
    for (Index row = 0; row < block.kernel_height;) {
      const Index rows = std::min(together, block.kernel_height - row);
      Index tap = 0;
      for (Index tile = 0; tile < tiles; ++tile) {
        const Index taps = (row_taps - tap) / (tiles - tile);
        weight_gradients_for<Element>(rows, taps)(pixels, image.pixels + row * image.row + tap,
                                                  gradients, sums + row * row_taps + tap);
        tap += taps;
      }
      row += rows;
    }
    gradients += pixels.rows * columns;
    sums += block.taps();
  }
}

}  // namespace cnn_ablation
