// Winograd's way for 3x3 kernels: nine outputs from 25 products instead of 81. A tile of 3x3 outputs
// sees 5x5 pixels; both are polynomials, which are multiplied by their values at the points 0, 1, -1,
// 2 and infinity, along each axis (S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin
// and S. Gray, CVPR 2016). Larger kernels are cut into parts of 3x3, whose products are added up:
// tiles are as far apart as parts, so that all parts share the tiles' values. Gradients alone go this
// way: a sum that is exactly 0 comes out as a little more or less, which ReLU would tell apart.
#pragma once

#include "backward.h"

namespace cnn_ablation {

constexpr Index kTile = 3;             // outputs of a tile, and taps of a part, along an axis
constexpr Index kPoints = 2 * kTile - 1;  // values of a tile along an axis, and pixels under it
constexpr Index kPlanes = kPoints * kPoints;
// Bytes of a band's values and products: what stays in a fast cache of the second level.
constexpr Index kBandBytes = 160 * 1024;

// The tiles of an image's outputs, or of a band of their rows.
struct Grid {
  Index rows, columns;            // of tiles
  Index kernel_rows, kernel_columns;  // parts of the kernel

  Index seen_rows() const { return rows + kernel_rows - 1; }
  Index seen_columns() const { return columns + kernel_columns - 1; }
  Index tiles() const { return rows * columns; }
  Index parts() const { return kernel_rows * kernel_columns; }
};

inline Index in_tiles(Index pixels) { return (pixels + kTile - 1) / kTile; }

inline Grid grid_of(const Block& block) {
  return {in_tiles(block.conv_height()), in_tiles(block.conv_width()),
          in_tiles(block.kernel_height), in_tiles(block.kernel_width)};
}

inline Grid band_of(const Grid& grid, Index rows) {
  return {rows, grid.columns, grid.kernel_rows, grid.kernel_columns};
}

// Products of one plane are those of an ordinary block whose pixels are tiles and whose taps are parts.
// With a single part the rows of tiles are one after another, and so they are made one row.
inline Block plane_of(const Block& block, const Grid& grid) {
  const bool one_row = grid.parts() == 1;
  Block plane = {};
  plane.batch = plane.stride = plane.pool = 1;
  plane.channels = block.channels;
  plane.features = block.features;
  plane.kernel_height = grid.kernel_rows;
  plane.kernel_width = grid.kernel_columns;
  plane.out_height = one_row ? 1 : grid.rows;
  plane.out_width = one_row ? grid.tiles() : grid.columns;
  plane.height = plane.seen_height();
  plane.width = plane.seen_width();
  return plane;
}

// Floats of one plane of a band's values, with room for a vector that is stored beyond its end.
inline Index plane_floats(const Block& block, const Grid& grid) {
  const Index floats = grid.seen_rows() * grid.seen_columns() * block.channels + kLanes;
  return (floats + kLanes - 1) / kLanes * kLanes;
}

// Vectors of one plane of a band's products. One more than needed: planes that lie a power of two apart
// would all fall into the same few places of the cache.
inline Index plane_vectors(const Block& block, const Grid& grid) {
  return block.slices() * grid.tiles() | 1;
}

// Rows of tiles in a band.
inline Index band_rows(const Block& block, const Grid& grid) {
  const Index values = kPlanes * grid.seen_columns() * block.channels * 4;
  const Index products = kPlanes * grid.columns * block.slices() * static_cast<Index>(sizeof(Vector));
  const Index room = kBandBytes - (grid.kernel_rows - 1) * values;
  return std::clamp<Index>(room / (values + products), 1, grid.rows);
}

// Copies the `channels` numbers of a pixel; whole vectors of them unless no more than they may be read
// and written.
inline void copy_pixel(const float* from, Index channels, bool exactly, float* to) {
  if (2 * channels == kLanes) {
    std::memcpy(to, from, sizeof(Vector) / 2);
    return;
  }
  for (Index at = 0; at < channels; at += kLanes) {
    const Index count = exactly ? channels - at : kLanes;
    store_some(to + at, load_some(from + at, count), count);
  }
}

// The values of 5 pixels.
struct InputValues {
  static constexpr Index kFrom = kPoints, kTo = kPoints;
  static void of(const Vector (&pixels)[kPoints], Vector (&values)[kPoints]) {
    const Vector bend = pixels[3] - pixels[1];
    values[0] = 2.0f * (pixels[0] - pixels[2]) + bend;
    values[1] = bend - (pixels[1] + pixels[2]);
    values[2] = 2.0f * (pixels[1] - pixels[2]) + (pixels[3] - pixels[2]);
    values[3] = bend;
    values[4] = (pixels[4] - pixels[2]) - 2.0f * bend;
  }
};

// The values of 3 taps, over what the input's values are multiples of.
struct KernelValues {
  static constexpr Index kFrom = kTile, kTo = kPoints;
  static void of(const Vector (&taps)[kTile], Vector (&values)[kPoints]) {
    const Vector ends = taps[0] + taps[2];
    values[0] = 0.5f * taps[0];
    values[1] = -0.5f * (ends + taps[1]);
    values[2] = (1.0f / -6.0f) * (ends - taps[1]);
    values[3] = (1.0f / 6.0f) * (taps[0] + 2.0f * taps[1] + 4.0f * taps[2]);
    values[4] = taps[2];
  }
};

// From gradients of 3 outputs to those of their products.
struct ProductGradients {
  static constexpr Index kFrom = kTile, kTo = kPoints;
  static void of(const Vector (&outputs)[kTile], Vector (&products)[kPoints]) {
    const Vector ends = outputs[0] + outputs[2];
    products[0] = outputs[0];
    products[1] = ends + outputs[1];
    products[2] = ends - outputs[1];
    products[3] = (4.0f * outputs[2] + outputs[0]) + 2.0f * outputs[1];
    products[4] = outputs[2];
  }
};

// And from gradients of a kernel's values to those of its 3 taps.
struct TapGradients {
  static constexpr Index kFrom = kPoints, kTo = kTile;
  static void of(const Vector (&values)[kPoints], Vector (&taps)[kTile]) {
    const Vector first = -0.5f * values[1], second = (1.0f / -6.0f) * values[2];
    const Vector third = (1.0f / 6.0f) * values[3];
    taps[0] = 0.5f * values[0] + (first + second) + third;
    taps[1] = (first - second) + 2.0f * third;
    taps[2] = (first + second) + 4.0f * third + values[4];
  }
};

// And from gradients of 5 pixels' values to those of the pixels.
struct PixelGradients {
  static constexpr Index kFrom = kPoints, kTo = kPoints;
  static void of(const Vector (&values)[kPoints], Vector (&pixels)[kPoints]) {
    const Vector last = values[4];
    pixels[0] = 2.0f * values[0];
    pixels[1] = 2.0f * (values[2] - values[1] + last) - (values[0] + values[3]);
    pixels[2] = -2.0f * values[0] - values[1] - 3.0f * values[2] - last;
    pixels[3] = (values[0] + values[1]) + (values[2] + values[3]) - 2.0f * last;
    pixels[4] = last;
  }
};

// Applies a transform along both axes: `read(y, x)`, then `write(y, x, value)`.
template <typename Transform, typename Read, typename Write>
__attribute__((always_inline)) inline void transform_tile(const Read& read, const Write& write) {
  constexpr Index kFrom = Transform::kFrom, kTo = Transform::kTo;
  Vector columns[kFrom][kTo];
#pragma GCC unroll 5
  for (Index x = 0; x < kFrom; ++x) {
    Vector column[kFrom];
#pragma GCC unroll 5
    for (Index y = 0; y < kFrom; ++y) column[y] = read(y, x);
    Transform::of(column, columns[x]);
  }
#pragma GCC unroll 5
  for (Index y = 0; y < kTo; ++y) {
    Vector row[kFrom], values[kTo];
#pragma GCC unroll 5
    for (Index x = 0; x < kFrom; ++x) row[x] = columns[x][y];
    Transform::of(row, values);
#pragma GCC unroll 5
    for (Index x = 0; x < kTo; ++x) write(y, x, values[x]);
  }
}

// Calls write(plane, slice, part, channel, value) for each of the kernel's values.
template <typename Write>
void each_kernel_value(const Block& block, const float* kernel, const Write& write) {
  const Grid grid = grid_of(block);
  for (Index slice = 0; slice < block.slices(); ++slice) {
    for (Index part = 0; part < grid.parts(); ++part) {
      const Index top = part / grid.kernel_columns * kTile;
      const Index left = part % grid.kernel_columns * kTile;
      for (Index channel = 0; channel < block.channels; ++channel) {
        const auto read = [&](Index y, Index x) {
          if (top + y >= block.kernel_height || left + x >= block.kernel_width) return Vector{};
          const Index tap = ((top + y) * block.kernel_width + left + x) * block.channels + channel;
          return load_some(kernel + tap * block.features + slice * kLanes, block.filled(slice));
        };
        transform_tile<KernelValues>(read, [&](Index y, Index x, Vector value) {
          write(y * kPoints + x, slice, part, channel, value);
        });
      }
    }
  }
}

// How many vectors they fill.
inline Index kernel_vectors(const Block& block) {
  return kPlanes * block.slices() * grid_of(block).parts() * block.channels;
}

// An image as its tiles are read: each row as three, of the pixels whose column is 0, 1 and 2 modulo
// 3, with zeros around the image. So neighbouring tiles lie side by side, whatever the channels.
class Columns {
 public:
  Columns(const Block& block, const Grid& grid, Scratch& scratch)
      : channels_(block.channels),
        tiles_(grid.seen_columns() + 1),
        third_((tiles_ * channels_ + 2 * kLanes - 1) / kLanes * kLanes),
        rows_(kTile * grid.seen_rows() + kPoints - kTile),
        pixels_(scratch.floats(rows_ * row())) {}

