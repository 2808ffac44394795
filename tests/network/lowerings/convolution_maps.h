// What follows a convolution, against plain loops: affine functions with activation and pooling on
// small integers, where results must be equal, and statistics against sums in double precision.
#pragma once

#include <cmath>

#include "affine.h"
#include "convolution_blocks.h"
#include "statistics.h"

namespace cnn_ablation {

struct MapInputs {
  Floats map, shortcut, scales, offsets, out_gradients;
};

struct MapResults {
  Floats out, map, scales, offsets;
};

// A map whose last rows and columns may reach no window.
inline Block random_map(std::mt19937& random) {
  const auto draw = [&](int least, int most) {
    return static_cast<Index>(std::uniform_int_distribution<int>(least, most)(random));
  };
  const Index channel_counts[] = {1, 3, 8, 16, 17, 24, 33};
  Block b = {};
  b.batch = draw(1, 5);
  b.height = draw(1, 9);
  b.width = draw(1, 9);
  b.channels = b.features = channel_counts[draw(0, 6)];
  b.kernel_height = b.kernel_width = b.stride = 1;
  b.pool = draw(1, static_cast<int>(std::min<Index>({4, b.height, b.width})));
  b.out_height = b.height / b.pool;
  b.out_width = b.width / b.pool;
  b.activation = draw(0, 1) == 0 ? Activation::kNone : Activation::kRelu;
  b.average = b.pool != 3 && draw(0, 1) == 0;
  return b;
}

// The affine function is a convolution by one weight a channel: its plain loops serve.
inline MapResults plain_map(const Block& b, const MapInputs& in) {
  MapResults r = {Floats(in.out_gradients.size()), Floats(in.map.size()), Floats(in.scales.size()),
                  Floats(in.offsets.size())};
  const auto pixel = [&](Index n, Index y, Index x, Index c) {
    return static_cast<std::size_t>(((n * b.height + y) * b.width + x) * b.channels + c);
  };
  const auto value = [&](Index n, Index y, Index x, Index c) {
    const std::size_t at = pixel(n, y, x, c), by = static_cast<std::size_t>(n * b.channels + c);
    return in.map[at] * in.scales[by] + in.offsets[by] + in.shortcut[at];
  };
  const bool linear = b.activation == Activation::kNone;
  const float share = 1.0f / static_cast<float>(b.pool * b.pool);
  std::size_t at = 0;
  for (Index n = 0; n < b.batch; ++n) {
    for (Index y = 0; y < b.out_height; ++y) {
      for (Index x = 0; x < b.out_width; ++x) {
        for (Index c = 0; c < b.channels; ++c, ++at) {
          float total = 0, best = -1e9f;
          for (Index i = 0; i < b.pool * b.pool; ++i) {
            const float z = value(n, y * b.pool + i / b.pool, x * b.pool + i % b.pool, c);
            total += linear || z > 0 ? z : 0;
            best = std::max(best, z);
          }
          r.out[at] = b.average ? total * share : linear || best > 0 ? best : 0;
          bool found = false;
          for (Index i = 0; i < b.pool * b.pool; ++i) {
            const Index row = y * b.pool + i / b.pool, column = x * b.pool + i % b.pool;
            const float z = value(n, row, column, c);
            const bool reached = b.average || (z == best && !found);
            found = found || z == best;
            if (!reached || !(linear || z > 0)) continue;
            const float gradient = in.out_gradients[at] * (b.average ? share : 1);
            r.map[pixel(n, row, column, c)] += gradient;
            r.offsets[static_cast<std::size_t>(n * b.channels + c)] += gradient;
            r.scales[static_cast<std::size_t>(n * b.channels + c)] +=
                gradient * in.map[pixel(n, row, column, c)];
          }
        }
      }
    }
  }
  return r;
}

inline bool affine_agrees(const Block& b, std::mt19937& random) {
  const Index size = b.batch * b.image_size(), by_channel = b.batch * b.channels;
  const MapInputs in = {integers(random, size, 2), integers(random, size, 2),
                        integers(random, by_channel, 2), integers(random, by_channel, 2),
                        integers(random, b.batch * b.out_size(), 2)};
  const MapResults want = plain_map(b, in);
  MapResults got = {Floats(want.out.size()), Floats(want.map.size(), 7), Floats(want.scales.size()),
                    Floats(want.offsets.size())};
  std::vector<std::int32_t> winners(b.keeps_winners() ? got.out.size() : 0);
  Floats slopes(b.keeps_slopes() ? static_cast<std::size_t>(b.batch * b.slopes_size()) : 0);
  const Kept kept = {winners.empty() ? nullptr : winners.data(),
                     slopes.empty() ? nullptr : slopes.data()};
  const Affine affine = {in.scales.data(), in.offsets.data(), in.shortcut.data()};
  affine_forward(b, in.map.data(), affine, got.out.data(), kept, Serial());
  const bool outputs = b.activation == Activation::kRelu && b.pool == 1;
  const AffineGradients gradients = {in.out_gradients.data(),
                                     {outputs ? got.out.data() : nullptr, kept.winners, kept.slopes},
                                     got.map.data(), got.scales.data(), got.offsets.data()};
  affine_backward(b, in.map.data(), gradients, Serial());
  return got.out == want.out && got.map == want.map && got.scales == want.scales &&
         got.offsets == want.offsets;
}

// Equal channels leave rounding alone, which the root of a small epsilon makes 32 times as large.
inline bool close(const Floats& got, const std::vector<double>& want) {
  for (std::size_t at = 0; at < got.size(); ++at) {
    if (!(std::fabs(got[at] - want[at]) <= 5e-5 * (1 + std::fabs(want[at])))) return false;
  }
  return got.size() == want.size();
}

inline bool moments_agree(const Map& map, const Floats& values) {
  const std::size_t count = static_cast<std::size_t>(map.images * map.channels);
  Floats means(count), squares(count);
  moments(map, values.data(), means.data(), squares.data(), Serial());
  std::vector<double> want_means(count), want_squares(count);
  for (std::size_t at = 0; at < count; ++at) {
    const auto channels = static_cast<std::size_t>(map.channels);
    const float* first = values.data() + at / channels * static_cast<std::size_t>(map.image_size()) +
                         at % channels;
    for (Index p = 0; p < map.pixels; ++p) want_means[at] += first[p * map.channels];
    want_means[at] /= static_cast<double>(map.pixels);
    for (Index p = 0; p < map.pixels; ++p) {
      want_squares[at] += std::pow(first[p * map.channels] - want_means[at], 2);
    }
  }
  return close(means, want_means) && close(squares, want_squares);
}

// Pixels normalized, and the gradient against that of the plain formula.
inline bool normal_pixels_agree(const Map& map, const Floats& values, const Floats& incoming) {
  const double epsilon = 0.001, channels = static_cast<double>(map.channels);
  const Index pixels = map.images * map.pixels;
  Floats normal(values.size()), inverse(static_cast<std::size_t>(pixels)), gradients(values.size());
  normalize_pixels(map, values.data(), static_cast<float>(epsilon), normal.data(), inverse.data(),
                   Serial());
  normalize_pixels_backward(map, incoming.data(), normal.data(), inverse.data(), gradients.data(),
                            Serial());
  std::vector<double> want(values.size()), want_gradients(values.size());
  for (Index p = 0; p < pixels; ++p) {
    const std::size_t first = static_cast<std::size_t>(p * map.channels);
    const auto each = [&](const auto& visit) {
      for (std::size_t at = first; at < first + static_cast<std::size_t>(map.channels); ++at) visit(at);
    };
    double mean = 0, variance = 0, sum = 0, products = 0;
    each([&](std::size_t at) { mean += values[at] / channels; });
    each([&](std::size_t at) { variance += std::pow(values[at] - mean, 2) / channels; });
    const double scale = 1 / std::sqrt(variance + epsilon);
    each([&](std::size_t at) {
      want[at] = (values[at] - mean) * scale;
      sum += incoming[at] / channels;
      products += incoming[at] * want[at] / channels;
    });
    each([&](std::size_t at) {
      want_gradients[at] = scale * (incoming[at] - sum - want[at] * products);
    });
  }
  // At one channel alone the gradient is 0 times 1 / root(epsilon): rounding is all there is.
  return close(normal, want) && (map.channels == 1 || close(gradients, want_gradients));
}

inline bool maps_hold(int count) {
  int wrong = 0;
  for (int seed = 0; seed < count; ++seed) {
    std::mt19937 random(static_cast<unsigned>(seed));
    const Block block = random_map(random);
    const Map map = {block.batch, block.height * block.width, block.channels};
    Floats values = integers(random, map.images * map.image_size(), 9);
    const Floats incoming = integers(random, map.images * map.image_size(), 2);
    for (float& value : values) value /= 8;
    bool right = false;
    // A new thread has new work memory, of the size that this map asks for and no more.
    std::thread([&] {
      right = affine_agrees(block, random) && moments_agree(map, values) &&
              normal_pixels_agree(map, values, incoming);
    }).join();
    if (!right) {
      ++wrong;
      std::printf("differs: map %td x %td x %td x %td, pool %td, average %d, activation %d\n",
                  block.batch, block.height, block.width, block.channels, block.pool,
                  block.average, static_cast<int>(block.activation));
    }
  }
  std::printf("%d of %d maps agree\n", count - wrong, count);
  return wrong == 0;
}

}  // namespace cnn_ablation
