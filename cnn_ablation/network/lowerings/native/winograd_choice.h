// Where Winograd's way is the quicker one, by the arithmetic of both.
#pragma once

#include "winograd_input.h"
#include "winograd_weights.h"

namespace cnn_ablation {

// It knows neither strides nor gaps between taps.
inline bool fits_winograd(const Block& block) {
  return block.stride == 1 && block.dilation == 1 && block.kernel_height > 1 &&
         block.kernel_width > 1 && block.pad_top < block.kernel_height &&
         block.pad_left < block.kernel_width;
}

// Costs of one image, in multiply-adds of whole vectors. What is beside the products was fitted to 781
// blocks on an AMD EPYC (family 25, model 17), with 16 lanes and with 8.
inline Index direct_cost(const Block& block) {
  const Index pixels = block.conv_height() * block.conv_width() * block.slices();
  return (block.folded() ? pixels * block.taps() / 2 : pixels * block.taps()) + 10 * pixels;
}

inline Index winograd_cost(const Block& block) {
  const Grid grid = grid_of(block);
  const Index tiles = grid.tiles() * block.slices();
  const Index seen = grid.seen_rows() * grid.seen_columns();
  return kPlanes * 6 / 5 * tiles * grid.parts() * block.channels + 200 * tiles +
         150 * seen * block.channels / kLanes + 4000;
}

inline bool takes_winograd(const Block& block) {
  if (block.algorithm == Algorithm::kDirect || !fits_winograd(block)) return false;
  return block.algorithm == Algorithm::kWinograd || winograd_cost(block) < direct_cost(block);
}

}  // namespace cnn_ablation