  Index row() const { return kTile * third_; }
  Index third() const { return third_; }
  const float* at(Index y) const { return pixels_ + y * row(); }

  void fill(const Block& block, const float* image) {
    const float* image_end = image + block.image_size();
    const Index end = std::min(kTile * tiles_, block.width + block.pad_left);
    for (Index y = 0; y < rows_; ++y) {
      float* to = pixels_ + y * row();
      const Index from_row = y - block.pad_top;
      if (from_row < 0 || from_row >= block.height) {
        std::fill(to, to + row(), 0.0f);
        continue;
      }
      for (Index third = 0; third < kTile; ++third, to += third_) {
        const Index skipped = in_tiles(std::max<Index>(0, block.pad_left - third));
        const Index count = in_tiles(end - third) - skipped;
        float* pixel = to + skipped * channels_;
        std::fill(to, pixel, 0.0f);
        std::fill(pixel + count * channels_, to + third_, 0.0f);
        const float* from = image + (from_row * block.width + skipped * kTile + third -
                                     block.pad_left) * channels_;
        for (Index left = count; left > 0; --left) {
          const bool exactly = std::min(left * channels_, image_end - from) < channels_ + kLanes;
          copy_pixel(from, channels_, exactly, pixel);
          pixel += channels_;
          from += kTile * channels_;
        }
      }
    }
  }

