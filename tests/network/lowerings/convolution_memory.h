// A call for which no memory is found: it throws, and the next call is as if nothing had been.
// This header replaces the program's operator new, so that one file alone may include it.
#pragma once

#include <cstdlib>

#include "convolution_blocks.h"
#include "convolution_threads.h"

namespace cnn_ablation {

enum class Failing { kNever, kOnce, kFromThenOn };
inline std::atomic<Failing> failing{Failing::kNever};
inline std::atomic<int> allocations_before{0}, failures{0};

inline void* allocate(std::size_t size, std::size_t alignment) {
  const Failing mode = failing;
  const int before = mode == Failing::kNever ? 1 : allocations_before.fetch_sub(1);
  if (before == 0 || (before < 0 && mode == Failing::kFromThenOn)) {
    ++failures;
    throw std::bad_alloc();
  }
  void* data = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (data == nullptr) throw std::bad_alloc();
  return data;
}

}  // namespace cnn_ablation

// Not inlined, since compilers take a free() beside the caller's `new` for a mistake.
#define CNN_ABLATION_NOINLINE __attribute__((noinline))
CNN_ABLATION_NOINLINE void* operator new(std::size_t size) {
  return cnn_ablation::allocate(size, alignof(std::max_align_t));
}
CNN_ABLATION_NOINLINE void* operator new(std::size_t size, std::align_val_t alignment) {
  return cnn_ablation::allocate(size, static_cast<std::size_t>(alignment));
}
CNN_ABLATION_NOINLINE void operator delete(void* data) noexcept { std::free(data); }
CNN_ABLATION_NOINLINE void operator delete(void* data, std::size_t) noexcept { std::free(data); }
CNN_ABLATION_NOINLINE void operator delete(void* data, std::align_val_t) noexcept {
  std::free(data);
}
CNN_ABLATION_NOINLINE void operator delete(void* data, std::size_t, std::align_val_t) noexcept {
  std::free(data);
}

namespace cnn_ablation {

// Runs `pass` with an allocation that fails. Returns whether the pass threw std::bad_alloc.
template <typename Pass>
bool throws_without_memory(Failing mode, int before, const Pass& pass) {
  allocations_before = before;
  failures = 0;
  failing = mode;
  bool thrown = false;
  try {
    pass();
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  failing = Failing::kNever;
  return thrown;
}

// A dense block where the kernel is as large as the image. Each pass has several tasks.
inline Block block_of(Index side, Index channels, Index kernel, Index features, Index pool) {
  Block b = {};
  b.batch = kernel == side ? 2 * kDenseImages + 1 : 2 * kLanes + 1;
  b.height = b.width = side;
  b.channels = channels;
  b.kernel_height = b.kernel_width = kernel;
  b.features = features;
  b.stride = 1;
  b.pool = pool;
  if (kernel < side) b.pad_top = b.pad_left = (kernel - 1) / 2;
  b.out_height = b.out_width = (kernel < side ? side : 1) / pool;
  return b;
}

// Leaves small buffers in the threads' work memory, which other blocks must make larger.
inline void run_small_block(const OnPool& parallel) {
  std::mt19937 random(2);
  const Block block = block_of(3, 1, 1, 1, 1);
  ours(block, integer_inputs(block, random), true, parallel);
}

// Fails allocation after allocation of a pass, each time in threads whose work memory is as new, or
// `used` by a small block. Returns how many there were to fail, or -1 where a call did not throw or
// the next one was wrong.
template <typename SomePool, typename Pass, typename Right>
int allocations_that_fail(Failing mode, bool used, const Pass& pass, const Right& right) {
  for (int before = 0;; ++before) {
    bool thrown = false, holds = false;
    std::thread([&] {
      SomePool pool;
      const OnPool parallel(pool, true);
      if (used) run_small_block(parallel);
      thrown = throws_without_memory(mode, before, [&] { pass(parallel); });
      holds = thrown == (failures > 0);
      pass(parallel);
      holds = holds && right();
    }).join();
    if (!holds) return -1;
    if (!thrown) return before;
  }
}

template <typename SomePool>
bool memory_holds_for(const Block& block, bool want_images, Failing mode, bool used) {
  std::mt19937 random(1);
  const Inputs in = integer_inputs(block, random);
  const Results want = ours(block, in, want_images, Serial());
  Results r(block, in);
  const int forwards = allocations_that_fail<SomePool>(
      mode, used, [&](const OnPool& parallel) { run_forward(block, in, parallel, r); },
      [&] { return r.out == want.out && r.winners == want.winners; });
  const int backwards = allocations_that_fail<SomePool>(
      mode, used,
      [&](const OnPool& parallel) { run_backward(block, in, want_images, parallel, r); },
      [&] { return r.kernel == want.kernel && r.bias == want.bias && r.images == want.images; });
  std::printf("memory: %d and %d allocations failed\n", forwards, backwards);
  return forwards > 3 && backwards > 3;
}

inline bool memory_holds_for(const Block& block, bool want_images) {
  bool holds = true;
  for (const bool used : {false, true}) {
    for (const Failing mode : {Failing::kOnce, Failing::kFromThenOn}) {
      holds = memory_holds_for<Pool>(block, want_images, mode, used) && holds;
      holds = memory_holds_for<OtherThread>(block, want_images, mode, used) && holds;
    }
  }
  return holds;
}

inline bool memory_holds() {
  // Folded; padded, in slices, and pooled; the same by Winograd's way; dense.
  const bool folded = memory_holds_for(block_of(5, 2, 3, kLanes / 4 + 1, 1), false);
  Block block = block_of(4, 3, 3, kLanes + 1, 2);
  block.algorithm = Algorithm::kDirect;
  const bool pooled = memory_holds_for(block, true);
  block.algorithm = Algorithm::kWinograd;
  const bool winograd = memory_holds_for(block, true);
  const bool dense = memory_holds_for(block_of(14, 2, 14, kLanes + 1, 1), true);
  const bool hold = folded && pooled && winograd && dense;
  std::printf("memory: %s (folded %d, pooled %d, Winograd %d, dense %d)\n",
              hold ? "holds" : "BROKEN", folded, pooled, winograd, dense);
  return hold;
}

}  // namespace cnn_ablation
