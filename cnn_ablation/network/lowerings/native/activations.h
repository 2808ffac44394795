// Activations of a row of vectors, and their slopes: what the gradient behind them is multiplied by.
// Definitions are those of cnn_ablation/stages/activation.py, in float32 to a few units in the last
// place.
#pragma once

#include "simd.h"

namespace cnn_ablation {

// The numbers by which Python names them.
enum class Activation : std::int64_t { kRelu, kNone, kLeakyRelu, kElu, kTanh, kSigmoid, kGelu, kSilu };

// Whether the larger of two numbers never has the smaller value, so that a maximum may come first.
inline bool is_monotonic(Activation activation) {
  return activation != Activation::kGelu && activation != Activation::kSilu;
}

inline Vector all(float value) { return broadcast(&value); }

// exp(x) = power + power * series; of numbers beyond +-87, where exp leaves float32, that of +-87.
struct Exponential {
  Vector power, series;
};

// power = 2^n with n the whole number nearest to x / ln 2, and series = exp(r) - 1 of the rest r, where
// |r| <= ln 2 / 2 and seven terms of the Taylor series leave an error below 6e-9. ln 2 is in two parts,
// the first with so few bits that its product with n is exact.
inline Exponential exponential(Vector x) {
  x = select(x > all(87.0f), all(87.0f), x);
  x = select(x < all(-87.0f), all(-87.0f), x);
  // Adding 1.5 x 2^23 leaves no bits for fractions: the sum's last bits are n.
  const Vector shifted = x * 1.44269504f + 12582912.0f;
  const Vector n = shifted - 12582912.0f;
  const Vector r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  Vector series = r * (1.0f / 5040) + 1.0f / 720;
  series = series * r + 1.0f / 120;
  series = series * r + 1.0f / 24;
  series = series * r + 1.0f / 6;
  series = series * r + 0.5f;
  series = series * r * r + r;
  const Unsigned exponent = (reinterpret_cast<Unsigned>(shifted) << 23) + (127u << 23);
  return {reinterpret_cast<Vector>(exponent), series};
}

inline Vector exp(Vector x) {
  const Exponential of = exponential(x);
  return of.power * of.series + of.power;
}

// exp(x) - 1 without loss near 0.
inline Vector expm1(Vector x) {
  const Exponential of = exponential(x);
  return of.power * of.series + (of.power - 1.0f);
}

// The normal distribution function; `half_density` is exp(-x x / 2) / 2.
//
// For x < 0 it is half_density times a polynomial in t = 1 / (1 + 0.3 |x| / sqrt(2)), the form of
// Abramowitz and Stegun 1964, 7.1.26, with coefficients fitted for float32: scaled by exp(z z),
// erfc(z) is met to 2e-8 of it for z from 0 to 9.5.
inline Vector normal_distribution(Vector x, Vector half_density) {
  const Vector size = select(x < Vector{}, -x, x);
  const Vector t = 1.0f / (size * 0.212132034f + 1.0f);
  Vector tail = t * -0.129436776f + 0.485109836f;
  tail = tail * t - 0.511254847f;
  tail = tail * t + 0.546428502f;
  tail = tail * t - 0.0936551020f;
  tail = tail * t + 0.214446798f;
  tail = tail * t + 0.148479640f;
  tail = tail * t + 0.170692340f;
  tail = tail * t + 0.169189587f;
  tail = tail * t * half_density;
  return select(x < Vector{}, tail, 1.0f - tail);
}

// The value of z, and the slope there.
template <Activation kActivation>
inline Vector activate(Vector z, Vector& slope) {
  if constexpr (kActivation == Activation::kRelu) {
    slope = select(z > Vector{}, all(1.0f), Vector{});
    return select(z <= Vector{}, Vector{}, z);
  } else if constexpr (kActivation == Activation::kLeakyRelu) {
    slope = select(z >= Vector{}, all(1.0f), all(0.2f));
    return z * slope;
  } else if constexpr (kActivation == Activation::kElu) {
    const Vector below = expm1(z);
    slope = select(z > Vector{}, all(1.0f), below + 1.0f);
    return select(z > Vector{}, z, below);
  } else if constexpr (kActivation == Activation::kTanh) {
    // Beyond 10 it is 1 in float32, and so is the quotient.
    const Vector clipped = select(z > all(10.0f), all(10.0f), z);
    const Vector twice = expm1(clipped + clipped);
    const Vector value = twice / (twice + 2.0f);
    slope = 1.0f - value * value;
    return value;
  } else if constexpr (kActivation == Activation::kSigmoid) {
    const Vector value = 1.0f / (exp(-z) + 1.0f);
    slope = value * (1.0f - value);
    return value;
  } else if constexpr (kActivation == Activation::kSilu) {
    const Vector decay = exp(-z), sigmoid = 1.0f / (decay + 1.0f);
    const Vector value = z * sigmoid;
    // 1 - sigmoid without what would be lost near 1.
    slope = sigmoid + value * (decay * sigmoid);
    return value;
  } else if constexpr (kActivation == Activation::kGelu) {
    const Vector half_density = exp(z * z * -0.5f) * 0.5f;
    const Vector share = normal_distribution(z, half_density);
    slope = share + z * half_density * 0.797884561f;  // 2 / sqrt(2 pi)
    return z * share;
  } else {
    slope = all(1.0f);
    return z;
  }
}

// Activates `count` vectors in place; slopes are written where `slopes` is not null.
using ActivateRow = void (*)(Vector* values, Vector* slopes, Index count);

template <Activation kActivation>
void activate_row(Vector* values, Vector* slopes, Index count) {
  Vector slope;
  if (slopes == nullptr) {
    for (Index x = 0; x < count; ++x) values[x] = activate<kActivation>(values[x], slope);
    return;
  }
  for (Index x = 0; x < count; ++x) {
    values[x] = activate<kActivation>(values[x], slope);
    slopes[x] = slope;
  }
}

inline ActivateRow activate_row_for(Activation activation) {
  switch (activation) {
    case Activation::kRelu: return activate_row<Activation::kRelu>;
    case Activation::kLeakyRelu: return activate_row<Activation::kLeakyRelu>;
    case Activation::kElu: return activate_row<Activation::kElu>;
    case Activation::kTanh: return activate_row<Activation::kTanh>;
    case Activation::kSigmoid: return activate_row<Activation::kSigmoid>;
    case Activation::kGelu: return activate_row<Activation::kGelu>;
    case Activation::kSilu: return activate_row<Activation::kSilu>;
    case Activation::kNone: break;
  }
  return activate_row<Activation::kNone>;
}

}  // namespace cnn_ablation
