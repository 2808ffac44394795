// What a pass is given, and the memory that its threads keep from one call to the next.
#pragma once

#include "block.h"

namespace cnn_ablation {

struct Workspace {
  Scratch call, group, image;

  static Workspace& mine() {
    static thread_local Workspace workspace;
    return workspace;
  }
};

// What the forward pass left: the outputs without pooling, the winners of windows with it.
struct Residual {
  const float* outputs;
  const std::int32_t* winners;
};

struct Gradients {
  const float* out;
  Residual residual;
  float *kernel, *bias;
  float* images;  // null where nobody asks for it
};

}  // namespace cnn_ablation
