#pragma once
// A training of milliseconds: a city of a few people, a model of a few thousand values.

#include <doctest/doctest.h>

#include "chronotope/data/city.hpp"
#include "chronotope/train/run.hpp"
#include "data/scratch.hpp"
#ifdef CHRONOTOPE_HAVE_EIGEN
#include "chronotope/backend/eigen_backend.hpp"
#endif
#ifdef CHRONOTOPE_HAVE_ONEDNN
#include "chronotope/backend/onednn_backend.hpp"
#endif

namespace tiny {

inline chronotope::CheckinTable city(std::uint64_t seed = 1, int users = 6) {
  chronotope::CityOptions o;
  o.users = users, o.places = 50, o.checkins_per_user = 20, o.days = 60, o.seed = seed;
  return chronotope::generate_city(o);
}

inline chronotope::Config config() {
  chronotope::Config c;
  c.seed = 7;
  c.model.head = "history_pointer";
  c.model.layers = 1, c.model.width = 24, c.model.heads = 2, c.model.feed_forward = 24, c.model.length = 8, c.model.geo_rows = 16;
  c.model.dropout = 0.1, c.model.pointer_heads = 2, c.model.pointer_width = 4;
  c.training.learning_rate = 1e-2, c.training.min_learning_rate = 1e-3, c.training.warmup_steps = 3, c.training.epochs = 3;
  c.training.batch = 4, c.training.checkpoint_seconds = 1e9;
  c.evaluation.batch = 8;
  return c;
}

/// The backends of this build, by name.
inline const std::vector<std::string>& backends() {
  static const std::vector<std::string> names{
#ifdef CHRONOTOPE_HAVE_EIGEN
      "eigen",
#endif
#ifdef CHRONOTOPE_HAVE_ONEDNN
      "onednn",
#endif
  };
  return names;
}

inline chronotope::any_backend::stream stream(const std::string& backend, int threads = 1) {
#ifdef CHRONOTOPE_HAVE_ONEDNN
  if (backend == "onednn") return chronotope::any_stream<chronotope::onednn_backend>(chronotope::onednn_backend::stream(threads));
#endif
#ifdef CHRONOTOPE_HAVE_EIGEN
  if (backend == "eigen") return chronotope::any_stream<chronotope::eigen_backend>({threads});
#endif
  throw chronotope::BackendError("no backend " + backend);
}

inline chronotope::TrainingState train(const std::string& backend, const chronotope::CheckinTable& table, const chronotope::Config& config,
                                       const std::string& folder, bool resume = false, const chronotope::RunObserver& observer = {}) {
  chronotope::Context<chronotope::any_backend> context(stream(backend));
  return chronotope::train_checkins(context, table, config, folder, {.resume = resume}, observer);
}

/// Names of the tensors and metadata in which two checkpoint files differ by a bit; "" when they are equal.
inline std::string difference(const std::string& a, const std::string& b) {
  const chronotope::Safetensors x = chronotope::read_safetensors(a), y = chronotope::read_safetensors(b);
  std::string names;
  if (x.tensors.size() != y.tensors.size()) names += "number of tensors, ";
  for (const auto& [name, tensor] : x.tensors) {
    const auto other = y.tensors.find(name);
    if (other == y.tensors.end() || !(other->second.shape == tensor.shape) || other->second.dtype != tensor.dtype || other->second.data != tensor.data)
      names += name + ", ";
  }
  for (const auto& [name, text] : x.metadata)
    if (y.metadata.count(name) == 0 || y.metadata.at(name) != text) names += "metadata " + name + ", ";
  return names;
}

/// Thrown by observers to end a run where a killed one would end.
struct Stop {};

}  // namespace tiny
