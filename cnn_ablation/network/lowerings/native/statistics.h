// What norms need of a map: each image's mean and squared deviations by channel, and the normalization
// of each pixel over its channels.
#pragma once

#include <cmath>

#include "block.h"
#include "workspace.h"

namespace cnn_ablation {

// Sizes of a map; pixels lie one after another, each with its channels.
struct Map {
  Index images, pixels, channels;  // pixels of one image

  Index slices() const { return (channels + kLanes - 1) / kLanes; }
  Index filled(Index slice) const { return std::min<Index>(kLanes, channels - slice * kLanes); }
  Index image_size() const { return pixels * channels; }
};

// The sum of `term(vector of a pixel)` over an image, in four sums that do not wait for each other.
template <typename Term>
Vector sum_pixels(const Map& map, const float* image, Index filled, const Term& term) {
  Vector sums[4] = {};
  Index pixel = 0;
  for (; pixel + 4 <= map.pixels; pixel += 4) {
#pragma GCC unroll 4
    for (Index of = 0; of < 4; ++of) {
      sums[of] += term(load_some(image + (pixel + of) * map.channels, filled));
    }
  }
  for (; pixel < map.pixels; ++pixel) sums[0] += term(load_some(image + pixel * map.channels, filled));
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// Means over the pixels of each image, and sums of squared deviations from them: [image][channel].
template <typename Parallel>
void moments(const Map& map, const float* values, float* means, float* squares,
             const Parallel& parallel) {
  parallel(map.images, [&](Index image) {
    for (Index slice = 0; slice < map.slices(); ++slice) {
      const Index from = slice * kLanes, filled = map.filled(slice);
      const float* first = values + image * map.image_size() + from;
      const Vector mean = sum_pixels(map, first, filled, [](Vector value) { return value; }) /
                          static_cast<float>(map.pixels);
      const Vector square = sum_pixels(map, first, filled, [&](Vector value) {
        const Vector deviation = value - mean;
        return deviation * deviation;
      });
      store_some(means + image * map.channels + from, mean, filled);
      store_some(squares + image * map.channels + from, square, filled);
    }
  });
}

// Up to kLanes pixels as [channel], one pixel per lane, and back.
inline void load_pixels(const Map& map, const float* from, Index count, Vector* out) {
  for (Index slice = 0; slice < map.slices(); ++slice) {
    Vector square[kLanes];
    for (Index pixel = 0; pixel < kLanes; ++pixel) {
      square[pixel] = pixel < count ? load_some(from + pixel * map.channels + slice * kLanes,
                                                map.filled(slice))
                                    : Vector{};
    }
    transpose(square);
    std::copy(square, square + kLanes, out + slice * kLanes);
  }
}

inline void store_transposed(const Map& map, const Vector* values, Index count, float* to) {
  for (Index slice = 0; slice < map.slices(); ++slice) {
    Vector square[kLanes];
    std::copy(values + slice * kLanes, values + (slice + 1) * kLanes, square);
    transpose(square);
    for (Index pixel = 0; pixel < count; ++pixel) {
      store_some(to + pixel * map.channels + slice * kLanes, square[pixel], map.filled(slice));
    }
  }
}

inline Vector inverse_root(Vector value) {
  float lanes[kLanes];
  store(lanes, value);
  for (float& lane : lanes) lane = 1.0f / std::sqrt(lane);
  return load(lanes);
}

// Calls body(first pixel of a group, how many) for the groups of an image.
template <typename Body>
void each_group(const Map& map, Index image, const Body& body) {
  const Index end = (image + 1) * map.pixels;
  for (Index first = image * map.pixels; first < end; first += kLanes) {
    body(first, std::min<Index>(kLanes, end - first));
  }
}

// Each pixel less its mean, over the root of its variance and epsilon; `inverse` is that root's.
template <typename Parallel>
void normalize_pixels(const Map& map, const float* values, float epsilon, float* normal,
                      float* inverse, const Parallel& parallel) {
  const float share = 1.0f / static_cast<float>(map.channels);
  parallel(map.images, [&](Index image) {
    Scratch& scratch = Workspace::mine().image;
    scratch.reuse();
    Vector* pixels = scratch.vectors(map.slices() * kLanes);
    each_group(map, image, [&](Index first, Index count) {
      load_pixels(map, values + first * map.channels, count, pixels);
      Vector sum = {}, squares = {};
      for (Index channel = 0; channel < map.channels; ++channel) sum += pixels[channel];
      const Vector mean = sum * share;
      for (Index channel = 0; channel < map.channels; ++channel) {
        pixels[channel] -= mean;
        squares += pixels[channel] * pixels[channel];
      }
      const Vector scale = inverse_root(squares * share + epsilon);
      for (Index channel = 0; channel < map.channels; ++channel) pixels[channel] *= scale;
      store_transposed(map, pixels, count, normal + first * map.channels);
      store_some(inverse + first, scale, count);
    });
  });
}

// The gradient at the values from that at `normal`: with g the latter, n the normalized pixel and means
// over its channels, inverse * (g - mean(g) - n * mean(g n)).
template <typename Parallel>
void normalize_pixels_backward(const Map& map, const float* out_gradients, const float* normal,
                               const float* inverse, float* gradients, const Parallel& parallel) {
  const float share = 1.0f / static_cast<float>(map.channels);
  parallel(map.images, [&](Index image) {
    Scratch& scratch = Workspace::mine().image;
    scratch.reuse();
    Vector* at_normal = scratch.vectors(map.slices() * kLanes);
    Vector* pixels = scratch.vectors(map.slices() * kLanes);
    each_group(map, image, [&](Index first, Index count) {
      load_pixels(map, out_gradients + first * map.channels, count, at_normal);
      load_pixels(map, normal + first * map.channels, count, pixels);
      Vector sum = {}, products = {};
      for (Index channel = 0; channel < map.channels; ++channel) {
        sum += at_normal[channel];
        products += at_normal[channel] * pixels[channel];
      }
      const Vector mean = sum * share, product = products * share;
      const Vector scale = load_some(inverse + first, count);
      for (Index channel = 0; channel < map.channels; ++channel) {
        at_normal[channel] = (at_normal[channel] - mean - pixels[channel] * product) * scale;
      }
      store_transposed(map, at_normal, count, gradients + first * map.channels);
    });
  });
}

}  // namespace cnn_ablation
