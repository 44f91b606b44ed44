// The whole way from raw logs to answers, on a world of a few people.

#include <algorithm>

#include "cli/program.hpp"
#include "chronotope/data/action_log.hpp"
#include "chronotope/data/npy.hpp"
#include "chronotope/data/vector_index.hpp"

using program::run;
using program::works;

namespace {

constexpr const char* tiny = R"({
  "seed": 3, "system": "actions",
  "model": {"layers": 1, "width": 24, "heads": 2, "feed_forward": 24, "length": 8, "geo_rows": 64},
  "actions": {"profile_tokens": 8, "profile_pieces": 270, "embedding": 8},
  "training": {"learning_rate": 1e-2, "min_learning_rate": 1e-3, "warmup_steps": 3, "epochs": 1, "batch": 8},
  "evaluation": {"batch": 8, "targets": 40}
})";

/// Logs, index and one model of each stage, made once by the program.
struct Made {
  scratch::Folder folder;
  std::string world = folder.file("world"), clean = folder.file("clean.csv.gz"), index = folder.file("index"), config = folder.put("config.json", tiny);
  std::string base = folder.file("base"), rank = folder.file("rank"), embed = folder.file("embed"), align = folder.file("align");

  Made() {
    works({"generate-world", world, "--users", "25", "--places", "200", "--cities", "2", "--days", "60", "--actions-per-user", "40"});
    works({"clean", "--data", world + "/actions.csv.gz", "--out", clean, "--functional", "Residence", "Office", "Hospital", "School", "Parking", "Station", "Bank"});
    works({"index", "build", "--places", world + "/places.csv.gz", "--out", index});
    works({"train", "--config", config, "--data", clean, "--out", base, "--threads", "1", "--set", "actions.index=" + index});
    for (const auto& [stage, out] : {std::pair{"rank", rank}, {"embed", embed}, {"align", align}}) works(stage_command(stage, out));
  }
  std::string requests() const { return world + "/requests.csv.gz"; }
  std::vector<std::string> stage_command(const std::string& stage, const std::string& out) const {
    return {"train", "--stage", stage, "--from", base, "--data", clean, "--requests", requests(), "--out", out, "--threads", "1"};
  }
  std::string user() const {
    chronotope::ActionReader reader(clean);
    chronotope::LoggedAction action;
    reader.next(action);
    return action.user;
  }
};

const Made& made() {
  static const Made all;
  return all;
}

std::string error_of(std::vector<std::string> arguments) {
  const auto outcome = run(arguments);
  CHECK(outcome.end.code == 1);
  return outcome.err;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

#define NEEDS_PROGRAM \
  if (program::path().empty()) return

}  // namespace

TEST_CASE("generated places stand beside counters and the best possible") {
  NEEDS_PROGRAM;
  const auto out = works({"evaluate", "--checkpoint", made().base, made().align, "--data", made().clean, "--truth", made().world + "/truth_actions.csv.gz", "--targets", "30", "--json", made().folder.file("e.json")}).out;
  for (const char* row : {"hr@100", "popularity", "mixture", "best possible", "the best counter"}) CHECK(has(out, row));
  CHECK(has(scratch::bytes_of(made().folder.file("e.json")), "best possible"));
}

TEST_CASE("scores of candidates stand beside counters and the best possible") {
  NEEDS_PROGRAM;
  const auto out = works({"evaluate", "--checkpoint", made().rank, made().embed, "--data", made().clean, "--requests", made().requests(), "--truth", made().world + "/truth_requests.csv.gz", "--report", made().folder.file("e.html")}).out;
  for (const char* row : {"AUC", "NDCG@10", "logistic", "best possible", "the best counter by AUC"}) CHECK(has(out, row));
  const std::string page = scratch::bytes_of(made().folder.file("e.html"));
  for (const char* part : {"Scores of candidates", "generated", "<svg", "NDCG@10"}) CHECK(has(page, part));
  CHECK(has(error_of({"evaluate", "--checkpoint", made().rank, "--data", made().clean}), "--requests"));
  CHECK(has(error_of({"evaluate", "--checkpoint", made().rank, made().base, "--data", made().clean}), "one table"));
}

TEST_CASE("recommendations keep to their limits") {
  NEEDS_PROGRAM;
  const std::vector<std::string> ask{"recommend", "--checkpoint", made().align, "--data", made().clean, "--user", made().user(), "--top", "4"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), ask.begin(), ask.end());
    return more;
  };
  CHECK(program::lines(works(ask).out).size() == 6);
  const auto cafes = works(with({"--category", "Cafe"})).out;
  for (const std::string& line : program::lines(cafes))
    if (has(line, "%")) CHECK(has(line, "Cafe"));
  CHECK(has(works(with({"--at", "0,0", "--within", "1"})).out, "only 0 places are allowed"));
  CHECK(has(works(with({"--json"})).out, "\"probability\""));
  const std::string hours = made().folder.put("hours.csv", "place,weekdays,from,to\np1,mon-sun,8:00,8:00\n");
  works(with({"--hours", hours}));
  CHECK(has(error_of(with({"--hours", made().folder.put("bad.csv", "place,weekdays,from,to\np1,mon-sun,8:00,25:00\n")})), "row 2, column 4 (to)"));
  CHECK(has(error_of(with({"--category", "Nonsense"})), "no category \"Nonsense\""));
  CHECK(has(error_of(with({"--polygon", "1,2", "3,4"})), "three corners"));
  CHECK(has(error_of(with({"--at", "north"})), "LATITUDE,LONGITUDE"));
}

