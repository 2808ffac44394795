// The kernels' checks in one program, for builds with sanitizers and for each width of vectors.
// Each prints a line of what it found. The arguments are how many random blocks to compare with plain
// loops (a third as many by Winograd's way with the direct one), and how many on several threads with
// one.

#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "convolution_activations.h"
#include "convolution_blocks.h"
#include "convolution_lanes.h"
#include "convolution_maps.h"
#include "convolution_memory.h"
#include "convolution_threads.h"
#include "convolution_training.h"
#include "convolution_winograd.h"

using namespace cnn_ablation;

namespace {

bool agrees(std::mt19937& random) {
  const Block b = random_block(random);
  const Inputs in = integer_inputs(b, random);
  const Results want = plain(b, in);
  const Results got = ours(b, in, true, Serial());
  const Results first_layer = ours(b, in, false, Serial());
  const bool same = got.out == want.out && got.images == want.images &&
                    got.kernel == want.kernel && got.bias == want.bias &&
                    first_layer.kernel == want.kernel && first_layer.bias == want.bias;
  if (!same) {
    std::printf("differs: batch %td, image %td x %td x %td, kernel %td x %td, features %td, "
                "stride %td, dilation %td, pad %td %td, pool %td, average %d, activation %d: "
                "out %d images %d kernel %d %d bias %d %d\n",
                b.batch, b.height, b.width, b.channels, b.kernel_height, b.kernel_width,
                b.features, b.stride, b.dilation, b.pad_top, b.pad_left, b.pool, b.average,
                static_cast<int>(b.activation), got.out == want.out,
                got.images == want.images, got.kernel == want.kernel,
                first_layer.kernel == want.kernel, got.bias == want.bias,
                first_layer.bias == want.bias);
  }
  return same;
}

bool blocks_hold(int count) {
  int wrong = 0;
  for (int seed = 0; seed < count; ++seed) {
    // A new thread has new work memory, of the size that this block asks for and no more.
    std::thread([&] {
      std::mt19937 random(static_cast<unsigned>(seed));
      if (!agrees(random)) ++wrong;
    }).join();
  }
  std::printf("%d lanes: %d of %d blocks agree\n", kLanes, count - wrong, count);
  return wrong == 0;
}

bool threads_change_nothing(int count) {
  Pool pool(4);
  int wrong = 0;
  for (int seed = 0; seed < count; ++seed) {
    std::mt19937 random(static_cast<unsigned>(seed));
    const Block b = seed % 2 == 0 ? random_block(random) : random_winograd_block(random);
    const Inputs in = fractions(b, random);
    const Results alone = ours(b, in, true, Serial());
    const Results shared = ours(b, in, true, OnPool(pool, true));
    if (shared.out != alone.out || shared.winners != alone.winners ||
        shared.slopes != alone.slopes ||
        shared.images != alone.images || shared.kernel != alone.kernel ||
        shared.bias != alone.bias) {
      ++wrong;
    }
  }
  std::printf("%d of %d blocks are the same on four threads\n", count - wrong, count);
  return wrong == 0;
}

}  // namespace

int main(int, char** arguments) {
  const bool lanes = lanes_hold(), blocks = blocks_hold(std::atoi(arguments[1]));
  const bool threads = threads_change_nothing(std::atoi(arguments[2])), loops = loops_hold();
  const bool memory = memory_holds(), activations = activations_hold(), maps = maps_hold(100);
  const bool training = training_holds(100), winograd = winograd_holds(std::atoi(arguments[1]) / 3);
  return winograd && training && activations && maps && lanes && blocks && threads && loops && memory ? 0 : 1;
}
