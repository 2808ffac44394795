// This machine's peak of fused multiply-adds on one thread: the lanes of a vector, and the GFLOP/s of the
// best of 300 tries, each short enough to fall between two turns of other processes.

#include <algorithm>
#include <cstdio>

#include "peak.h"

int main() {
  double best = 0;
  for (int time = 0; time < 300; ++time) best = std::max(best, cnn_ablation::peak_gflops());
  std::printf("%d %.1f\n", cnn_ablation::kLanes, best);
}