TEST_CASE("candidates are scored into a file, places and users embedded into others") {
  NEEDS_PROGRAM;
  const std::string scores = made().folder.file("scores.csv"), places = made().folder.file("places"), users = made().folder.file("users");
  works({"rank", "--checkpoint", made().rank, "--data", made().clean, "--requests", made().requests(), "--out", scores});
  CHECK(program::lines(scratch::bytes_of(scores)).front() == "request,number,score,clicked");
  CHECK(has(error_of({"rank", "--checkpoint", made().base, "--data", made().clean, "--requests", made().requests()}), "--stage rank"));
  works({"embed", "--checkpoint", made().embed, "--places", places, "--users", users, "--data", made().clean});
  const auto vectors = chronotope::read_npy(places + ".npy");
  CHECK(vectors.rows == 200);
  CHECK(vectors.width == 8);
  double length = 0;
  for (const float x : vectors.row(7)) length += static_cast<double>(x) * x;
  CHECK(length == doctest::Approx(1).epsilon(1e-5));
  const std::vector<std::string> indexed{"embed", "--checkpoint", made().embed, "--places", places, "--faiss", "flat"};
  if (chronotope::has_vector_indexes()) {
    works(indexed);
    CHECK(chronotope::search_vector_index(places + ".faiss", vectors, 1).rows.at(7) == 7);  // nobody is nearer than oneself
  } else {
    CHECK(has(error_of(indexed), "has no FAISS"));
  }
  CHECK(has(error_of({"embed", "--checkpoint", made().embed, "--users", users, "--data", made().clean, "--faiss", "flat"}), "--places"));
  CHECK(has(error_of({"embed", "--checkpoint", made().rank, "--places", places}), "--stage embed"));
  CHECK(has(error_of({"train", "--stage", "pretrain", "--data", made().clean, "--requests", made().requests(), "--out", scores + "_run"}), "leave it out"));
}

TEST_CASE("a stage that was paused goes on to the bit") {
  NEEDS_PROGRAM;
  for (const char* stage : {"rank", "align"}) {
    const auto again = [&](const std::string& out, std::vector<std::string> more) {
      auto command = made().stage_command(stage, out);
      command.insert(command.end(), more.begin(), more.end());
      return command;
    };
    const std::string whole = made().folder.file(std::string("whole_") + stage), halves = made().folder.file(std::string("halves_") + stage);
    works(again(whole, {"--set", "training.epochs=2"}));
    works(again(halves, {"--set", "training.epochs=2", "--stop-after", "1"}));
    works({"train", "--resume", "--out", halves, "--data", made().clean, "--requests", made().requests(), "--threads", "1"});
    CHECK(scratch::bytes_of(whole + "/last.safetensors") == scratch::bytes_of(halves + "/last.safetensors"));
  }
}

TEST_CASE("check-ins become actions and semi-synthetic requests that the pipeline takes") {
  NEEDS_PROGRAM;
  const std::string city = made().folder.file("city.csv.gz"), actions = made().folder.file("city_actions.csv.gz"), asked = made().folder.file("city_requests.csv.gz"), index = made().folder.file("city_index");
  works({"generate-city", "--out", city, "--users", "15", "--places", "60", "--checkins-per-user", "25", "--days", "60"});
  CHECK(has(works({"convert-checkins", "--data", city, "--actions", actions, "--requests", asked}).out, "SEMI-SYNTHETIC"));
  works({"index", "build", "--checkins", city, "--out", index});
  works({"train", "--config", made().config, "--data", actions, "--out", made().folder.file("city_base"), "--set", "actions.index=" + index});
  works({"train", "--stage", "rank", "--from", made().folder.file("city_base"), "--data", actions, "--requests", asked, "--out", made().folder.file("city_rank")});
}

TEST_CASE("what does not fit together is said") {
  NEEDS_PROGRAM;
  const std::string out = made().folder.file("nothing");
  CHECK(has(error_of({"train", "--stage", "rank", "--from", made().base, "--data", made().clean, "--out", out}), "--requests"));
  CHECK(has(error_of({"train", "--stage", "align", "--data", made().clean, "--requests", made().requests(), "--out", out}), "stage.from"));
  CHECK(has(error_of({"train", "--config", made().config, "--data", made().clean, "--out", out}), "actions.index"));
  const std::string other = made().folder.file("other_index");
  works({"generate-world", made().folder.file("other"), "--users", "3", "--places", "210", "--cities", "2", "--days", "40", "--actions-per-user", "20"});
  works({"index", "build", "--places", made().folder.file("other") + "/places.csv.gz", "--out", other});
  CHECK(has(error_of({"recommend", "--checkpoint", made().base, "--data", made().clean, "--user", made().user(), "--index", other}), "none of its versions"));
}
