// Gradients at the images, with one image of a group per lane: no channel count wastes lanes, and
// no product is spent on the zeros around a row.
#pragma once

#include <numeric>

#include "backward.h"

namespace cnn_ablation {

constexpr int kNeighbours = kRegisters == 32 ? 2 : 3;  // columns whose sums share the weights
constexpr int kMaxInputs = kRegisters == 32 ? 8 : 4;  // channels whose sums share the gradients

inline Index input_tiles(const Block& block) {
  return (block.channels + kMaxInputs - 1) / kMaxInputs;
}

inline Index padded_features(const Block& block) { return block.slices() * kLanes; }

// Weights as [channel tile][kernel row][kernel column][feature][channel of the tile].
inline void pack_transposed(const Block& block, const float* kernel, float* packed) {
  const Index tiles = input_tiles(block);
  Index first = 0;
  for (Index tile = 0; tile < tiles; ++tile) {
    const Index count = (block.channels - first) / (tiles - tile);
    for (Index window = 0; window < block.kernel_height * block.kernel_width; ++window) {
      const float* from = kernel + (window * block.channels + first) * block.features;
      for (Index feature = 0; feature < padded_features(block); ++feature) {
        for (Index input = 0; input < count; ++input) {
          *packed++ = feature < block.features ? from[input * block.features + feature] : 0.0f;
        }
      }
    }
    first += count;
  }
}

// A kernel row that reaches the image row in hand, and the gradients it meets there, as
// [column][feature] with one image per lane.
struct Line {
  Index kernel_row;
  const Vector* gradients;
};

struct Tile {
  const Line* lines;
  Index line_count;
  Index first_window, last_window, windows_apart;  // kernel columns
  Index first_column, columns_apart;               // of the convolution, against them
  Index kernel_width, features;
};

template <int kInputs>
void input_columns(const Tile& tile, const float* weights, Vector* out, Index out_step) {
  Vector sums[kNeighbours][kInputs] = {};
  for (Index line = 0; line < tile.line_count; ++line) {
    Index column = tile.first_column;
    for (Index window = tile.first_window; window <= tile.last_window;
         window += tile.windows_apart, column -= tile.columns_apart) {
      const Vector* gradients = tile.lines[line].gradients + column * tile.features;
      const float* weight =
          weights + (tile.lines[line].kernel_row * tile.kernel_width + window) * tile.features *
                        kInputs;
      for (Index feature = 0; feature < tile.features; ++feature, weight += kInputs) {
        Vector gradient[kNeighbours];
#pragma GCC unroll 4
        for (int of = 0; of < kNeighbours; ++of) {
          gradient[of] = gradients[feature + of * tile.features];
          if (kPairSlices) in_register(gradient[of]);
        }
#pragma GCC unroll 8
        for (int input = 0; input < kInputs; ++input) {
          const Vector shared = broadcast(weight + input);
#pragma GCC unroll 4
          for (int of = 0; of < kNeighbours; ++of) sums[of][input] += gradient[of] * shared;
        }
      }
    }
  }
#pragma GCC unroll 4
  for (int of = 0; of < kNeighbours; ++of) {
#pragma GCC unroll 8
    for (int input = 0; input < kInputs; ++input) out[of * out_step + input] = sums[of][input];
  }
}

using InputColumns = void (*)(const Tile&, const float*, Vector*, Index);

template <int... kInputs>
InputColumns input_columns_for(Index inputs, std::integer_sequence<int, kInputs...>) {
  static constexpr InputColumns table[] = {input_columns<kInputs + 1>...};
  return table[inputs - 1];
}

// One row of a group's gradients, to [column][feature] with one image per lane.
inline void transpose_pixels(const Block& block, const Vector* group, Index images, Index y,
                             Vector* to) {
  const Index image_size = block.slices() * block.conv_height() * block.conv_width();
  for (Index x = 0; x < block.conv_width(); ++x) {
    for (Index slice = 0; slice < block.slices(); ++slice, to += kLanes) {
      const Vector* from = group + (slice * block.conv_height() + y) * block.conv_width() + x;
      Vector square[kLanes];
      for (Index image = 0; image < kLanes; ++image) {
        square[image] = image < images ? from[image * image_size] : Vector{};
      }
      transpose(square);
      copy_vectors(square, to);
    }
  }
}

// Columns of zeros on each side of a row: what neighbours beyond the row meet.
constexpr int kMargin = kNeighbours - 1;

// The last rows of gradients, transposed to one image per lane, each within margins of zeros.
class GradientRows {
 public:
  GradientRows(const Block& block, const Vector* group, Index images, Scratch& scratch)
      : block_(block),
        group_(group),
        images_(images),
        kept_((block.reach(block.kernel_height) - 1) / block.stride + 1),
        size_((block.conv_width() + 2 * kMargin) * padded_features(block)),
        rows_(scratch.vectors(kept_ * size_)) {
    for (Index row = 0; row < kept_; ++row) {
      std::fill(rows_ + row * size_, rows_ + row * size_ + margin(), Vector{});
      std::fill(rows_ + (row + 1) * size_ - margin(), rows_ + (row + 1) * size_, Vector{});
    }
  }

