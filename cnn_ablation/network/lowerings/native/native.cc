// The kernels as XLA custom calls, on the threads of XLA's own pool.

#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "affine.h"
#include "examples.h"
#include "optimizers.h"
#include "passes.h"
#include "statistics.h"
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
using Floats3 = ffi::Buffer<ffi::F32, 3>;
using Floats2 = ffi::Buffer<ffi::F32, 2>;
using Floats1 = ffi::Buffer<ffi::F32, 1>;
using Whole4 = ffi::Buffer<ffi::S32, 4>;
using Whole1 = ffi::Buffer<ffi::S32, 1>;
using Unsigned1 = ffi::Buffer<ffi::U32, 1>;
using Bytes = ffi::Buffer<ffi::U8>;
using Floats = ffi::Buffer<ffi::F32>;

// Elements of a map above which another thread is worth waking.
constexpr std::size_t kLargeMap = 100000;
// Images of one task of gathering, and pixels of a batch above which another thread is worth waking.
constexpr Index kGatheredImages = 32;
constexpr std::size_t kLargeBatch = 1000000;
// Parameters of one task of an optimizer.
constexpr Index kUpdated = 16384;

// A failed lookup, as an exception for `without_exceptions`.
template <typename T>
T value_of(ffi::ErrorOr<T> found) {
  if (!found.has_value()) throw std::runtime_error(found.error().message());
  return *found;
}

// What Python says of a block beside its shapes.
void take_options(const ffi::Dictionary& options, Block& block) {
  const auto number = [&](std::string_view name) {
    return value_of(options.get<std::int64_t>(name));
  };
  block.pool = number("pool");
  block.average = number("average") != 0;
  block.activation = static_cast<Activation>(number("activation"));
}

Block block_of(const Floats4& images, const Floats4& kernel,
               ffi::AnyBuffer::Dimensions out_dimensions, const ffi::Dictionary& options) {
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
  block.stride = value_of(options.get<std::int64_t>("stride"));
  block.dilation = value_of(options.get<std::int64_t>("dilation"));
  block.pad_top = value_of(options.get<std::int64_t>("pad_top"));
  block.pad_left = value_of(options.get<std::int64_t>("pad_left"));
  const bool direct = value_of(options.get<std::int64_t>("direct")) != 0;
  block.algorithm = direct ? Algorithm::kDirect : Algorithm::kQuickest;
  take_options(options, block);
  return block;
}

// The block behind an affine function: a map whose pixels stay where they are.
Block affine_block(const Floats4& map, ffi::AnyBuffer::Dimensions out_dimensions,
                   const ffi::Dictionary& options) {
  const auto sizes = map.dimensions();
  Block block = {};
  block.batch = sizes[0];
  block.height = sizes[1];
  block.width = sizes[2];
  block.channels = block.features = sizes[3];
  block.kernel_height = block.kernel_width = block.stride = 1;
  block.out_height = out_dimensions[1];
  block.out_width = out_dimensions[2];
  take_options(options, block);
  return block;
}

// What is kept for the backward pass: winners, then slopes, each where the block has them. Evaluation
// asks for neither.
Kept kept_in(const Block& block, const ffi::RemainingRets& results) {
  Kept kept = {};
  if (results.size() == 0) return kept;
  std::size_t next = 0;
  if (block.keeps_winners()) {
    kept.winners = value_of(results.get<Whole4>(next++))->typed_data();
  }
  if (block.keeps_slopes()) {
    kept.slopes = value_of(results.get<Floats4>(next++))->typed_data();
  }
  return kept;
}

// The same on the way back; ReLU without pooling leaves its outputs.
Residual residual_of(const Block& block, const ffi::RemainingArgs& kept) {
  Residual residual = {};
  std::size_t next = 0;
  if (block.activation == Activation::kRelu && block.pool == 1) {
    residual.outputs = value_of(kept.get<Floats4>(next++)).typed_data();
  }
  if (block.keeps_winners()) residual.winners = value_of(kept.get<Whole4>(next++)).typed_data();
  if (block.keeps_slopes()) residual.slopes = value_of(kept.get<Floats4>(next++)).typed_data();
  return residual;
}

ffi::Error run_forward(ffi::ThreadPool threads, Floats4 images, Floats4 kernel, Floats1 bias,
                       ffi::Result<Floats4> out, ffi::RemainingRets kept, ffi::Dictionary options) {
  return without_exceptions([&] {
    const Block block = block_of(images, kernel, out->dimensions(), options);
    forward(block, images.typed_data(), kernel.typed_data(), bias.typed_data(), out->typed_data(),
            kept_in(block, kept), ParallelOnPool(threads, multiply_adds(block) > kWorthThreads));
    return ffi::Error::Success();
  });
}

