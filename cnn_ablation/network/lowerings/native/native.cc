// The kernels as XLA custom calls, on the threads of XLA's own pool.

#include <exception>
#include <new>
#include <string>

#include "passes.h"
#include "threads.h"
#include "xla/ffi/api/ffi.h"

namespace cnn_ablation {
namespace {

namespace ffi = xla::ffi;

using ParallelOnPool = ParallelFor<ffi::ThreadPool>;

// An error for XLA. Where memory lacks even for the message, a short one has room in the string itself.
ffi::Error error_of(ffi::ErrorCode code, const char* message) noexcept {
  try {
    return ffi::Error(code, std::string("cnn_ablation: ") + message);
  } catch (const std::bad_alloc&) {
    return ffi::Error(code, "no memory");
  }
}

// What `handle` returns, or an error for what it throws. XLA knows no exceptions: one that left a
// handler would end the process.
template <typename Handle>
ffi::Error without_exceptions(const Handle& handle) noexcept {
  try {
    return handle();
  } catch (const std::bad_alloc&) {
    return error_of(ffi::ErrorCode::kResourceExhausted,
                    "not enough memory for the working buffers of the convolution kernels");
  } catch (const std::exception& error) {
    return error_of(ffi::ErrorCode::kInternal, error.what());
  } catch (...) {
    return error_of(ffi::ErrorCode::kInternal, "a convolution kernel threw an unknown exception");
  }
}

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

ffi::Error run_forward(ffi::ThreadPool threads, Floats4 images, Floats4 kernel, Floats1 bias,
                       ffi::Result<Floats4> out, ffi::RemainingRets more, std::int64_t stride,
                       std::int64_t pad_top, std::int64_t pad_left, std::int64_t pool) {
  return without_exceptions([&] {
    const Block block =
        block_of(images, kernel, out->dimensions(), stride, pad_top, pad_left, pool);
    std::int32_t* winners = nullptr;
    if (more.size() > 0) {
      auto buffer = more.get<ffi::Buffer<ffi::S32, 4>>(0);
      if (!buffer) return buffer.error();
      winners = (*buffer)->typed_data();
    }
    forward(block, images.typed_data(), kernel.typed_data(), bias.typed_data(), out->typed_data(),
            winners, ParallelOnPool(threads, multiply_adds(block) > kWorthThreads));
    return ffi::Error::Success();
  });
}

ffi::Error run_backward(ffi::ThreadPool threads, Floats4 images, Floats4 kernel,
                        ffi::AnyBuffer residual, Floats4 out_gradients,
                        ffi::Result<Floats4> kernel_gradients,
                        ffi::Result<Floats1> bias_gradients, ffi::RemainingRets more,
                        std::int64_t stride, std::int64_t pad_top, std::int64_t pad_left,
                        std::int64_t pool) {
  return without_exceptions([&] {
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
             ParallelOnPool(threads, multiply_adds(block) > kWorthThreads));
    return ffi::Error::Success();
  });
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

