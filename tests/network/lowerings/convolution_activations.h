// The activations and their slopes against the C library's functions in double precision.
#pragma once

#include <cmath>
#include <cstdio>
#include <limits>

#include "activations.h"

namespace cnn_ablation {

struct Exact {
  double value, slope;
};

inline Exact exact_activation(Activation activation, double z) {
  const double sigmoid = 1 / (1 + std::exp(-z));
  const double share = std::erfc(-z / std::sqrt(2.0)) / 2;
  const double density = std::exp(-z * z / 2) / std::sqrt(2 * std::acos(-1.0));
  switch (activation) {
    case Activation::kRelu: return {z > 0 ? z : 0, z > 0 ? 1.0 : 0.0};
    case Activation::kNone: return {z, 1};
    case Activation::kLeakyRelu: return {z >= 0 ? z : 0.2 * z, z >= 0 ? 1 : 0.2};
    case Activation::kElu: return {z > 0 ? z : std::expm1(z), z > 0 ? 1 : std::exp(z)};
    case Activation::kTanh: return {std::tanh(z), 1 - std::tanh(z) * std::tanh(z)};
    case Activation::kSigmoid: return {sigmoid, sigmoid * (1 - sigmoid)};
    case Activation::kGelu: return {z * share, share + z * density};
    case Activation::kSilu: return {z * sigmoid, sigmoid * (1 + z * (1 - sigmoid))};
  }
  return {};
}

inline bool near(float got, double want) {
  return std::fabs(got - want) <= 4e-7 * std::max(1.0, std::fabs(want));
}

// Values and slopes from -100 to 100, densely around 0; a NaN stays one.
inline bool activation_holds(Activation activation) {
  int wrong = 0;
  for (int step = -4000; step <= 4000; ++step) {
    const float z = static_cast<float>(std::pow(step / 4000.0, 3) * 100);
    Vector value = Vector{} + z, slope = {};
    activate_row_for(activation)(&value, &slope, 1);
    const Exact want = exact_activation(activation, z);
    if (!near(value[kLanes - 1], want.value) || !near(slope[0], want.slope)) {
      if (wrong++ == 0) {
        std::printf("activation %d of %g: %.9g, slope %.9g, not %.9g, %.9g\n",
                    static_cast<int>(activation), static_cast<double>(z),
                    static_cast<double>(value[0]), static_cast<double>(slope[0]), want.value,
                    want.slope);
      }
    }
  }
  Vector unknown = Vector{} + std::numeric_limits<float>::quiet_NaN();
  activate_row_for(activation)(&unknown, nullptr, 1);
  return wrong == 0 && std::isnan(unknown[0]);
}

inline bool activations_hold() {
  bool hold = true;
  for (int number = 0; number <= static_cast<int>(Activation::kSilu); ++number) {
    hold = activation_holds(static_cast<Activation>(number)) && hold;
  }
  // Small numbers keep their digits.
  Vector small = Vector{} + 1e-5f;
  hold = hold && std::fabs(expm1(small)[0] / std::expm1(1e-5) - 1) < 2e-7;
  std::printf("activations: %s\n", hold ? "hold" : "BROKEN");
  return hold;
}

}  // namespace cnn_ablation
