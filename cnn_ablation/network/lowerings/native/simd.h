// One vector register's worth of floats, written with compiler vectors so that any CPU will do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__AVX__)
#include <immintrin.h>
#endif

namespace cnn_ablation {

using Index = std::ptrdiff_t;

#if defined(__AVX512F__)
constexpr int kLanes = 16;
constexpr int kRegisters = 32;
#elif defined(__AVX__)
constexpr int kLanes = 8;
constexpr int kRegisters = 16;
#elif defined(__aarch64__)
constexpr int kLanes = 4;
constexpr int kRegisters = 32;
#else
constexpr int kLanes = 4;
constexpr int kRegisters = 16;
#endif

typedef float Vector __attribute__((vector_size(4 * kLanes)));
typedef std::int32_t Integers __attribute__((vector_size(4 * kLanes)));
typedef std::uint32_t Unsigned __attribute__((vector_size(4 * kLanes)));
typedef double Doubles __attribute__((vector_size(4 * kLanes)));
// In memory they may lie at any float, or 32-bit integer: these move bits of either.
typedef float UnalignedVector __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
typedef float Lane __attribute__((may_alias));

// Two floats that are broadcast together: lanes 2i hold the first and lanes 2i + 1 the second.
struct Pair {
  float first, second;
};

#if defined(__AVX__) && !defined(__AVX512F__)
// All ones in the lanes below `count`, zeros in the others. AVX alone compares no integers, so that
// the mask is read from a table: kLanes numbers of it, of which `count` lie before its middle.
inline __m256i first_lanes(Index count) {
  static constexpr std::int32_t kOnesThenZeros[2 * kLanes] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256(
      reinterpret_cast<const __m256i*>(kOnesThenZeros + kLanes - count));
}
#endif

inline Vector load(const float* from) {
  return *reinterpret_cast<const UnalignedVector*>(from);
}

inline void store(float* to, Vector value) {
  *reinterpret_cast<UnalignedVector*>(to) = value;
}

// The first `count` lanes from memory, zeros in the others. Through memory this would take longer
// than all the arithmetic of a small block, so that each instruction set has its own way.
inline Vector load_some(const float* from, Index count) {
  if (count >= kLanes) return load(from);
#if defined(__AVX512F__)
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from);
#elif defined(__AVX__)
  return _mm256_maskload_ps(from, first_lanes(count));
#else
  Vector value = {};
  const Lane* lanes = from;
  for (Index lane = 0; lane < count; ++lane) value[lane] = lanes[lane];
  return value;
#endif
}

inline void store_some(float* to, Vector value, Index count) {
  if (count >= kLanes) return store(to, value);
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), value);
#elif defined(__AVX__)
  _mm256_maskstore_ps(to, first_lanes(count), value);
#else
  Lane* lanes = to;
  for (Index lane = 0; lane < count; ++lane) lanes[lane] = value[lane];
#endif
}

inline Integers load_some(const std::int32_t* from, Index count) {
  return reinterpret_cast<Integers>(load_some(reinterpret_cast<const float*>(from), count));
}

inline void store_some(std::int32_t* to, Integers value, Index count) {
  store_some(reinterpret_cast<float*>(to), reinterpret_cast<Vector>(value), count);
}

// Keeps the compiler from loading a vector anew wherever it is used.
inline void in_register(Vector& value) {
#if defined(__x86_64__)
  asm("" : "+x"(value));
#elif defined(__aarch64__)
  asm("" : "+w"(value));
#endif
}

template <std::size_t... kLane>
inline Vector broadcast(float value, std::index_sequence<kLane...>) {
  return Vector{(static_cast<void>(kLane), value)...};
}

inline Vector broadcast(const float* from) {
  return broadcast(*from, std::make_index_sequence<kLanes>());
}

template <std::size_t... kLane>
inline Vector broadcast(double bits, std::index_sequence<kLane...>) {
  return reinterpret_cast<Vector>(Doubles{(static_cast<void>(kLane), bits)...});
}

inline Vector broadcast(const Pair* from) {
  double bits;
  std::memcpy(&bits, from, sizeof(bits));
  return broadcast(bits, std::make_index_sequence<kLanes / 2>());
}

// Lanes of `mask` are all ones or all zeros.
inline Vector select(Integers mask, Vector yes, Vector no) { return mask ? yes : no; }

#if defined(__clang__)
#define CNN_ABLATION_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define CNN_ABLATION_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, Integers{__VA_ARGS__})
#endif

// a0 b0 a1 b1 ... of the lower halves.
template <int... kLane>
inline Vector zip_low(Vector a, Vector b, std::integer_sequence<int, kLane...>) {
  return CNN_ABLATION_SHUFFLE(a, b, (kLane / 2 + kLane % 2 * kLanes)...);
}

template <int... kLane>
inline Vector zip_high(Vector a, Vector b, std::integer_sequence<int, kLane...>) {
  return CNN_ABLATION_SHUFFLE(a, b, (kLanes / 2 + kLane / 2 + kLane % 2 * kLanes)...);
}

// The even lanes of a, then those of b.
template <int... kLane>
inline Vector evens(Vector a, Vector b, std::integer_sequence<int, kLane...>) {
  return CNN_ABLATION_SHUFFLE(a, b, (2 * kLane)...);
}

template <int... kLane>
inline Vector odds(Vector a, Vector b, std::integer_sequence<int, kLane...>) {
  return CNN_ABLATION_SHUFFLE(a, b, (2 * kLane + 1)...);
}

// The lower half of a, then that of b.
template <int... kLane>
inline Vector halves(Vector a, Vector b, std::integer_sequence<int, kLane...>) {
  return CNN_ABLATION_SHUFFLE(a, b, (kLane < kLanes / 2 ? kLane : kLane + kLanes / 2)...);
}

// The even lanes of a, then its odd ones; and back.
template <int... kLane>
inline Vector unzip(Vector a, std::integer_sequence<int, kLane...>) {
  return CNN_ABLATION_SHUFFLE(a, a, (2 * kLane % kLanes + 2 * kLane / kLanes)...);
}

template <int... kLane>
inline Vector zip(Vector a, std::integer_sequence<int, kLane...>) {
  return CNN_ABLATION_SHUFFLE(a, a, (kLane / 2 + kLane % 2 * (kLanes / 2))...);
}

using Lanes = std::make_integer_sequence<int, kLanes>;

// Copies kLanes vectors, as std::copy does by a call.
inline void copy_vectors(const Vector* from, Vector* to) {
#pragma GCC unroll 16
  for (int row = 0; row < kLanes; ++row) to[row] = from[row];
}

// Transpose a square of kLanes vectors: log2(kLanes) perfect shuffles of its rows.
inline void transpose(Vector (&rows)[kLanes]) {
#pragma GCC unroll 8
  for (int stage = 1; stage < kLanes; stage *= 2) {
    Vector next[kLanes];
#pragma GCC unroll 16
    for (int row = 0; row < kLanes / 2; ++row) {
      next[2 * row] = zip_low(rows[row], rows[row + kLanes / 2], Lanes());
      next[2 * row + 1] = zip_high(rows[row], rows[row + kLanes / 2], Lanes());
    }
#pragma GCC unroll 16
    for (int row = 0; row < kLanes; ++row) rows[row] = next[row];
  }
}

}  // namespace cnn_ablation
