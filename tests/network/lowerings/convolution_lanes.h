// The first few lanes of a vector, loaded and stored: as many as asked for, to the bit.
#pragma once

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstring>
#include <vector>

#include "simd.h"

namespace cnn_ablation {

// Bits that no float operation would keep: all ones, a signalling NaN, -0, a denormal.
inline std::int32_t lane_bits(Index lane) {
  const std::int32_t bits[] = {-1, 0x7fa00000, INT_MIN, 1, 0x3f800000};
  return bits[lane % 5] ^ static_cast<std::int32_t>(lane << 8);
}

template <typename Element, typename Value>
bool lanes_agree(Index count) {
  const Index some = std::min<Index>(count, kLanes);
  // Exactly as long as needed, for sanitizers to see what lies beyond.
  std::vector<std::int32_t> bits;
  for (Index lane = 0; lane < some; ++lane) bits.push_back(lane_bits(lane));
  bits.shrink_to_fit();
  const Value value = load_some(reinterpret_cast<const Element*>(bits.data()), count);
  std::int32_t loaded[kLanes];
  std::memcpy(loaded, &value, sizeof(loaded));

  constexpr std::int32_t kUntouched = 12345;
  std::vector<std::int32_t> exact(bits.size()), longer(kLanes + 1, kUntouched);
  store_some(reinterpret_cast<Element*>(exact.data()), value, count);
  store_some(reinterpret_cast<Element*>(longer.data()), value, count);

  bool same = exact == bits;
  for (Index lane = 0; lane < kLanes; ++lane) {
    const auto at = static_cast<std::size_t>(lane);
    same = same && loaded[at] == (lane < some ? bits[at] : 0);
    same = same && longer[at] == (lane < some ? bits[at] : kUntouched);
  }
  return same && longer[kLanes] == kUntouched;
}

inline bool lanes_hold() {
  bool hold = true;
  // More lanes than there are mean all of them.
  for (volatile Index count = 0; count <= kLanes + 1; count = count + 1) {
    const bool same = lanes_agree<float, Vector>(count) && lanes_agree<std::int32_t, Integers>(count);
    if (!same) std::printf("lanes: differ for the first %td\n", Index{count});
    hold = hold && same;
  }
  std::printf("lanes: %s for all counts up to %d\n", hold ? "agree" : "DIFFER", kLanes);
  return hold;
}

}  // namespace cnn_ablation
