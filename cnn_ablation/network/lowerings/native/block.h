// What one block computes: its sizes, and the memory that a thread works in.
#pragma once

#include <algorithm>
#include <new>
#include <vector>

#include "activations.h"

namespace cnn_ablation {

// How a convolution is multiplied: tap by tap, or by Winograd's way where that can be done.
enum class Algorithm { kQuickest, kDirect, kWinograd };

struct Block {
  Index batch, height, width, channels;       // images, NHWC
  Index kernel_height, kernel_width, features;  // kernel, HWIO
  Index out_height, out_width;                // after pooling
  Index stride, pad_top, pad_left, pool;
  Index dilation = 1;
  bool average = false;  // of a pooling window, instead of its maximum
  Activation activation = Activation::kRelu;
  Algorithm algorithm = Algorithm::kQuickest;

  // Rows and columns of the convolution that reach a pooling window; the others are not computed.
  Index conv_height() const { return out_height * pool; }
  Index conv_width() const { return out_width * pool; }
  // Pixels along one axis from the first tap of a kernel to its last, both counted.
  Index reach(Index taps) const { return (taps - 1) * dilation + 1; }
  // Rows and columns of the padded image under them.
  Index seen_height() const { return (conv_height() - 1) * stride + reach(kernel_height); }
  Index seen_width() const { return (conv_width() - 1) * stride + reach(kernel_width); }
  Index taps() const { return kernel_height * kernel_width * channels; }
  Index image_size() const { return height * width * channels; }
  Index out_size() const { return out_height * out_width * features; }
  // Vectors that hold the features of one pixel, the last one padded with zeros.
  Index slices() const { return (features + kLanes - 1) / kLanes; }
  // Features in slice s.
  Index filled(Index slice) const { return std::min<Index>(kLanes, features - slice * kLanes); }
  // Half the lanes would idle: they take the next column, so that `fold()` vectors hold a row.
  bool folded() const { return slices() == 1 && 2 * features <= kLanes && conv_width() > 1; }
  Index fold() const { return (conv_width() + 1) / 2; }
  // Each of these vectors is two whole pixels, with no lane left. Behind maxima of 2 x 2 so are those of
  // the output, whose windows' members come from two vectors of each row.
  bool fills_pairs() const {
    return folded() && 2 * features == kLanes && activation == Activation::kRelu &&
           (pool == 1 || (pool == 2 && !average));
  }
  Index conv_size() const { return conv_height() * conv_width() * features; }
  // A kernel row is one run of neighbouring elements of the image, or with gaps a run per column.
  Index runs() const { return dilation == 1 ? 1 : kernel_width; }
  Index run_taps() const { return kernel_width / runs() * channels; }

  // What the backward pass needs beside the gradients: of ReLU without pooling the outputs tell.
  bool keeps_winners() const { return pool > 1 && !average; }
  bool keeps_slopes() const {
    if (activation == Activation::kRelu) return pool > 1 && average;
    return activation != Activation::kNone;
  }
  // A mean's members have slopes of their own.
  bool slopes_before_pooling() const { return pool > 1 && average; }
  Index slopes_size() const { return slopes_before_pooling() ? conv_size() : out_size(); }
  // Whether pooling gives the same before bias and activation, on fewer numbers.
  bool pools_first() const {
    return pool == 1 || (average ? activation == Activation::kNone : is_monotonic(activation));
  }
  // The winner of a window without a gradient, because ReLU is flat there.
  Index nobody() const { return pool * pool; }
};

// Work memory of one thread: buffers that grow and are handed out again after `reuse`. A request that
// finds no memory throws std::bad_alloc and leaves all as it was, but for the buffer it was to grow.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    for (Buffer& buffer : buffers_) buffer.release();
  }

  // Vectors of undefined value.
  Vector* vectors(Index count) {
    if (next_ == buffers_.size()) buffers_.push_back({nullptr, 0});
    Buffer& buffer = buffers_[next_++];
    if (buffer.size < count) {
      buffer.release();
      buffer.data = ::operator new(static_cast<std::size_t>(count) * sizeof(Vector), kAlignment);
      buffer.size = count;
    }
    return static_cast<Vector*>(buffer.data);
  }
  float* floats(Index count) {
    return reinterpret_cast<float*>(vectors((count + kLanes - 1) / kLanes));
  }
  // All buffers handed out so far are free again.
  void reuse() { next_ = 0; }
  // So is the last one.
  void give_back() { --next_; }

 private:
  static constexpr std::align_val_t kAlignment{sizeof(Vector)};

  struct Buffer {
    void* data;
    Index size;

    void release() {
      ::operator delete(data, kAlignment);
      data = nullptr;
      size = 0;
    }
  };
  std::vector<Buffer> buffers_;
  std::size_t next_ = 0;
};

}  // namespace cnn_ablation
