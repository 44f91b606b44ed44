#pragma once
// A city, a config and a trained model on disk, made once by the program itself.

#include "chronotope/data/checkins.hpp"
#include "cli/program.hpp"

namespace program {

inline constexpr const char* tiny_config = R"({
  "seed": 3,
  "model": {"head": "history_pointer", "layers": 1, "width": 24, "heads": 2, "feed_forward": 24, "length": 8, "geo_rows": 16,
            "pointer_heads": 2, "pointer_width": 4},
  "training": {"learning_rate": 1e-2, "min_learning_rate": 1e-3, "warmup_steps": 3, "epochs": 2, "batch": 8},
  "evaluation": {"batch": 8}
})";

class World {
 public:
  World() : city(folder_.file("city.csv.gz")), config(folder_.put("config.json", tiny_config)), model(folder_.file("model")) {
    generated = works({"generate-city", "--out", city, "--users", "15", "--places", "60", "--checkins-per-user", "25", "--days", "60", "--seed", "2"});
    trained = works(train(city, model));
  }

  std::vector<std::string> train(const std::string& data, const std::string& out) const {
    return {"train", "--config", config, "--data", data, "--out", out, "--threads", "1"};
  }
  std::string root() const { return folder_.file(""); }
  std::string file(const std::string& name) const { return folder_.file(name); }
  std::string put(const std::string& name, const std::string& bytes) const { return folder_.put(name, bytes); }

 private:
  scratch::Folder folder_;

 public:
  std::string city, config, model;
  Outcome generated, trained;
};

inline const World& world() {
  static const World made;
  return made;
}

inline std::string first_user() { return chronotope::read_checkins(world().city).users.front(); }

inline std::vector<std::string> with(std::vector<std::string> arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace program
