// How fast the native kernels are, each pass alone, against this machine's own peak of fused
// multiply-adds, on one thread.
//
//   kernels BATCH ROUNDS ALGORITHM < blocks > figures
//
// A block a line: name height width channels kernel features stride pool. A line of figures for each:
// name, and GFLOP/s of forward, weights' gradients and images' gradients (the best of the rounds); last a
// line `peak`, which is taken beside each block, on a machine whose speed drifts.

#include <cstdio>
#include <cstdlib>
#include <random>

#include "passes.h"
#include "peak.h"

using namespace cnn_ablation;

namespace {

struct Serial {
  template <typename Body>
  void operator()(Index count, const Body& body) const {
    for (Index task = 0; task < count; ++task) body(task);
  }
};

std::vector<float> numbers(Index size) {
  std::mt19937 random(1);
  std::normal_distribution<float> draw;
  std::vector<float> values(static_cast<std::size_t>(size));
  for (float& value : values) value = draw(random);
  return values;
}

// The gradients of all images pass where outputs are positive, as half of them are.
struct Work {
  explicit Work(const Block& block)
      : block(block),
        images(numbers(block.batch * block.image_size())),
        kernel(numbers(block.taps() * block.features)),
        bias(static_cast<std::size_t>(block.features)),
        out(static_cast<std::size_t>(block.batch * block.out_size())),
        out_gradients(numbers(block.batch * block.out_size())),
        image_gradients(images.size()),
        kernel_gradients(kernel.size()),
        bias_gradients(bias.size()),
        winners(out.size()) {}

  void run_forward() {
    const Kept kept = {block.keeps_winners() ? winners.data() : nullptr, nullptr};
    forward(block, images.data(), kernel.data(), bias.data(), out.data(), kept, Serial());
  }
  void run_backward(bool want_images) {
    Gradients gradients = {};
    gradients.out = out_gradients.data();
    gradients.residual = {block.pool == 1 ? out.data() : nullptr,
                          block.keeps_winners() ? winners.data() : nullptr, nullptr};
    gradients.kernel = kernel_gradients.data();
    gradients.bias = bias_gradients.data();
    gradients.images = want_images ? image_gradients.data() : nullptr;
    backward(block, images.data(), kernel.data(), gradients, Serial());
  }

  Block block;
  std::vector<float> images, kernel, bias, out, out_gradients, image_gradients, kernel_gradients,
      bias_gradients;
  std::vector<std::int32_t> winners;
};

Block block_of(Index batch, Index height, Index width, Index channels, Index kernel,
               Index features, Index stride, Index pool) {
  Block block = {};
  block.batch = batch;
  block.height = height;
  block.width = width;
  block.channels = channels;
  block.kernel_height = block.kernel_width = kernel;
  block.features = features;
  block.stride = stride;
  block.pool = pool;
  block.out_height = ((height - kernel) / stride + 1) / pool;
  block.out_width = ((width - kernel) / stride + 1) / pool;
  return block;
}

}  // namespace

int main(int, char** arguments) {
  const Index batch = std::atoi(arguments[1]), rounds = std::atoi(arguments[2]);
  const auto algorithm = static_cast<Algorithm>(std::atoi(arguments[3]));
  double peak = 0;
  char name[64];
  long height, width, channels, kernel, features, stride, pool;
  while (std::scanf("%63s %ld %ld %ld %ld %ld %ld %ld", name, &height, &width, &channels, &kernel,
                    &features, &stride, &pool) == 8) {
    Block block = block_of(batch, height, width, channels, kernel, features, stride, pool);
    block.algorithm = algorithm;
    Work work(block);
    const double flop = 2.0 * static_cast<double>(multiply_adds(work.block));
    double forward_seconds = 1e9, weight_seconds = 1e9, both_seconds = 1e9;
    for (Index round = 0; round < rounds; ++round) {
      peak = std::max(peak, peak_gflops());
      forward_seconds = std::min(forward_seconds, seconds_of([&] { work.run_forward(); }));
      weight_seconds = std::min(weight_seconds, seconds_of([&] { work.run_backward(false); }));
      both_seconds = std::min(both_seconds, seconds_of([&] { work.run_backward(true); }));
    }
    std::printf("%s %.1f %.1f %.1f\n", name, flop / forward_seconds / 1e9,
                flop / weight_seconds / 1e9, flop / (both_seconds - weight_seconds) / 1e9);
  }
  std::printf("peak %.1f %d\n", peak, kLanes);
}
