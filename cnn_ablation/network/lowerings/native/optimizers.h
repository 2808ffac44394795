// A step of an optimizer over all parameters in one pass. XLA takes a pass for each array that a step
// changes, and computes roots and quotients again in each.
#pragma once

#include <algorithm>
#include <cmath>

#include "simd.h"

namespace cnn_ablation {

inline Vector root(Vector value) {
#if defined(__AVX512F__)
  return _mm512_maskz_sqrt_ps(0xFFFF, value);
#elif defined(__AVX__)
  return _mm256_sqrt_ps(value);
#else
  for (int lane = 0; lane < kLanes; ++lane) value[lane] = std::sqrt(value[lane]);
  return value;
#endif
}

// 1 / root(value) as XLA's code for these processors has it: their estimate and one step of Newton's.
inline Vector quick_inverse_root(Vector value) {
#if defined(__AVX512F__)
  // AVX-512's own estimate is another one than AVX's, which XLA takes at any width. Forms with a
  // mask, since GCC's headers make the others of a vector that is not initialized.
  const auto estimate = [](__m256d of) {
    return _mm256_castps_pd(_mm256_rsqrt_ps(_mm256_castpd_ps(of)));
  };
  const __m512d whole = _mm512_castps_pd(value);
  const __m256d low = estimate(_mm512_maskz_extractf64x4_pd(0xF, whole, 0));
  const __m256d high = estimate(_mm512_maskz_extractf64x4_pd(0xF, whole, 1));
  const __m512d first = _mm512_maskz_insertf64x4(0xFF, _mm512_setzero_pd(), low, 0);
  const Vector guess = _mm512_castpd_ps(_mm512_maskz_insertf64x4(0xFF, first, high, 1));
#elif defined(__AVX__)
  const Vector guess = _mm256_rsqrt_ps(value);
#else
  return 1.0f / root(value);
#endif
#if defined(__AVX__)
  return guess * -0.5f * (value * guess * guess - 1.0f) + guess;
#endif
}

// A running mean: `kept` of the old one, rounded before the sum, and `added` of what is new.
struct Mean {
  float kept, added;

  Vector operator()(Vector old, Vector value) const {
    Vector rest = old * kept;
    in_register(rest);
    return value * added + rest;
  }
};

// What follows are rules for a step: of the gradient and the running means, which they replace by the
// step for a rate of 1 and by the new means. Operations come in Optax's order as XLA compiles it.
struct Adadelta {
  static constexpr int kArrays = 3;  // gradients, squares of gradients, squares of steps
  Mean mean;
  float epsilon;

  void operator()(Vector (&of)[kArrays]) const {
    const Vector gradient = of[0];
    of[1] = mean(of[1], gradient * gradient);
    of[0] = root(of[2] + epsilon) * quick_inverse_root(of[1] + epsilon) * gradient;
    of[2] = mean(of[2], of[0] * of[0]);
  }
};

struct Adam {
  static constexpr int kArrays = 3;  // gradients, means of them, means of their squares
  Mean mean, mean_square;
  float epsilon, scale;

  void operator()(Vector (&of)[kArrays]) const {
    const Vector gradient = of[0];
    of[1] = mean(of[1], gradient);
    of[2] = mean_square(of[2], gradient * gradient);
    of[0] = scale * of[1] / (root(of[2]) + epsilon);
  }
};

struct RmsProp {
  static constexpr int kArrays = 2;  // gradients, means of their squares
  Mean mean_square;
  float epsilon;

  void operator()(Vector (&of)[kArrays]) const {
    const Vector gradient = of[0];
    of[1] = mean_square(of[1], gradient * gradient);
    of[0] = quick_inverse_root(of[1] + epsilon) * gradient;
  }
};

// A piece of each array that a rule reads and writes; both may be the same memory.
template <typename Rule>
struct Piece {
  const float* read[Rule::kArrays];
  float* written[Rule::kArrays];
  Index count;
};

template <typename Rule>
void update(const Piece<Rule>& piece, const Rule& rule) {
  for (Index at = 0; at < piece.count; at += kLanes) {
    const Index filled = std::min<Index>(kLanes, piece.count - at);
    Vector values[Rule::kArrays];
    for (int of = 0; of < Rule::kArrays; ++of) values[of] = load_some(piece.read[of] + at, filled);
    rule(values);
    for (int of = 0; of < Rule::kArrays; ++of) store_some(piece.written[of] + at, values[of], filled);
  }
}

}  // namespace cnn_ablation
