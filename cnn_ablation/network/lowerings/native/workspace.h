// What a pass is given, and the memory that its threads keep from one call to the next.
#pragma once

#include "block.h"

namespace cnn_ablation {

struct Workspace {
  Scratch call, group, more, image;

  static Workspace& mine() {
    static thread_local Workspace workspace;
    return workspace;
  }
};

// What the forward pass keeps for the backward pass, from some place on; null where it keeps nothing.
struct Kept {
  std::int32_t* winners;
  float* slopes;

  Kept from(Index at) const {
    return {winners == nullptr ? nullptr : winners + at, slopes == nullptr ? nullptr : slopes + at};
  }
  Kept at(Index of_out, Index of_slopes) const {
    return {winners == nullptr ? nullptr : winners + of_out,
            slopes == nullptr ? nullptr : slopes + of_slopes};
  }
  Kept image(const Block& block, Index image) const {
    return at(image * block.out_size(), image * block.slopes_size());
  }
  Kept row(const Block& block, Index y) const {
    return at(y * block.out_size() / block.out_height, y * block.slopes_size() / block.out_height);
  }
};

// What the forward pass left. The outputs serve ReLU without pooling alone.
struct Residual {
  const float* outputs;
  const std::int32_t* winners;
  const float* slopes;

  Residual at(Index of_out, Index of_slopes) const {
    return {outputs == nullptr ? nullptr : outputs + of_out,
            winners == nullptr ? nullptr : winners + of_out,
            slopes == nullptr ? nullptr : slopes + of_slopes};
  }
  Residual image(const Block& block, Index image) const {
    return at(image * block.out_size(), image * block.slopes_size());
  }
  Residual row(const Block& block, Index y) const {
    return at(y * block.out_size() / block.out_height, y * block.slopes_size() / block.out_height);
  }
};

struct Gradients {
  const float* out;
  Residual residual;
  float *kernel, *bias;
  float* images;  // null where nobody asks for it
};

}  // namespace cnn_ablation
