// The weights' gradients by Winograd's way: those of the kernel's values, added up over images and
// brought back to taps once.
#pragma once

#include "winograd.h"

namespace cnn_ablation {

// Gradients of a band's products from those at the convolution, [slice][pixel], as [plane][slice][tile].
inline void band_gradients(const Block& block, const Grid& band, Index first,
                           const Vector* gradients, Vector* products) {
  const Index height = block.conv_height(), width = block.conv_width();
  const Index plane = plane_vectors(block, band);
  for (Index slice = 0; slice < block.slices(); ++slice, gradients += height * width) {
    for (Index row = 0; row < band.rows; ++row) {
      for (Index column = 0; column < band.columns; ++column, ++products) {
        const Index top = (first + row) * kTile, left = column * kTile;
        const Vector* corner = gradients + top * width + left;
        const auto write = [&](Index y, Index x, Vector value) {
          products[(y * kPoints + x) * plane] = value;
        };
        if (top + kTile <= height && left + kTile <= width) {
          transform_tile<ProductGradients>(
              [&](Index y, Index x) { return corner[y * width + x]; }, write);
          continue;
        }
        const auto read = [&](Index y, Index x) {
          return top + y < height && left + x < width ? corner[y * width + x] : Vector{};
        };
        transform_tile<ProductGradients>(read, write);
      }
    }
  }
}

// Adds one image's gradients of the kernel's values, as [plane][slice][part][channel].
inline void add_value_gradients(const Block& block, const float* image, const Vector* gradients,
                                Vector* sums, Scratch& scratch) {
  const Grid grid = grid_of(block);
  Columns columns(block, grid, scratch);
  columns.fill(block, image);
  const Index most = band_rows(block, grid);
  float* values = scratch.floats(kPlanes * plane_floats(block, band_of(grid, most)));
  Vector* products = scratch.vectors(kPlanes * plane_vectors(block, band_of(grid, most)));
  for (Index first = 0; first < grid.rows; first += most) {
    const Grid band = band_of(grid, std::min(most, grid.rows - first));
    const Block plane = plane_of(block, band);
    const Index apart = plane_floats(block, band);
    band_values(block, band, columns, first, values, scratch);
    band_gradients(block, band, first, gradients, products);
    for (Index of = 0; of < kPlanes; ++of) {
      add_weight_gradients(plane, View<float>{values + of * apart, plane.width * plane.channels},
                           products + of * plane_vectors(block, band), plane.conv_width(),
                           sums + of * block.slices() * plane.taps());
    }
  }
}

// From sums of the kernel's values to those of its taps, as [slice][tap].
inline void add_tap_gradients(const Block& block, const Vector* sums, Vector* kernel_sums) {
  const Grid grid = grid_of(block);
  const Index plane = block.slices() * grid.parts() * block.channels;
  for (Index slice = 0; slice < block.slices(); ++slice, kernel_sums += block.taps()) {
    for (Index part = 0; part < grid.parts(); ++part) {
      const Index top = part / grid.kernel_columns * kTile;
      const Index left = part % grid.kernel_columns * kTile;
      for (Index channel = 0; channel < block.channels; ++channel, ++sums) {
        const auto read = [&](Index y, Index x) { return sums[(y * kPoints + x) * plane]; };
        transform_tile<TapGradients>(read, [&](Index y, Index x, Vector value) {
          if (top + y >= block.kernel_height || left + x >= block.kernel_width) return;
          kernel_sums[((top + y) * block.kernel_width + left + x) * block.channels + channel] +=
              value;
        });
      }
    }
  }
}

}  // namespace cnn_ablation
