// A map scaled and offset by channel, with another map added where there is a shortcut, then activated
// and pooled: what follows a convolution whose block is normalized or residual.
#pragma once

#include "backward.h"

namespace cnn_ablation {

struct Affine {
  const float *scales, *offsets;  // [image][channel]
  const float* shortcut;          // a map as large; null without one
};

// One row of a map behind the affine function, as [slice][column].
inline void affine_row(const Block& block, const Affine& affine, const float* map, Index image,
                       Index y, Vector* out) {
  const Index row = (image * block.height + y) * block.width * block.features;
  for (Index slice = 0; slice < block.slices(); ++slice) {
    const Index from = slice * kLanes, filled = block.filled(slice);
    const Vector scale = load_some(affine.scales + image * block.features + from, filled);
    const Vector offset = load_some(affine.offsets + image * block.features + from, filled);
    for (Index x = 0; x < block.conv_width(); ++x) {
      const Index at = row + x * block.features + from;
      Vector value = load_some(map + at, filled) * scale + offset;
      if (affine.shortcut != nullptr) value += load_some(affine.shortcut + at, filled);
      *out++ = value;
    }
  }
}

// `block` has a kernel of one pixel and as many channels as features.
template <typename Parallel>
void affine_forward(const Block& block, const float* map, const Affine& affine, float* out,
                    Kept kept, const Parallel& parallel) {
  const Index row = block.slices() * block.conv_width();
  parallel(block.batch, [&](Index image) {
    Scratch& scratch = Workspace::mine().image;
    scratch.reuse();
    float* no_bias = scratch.floats(block.features);
    std::fill(no_bias, no_bias + block.features, 0.0f);
    Vector* rows = scratch.vectors(block.pool * row);
    float* to = out + image * block.out_size();
    const Kept of_image = kept.image(block, image);
    for (Index y = 0; y < block.out_height; ++y) {
      for (Index member = 0; member < block.pool; ++member) {
        affine_row(block, affine, map, image, y * block.pool + member, rows + member * row);
      }
      finish_row(block, rows, row, no_bias, to + y * block.out_width * block.features,
                 of_image.row(block, y), scratch);
    }
  });
}

struct AffineGradients {
  const float* out;
  Residual residual;
  float* map;                // at the affine function's value; that of the shortcut too
  float *scales, *offsets;   // [image][channel]
};

// One slice of an image's gradients, from vectors by pixel to the map, with zeros where no window
// reaches. Returns the sum of their products with the map.
inline Vector store_gradients(const Block& block, const Vector* gradients, const float* map,
                              Index filled, float* out) {
  Vector sum = {};
  for (Index y = 0; y < block.height; ++y) {
    const Index reached = y < block.conv_height() ? block.conv_width() : 0;
    const Index row = y * block.width * block.features;
    for (Index x = 0; x < reached; ++x) {
      const Index at = row + x * block.features;
      const Vector gradient = *gradients++;
      sum += gradient * load_some(map + at, filled);
      store_some(out + at, gradient, filled);
    }
    for (Index x = reached; x < block.width; ++x) {
      store_some(out + row + x * block.features, Vector{}, filled);
    }
  }
  return sum;
}

template <typename Parallel>
void affine_backward(const Block& block, const float* map, const AffineGradients& gradients,
                     const Parallel& parallel) {
  const Index pixels = block.conv_height() * block.conv_width();
  parallel(block.batch, [&](Index image) {
    Scratch& scratch = Workspace::mine().image;
    scratch.reuse();
    Vector* at_value = scratch.vectors(block.slices() * pixels);
    Vector* sums = scratch.vectors(block.slices());
    std::fill(sums, sums + block.slices(), Vector{});
    convolution_gradients(block, false, gradients.out + image * block.out_size(),
                          gradients.residual.image(block, image), at_value, sums, scratch);
    for (Index slice = 0; slice < block.slices(); ++slice) {
      const Index from = slice * kLanes, filled = block.filled(slice);
      const Index in_map = image * block.image_size() + from, by_channel = image * block.features;
      const Vector products = store_gradients(block, at_value + slice * pixels, map + in_map,
                                              filled, gradients.map + in_map);
      store_some(gradients.scales + by_channel + from, products, filled);
      store_some(gradients.offsets + by_channel + from, sums[slice], filled);
    }
  });
}

}  // namespace cnn_ablation
