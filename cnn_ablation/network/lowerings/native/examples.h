// Examples as training takes them: their order, and a batch of them with its pixels scaled.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "simd.h"

namespace cnn_ablation {

// The pixels of one image, 0 to 255, as 0 to 1: by a product, as XLA divides by a constant.
inline void scale_pixels(const std::uint8_t* __restrict pixels, Index count, float* __restrict out) {
  constexpr float kScale = 1.0f / 255.0f;
  for (Index at = 0; at < count; ++at) out[at] = static_cast<float>(pixels[at]) * kScale;
}

constexpr Index kAhead = 2;       // images
constexpr Index kLineBytes = 64;  // of the cache

// Image `indices[i]` of `size` pixels, scaled, as image i. An index beyond the last image is the last.
inline void gather_images(const std::uint8_t* images, Index count, Index size,
                          const std::int32_t* indices, Index begin, Index end, float* out) {
  const auto place = [&](Index at) {
    return images + std::clamp<Index>(indices[at], 0, count - 1) * size;
  };
  for (Index at = begin; at < end; ++at) {
    // Images lie anywhere in memory: the next but one is on its way while this one is scaled.
    if (at + kAhead < end) {
      const std::uint8_t* next = place(at + kAhead);
      for (Index pixel = 0; pixel < size; pixel += kLineBytes) __builtin_prefetch(next + pixel);
    }
    scale_pixels(place(at), size, out + at * size);
  }
}

// `values` in the order of their `keys`; values of equal keys keep theirs. Digit by digit from the
// last (D. Knuth, The Art of Computer Programming 3, 5.2.5), each pair in one word.
inline void sort_by_keys(const std::uint32_t* keys, const std::int32_t* values, Index count,
                         std::int32_t* out) {
  constexpr int kDigits = 3, kBits = 11;
  constexpr std::uint64_t kMask = (1u << kBits) - 1;
  std::array<std::array<Index, kMask + 1>, kDigits> places = {};
  std::vector<std::uint64_t> pairs(count), sorted(count);
  for (Index at = 0; at < count; ++at) {
    const std::uint64_t key = keys[at];
    pairs[at] = key << 32 | static_cast<std::uint32_t>(values[at]);
    for (int digit = 0; digit < kDigits; ++digit) ++places[digit][key >> digit * kBits & kMask];
  }
  for (int digit = 0; digit < kDigits; ++digit) {
    Index place = 0;
    for (Index& own : places[digit]) place += std::exchange(own, place);
    const int shift = 32 + digit * kBits;
    for (const std::uint64_t pair : pairs) sorted[places[digit][pair >> shift & kMask]++] = pair;
    pairs.swap(sorted);
  }
  for (Index at = 0; at < count; ++at) {
    out[at] = static_cast<std::int32_t>(static_cast<std::uint32_t>(pairs[at]));
  }
}

}  // namespace cnn_ablation