ffi::Error run_backward(ffi::ThreadPool threads, Floats4 images, Floats4 kernel,
                        Floats4 out_gradients, ffi::RemainingArgs kept,
                        ffi::Result<Floats4> kernel_gradients,
                        ffi::Result<Floats1> bias_gradients, ffi::RemainingRets more,
                        ffi::Dictionary options) {
  return without_exceptions([&] {
    const Block block = block_of(images, kernel, out_gradients.dimensions(), options);
    Gradients gradients = {};
    gradients.out = out_gradients.typed_data();
    gradients.residual = residual_of(block, kept);
    gradients.kernel = kernel_gradients->typed_data();
    gradients.bias = bias_gradients->typed_data();
    if (more.size() > 0) gradients.images = value_of(more.get<Floats4>(0))->typed_data();
    backward(block, images.typed_data(), kernel.typed_data(), gradients,
             ParallelOnPool(threads, multiply_adds(block) > kWorthThreads));
    return ffi::Error::Success();
  });
}

ffi::Error run_affine_forward(ffi::ThreadPool threads, Floats4 map, Floats2 scales,
                              Floats2 offsets, ffi::RemainingArgs shortcut,
                              ffi::Result<Floats4> out, ffi::RemainingRets kept,
                              ffi::Dictionary options) {
  return without_exceptions([&] {
    const Block block = affine_block(map, out->dimensions(), options);
    Affine affine = {scales.typed_data(), offsets.typed_data(), nullptr};
    if (shortcut.size() > 0) affine.shortcut = value_of(shortcut.get<Floats4>(0)).typed_data();
    affine_forward(block, map.typed_data(), affine, out->typed_data(), kept_in(block, kept),
                   ParallelOnPool(threads, map.element_count() > kLargeMap));
    return ffi::Error::Success();
  });
}

ffi::Error run_affine_backward(ffi::ThreadPool threads, Floats4 map, Floats4 out_gradients,
                               ffi::RemainingArgs kept, ffi::Result<Floats4> map_gradients,
                               ffi::Result<Floats2> scale_gradients,
                               ffi::Result<Floats2> offset_gradients, ffi::Dictionary options) {
  return without_exceptions([&] {
    const Block block = affine_block(map, out_gradients.dimensions(), options);
    const AffineGradients gradients = {out_gradients.typed_data(), residual_of(block, kept),
                                       map_gradients->typed_data(), scale_gradients->typed_data(),
                                       offset_gradients->typed_data()};
    affine_backward(block, map.typed_data(), gradients,
                    ParallelOnPool(threads, map.element_count() > kLargeMap));
    return ffi::Error::Success();
  });
}

Map map_of(const Floats4& values) {
  const auto sizes = values.dimensions();
  return {sizes[0], sizes[1] * sizes[2], sizes[3]};
}

ffi::Error run_moments(ffi::ThreadPool threads, Floats4 values, ffi::Result<Floats2> means,
                       ffi::Result<Floats2> squares) {
  return without_exceptions([&] {
    moments(map_of(values), values.typed_data(), means->typed_data(), squares->typed_data(),
            ParallelOnPool(threads, values.element_count() > kLargeMap));
    return ffi::Error::Success();
  });
}

ffi::Error run_normalize(ffi::ThreadPool threads, Floats4 values, ffi::Result<Floats4> normal,
                         ffi::Result<Floats3> inverse, float epsilon) {
  return without_exceptions([&] {
    normalize_pixels(map_of(values), values.typed_data(), epsilon, normal->typed_data(),
                     inverse->typed_data(),
                     ParallelOnPool(threads, values.element_count() > kLargeMap));
    return ffi::Error::Success();
  });
}

ffi::Error run_normalize_backward(ffi::ThreadPool threads, Floats4 out_gradients, Floats4 normal,
                                  Floats3 inverse,
                                  ffi::Result<Floats4> gradients) {
  return without_exceptions([&] {
    normalize_pixels_backward(map_of(normal), out_gradients.typed_data(), normal.typed_data(),
                              inverse.typed_data(), gradients->typed_data(),
                              ParallelOnPool(threads, normal.element_count() > kLargeMap));
    return ffi::Error::Success();
  });
}

ffi::Error run_gather(ffi::ThreadPool threads, Bytes images,
                      Whole1 indices, ffi::Result<Floats> out) {
  return without_exceptions([&] {
    const Index count = images.dimensions()[0], batch = indices.dimensions()[0];
    const Index size = batch == 0 ? 0 : out->element_count() / batch;
    const Index tasks = (batch + kGatheredImages - 1) / kGatheredImages;
    ParallelOnPool(threads, out->element_count() > kLargeBatch)(tasks, [&](Index task) {
      const Index begin = task * kGatheredImages;
      gather_images(images.typed_data(), count, size, indices.typed_data(), begin,
                    std::min(batch, begin + kGatheredImages), out->typed_data());
    });
    return ffi::Error::Success();
  });
}

ffi::Error run_sort_by_keys(Unsigned1 keys, Whole1 values,
                            ffi::Result<Whole1> out) {
  return without_exceptions([&] {
    sort_by_keys(keys.typed_data(), values.typed_data(), keys.element_count(), out->typed_data());
    return ffi::Error::Success();
  });
}

