// The kernels as XLA custom calls, on the threads of XLA's own pool.

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "passes.h"
#include "xla/ffi/api/ffi.h"

namespace cnn_ablation {
namespace {

namespace ffi = xla::ffi;

// Tasks that threads take one at a time. It outlives the call that made it, for threads that come
// when all is done; they find no task and touch nothing of the caller's.
template <typename Body>
struct Tasks {
  Tasks(Index count, const Body& body) : count(count), body(body) {}

  void work() {
    for (Index task; (task = next.fetch_add(1)) < count;) {
      body(task);
      if (done.fetch_add(1) + 1 == count) {
        std::lock_guard<std::mutex> lock(mutex);
        all_done.notify_one();
      }
    }
  }

  void wait() {
    // Waking from a futex takes longer than most waits.
    for (int spin = 0; spin < 2000 && done.load() < count; ++spin) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
    std::unique_lock<std::mutex> lock(mutex);
    all_done.wait(lock, [&] { return done.load() == count; });
  }

  const Index count;
  const Body& body;
  std::atomic<Index> next{0}, done{0};
  std::mutex mutex;
  std::condition_variable all_done;
};

// The caller takes tasks too, and waits only for those that others have begun: no thread of a full
// pool can wait for a task that has none.
class Parallel {
 public:
  Parallel(ffi::ThreadPool& pool, bool worthwhile) : pool_(pool), worthwhile_(worthwhile) {}

  template <typename Body>
  void operator()(Index count, const Body& body) const {
    const Index threads = worthwhile_ ? std::min<Index>(count, pool_.num_threads()) : 1;
    if (threads <= 1) {
      for (Index task = 0; task < count; ++task) body(task);
      return;
    }
    auto tasks = std::make_shared<Tasks<Body>>(count, body);
    for (Index thread = 1; thread < threads; ++thread) {
      pool_.Schedule([tasks] { tasks->work(); });
    }
    tasks->work();
    tasks->wait();
  }

 private:
  ffi::ThreadPool& pool_;
  bool worthwhile_;
};

using Floats4 = ffi::Buffer<ffi::F32, 4>;
using Floats1 = ffi::Buffer<ffi::F32, 1>;

Block block_of(const Floats4& images, const Floats4& kernel,
               ffi::AnyBuffer::Dimensions out_dimensions, std::int64_t stride,
               std::int64_t pad_top, std::int64_t pad_left, std::int64_t pool) {
  const auto image = images.dimensions();
  const auto window = kernel.dimensions();
  Block block = {};
  block.batch = image[0];
  block.height = image[1];
  block.width = image[2];
  block.channels = image[3];
  block.kernel_height = window[0];
  block.kernel_width = window[1];
  block.features = window[3];
  block.out_height = out_dimensions[1];
  block.out_width = out_dimensions[2];
  block.stride = stride;
  block.pad_top = pad_top;
  block.pad_left = pad_left;
  block.pool = pool;
  return block;
}

ffi::Error run_forward(ffi::ThreadPool pool_of_threads, Floats4 images, Floats4 kernel,
                       Floats1 bias, ffi::Result<Floats4> out, ffi::RemainingRets more,
                       std::int64_t stride, std::int64_t pad_top, std::int64_t pad_left,
                       std::int64_t pool) {
  const Block block =
      block_of(images, kernel, out->dimensions(), stride, pad_top, pad_left, pool);
  std::int32_t* winners = nullptr;
  if (more.size() > 0) {
    auto buffer = more.get<ffi::Buffer<ffi::S32, 4>>(0);
    if (!buffer) return buffer.error();
    winners = (*buffer)->typed_data();
  }
  forward(block, images.typed_data(), kernel.typed_data(), bias.typed_data(), out->typed_data(),
          winners, Parallel(pool_of_threads, multiply_adds(block) > kWorthThreads));
  return ffi::Error::Success();
}

ffi::Error run_backward(ffi::ThreadPool pool_of_threads, Floats4 images, Floats4 kernel,
                        ffi::AnyBuffer residual, Floats4 out_gradients,
                        ffi::Result<Floats4> kernel_gradients,
                        ffi::Result<Floats1> bias_gradients, ffi::RemainingRets more,
                        std::int64_t stride, std::int64_t pad_top, std::int64_t pad_left,
                        std::int64_t pool) {
  const Block block =
      block_of(images, kernel, out_gradients.dimensions(), stride, pad_top, pad_left, pool);
  Gradients gradients = {};
  gradients.out = out_gradients.typed_data();
  if (pool == 1) {
    gradients.residual.outputs = residual.typed_data<float>();
  } else {
    gradients.residual.winners = residual.typed_data<std::int32_t>();
  }
  gradients.kernel = kernel_gradients->typed_data();
  gradients.bias = bias_gradients->typed_data();
  if (more.size() > 0) {
    auto buffer = more.get<Floats4>(0);
    if (!buffer) return buffer.error();
    gradients.images = (*buffer)->typed_data();
  }
  backward(block, images.typed_data(), kernel.typed_data(), gradients,
           Parallel(pool_of_threads, multiply_adds(block) > kWorthThreads));
  return ffi::Error::Success();
}

}  // namespace

XLA_FFI_DEFINE_HANDLER_SYMBOL(Forward, run_forward,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<Floats4>()
                                  .Arg<Floats4>()
                                  .Arg<Floats1>()
                                  .Ret<Floats4>()
                                  .RemainingRets()
                                  .Attr<std::int64_t>("stride")
                                  .Attr<std::int64_t>("pad_top")
                                  .Attr<std::int64_t>("pad_left")
                                  .Attr<std::int64_t>("pool"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(Backward, run_backward,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<Floats4>()
                                  .Arg<Floats4>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<Floats4>()
                                  .Ret<Floats4>()
                                  .Ret<Floats1>()
                                  .RemainingRets()
                                  .Attr<std::int64_t>("stride")
                                  .Attr<std::int64_t>("pad_top")
                                  .Attr<std::int64_t>("pad_left")
                                  .Attr<std::int64_t>("pool"));

}  // namespace cnn_ablation

