// What a step does beside its layers, against the standard library: images gathered and scaled,
// examples sorted, and optimizers in double precision.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "examples.h"
#include "optimizers.h"

namespace cnn_ablation {

inline bool gathers(std::mt19937& random) {
  const auto draw = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random);
  };
  const Index count = draw(1, 9), size = draw(1, 70), batch = draw(1, 12);
  std::vector<std::uint8_t> images(static_cast<std::size_t>(count * size));
  for (auto& pixel : images) pixel = static_cast<std::uint8_t>(draw(0, 255));
  std::vector<std::int32_t> indices(static_cast<std::size_t>(batch));
  for (auto& index : indices) index = draw(0, static_cast<int>(count) + 1);
  std::vector<float> out(static_cast<std::size_t>(batch * size), -1.0f);
  gather_images(images.data(), count, size, indices.data(), 0, batch, out.data());
  for (std::size_t at = 0; at < out.size(); ++at) {
    const Index whole = static_cast<Index>(at), index = indices[at / static_cast<std::size_t>(size)];
    const Index from = std::min(index, count - 1) * size + whole % size;
    const float scaled = static_cast<float>(images[static_cast<std::size_t>(from)]) / 255.0f;
    if (std::abs(out[at] - scaled) > 1e-7f) return false;
  }
  return true;
}

// With keys of few values, which are often equal, and with keys of all 32 bits.
inline bool sorts(std::mt19937& random, std::uint32_t largest) {
  std::uniform_int_distribution<std::uint32_t> draw(0, largest);
  const std::size_t count = random() % 3000;
  std::vector<std::uint32_t> keys(count);
  for (auto& key : keys) key = draw(random);
  std::vector<std::int32_t> values(count), want(count), out(count);
  std::iota(values.begin(), values.end(), -7);
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return keys[a] < keys[b] || (keys[a] == keys[b] && a < b);
  });
  for (std::size_t at = 0; at < count; ++at) want[at] = values[order[at]];
  sort_by_keys(keys.data(), values.data(), static_cast<Index>(count), out.data());
  return out == want;
}

// A rule in place on arrays of any length against the same rule in double precision.
template <typename Rule, typename Expected>
bool steps(std::mt19937& random, const Rule& rule, const Expected& expected) {
  std::normal_distribution<float> normal;
  const std::size_t count = 1 + random() % 70;
  std::vector<float> arrays[Rule::kArrays];
  for (int of = 0; of < Rule::kArrays; ++of) {
    arrays[of].resize(count);
    // What a rule takes a root of must not be negative.
    for (float& value : arrays[of]) value = of == 0 ? normal(random) : std::abs(normal(random));
  }
  const std::vector<std::vector<float>> before(std::begin(arrays), std::end(arrays));
  Piece<Rule> piece = {};
  for (int of = 0; of < Rule::kArrays; ++of) piece.read[of] = piece.written[of] = arrays[of].data();
  piece.count = static_cast<Index>(count);
  update(piece, rule);
  for (std::size_t at = 0; at < count; ++at) {
    double values[Rule::kArrays];
    for (int of = 0; of < Rule::kArrays; ++of) values[of] = before[static_cast<std::size_t>(of)][at];
    expected(values);
    for (int of = 0; of < Rule::kArrays; ++of) {
      const double got = arrays[of][at];
      if (std::abs(got - values[of]) > 1e-5 * std::max(1.0, std::abs(values[of]))) return false;
    }
  }
  return true;
}

inline bool optimizers_step(std::mt19937& random) {
  const auto mean = [](double old, double value, double kept) {
    return kept * old + (1 - kept) * value;
  };
  const double epsilon = 1e-3;
  const float small = static_cast<float>(epsilon);
  const Mean slow = {0.95f, 0.05f}, slower = {0.99f, 0.01f};
  const bool adadelta = steps(random, Adadelta{slow, small}, [&](double (&of)[3]) {
    const double gradient = of[0];
    of[1] = mean(of[1], gradient * gradient, 0.95);
    of[0] = std::sqrt(of[2] + epsilon) / std::sqrt(of[1] + epsilon) * gradient;
    of[2] = mean(of[2], of[0] * of[0], 0.95);
  });
  const bool adam = steps(random, Adam{slow, slower, small, 1.5f}, [&](double (&of)[3]) {
    const double gradient = of[0];
    of[1] = mean(of[1], gradient, 0.95);
    of[2] = mean(of[2], gradient * gradient, 0.99);
    of[0] = 1.5 * of[1] / (std::sqrt(of[2]) + epsilon);
  });
  const bool rms = steps(random, RmsProp{slow, small}, [&](double (&of)[2]) {
    const double gradient = of[0];
    of[1] = mean(of[1], gradient * gradient, 0.95);
    of[0] = gradient / std::sqrt(of[1] + epsilon);
  });
  return adadelta && adam && rms;
}

inline bool training_holds(int count) {
  int wrong = 0;
  for (int seed = 0; seed < count; ++seed) {
    std::mt19937 random(static_cast<unsigned>(seed));
    const bool few = sorts(random, 5), many = sorts(random, std::numeric_limits<std::uint32_t>::max());
    if (!gathers(random) || !few || !many || !optimizers_step(random)) ++wrong;
  }
  std::printf("%d of %d steps' other parts agree\n", count - wrong, count);
  return wrong == 0;
}

}  // namespace cnn_ablation
