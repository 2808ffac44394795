// What fused multiply-adds alone reach on one thread.
#pragma once

#include <chrono>

#include "activations.h"

namespace cnn_ablation {

template <typename Body>
double seconds_of(const Body& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// As many multiply-adds at once as there is room for, each waiting for none of the others.
inline double peak_gflops() {
  constexpr int kSums = kRegisters == 32 ? 24 : 12;
  constexpr Index kTimes = 100000;
  Vector sums[kSums];
#pragma GCC unroll 32
  for (Vector& sum : sums) {
    // The compiler may not know that they are all the same.
    sum = Vector{};
    asm volatile("" : "+x"(sum));
  }
  Vector factor = all(0.999f), term = all(0.001f);
  asm volatile("" : "+x"(factor), "+x"(term));
  const double seconds = seconds_of([&] {
    for (Index time = 0; time < kTimes; ++time) {
#pragma GCC unroll 32
      for (int sum = 0; sum < kSums; ++sum) sums[sum] = sums[sum] * factor + term;
    }
  });
  float total = 0;
  for (const Vector& sum : sums) total += sum[0];
  volatile float used = total;
  static_cast<void>(used);
  return 2.0 * kTimes * kSums * kLanes / seconds / 1e9;
}

}  // namespace cnn_ablation
