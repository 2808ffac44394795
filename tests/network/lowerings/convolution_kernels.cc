// The kernels over random shapes against plain loops, for a build with sanitizers.
// All values are small integers, whose sums are exact in any order: results must be equal.

#include <cstdio>
#include <random>
#include <thread>
#include <vector>

#include "passes.h"

using namespace cnn_ablation;

namespace {

struct Serial {
  template <typename Body>
  void operator()(Index count, const Body& body) const {
    for (Index task = count - 1; task >= 0; --task) body(task);
  }
};

using Floats = std::vector<float>;

// Without slack at the end: a read or write beyond it is an error that a sanitizer sees.
Floats integers(std::mt19937& random, Index size, int most) {
  std::uniform_int_distribution<int> draw(-most, most);
  Floats values(static_cast<std::size_t>(size));
  for (float& value : values) value = static_cast<float>(draw(random));
  return values;
}

struct Results {
  Floats out, images, kernel, bias;
};

Results plain(const Block& b, const Floats& images, const Floats& kernel, const Floats& bias,
              const Floats& out_gradients) {
  Results r = {Floats(out_gradients.size()), Floats(images.size()), Floats(kernel.size()),
               Floats(bias.size())};
  const auto each_tap = [&](Index n, Index y, Index x, Index o, auto&& visit) {
    for (Index i = 0; i < b.kernel_height; ++i) {
      for (Index j = 0; j < b.kernel_width; ++j) {
        const Index row = y * b.stride + i - b.pad_top, column = x * b.stride + j - b.pad_left;
        if (row < 0 || row >= b.height || column < 0 || column >= b.width) continue;
        for (Index c = 0; c < b.channels; ++c) {
          visit(static_cast<std::size_t>(((n * b.height + row) * b.width + column) * b.channels + c),
                static_cast<std::size_t>(((i * b.kernel_width + j) * b.channels + c) * b.features +
                                         o));
        }
      }
    }
  };
  std::size_t at = 0;
  for (Index n = 0; n < b.batch; ++n) {
    for (Index y = 0; y < b.out_height; ++y) {
      for (Index x = 0; x < b.out_width; ++x) {
        for (Index o = 0; o < b.features; ++o, ++at) {
          Index best_y = 0, best_x = 0;
          float best = 0;
          for (Index i = 0; i < b.pool; ++i) {
            for (Index j = 0; j < b.pool; ++j) {
              float sum = 0;
              each_tap(n, y * b.pool + i, x * b.pool + j, o,
                       [&](std::size_t p, std::size_t k) { sum += images[p] * kernel[k]; });
              if ((i == 0 && j == 0) || sum > best) {
                best = sum;
                best_y = y * b.pool + i;
                best_x = x * b.pool + j;
              }
            }
          }
          const float value = best + bias[static_cast<std::size_t>(o)];
          r.out[at] = value > 0 ? value : 0;
          if (!(value > 0)) continue;
          const float g = out_gradients[at];
          r.bias[static_cast<std::size_t>(o)] += g;
          each_tap(n, best_y, best_x, o, [&](std::size_t p, std::size_t k) {
            r.images[p] += g * kernel[k];
            r.kernel[k] += g * images[p];
          });
        }
      }
    }
  }
  return r;
}

Results ours(const Block& block, const Floats& images, const Floats& kernel, const Floats& bias,
             const Floats& out_gradients, bool want_images) {
  Results r = {Floats(out_gradients.size()), Floats(images.size()), Floats(kernel.size()),
               Floats(bias.size())};
  std::vector<std::int32_t> winners(block.pool > 1 ? r.out.size() : 0);
  forward(block, images.data(), kernel.data(), bias.data(), r.out.data(),
          block.pool > 1 ? winners.data() : nullptr, Serial());
  Gradients gradients = {};
  gradients.out = out_gradients.data();
  gradients.residual = {block.pool > 1 ? nullptr : r.out.data(),
                        block.pool > 1 ? winners.data() : nullptr};
  gradients.kernel = r.kernel.data();
  gradients.bias = r.bias.data();
  gradients.images = want_images ? r.images.data() : nullptr;
  backward(block, images.data(), kernel.data(), gradients, Serial());
  return r;
}

Block random_block(std::mt19937& random) {
  const auto draw = [&](int least, int most) {
    return static_cast<Index>(std::uniform_int_distribution<int>(least, most)(random));
  };
  const Index channel_counts[] = {1, 2, 3, 7, 8, 9, 12, 17, 26};
  const Index feature_counts[] = {1, 2, 3, 4, 5, 7, 8, 9, 11, 16, 17, 24, 33};
  Block b = {};
  b.batch = draw(1, 2 * kLanes + 2);
  b.kernel_height = draw(1, 6);
  b.kernel_width = draw(1, 6);
  const bool dense = draw(0, 5) == 0;
  b.height = b.kernel_height + (dense ? 0 : draw(0, 10));
  b.width = b.kernel_width + (dense ? 0 : draw(0, draw(0, 3) == 0 ? 40 : 10));
  b.channels = channel_counts[draw(0, 8)];
  b.features = feature_counts[draw(0, 12)];
  b.stride = draw(1, 5);
  Index height = (b.height - b.kernel_height) / b.stride + 1;
  Index width = (b.width - b.kernel_width) / b.stride + 1;
  if (draw(0, 1) == 1) {  // same
    height = (b.height + b.stride - 1) / b.stride;
    width = (b.width + b.stride - 1) / b.stride;
    b.pad_top =
        std::max<Index>((height - 1) * b.stride + b.kernel_height - b.height, 0) / 2;
    b.pad_left = std::max<Index>((width - 1) * b.stride + b.kernel_width - b.width, 0) / 2;
  }
  b.pool = draw(1, static_cast<int>(std::min<Index>({4, height, width})));
  b.out_height = height / b.pool;
  b.out_width = width / b.pool;
  return b;
}

bool agrees(std::mt19937& random) {
  const Block b = random_block(random);
  const Floats images = integers(random, b.batch * b.image_size(), 2);
  const Floats kernel = integers(random, b.taps() * b.features, 2);
  const Floats bias = integers(random, b.features, 4);
  const Floats out_gradients = integers(random, b.batch * b.out_size(), 2);
  const Results want = plain(b, images, kernel, bias, out_gradients);
  const Results got = ours(b, images, kernel, bias, out_gradients, true);
  const Results first_layer = ours(b, images, kernel, bias, out_gradients, false);
  const bool same = got.out == want.out && got.images == want.images &&
                    got.kernel == want.kernel && got.bias == want.bias &&
                    first_layer.kernel == want.kernel && first_layer.bias == want.bias;
  if (!same) {
    std::printf("differs: batch %td, image %td x %td x %td, kernel %td x %td, features %td, "
                "stride %td, pad %td %td, pool %td: out %d images %d kernel %d %d bias %d %d\n",
                b.batch, b.height, b.width, b.channels, b.kernel_height, b.kernel_width,
                b.features, b.stride, b.pad_top, b.pad_left, b.pool, got.out == want.out,
                got.images == want.images, got.kernel == want.kernel,
                first_layer.kernel == want.kernel, got.bias == want.bias,
                first_layer.bias == want.bias);
  }
  return same;
}

}  // namespace

int main(int, char** arguments) {
  const int count = std::atoi(arguments[1]);
  int wrong = 0;
  for (int seed = 0; seed < count; ++seed) {
    // A new thread has new work memory, of the size that this block asks for and no more.
    std::thread([&] {
      std::mt19937 random(static_cast<unsigned>(seed));
      if (!agrees(random)) ++wrong;
    }).join();
  }
  std::printf("%d lanes: %d of %d blocks agree\n", kLanes, count - wrong, count);
  return wrong == 0 ? 0 : 1;
}
