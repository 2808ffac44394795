// The image as the kernels read it: padded, and in pairs of columns where the block is folded.
#pragma once

#include "block.h"

namespace cnn_ablation {

template <typename Element>
struct View {
  const Element* pixels;
  Index row;  // elements from one row to the next
};

// The image itself where no zeros are needed, otherwise a padded copy of what the kernel sees.
inline View<float> padded(const Block& block, const float* image, Scratch& scratch) {
  const Index row = block.width * block.channels;
  if (block.pad_top == 0 && block.pad_left == 0 && block.seen_height() <= block.height &&
      block.seen_width() <= block.width) {
    return {image, row};
  }
  const Index seen = block.seen_width() * block.channels;
  const Index left = block.pad_left * block.channels;
  const Index copied = std::min(row, seen - left);
  float* copy = scratch.floats(block.seen_height() * seen);
  for (Index y = 0; y < block.seen_height(); ++y) {
    float* to = copy + y * seen;
    const Index from = y - block.pad_top;
    const bool inside = from >= 0 && from < block.height;
    std::fill(to, to + (inside ? left : seen), 0.0f);
    if (!inside) continue;
    std::copy(image + from * row, image + from * row + copied, to + left);
    std::fill(to + left + copied, to + seen, 0.0f);
  }
  return {copy, seen};
}

inline View<float> view(const Block& block, const float* image, Scratch& scratch, const float*) {
  return padded(block, image, scratch);
}

// Each element beside the one of the next output column.
inline View<Pair> view(const Block& block, const float* image, Scratch& scratch, const Pair*) {
  const View<float> whole = padded(block, image, scratch);
  const Index seen = block.seen_width() * block.channels;
  const Index apart = block.stride * block.channels;
  const Index row = (2 * (block.fold() - 1) * block.stride + block.reach(block.kernel_width)) *
                    block.channels;
  const Index both = std::min(row, seen - apart);
  // Whole vectors are written, so that rows are as long.
  const Index pitch = (row + kLanes - 1) / kLanes * kLanes;
  float* pairs = scratch.floats(2 * pitch * block.seen_height());
  for (Index y = 0; y < block.seen_height(); ++y) {
    if (y % block.stride >= block.reach(block.kernel_height)) continue;  // No tap lies there.
    const float* from = whole.pixels + y * whole.row;
    float* to = pairs + 2 * y * pitch;
    for (Index x = 0; x < row; x += kLanes, to += 2 * kLanes) {
      const Vector first = load_some(from + x, row - x);
      const Vector second = load_some(from + apart + x, std::max<Index>(both - x, 0));
      store(to, zip_low(first, second, Lanes()));
      store(to + kLanes, zip_high(first, second, Lanes()));
    }
  }
  return {reinterpret_cast<const Pair*>(pairs), pitch};
}

}  // namespace cnn_ablation