  void make_ready(Index last) {
    for (; ready_ <= last; ++ready_) transpose_row(ready_);
  }

  // The first pixel of a row.
  const Vector* row(Index y) const { return rows_ + y % kept_ * size_ + margin(); }

 private:
  Index margin() const { return kMargin * padded_features(block_); }

  void transpose_row(Index y) {
    transpose_pixels(block_, group_, images_, y, rows_ + y % kept_ * size_ + margin());
  }

  const Block& block_;
  const Vector* group_;
  Index images_, kept_, size_;
  Vector* rows_;
  Index ready_ = 0;
};

// Kernel columns whose taps lie whole strides apart, and those strides: with a dilation not all do.
inline void place_steps(const Block& block, Tile& tile) {
  const Index common = std::gcd(block.stride, block.dilation);
  tile.windows_apart = block.stride / common;
  tile.columns_apart = block.dilation / common;
}

// The kernel columns, and the convolution's columns, that reach kNeighbours image columns a stride apart
// from x on. There may be none.
inline void place_tile(const Block& block, Index x, Tile& tile) {
  const Index shifted = x + block.pad_left;
  // A tap at `window` meets column (shifted - window * dilation) / stride, where that is whole and,
  // for one of the image columns, inside: from -kMargin on, and below conv_width.
  const Index nearest = shifted - (block.conv_width() - 1) * block.stride;
  Index window = nearest > 0 ? (nearest + block.dilation - 1) / block.dilation : 0;
  const Index end = std::min(window + tile.windows_apart, block.kernel_width);
  while (window < end && (shifted - window * block.dilation) % block.stride != 0) ++window;
  tile.first_window = window;
  tile.last_window = window == end ? -1 : std::min(block.kernel_width - 1,
                                                   (shifted + kMargin * block.stride) / block.dilation);
  tile.first_column = (shifted - window * block.dilation) / block.stride;
}

// One row of the images' gradients, as [column][channel] with one image per lane.
inline void input_row(const Block& block, const std::vector<Line>& lines, const float* weights,
                      Vector* out) {
  Tile tile = {};
  tile.lines = lines.data();
  tile.line_count = static_cast<Index>(lines.size());
  place_steps(block, tile);
  tile.kernel_width = block.kernel_width;
  tile.features = padded_features(block);
  const Index tiles = input_tiles(block);
  const Index windows = block.kernel_height * block.kernel_width * tile.features;
  for (Index phase = 0; phase < std::min(block.stride, block.width); ++phase) {
    for (Index x = phase; x < block.width; x += kNeighbours * block.stride) {
      place_tile(block, x, tile);
      const float* tile_weights = weights;
      Index first = 0;
      for (Index channel_tile = 0; channel_tile < tiles; ++channel_tile) {
        const Index count = (block.channels - first) / (tiles - channel_tile);
        const auto compute =
            input_columns_for(count, std::make_integer_sequence<int, kMaxInputs>());
        compute(tile, tile_weights, out + x * block.channels + first,
                block.stride * block.channels);
        tile_weights += windows * count;
        first += count;
      }
    }
  }
}

// From one image per lane to rows of images.
inline void store_row(const Block& block, const Vector* row, Index images, float* out) {
  const Index size = block.width * block.channels;
  for (Index at = 0; at < size; at += kLanes) {
    Vector square[kLanes];
    copy_vectors(row + at, square);
    transpose(square);
    for (Index image = 0; image < images; ++image) {
      store_some(out + image * block.image_size() + at, square[image],
                 std::min<Index>(kLanes, size - at));
    }
  }
}

// `group` holds the images' gradients at the convolution's output, each as [slice][pixel].
inline void input_gradients(const Block& block, const Vector* group, Index images,
                            const float* weights, float* out, Scratch& scratch) {
  GradientRows rows(block, group, images, scratch);
  Vector* row =
      scratch.vectors((block.width + kNeighbours * block.stride) * block.channels + kLanes);
  std::vector<Line> lines;
  for (Index y = 0; y < block.height; ++y) {
    const Index shifted = y + block.pad_top;
    const Index last = std::min(shifted / block.stride, block.conv_height() - 1);
    rows.make_ready(last);
    lines.clear();
    const Index reach = block.reach(block.kernel_height);
    for (Index from = last; from >= 0 && shifted - from * block.stride < reach; --from) {
      const Index apart = shifted - from * block.stride;
      if (apart % block.dilation == 0) lines.push_back({apart / block.dilation, rows.row(from)});
    }
    input_row(block, lines, weights, row);
    store_row(block, row, images, out + y * block.width * block.channels);
  }
}

}  // namespace cnn_ablation