 private:
  Index channels_, tiles_, third_, rows_;
  float* pixels_;
};

// Values of a band of tiles from row `first` on, as [plane][row][column][channel].
inline void band_values(const Block& block, const Grid& band, const Columns& image, Index first,
                        float* values, Scratch& scratch) {
  const Index run = band.seen_columns() * block.channels, plane = plane_floats(block, band);
  float* lines = scratch.floats(kPoints * image.row());
  for (Index row = 0; row < band.seen_rows(); ++row, values += run) {
    const float* from = image.at((first + row) * kTile);
    for (Index at = 0; at < image.row(); at += kLanes) {
      Vector pixels[kPoints], of_column[kPoints];
#pragma GCC unroll 5
      for (Index y = 0; y < kPoints; ++y) pixels[y] = load(from + y * image.row() + at);
      InputValues::of(pixels, of_column);
#pragma GCC unroll 5
      for (Index y = 0; y < kPoints; ++y) store(lines + y * image.row() + at, of_column[y]);
    }
    for (Index y = 0; y < kPoints; ++y) {
      const float* line = lines + y * image.row();
      float* to = values + y * kPoints * plane;
      for (Index at = 0; at < run; at += kLanes) {
        Vector pixels[kPoints], of_row[kPoints];
#pragma GCC unroll 5
        for (Index x = 0; x < kPoints; ++x) {
          pixels[x] = load(line + x % kTile * image.third() + x / kTile * block.channels + at);
        }
        InputValues::of(pixels, of_row);
#pragma GCC unroll 5
        for (Index x = 0; x < kPoints; ++x) store(to + x * plane + at, of_row[x]);
      }
    }
  }
  scratch.give_back();
}

}  // namespace cnn_ablation
