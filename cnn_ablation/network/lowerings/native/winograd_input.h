// Gradients at the images by Winograd's way, with one image of a group per lane, as `input_gradient.h`
// has them: from gradients at the convolution to those of products, tile row by tile row; from these
// to the pixels' values, plane by plane; and from them to pixels, where tiles overlap.
#pragma once

#include "input_gradient.h"
#include "winograd.h"

namespace cnn_ablation {

// One row of tiles of a plane: an ordinary block with as many rows of parts.
inline Block tile_row_of(const Block& block, const Grid& grid) {
  Block plane = plane_of(block, grid);
  plane.out_height = grid.rows;
  plane.out_width = grid.columns;
  plane.height = plane.seen_height();
  plane.width = plane.seen_width();
  return plane;
}

// The kernel's values for input_row, plane after plane.
inline float* pack_transposed_values(const Block& block, const float* kernel, Scratch& scratch) {
  const Block plane = tile_row_of(block, grid_of(block));
  const Index plain_size = plane.taps() * plane.features;
  const Index packed_size = plane.taps() * padded_features(plane);
  float* packed = scratch.floats(kPlanes * packed_size);
  float* plain = scratch.floats(kPlanes * plain_size);
  each_kernel_value(block, kernel,
                    [&](Index of, Index slice, Index part, Index channel, Vector value) {
                      const Index tap = part * block.channels + channel;
                      store_some(plain + of * plain_size + tap * block.features + slice * kLanes,
                                 value, block.filled(slice));
                    });
  for (Index of = 0; of < kPlanes; ++of) {
    pack_transposed(plane, plain + of * plain_size, packed + of * packed_size);
  }
  scratch.give_back();
  return packed;
}

// Gradients of products: the last rows of tiles, each [plane][tile][feature] within margins of zeros.
class ProductRows {
 public:
  ProductRows(const Block& block, const Grid& grid, const Vector* group, Index images,
              Scratch& scratch)
      : block_(block),
        grid_(grid),
        group_(group),
        images_(images),
        plane_(((grid.columns + 2 * kMargin) * padded_features(block)) | 1),
        rows_(scratch.vectors(grid.kernel_rows * kPlanes * plane_)),
        pixels_(scratch.vectors(kTile * pixel_row())) {
    std::fill(rows_, rows_ + grid.kernel_rows * kPlanes * plane_, Vector{});
    std::fill(pixels_, pixels_ + kTile * pixel_row(), Vector{});
  }

  // The first tile of a row, in plane `of`.
  const Vector* row(Index y, Index of) const {
    return rows_ + (y % grid_.kernel_rows * kPlanes + of) * plane_ + kMargin * padded_features(block_);
  }

  void make(Index y) {
    for (Index row = 0; row < kTile; ++row) load_pixels(y * kTile + row, pixels_ + row * pixel_row());
    const Index features = padded_features(block_);
    Vector* to = rows_ + y % grid_.kernel_rows * kPlanes * plane_ + kMargin * features;
    for (Index tile = 0; tile < grid_.columns; ++tile) {
      const Vector* from = pixels_ + tile * kTile * features;
      for (Index feature = 0; feature < features; ++feature, ++from, ++to) {
        const auto read = [&](Index row, Index x) { return from[row * pixel_row() + x * features]; };
        transform_tile<ProductGradients>(read, [&](Index row, Index x, Vector value) {
          to[(row * kPoints + x) * plane_] = value;
        });
      }
    }
  }

 private:
  Index pixel_row() const { return grid_.columns * kTile * padded_features(block_); }

  // One row of the convolution as [column][feature]; beyond its end there are zeros.
  void load_pixels(Index y, Vector* to) const {
    if (y >= block_.conv_height()) return std::fill(to, to + pixel_row(), Vector{});
    transpose_pixels(block_, group_, images_, y, to);
  }

  const Block& block_;
  Grid grid_;
  const Vector* group_;
  Index images_, plane_;
  Vector *rows_, *pixels_;
};

// Gradients of the pixels' values of one row of tiles, as [plane][tile][channel].
inline void value_gradients(const Block& plane, const Grid& grid, const ProductRows& products,
                            Index row, const float* kernel, Vector* values, Index apart) {
  std::vector<Line> lines;
  for (Index of = 0; of < kPlanes; ++of) {
    lines.clear();
    for (Index part = 0; part < grid.kernel_rows; ++part) {
      const Index from = row - part;
      if (from >= 0 && from < grid.rows) lines.push_back({part, products.row(from, of)});
    }
    input_row(plane, lines, kernel, values);
    kernel += plane.taps() * padded_features(plane);
    values += apart;
  }
}

// The last rows of pixels' gradients, each [column][channel]: two tiles' height, in which rows are made
// anew once the tiles above have added their last to them.
class PixelRows {
 public:
  PixelRows(const Block& block, const Grid& grid, Scratch& scratch)
      : channels_(block.channels),
        left_(block.pad_left * block.channels),
        row_(std::max(grid.seen_columns() * kTile + kPoints - kTile,
                      block.width + block.pad_left) * block.channels + kLanes),
        rows_(scratch.vectors(2 * kTile * row_)) {
    std::fill(rows_, rows_ + 2 * kTile * row_, Vector{});
  }

  // The first pixel of the image in row `y` of the padded one.
  const Vector* image_row(Index y) const { return rows_ + y % (2 * kTile) * row_ + left_; }

  // Adds a row of tiles' gradients, [plane][tile][channel], from row `top` of pixels on.
  void add(Index top, Index tiles, const Vector* values, Index apart) {
    Vector* lines[kPoints];
    for (Index y = 0; y < kPoints; ++y) lines[y] = rows_ + (top + y) % (2 * kTile) * row_;
    for (Index tile = 0; tile < tiles; ++tile) {
      for (Index channel = 0; channel < channels_; ++channel, ++values) {
        const Index at = tile * kTile * channels_ + channel;
        const auto read = [&](Index y, Index x) { return values[(y * kPoints + x) * apart]; };
        transform_tile<PixelGradients>(read, [&](Index y, Index x, Vector value) {
          lines[y][at + x * channels_] += value;
        });
      }
    }
  }

  void clear(Index y) {
    Vector* row = rows_ + y % (2 * kTile) * row_;
    std::fill(row, row + row_, Vector{});
  }

 private:
  Index channels_, left_, row_;
  Vector* rows_;
};

// `group` holds the images' gradients at the convolution's output, each as [slice][pixel].
inline void winograd_input_gradients(const Block& block, const Vector* group, Index images,
                                     const float* kernel, float* out, Scratch& scratch) {
  const Grid grid = grid_of(block);
  const Block plane = tile_row_of(block, grid);
  ProductRows products(block, grid, group, images, scratch);
  PixelRows pixels(block, grid, scratch);
  const Index apart = (grid.seen_columns() + kNeighbours) * block.channels | 1;
  Vector* values = scratch.vectors(kPlanes * apart);
  for (Index row = 0; row * kTile < block.height + block.pad_top; ++row) {
    if (row < grid.rows) products.make(row);
    if (row < grid.seen_rows()) {
      value_gradients(plane, grid, products, row, kernel, values, apart);
      pixels.add(row * kTile, grid.seen_columns(), values, apart);
    }
    for (Index y = row * kTile; y < (row + 1) * kTile; ++y) {
      const Index of_image = y - block.pad_top;
      if (of_image >= 0 && of_image < block.height) {
        store_row(block, pixels.image_row(y), images, out + of_image * block.width * block.channels);
      }
      pixels.clear(y);
    }
  }
}

}  // namespace cnn_ablation
