// Winograd's way beside the direct one, on random blocks of fractions: the outputs equal, for gradients
// alone go it, and these close, for their sums are others.
#pragma once

#include <cmath>
#include <cstdio>
#include <thread>

#include "convolution_blocks.h"

namespace cnn_ablation {

// Of the root mean square: three to six times what sums in another order differ by.
constexpr double kWinogradApart = 3e-5;

// Whose sums depend on their order.
inline Inputs fractions(const Block& block, std::mt19937& random) {
  Inputs in = integer_inputs(block, random);
  std::normal_distribution<float> draw;
  for (Floats* values : {&in.images, &in.kernel, &in.bias, &in.out_gradients}) {
    for (float& value : *values) value = draw(random);
  }
  return in;
}

// A block that can go Winograd's way: neither steps nor gaps.
inline Block random_winograd_block(std::mt19937& random) {
  Block block;
  do {
    block = random_block(random);
    block.algorithm = Algorithm::kWinograd;
  } while (!takes_winograd(block) || is_dense(block));
  return block;
}

// One of several bands.
inline Block tall_winograd_block(Index pool, bool same) {
  Block block = {};
  block.batch = 2;
  block.height = 31;
  block.width = 29;
  block.channels = 48;
  block.features = kLanes + 1;
  block.kernel_height = block.kernel_width = 4;
  block.stride = 1;
  block.pad_top = block.pad_left = same ? 1 : 0;
  block.pool = pool;
  block.out_height = (same ? block.height : block.height - 3) / pool;
  block.out_width = (same ? block.width : block.width - 3) / pool;
  block.algorithm = Algorithm::kWinograd;
  return block;
}

// Whether two arrays differ by no more than `most` of the second's root mean square.
inline bool close(const char* name, const Floats& ours, const Floats& expected, double most) {
  double squares = 0, worst = 0;
  for (std::size_t at = 0; at < ours.size(); ++at) {
    squares += static_cast<double>(expected[at]) * expected[at];
    const double apart = std::fabs(static_cast<double>(ours[at]) - expected[at]);
    if (!(apart <= worst)) worst = apart;
  }
  const double scale = std::sqrt(squares / static_cast<double>(ours.size()));
  if (worst <= most * scale + 1e-30) return true;
  std::printf("%s: %g apart, of values of %g\n", name, worst, scale);
  return false;
}

inline bool winograd_is_close(const Block& block, std::mt19937& random) {
  Block direct = block;
  direct.algorithm = Algorithm::kDirect;
  const Inputs in = fractions(block, random);
  const Results expected = ours(direct, in, true, Serial()), got = ours(block, in, true, Serial());
  const bool forward = got.out == expected.out && got.winners == expected.winners;
  if (!forward) std::printf("outputs are not those of the direct way\n");
  const bool images = close("images' gradients", got.images, expected.images, kWinogradApart);
  const bool kernel = close("kernel's gradients", got.kernel, expected.kernel, kWinogradApart);
  return forward && images && kernel && got.bias == expected.bias;
}

inline bool winograd_holds(int count) {
  int wrong = 0;
  for (int seed = 0; seed < count; ++seed) {
    // A new thread has new work memory, of the size that this block asks for and no more.
    std::thread([&] {
      std::mt19937 random(static_cast<unsigned>(seed));
      const bool tall = seed < 8;
      const Block b = tall ? tall_winograd_block(seed / 2 + 1, seed % 2 == 1)
                           : random_winograd_block(random);
      if (winograd_is_close(b, random)) return;
      ++wrong;
      std::printf("differs: batch %td, image %td x %td x %td, kernel %td x %td, features %td, "
                  "pad %td %td, pool %td, average %d, activation %d\n",
                  b.batch, b.height, b.width, b.channels, b.kernel_height, b.kernel_width,
                  b.features, b.pad_top, b.pad_left, b.pool, b.average,
                  static_cast<int>(b.activation));
    }).join();
  }
  std::printf("%d of %d blocks are close by Winograd's way\n", count - wrong, count);
  return wrong == 0;
}

}  // namespace cnn_ablation
