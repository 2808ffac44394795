// The forward pass of one image by Winograd's way, in bands of rows of tiles.
#pragma once

#include "winograd.h"

namespace cnn_ablation {

// Where a tile's outputs begin, in rows and columns of the convolution.
struct Corner {
  Index top, left;
};

// Brings a band's products, [plane][row of tiles][slice][tile], back to outputs before bias: calls
// store(corner, slice, outputs) for each tile.
template <typename Store>
void band_outputs(const Grid& band, const Block& plane, Index apart, const Vector* products,
                  const Store& store) {
  for (Index row = 0; row < plane.conv_height(); ++row) {
    for (Index slice = 0; slice < plane.slices(); ++slice) {
      for (Index tile = 0; tile < plane.conv_width(); ++tile, ++products) {
        const auto read = [&](Index y, Index x) { return products[(y * kPoints + x) * apart]; };
        Vector outputs[kTile * kTile];
        transform_tile<OutputsOf>(
            read, [&](Index y, Index x, Vector value) { outputs[y * kTile + x] = value; });
        const bool one_row = plane.conv_height() == 1;
        const Corner corner = {(one_row ? tile / band.columns : row) * kTile,
                               (one_row ? tile % band.columns : tile) * kTile};
        store(corner, slice, outputs);
      }
    }
  }
}

// Products of all planes of a band.
inline void band_products(const Block& plane, const float* values, Index values_apart,
                          const Vector* kernel, Vector* products, Index products_apart) {
  const Index columns = plane.conv_width();
  for (Index of = 0; of < kPlanes; ++of) {
    const View<float> view = {values, plane.width * plane.channels};
    for (Index y = 0; y < plane.conv_height(); ++y) {
      convolve_row(plane, view, kernel, y, columns, products + y * plane.slices() * columns);
    }
    values += values_apart;
    kernel += plane.slices() * plane.taps();
    products += products_apart;
  }
}

// The values and products of one image, band after band: `each(band, plane, apart, first, products)`.
template <typename Each>
void each_band(const Block& block, const float* pixels, const Vector* kernel, Scratch& scratch,
               const Each& each) {
  const Grid grid = grid_of(block);
  Columns image(block, grid, scratch);
  image.fill(block, pixels);
  const Index most = band_rows(block, grid);
  float* values = scratch.floats(kPlanes * plane_floats(block, band_of(grid, most)));
  Vector* products = scratch.vectors(kPlanes * plane_vectors(block, band_of(grid, most)));
  for (Index first = 0; first < grid.rows; first += most) {
    const Grid band = band_of(grid, std::min(most, grid.rows - first));
    const Block plane = plane_of(block, band);
    const Index apart = plane_vectors(block, band);
    band_values(block, band, image, first, values, scratch);
    band_products(plane, values, plane_floats(block, band), kernel, products, apart);
    each(band, plane, apart, first, products);
  }
}

// What needs neither pooling nor slopes is finished tile by tile.
inline bool finishes_tiles(const Block& block) {
  return block.pool == 1 &&
         (block.activation == Activation::kRelu || block.activation == Activation::kNone);
}

// Where finished outputs go: one slice of an image.
struct Finish {
  float* out;
  Index height, width, features, filled;
  Vector bias;
  bool rectified;

  Vector finished(Vector value) const { return rectified ? rectify(value, bias) : value + bias; }

  void store_tile(Corner corner, const Vector (&outputs)[kTile * kTile]) const {
    float* to = out + (corner.top * width + corner.left) * features;
    const Index row = width * features;
    if (corner.top + kTile <= height && corner.left + kTile <= width) {
#pragma GCC unroll 9
      for (Index at = 0; at < kTile * kTile; ++at) {
        store_some(to + at / kTile * row + at % kTile * features, finished(outputs[at]), filled);
      }
      return;
    }
    for (Index y = 0; y < std::min(kTile, height - corner.top); ++y) {
      for (Index x = 0; x < std::min(kTile, width - corner.left); ++x) {
        store_some(to + y * row + x * features, finished(outputs[y * kTile + x]), filled);
      }
    }
  }
};

inline void winograd_tiles(const Block& block, const float* image, const Vector* kernel,
                    const float* bias, float* out, Scratch& scratch) {
  each_band(block, image, kernel, scratch, [&](const Grid& band, const Block& plane,
                                                         Index apart, Index first,
                                                         const Vector* products) {
    const Index row = block.out_width * block.features;
    Finish finish = {out + first * kTile * row, block.out_height - first * kTile, block.out_width,
                     block.features, 0, Vector{}, block.activation == Activation::kRelu};
    const auto store = [&](Corner corner, Index slice, const Vector (&outputs)[kTile * kTile]) {
      Finish of_slice = finish;
      of_slice.out += slice * kLanes;
      of_slice.filled = block.filled(slice);
      of_slice.bias = load_some(bias + slice * kLanes, of_slice.filled);
      of_slice.store_tile(corner, outputs);
    };
    band_outputs(band, plane, apart, products, store);
  });
}

// One image by rows of the convolution, of which those of a pooling window are finished together.
inline void winograd_rows(const Block& block, const float* image, const Vector* kernel,
                   const float* bias, float* out, Kept kept, Scratch& scratch) {
  const Grid grid = grid_of(block);
  const Index line = grid.columns * kTile, row = block.slices() * line;
  Vector* rows = scratch.vectors((band_rows(block, grid) * kTile + block.pool) * row);
  Index waiting = 0, done = 0;  // rows of the convolution, rows of the output
  each_band(block, image, kernel, scratch, [&](const Grid& band, const Block& plane,
                                                         Index apart, Index,
                                                         const Vector* products) {
    Vector* new_rows = rows + waiting * row;
    const auto store = [&](Corner corner, Index slice, const Vector (&outputs)[kTile * kTile]) {
      Vector* to = new_rows + corner.top * row + slice * line + corner.left;
#pragma GCC unroll 9
      for (Index at = 0; at < kTile * kTile; ++at) to[at / kTile * row + at % kTile] = outputs[at];
    };
    band_outputs(band, plane, apart, products, store);
    waiting += band.rows * kTile;
    Index used = 0;
    for (; done < block.out_height && used + block.pool <= waiting; ++done, used += block.pool) {
      finish_row(block, rows + used * row, row, bias, out + done * block.out_width * block.features,
                 kept.row(block, done), scratch);
    }
    waiting -= used;
    std::copy(rows + used * row, rows + (used + waiting) * row, rows);
  });
}

// One image of the batch.
inline void winograd_image(const Block& block, const float* image, const Vector* kernel,
                           const float* bias, float* out, Kept kept, Scratch& scratch) {
  if (finishes_tiles(block)) return winograd_tiles(block, image, kernel, bias, out, scratch);
  winograd_rows(block, image, kernel, bias, out, kept, scratch);
}

}  // namespace cnn_ablation