Mean mean_of(const ffi::Dictionary& options, std::string_view kept, std::string_view added) {
  return {value_of(options.get<float>(kept)), value_of(options.get<float>(added))};
}

// Operands are all leaves of a rule's first array, then those of the next; results likewise.
template <typename Rule>
ffi::Error run_rule(ffi::ThreadPool& threads, const ffi::RemainingArgs& operands,
                    const ffi::RemainingRets& results, const Rule& rule) {
  const std::size_t leaves = operands.size() / Rule::kArrays;
  std::vector<Piece<Rule>> pieces;
  std::size_t elements = 0;
  for (std::size_t leaf = 0; leaf < leaves; ++leaf) {
    Piece<Rule> whole = {};
    for (std::size_t of = 0; of < Rule::kArrays; ++of) {
      const Floats operand = value_of(operands.get<Floats>(leaf + of * leaves));
      whole.read[of] = operand.typed_data();
      whole.written[of] = value_of(results.get<Floats>(leaf + of * leaves))->typed_data();
      whole.count = static_cast<Index>(operand.element_count());
    }
    elements += whole.count;
    for (Index at = 0; at < whole.count; at += kUpdated) {
      Piece<Rule> piece = whole;
      piece.count = std::min(kUpdated, whole.count - at);
      for (const float*& read : piece.read) read += at;
      for (float*& written : piece.written) written += at;
      pieces.push_back(piece);
    }
  }
  ParallelOnPool(threads, elements > kLargeMap)(
      pieces.size(), [&](Index task) { update(pieces[task], rule); });
  return ffi::Error::Success();
}

ffi::Error run_adadelta(ffi::ThreadPool threads, ffi::RemainingArgs operands,
                        ffi::RemainingRets results, ffi::Dictionary options) {
  return without_exceptions([&] {
    const float epsilon = value_of(options.get<float>("epsilon"));
    return run_rule(threads, operands, results, Adadelta{mean_of(options, "kept", "added"), epsilon});
  });
}

ffi::Error run_adam(ffi::ThreadPool threads, Floats scale, ffi::RemainingArgs operands,
                    ffi::RemainingRets results, ffi::Dictionary options) {
  return without_exceptions([&] {
    const Adam rule = {mean_of(options, "kept", "added"),
                       mean_of(options, "kept_square", "added_square"),
                       value_of(options.get<float>("epsilon")), scale.typed_data()[0]};
    return run_rule(threads, operands, results, rule);
  });
}

ffi::Error run_rms_prop(ffi::ThreadPool threads, ffi::RemainingArgs operands,
                        ffi::RemainingRets results, ffi::Dictionary options) {
  return without_exceptions([&] {
    const float epsilon = value_of(options.get<float>("epsilon"));
    return run_rule(threads, operands, results, RmsProp{mean_of(options, "kept", "added"), epsilon});
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
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(Backward, run_backward,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<Floats4>()
                                  .Arg<Floats4>()
                                  .Arg<Floats4>()
                                  .RemainingArgs()
                                  .Ret<Floats4>()
                                  .Ret<Floats1>()
                                  .RemainingRets()
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(AffineForward, run_affine_forward,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<Floats4>()
                                  .Arg<Floats2>()
                                  .Arg<Floats2>()
                                  .RemainingArgs()
                                  .Ret<Floats4>()
                                  .RemainingRets()
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(AffineBackward, run_affine_backward,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<Floats4>()
                                  .Arg<Floats4>()
                                  .RemainingArgs()
                                  .Ret<Floats4>()
                                  .Ret<Floats2>()
                                  .Ret<Floats2>()
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(
    Moments, run_moments,
    ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Floats4>().Ret<Floats2>().Ret<Floats2>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(Normalize, run_normalize,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<Floats4>()
                                  .Ret<Floats4>()
                                  .Ret<Floats3>()
                                  .Attr<float>("epsilon"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(NormalizeBackward, run_normalize_backward,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<Floats4>()
                                  .Arg<Floats4>()
                                  .Arg<Floats3>()
                                  .Ret<Floats4>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(Gather, run_gather,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<Bytes>()
                                  .Arg<Whole1>()
                                  .Ret<Floats>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(SortByKeys, run_sort_by_keys,
                              ffi::Ffi::Bind()
                                  .Arg<Unsigned1>()
                                  .Arg<Whole1>()
                                  .Ret<Whole1>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(
    AdadeltaStep, run_adadelta,
    ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().RemainingArgs().RemainingRets().Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(AdamStep, run_adam,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<Floats>()
                                  .RemainingArgs()
                                  .RemainingRets()
                                  .Attrs());

XLA_FFI_DEFINE_HANDLER_SYMBOL(
    RmsPropStep, run_rms_prop,
    ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().RemainingArgs().RemainingRets().Attrs());

}  // namespace cnn_ablation
