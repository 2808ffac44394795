// Values of a block: each vector holds the features of one pixel (or of two, where folded).
#pragma once

#include "input.h"
#include "workspace.h"

namespace cnn_ablation {

// Columns whose sums stay in registers, beside the weights that they share.
constexpr int kMaxColumns = kRegisters == 32 ? 27 : 12;
// Where a broadcast is a load of its own, two slices share it: so many columns of each.
constexpr bool kPairSlices = kRegisters == 16;
constexpr int kPairColumns = 6;

// Weights as [slice][tap], lanes beyond the last feature zero; a folded block has each one twice.
inline void pack_weights(const Block& block, const float* kernel, bool folded, Vector* packed) {
  for (Index slice = 0; slice < block.slices(); ++slice) {
    for (Index tap = 0; tap < block.taps(); ++tap) {
      const Vector weights =
          load_some(kernel + tap * block.features + slice * kLanes, block.filled(slice));
      *packed++ = folded ? zip_low(weights, weights, Lanes()) : weights;
    }
  }
}

// Multiples of a step known only at run time, kept in registers so that every column's address is
// base + multiple x scale. The compiler would otherwise keep a pointer per column, on the stack.
struct Steps {
  explicit Steps(Index step) : one(step), three(3 * step), five(5 * step), seven(7 * step) {
    asm("" : "+r"(one));
    asm("" : "+r"(three));
    asm("" : "+r"(five));
    asm("" : "+r"(seven));
  }
  template <int kColumn, typename Element>
  const Element* from(const Element* base) const {
    static_assert(kColumn >= 0 && kColumn < 9);
    if constexpr (kColumn == 0) return base;
    if constexpr (kColumn == 1) return base + one;
    if constexpr (kColumn == 2) return base + 2 * one;
    if constexpr (kColumn == 3) return base + three;
    if constexpr (kColumn == 4) return base + 4 * one;
    if constexpr (kColumn == 5) return base + five;
    if constexpr (kColumn == 6) return base + 2 * three;
    if constexpr (kColumn == 7) return base + seven;
    if constexpr (kColumn == 8) return base + 8 * one;
  }
  Index one, three, five, seven;
};

template <typename Element, int... kColumn>
inline void add_tap(Vector* sums, Vector weights, const Steps& steps, const Element* first,
                    const Element* second, const Element* third,
                    std::integer_sequence<int, kColumn...>) {
  ((sums[kColumn] += weights * broadcast(steps.from<kColumn % 9>(
                                   kColumn < 9 ? first : kColumn < 18 ? second : third))),
   ...);
}

// Where the taps of a kernel lie in the image: rows of runs of neighbouring elements.
struct Taps {
  Index rows, row;   // how many, and elements of the image from one to the next
  Index runs, run;   // of a row
  Index count;       // taps of a run
};

// kColumns neighbouring pixels of one output row.
template <typename Element, int kColumns>
void convolve_columns(const Element* image, const Taps& taps, Index step, const Vector* weights,
                      Vector* out) {
  Vector sums[kColumns] = {};
  const Steps steps(step);
  for (Index y = 0; y < taps.rows; ++y) {
    for (Index x = 0; x < taps.runs; ++x) {
      const Element* first = image + y * taps.row + x * taps.run;
      const Element* second = kColumns > 9 ? first + 9 * step : first;
      const Element* third = kColumns > 18 ? first + 18 * step : first;
      asm("" : "+r"(second));
      asm("" : "+r"(third));
      for (Index tap = 0; tap < taps.count; ++tap) {
        add_tap(sums, *weights++, steps, first++, second++, third++,
                std::make_integer_sequence<int, kColumns>());
      }
    }
  }
#pragma GCC unroll 32
  for (int column = 0; column < kColumns; ++column) out[column] = sums[column];
}

template <typename Element>
using ConvolveColumns = void (*)(const Element*, const Taps&, Index, const Vector*, Vector*);

template <typename Element, int... kColumns>
ConvolveColumns<Element> convolve_columns_for(Index columns,
                                              std::integer_sequence<int, kColumns...>) {
  static constexpr ConvolveColumns<Element> table[] = {
      convolve_columns<Element, kColumns + 1>...};
  return table[columns - 1];
}

template <typename Element, int... kColumn>
inline void add_tap_to_pair(Vector (&sums)[2][sizeof...(kColumn)], Vector first, Vector second,
                            const Steps& steps, const Element* pixel,
                            std::integer_sequence<int, kColumn...>) {
  in_register(first);
  in_register(second);
  const auto add = [&](Vector& of_first, Vector& of_second, Vector shared) {
    of_first += first * shared;
    of_second += second * shared;
  };
  (add(sums[0][kColumn], sums[1][kColumn], broadcast(steps.from<kColumn>(pixel))), ...);
}

// The same for two slices, whose weights and outputs lie `weights_apart` and `out_apart` from one to the
// other: each number of the image is loaded once for both.
template <typename Element, int kColumns>
void convolve_pair(const Element* image, const Taps& taps, Index step, const Vector* weights,
                   Index weights_apart, Vector* out, Index out_apart) {
  Vector sums[2][kColumns] = {};
  const Steps steps(step);
  for (Index y = 0; y < taps.rows; ++y) {
    for (Index x = 0; x < taps.runs; ++x) {
      const Element* pixel = image + y * taps.row + x * taps.run;
      for (Index tap = 0; tap < taps.count; ++tap, ++pixel, ++weights) {
        add_tap_to_pair(sums, weights[0], weights[weights_apart], steps, pixel,
                        std::make_integer_sequence<int, kColumns>());
      }
    }
  }
#pragma GCC unroll 8
  for (int column = 0; column < kColumns; ++column) {
    out[column] = sums[0][column];
    out[out_apart + column] = sums[1][column];
  }
}

template <typename Element>
using ConvolvePair = void (*)(const Element*, const Taps&, Index, const Vector*, Index, Vector*,
                              Index);

template <typename Element, int... kColumns>
ConvolvePair<Element> convolve_pair_for(Index columns, std::integer_sequence<int, kColumns...>) {
  static constexpr ConvolvePair<Element> table[] = {convolve_pair<Element, kColumns + 1>...};
  return table[columns - 1];
}

template <typename Element>
void convolve_some_of_pair(Index columns, const Element* image, const Taps& taps, Index step,
                           const Vector* weights, Index weights_apart, Vector* out,
                           Index out_apart) {
  convolve_pair_for<Element>(columns, std::make_integer_sequence<int, kPairColumns>())(
      image, taps, step, weights, weights_apart, out, out_apart);
}

// Calls body(first, count) for the fewest parts of `all` that are at most `most` long, and near equal.
template <typename Body>
void each_part(Index all, Index most, const Body& body) {
  const Index parts = (all + most - 1) / most;
  Index first = 0;
  for (Index part = 0; part < parts; ++part) {
    const Index count = (all - first) / (parts - part);
    body(first, count);
    first += count;
  }
}

// One row of the convolution before bias, as [slice][column].
template <typename Element>
void convolve_row(const Block& block, View<Element> image, const Vector* weights, Index y,
                  Index columns, Vector* out) {
  const Index step = block.stride * block.channels * (std::is_same_v<Element, Pair> ? 2 : 1);
  const Element* start = image.pixels + y * block.stride * image.row;
  const Taps taps = {block.kernel_height, block.dilation * image.row, block.runs(),
                     block.dilation * block.channels, block.run_taps()};
  Index slice = 0;
  for (; kPairSlices && slice + 2 <= block.slices(); slice += 2) {
    each_part(columns, kPairColumns, [&](Index first, Index count) {
      convolve_some_of_pair(count, start + first * step, taps, step, weights + slice * block.taps(),
                            block.taps(), out + slice * columns + first, columns);
    });
  }
  for (; slice < block.slices(); ++slice) {
    each_part(columns, kMaxColumns, [&](Index first, Index count) {
      const auto convolve = convolve_columns_for<Element>(
          count, std::make_integer_sequence<int, kMaxColumns>());
      convolve(start + first * step, taps, step, weights + slice * block.taps(),
               out + slice * columns + first);
    });
  }
}

// Separate the two columns that each vector of a folded row holds.
inline void unfold(const Block& block, Vector* row) {
  for (Index x = block.fold() - 1; x >= 0; --x) {
    const Vector both = row[x];
    row[2 * x] = evens(both, both, Lanes());
    row[2 * x + 1] = odds(both, both, Lanes());
  }
}

// Bias and ReLU of one pixel; NaN stays NaN.
inline Vector rectify(Vector sum, Vector bias) {
  const Vector value = sum + bias;
  return select(value <= Vector{}, Vector{}, value);
}

// A folded row behind ReLU, where each vector is two whole pixels.
inline void rectify_pairs(const Block& block, const Vector* row, const float* bias, float* out) {
  const Vector once = load_some(bias, block.features);
  const Vector biases = halves(once, once, Lanes());
  const Index size = block.conv_width() * block.features;
  for (Index at = 0; at < size; at += kLanes, ++row) {
    store_some(out + at, rectify(unzip(*row, Lanes()), biases), std::min<Index>(kLanes, size - at));
  }
}

// The first maximum of each window; a later NaN is greater than all, as in XLA.
inline Vector pool_window(const Block& block, const Vector* corner, Index row, Integers& winner) {
  Vector best = corner[0];
  winner = Integers{};
  Integers member = Integers{};
  for (Index y = 0; y < block.pool; ++y) {
    for (Index x = 0; x < block.pool; ++x) {
      const Vector value = corner[y * row + x];
      const Integers better = (value > best) | (value != value);
      best = select(better, value, best);
      winner = better ? member : winner;
      member += 1;
    }
  }
  return best;
}

// Where each vector is two whole pixels: one output row behind ReLU and windows of 2 x 2, from two folded
// rows.
inline void rectify_pooled_pairs(const Block& block, const Vector* rows, Index row,
                                 const float* bias, float* out, std::int32_t* winners) {
  const Vector once = load_some(bias, block.features);
  const Vector biases = halves(once, once, Lanes());
  const Integers nobody = Integers{} + static_cast<std::int32_t>(block.nobody());
  const Index size = block.out_width * block.features;
  for (Index x = 0; x < block.out_width; x += 2) {
    const Index next = std::min(x + 1, block.out_width - 1), at = x * block.features;
    const Vector window[] = {evens(rows[x], rows[next], Lanes()), odds(rows[x], rows[next], Lanes()),
                             evens(rows[row + x], rows[row + next], Lanes()),
                             odds(rows[row + x], rows[row + next], Lanes())};
    Integers winner;
    const Vector value = rectify(pool_window(block, window, 2, winner), biases);
    const Index count = std::min<Index>(kLanes, size - at);
    store_some(out + at, value, count);
    if (winners != nullptr) {
      store_some(winners + at, value > Vector{} ? winner : nobody, count);
    }
  }
}

// One output row behind ReLU from `pool` rows of the convolution, each [slice][column].
inline void rectify_row(const Block& block, const Vector* rows, Index row, const float* bias,
                        float* out, std::int32_t* winners) {
  const Index columns = row / block.slices();
  for (Index slice = 0; slice < block.slices(); ++slice) {
    const Index filled = block.filled(slice);
    const Vector biases = load_some(bias + slice * kLanes, filled);
    const Vector* line = rows + slice * columns;
    for (Index x = 0; x < block.out_width; ++x) {
      const Index at = x * block.features + slice * kLanes;
      if (block.pool == 1) {
        store_some(out + at, rectify(line[x], biases), filled);
        continue;
      }
      Integers winner;
      const Vector value = rectify(pool_window(block, line + x * block.pool, row, winner), biases);
      store_some(out + at, value, filled);
      if (winners == nullptr) continue;
      const Integers nobody = Integers{} + static_cast<std::int32_t>(block.nobody());
      store_some(winners + at, value > Vector{} ? winner : nobody, filled);
    }
  }
}

// The mean of each window.
inline Vector mean_window(const Block& block, const Vector* corner, Index row) {
  Vector sum = {};
  for (Index y = 0; y < block.pool; ++y) {
    for (Index x = 0; x < block.pool; ++x) sum += corner[y * row + x];
  }
  return sum * (1.0f / static_cast<float>(block.pool * block.pool));
}

inline void store_pixels(const Block& block, const Vector* row, Index count, Index filled,
                         float* to) {
  for (Index x = 0; x < count; ++x) store_some(to + x * block.features, row[x], filled);
}

// One slice of an output row: pooled, then bias and activation of what is left. Overwrites the line.
inline void pool_then_activate(const Block& block, Vector* line, Index row, Vector biases,
                               Index filled, float* out, Kept kept, Vector* slopes) {
  for (Index x = 0; x < block.out_width; ++x) {
    Vector pooled = line[x * block.pool];
    if (block.keeps_winners()) {
      Integers winner;
      pooled = pool_window(block, line + x * block.pool, row, winner);
      if (kept.winners != nullptr) store_some(kept.winners + x * block.features, winner, filled);
    } else if (block.pool > 1) {
      pooled = mean_window(block, line + x * block.pool, row);
    }
    line[x] = pooled + biases;
  }
  activate_row_for(block.activation)(line, slopes, block.out_width);
  store_pixels(block, line, block.out_width, filled, out);
  if (slopes != nullptr) store_pixels(block, slopes, block.out_width, filled, kept.slopes);
}

// The slopes of the windows' winners.
inline Vector winners_slope(const Block& block, const Vector* corner, Index row, Integers winner) {
  Vector slope = {};
  Integers member = {};
  for (Index y = 0; y < block.pool; ++y) {
    for (Index x = 0; x < block.pool; ++x) {
      slope = select(winner == member, corner[y * row + x], slope);
      member += 1;
    }
  }
  return slope;
}

// One slice of an output row: bias and activation of all its members, then pooled. Overwrites them.
inline void activate_then_pool(const Block& block, Vector* line, Index row, Vector biases,
                               Index filled, float* out, Kept kept, Vector* slopes) {
  const Index columns = block.conv_width(), line_size = columns * block.features;
  const ActivateRow activate = activate_row_for(block.activation);
  for (Index y = 0; y < block.pool; ++y) {
    for (Index x = 0; x < columns; ++x) line[y * row + x] += biases;
    Vector* of_row = slopes == nullptr ? nullptr : slopes + y * row;
    activate(line + y * row, of_row, columns);
    if (of_row == nullptr || !block.average) continue;
    store_pixels(block, of_row, columns, filled, kept.slopes + y * line_size);
  }
  for (Index x = 0; x < block.out_width; ++x) {
    const Vector* corner = line + x * block.pool;
    const Index at = x * block.features;
    if (block.average) {
      store_some(out + at, mean_window(block, corner, row), filled);
      continue;
    }
    Integers winner;
    store_some(out + at, pool_window(block, corner, row, winner), filled);
    if (slopes == nullptr) continue;
    store_some(kept.winners + at, winner, filled);
    store_some(kept.slopes + at, winners_slope(block, slopes + x * block.pool, row, winner), filled);
  }
}

// One output row from `pool` rows of the convolution, each [slice][column], which are overwritten.
inline void finish_row(const Block& block, Vector* rows, Index row, const float* bias, float* out,
                       Kept kept, Scratch& scratch) {
  if (block.activation == Activation::kRelu && !(block.pool > 1 && block.average)) {
    return rectify_row(block, rows, row, bias, out, kept.winners);
  }
  const Index columns = row / block.slices();
  Vector* slopes = kept.slopes == nullptr ? nullptr : scratch.vectors(block.pool * row);
  for (Index slice = 0; slice < block.slices(); ++slice) {
    const Index from = slice * kLanes, filled = block.filled(slice);
    const auto finish = block.pools_first() ? pool_then_activate : activate_then_pool;
    finish(block, rows + slice * columns, row, load_some(bias + from, filled), filled, out + from,
           kept.from(from), slopes == nullptr ? nullptr : slopes + slice * columns);
  }
  if (slopes != nullptr) scratch.give_back();
}

// One image.
template <typename Element>
void forward_image(const Block& block, const float* image, const Vector* weights,
                   const float* bias, float* out, Kept kept, Scratch& scratch) {
  constexpr bool folded = std::is_same_v<Element, Pair>;
  const View<Element> input = view(block, image, scratch, static_cast<Element*>(nullptr));
  const Index columns = folded ? block.fold() : block.conv_width();
  const Index row = block.slices() * columns * (folded ? 2 : 1);
  Vector* rows = scratch.vectors(block.pool * row);
  const bool pairs = folded && block.fills_pairs();
  for (Index y = 0; y < block.out_height; ++y) {
    for (Index member = 0; member < block.pool; ++member) {
      Vector* to = rows + member * row;
      convolve_row(block, input, weights, y * block.pool + member, columns, to);
      if (folded && !pairs) unfold(block, to);
    }
    const Index at = y * block.out_width * block.features;
    if (pairs && block.pool == 2) {
      rectify_pooled_pairs(block, rows, row, bias, out + at, kept.row(block, y).winners);
      continue;
    }
    if (pairs) {
      rectify_pairs(block, rows, bias, out + at);
      continue;
    }
    finish_row(block, rows, row, bias, out + at, kept.row(block, y), scratch);
  }
}

}  // namespace cnn_ablation
