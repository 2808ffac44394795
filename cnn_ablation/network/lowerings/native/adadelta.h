// Adadelta over all parameters in one pass: XLA takes one for each array that a step changes, and
// computes the roots again in each.
#pragma once

#include <algorithm>
#include <cmath>

#include "simd.h"

namespace cnn_ablation {

// One array of parameters: what a step reads and what it writes, which may be the same memory.
struct AdadeltaLeaf {
  const float *gradients, *squares, *steps;
  float *updates, *new_squares, *new_steps;
  Index count;
};

// `kept` and `added` are the shares of a running mean of squares and of a new square.
struct AdadeltaOptions {
  float kept, added, epsilon;
};

inline Vector root(Vector value) {
#if defined(__AVX512F__)
  return _mm512_sqrt_ps(value);
#elif defined(__AVX__)
  return _mm256_sqrt_ps(value);
#else
  for (int lane = 0; lane < kLanes; ++lane) value[lane] = std::sqrt(value[lane]);
  return value;
#endif
}

// 1 / root(value) as XLA's CPU code has it: the processor's estimate and a step of Newton's.
inline Vector quick_inverse_root(Vector value) {
#if defined(__AVX512F__)
  const __m256 low = _mm256_rsqrt_ps(_mm512_castps512_ps256(value));
  const __m256 high = _mm256_rsqrt_ps(
      _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(value), 1)));
  const Vector guess = _mm512_castpd_ps(_mm512_insertf64x4(
      _mm512_castps_pd(_mm512_castps256_ps512(low)), _mm256_castps_pd(high), 1));
#elif defined(__AVX__)
  const Vector guess = _mm256_rsqrt_ps(value);
#else
  return 1.0f / root(value);
#endif
#if defined(__AVX__)
  return guess * -0.5f * (value * guess * guess - 1.0f) + guess;
#endif
}

inline Vector mean_square(Vector old, Vector value, const AdadeltaOptions& options) {
  Vector kept = old * options.kept;
  in_register(kept);  // rounded before the sum, which is fused with the other product
  return value * value * options.added + kept;
}

// In the order of operations of Optax's Adadelta as XLA compiles it, so that neither is better.
inline void adadelta(const AdadeltaLeaf& leaf, Index begin, Index end,
                     const AdadeltaOptions& options) {
  for (Index at = begin; at < end; at += kLanes) {
    const Index filled = std::min<Index>(kLanes, end - at);
    const Vector gradient = load_some(leaf.gradients + at, filled);
    const Vector old_steps = load_some(leaf.steps + at, filled);
    const Vector old_squares = load_some(leaf.squares + at, filled);
    const Vector squares = mean_square(old_squares, gradient, options);
    const Vector update =
        root(old_steps + options.epsilon) * quick_inverse_root(squares + options.epsilon) * gradient;
    store_some(leaf.new_squares + at, squares, filled);
    store_some(leaf.new_steps + at, mean_square(old_steps, update, options), filled);
    store_some(leaf.updates + at, update, filled);
  }
}

}  // namespace cnn_ablation
