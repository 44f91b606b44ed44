// Scores of a history pointer: content and one number for each relation of a pair. The floor is memory, of each pair 4 bytes a relation and two numbers
// a head, both ways. Forwards a thread has 16 bytes of a plane's neighbouring pairs and reads tables from shared memory, where those of a head lie side
// by side: up to 32 bins are free of conflicts. Backwards a warp has a stretch of pairs and tables of its own in shared memory; a lane adds one head's
// gradients to one relation's table, pair after pair, so no two lanes meet and the work does not grow with the number of bins. Warps, then blocks, are
// added in order.
#include <algorithm>

#include "accumulate.hpp"
#include "fused.hpp"
#include "ids.hpp"
#include "map.hpp"
#include "rows.hpp"

namespace chronotope::cuda {

namespace {

constexpr int most_relations = 8, most_numbers = 2048;  // of all tables together

template <class T> struct PairBins {
  T* table;
  const std::int32_t* bins;  ///< [S, pairs]
  int rows, first;           ///< of the table; where it begins among the rows of all
};

template <class T> struct PointerTask {
  std::int64_t sequences, pairs;  ///< S, M N
  int heads, relations = 0, rows = 0;
  T scale, bias_scale;
  const T* in;  ///< [S, K, pairs]: content, or the gradient of `out`
  T* out;       ///< scores, or the gradient of the content
  BadId* bad;
  PairBins<T> of[most_relations] = {};

  int numbers() const { return rows * heads; }
  /// Whether everything lies by packs.
  template <int V> bool fits() const {
    bool fit = pairs % V == 0 && fits_packs<T, V>(in) && fits_packs<T, V>(out);
    for (int r = 0; r < relations; ++r) fit = fit && fits_packs<std::int32_t, V>(of[r].bins);
    return fit;
  }
  __device__ bool inside(int bin, int bins, std::int64_t position) const {
    if (bin >= 0 && bin < bins) return true;
    report_id(bad, false, bin, position, bins);
    return false;
  }
};

template <class T> __device__ void load_columns(const PointerTask<T>& task, auto& columns) {
  for (int r = 0; r < most_relations; ++r) {
    if (r >= task.relations) break;
    const PairBins<T>& of = task.of[r];
    for (int i = static_cast<int>(threadIdx.x); i < of.rows * task.heads; i += static_cast<int>(blockDim.x))
      columns[i % task.heads * task.rows + of.first + i / task.heads] = of.table[i] * task.bias_scale;
  }
}

/// V neighbouring pairs of one sequence at a time. A bin outside its table adds nothing.
template <class T, int V> __global__ void score_pairs(PointerTask<T> task) {
  CHRONOTOPE_SHARED(T, columns, most_numbers);
  load_columns(task, columns);
  __syncthreads();
  const std::int64_t packs = task.pairs / V;
  for (std::int64_t item = first_item(); item < task.sequences * packs; item += item_step()) {
    const std::int64_t s = item / packs, at = item - s * packs;
    int row[most_relations][V];  // of all tables, -1 for none
    for (int r = 0; r < most_relations; ++r) {
      if (r >= task.relations) break;
      const Pack<std::int32_t, V> bins = reinterpret_cast<const Pack<std::int32_t, V>*>(task.of[r].bins)[item];
      for (int v = 0; v < V; ++v) row[r][v] = task.inside(bins.value[v], task.of[r].rows, item * V + v) ? task.of[r].first + bins.value[v] : -1;
    }
    for (int k = 0; k < task.heads; ++k) {
      const std::int64_t plane = (s * task.heads + k) * packs + at;
      const Pack<T, V> content = reinterpret_cast<const Pack<T, V>*>(task.in)[plane];
      Pack<T, V> related = {};
      for (int r = 0; r < most_relations; ++r) {
        if (r >= task.relations) break;
        for (int v = 0; v < V; ++v) {
          if (row[r][v] < 0) continue;
          const T worth = columns[k * task.rows + row[r][v]];
          related.value[v] += worth;
        }
      }
      for (int v = 0; v < V; ++v) related.value[v] += content.value[v] * task.scale;
      reinterpret_cast<Pack<T, V>*>(task.out)[plane] = related;
    }
  }
}

/// What one lane adds to one column of a warp's tables.
template <class T, int V> struct Column {
  const PointerTask<T>& task;
  int head, rows, first;
  const std::int32_t* bins;
  bool writes;  ///< the gradient of the content too

  __device__ Column(const PointerTask<T>& of, int number)
      : task(of), head(number % of.heads), rows(of.of[number / of.heads].rows), first(of.of[number / of.heads].first),
        bins(of.of[number / of.heads].bins), writes(number < of.heads) {}

  /// Packs [begin, end) of all sequences' pairs; totals and losts from `base` on are the warp's.
  __device__ void add(std::int64_t begin, std::int64_t end, auto& totals, auto& losts, int base) const {
    const std::int64_t packs = task.pairs / V;
    std::int64_t s = begin / packs, at = begin - s * packs;
    for (std::int64_t item = begin; item < end; ++item) {
      const std::int64_t plane = (s * task.heads + head) * packs + at;
      const Pack<T, V> gradient = reinterpret_cast<const Pack<T, V>*>(task.in)[plane];
      const Pack<std::int32_t, V> bin = reinterpret_cast<const Pack<std::int32_t, V>*>(bins)[item];
      if (writes) {
        Pack<T, V> scaled;
        for (int v = 0; v < V; ++v) scaled.value[v] = gradient.value[v] * task.scale;
        reinterpret_cast<Pack<T, V>*>(task.out)[plane] = scaled;
      }
      for (int v = 0; v < V; ++v) {
        if (!task.inside(bin.value[v], rows, item * V + v)) continue;
        const int to = base + (first + bin.value[v]) * task.heads + head;
        Sum<T> sum;
        sum.total = totals[to];
        sum.lost = losts[to];
        sum.add(gradient.value[v]);
        totals[to] = sum.total;
        losts[to] = sum.lost;
      }
      if (++at == packs) at = 0, ++s;
    }
  }
};

/// To parts [block][rows, K], with tables of `numbers` at most.
template <class T, int V, int numbers, int warps> __global__ void add_pairs(PointerTask<T> task, Sum<T>* parts) {
  CHRONOTOPE_SHARED(T, totals, numbers * warps);
  CHRONOTOPE_SHARED(T, losts, numbers * warps);
  const int warp = static_cast<int>(threadIdx.x) / 32, used = task.rows * task.heads;
  for (int i = static_cast<int>(threadIdx.x); i < numbers * warps; i += static_cast<int>(blockDim.x)) {
    totals[i] = 0;
    losts[i] = 0;
  }
  __syncthreads();
  const std::int64_t packs = task.sequences * (task.pairs / V), all = std::int64_t{gridDim.x} * warps, own = std::int64_t{blockIdx.x} * warps + warp;
  for (int c = static_cast<int>(threadIdx.x) % 32; c < task.relations * task.heads; c += 32)
    Column<T, V>(task, c).add(packs * own / all, packs * (own + 1) / all, totals, losts, warp * numbers);
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < used; i += static_cast<int>(blockDim.x)) {
    Sum<T> sum;
    for (int w = 0; w < warps; ++w) {
      Sum<T> other;
      other.total = totals[w * numbers + i];
      other.lost = losts[w * numbers + i];
      sum.merge(other);
    }
    parts[std::int64_t{blockIdx.x} * used + i] = sum;
  }
}

/// A thread for each number of the tables.
template <class T> __global__ void finish_tables(PointerTask<T> task, std::int64_t parts, const Sum<T>* from) {
  const int used = task.rows * task.heads;
  for (int i = static_cast<int>(first_item()); i < used; i += static_cast<int>(item_step())) {
    Sum<T> sum;
    for (std::int64_t part = 0; part < parts; ++part) sum.merge(from[part * used + i]);
    for (int r = 0; r < most_relations; ++r) {
      if (r >= task.relations) break;
      const int number = i - task.of[r].first * task.heads;
      if (number >= 0 && number < task.of[r].rows * task.heads) task.of[r].table[number] = sum.result() * task.bias_scale;
    }
  }
}

bool is_relation(const RelationViews& r, const View& scores) {
  const Shape& at = scores.shape;
  return r.table.dtype == scores.dtype && r.table.contiguous() && r.table.shape.rank() == 2 && r.table.shape[1] == at[1] &&
         r.bins.dtype == DType::i32 && r.bins.contiguous() && r.bins.shape == Shape{at[0], at[2], at[3]};
}

bool covers(const View& out, const View& in, std::span<const RelationViews> relations) {
  if (!are_dense(out, in) || in.shape.rank() != 4 || in.elements() == 0 || relations.empty() || relations.size() > most_relations) return false;
  std::int64_t numbers = 0;
  for (const RelationViews& r : relations) {
    if (!is_relation(r, in)) return false;
    numbers += r.table.elements();
  }
  return numbers > 0 && numbers <= most_numbers;
}

template <class T>
PointerTask<T> task_of(const Queue& queue, const View& out, const View& in, std::span<const RelationViews> relations, double scale, double bias_scale) {
  PointerTask<T> task;
  task.sequences = in.shape[0];
  task.pairs = in.shape[2] * in.shape[3];
  task.heads = static_cast<int>(in.shape[1]);
  task.scale = static_cast<T>(scale);
  task.bias_scale = static_cast<T>(bias_scale);
  task.in = in.as<T>();
  task.out = out.as<T>();
  task.bad = queue.bad_id;
  for (const RelationViews& r : relations) {
    task.of[task.relations++] = {r.table.as<T>(), r.bins.as<std::int32_t>(), static_cast<int>(r.table.shape[0]), task.rows};
    task.rows += static_cast<int>(r.table.shape[0]);
  }
  return task;
}

/// As many warps to a block as find room for their tables.
template <class T, int V, int numbers> void add_up(const Queue& queue, const PointerTask<T>& task) {
  constexpr int warps = static_cast<int>(std::max<std::size_t>(1, 32768 / (numbers * sizeof(Sum<T>))));
  constexpr std::int64_t warp_pairs = 128, most_parts = 128;
  const std::int64_t pairs = task.sequences * task.pairs, each = warp_pairs * warps, parts = std::min(most_parts, (pairs + each - 1) / each);
  const Scratch scratch(queue, static_cast<std::size_t>(parts * task.numbers()) * sizeof(Sum<T>), "pointer_scores_backward");
  launch(queue, "pointer_scores_backward", add_pairs<T, V, numbers, warps>, static_cast<unsigned>(parts), 32 * warps, task, scratch.as<Sum<T>>());
  launch(queue, "pointer_scores_backward", finish_tables<T>, blocks_for(task.numbers(), 128), 128, task, parts, scratch.as<Sum<T>>());
}

}  // namespace

bool pointer_scores(const Queue& queue, const View& out, const View& content, std::span<const RelationViews> relations, double scale,
                    double bias_scale) {
  constexpr int threads = 128;
  if (!covers(out, content, relations)) return false;
  with_floating(content.dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto task = task_of<T>(queue, out, content, relations, scale, bias_scale);
    with_packs<T>(task.template fits<pack_of<T>>(), [&](auto width) {
      launch(queue, "pointer_scores", score_pairs<T, width()>, blocks_for(task.sequences * task.pairs, threads * width()), threads, task);
    });
  });
  return true;
}

bool pointer_scores_backward(const Queue& queue, const View& dcontent, const View& dout, std::span<const RelationViews> gradients, double scale,
                             double bias_scale) {
  constexpr int few = 512;
  if (!covers(dcontent, dout, gradients)) return false;
  with_floating(dout.dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto task = task_of<T>(queue, dcontent, dout, gradients, scale, bias_scale);
    with_packs<T>(task.template fits<pack_of<T>>(), [&](auto width) {
      if (task.numbers() <= few) add_up<T, width(), few>(queue, task);
      else add_up<T, width(), most_numbers>(queue, task);
    });
  });
  return true;
}

}  // namespace chronotope::cuda
