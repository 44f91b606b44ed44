#include "chronotope/data/world_files.hpp"

#include <charconv>
#include <filesystem>

#include "byte_sink.hpp"
#include "chronotope/core/error.hpp"
#include "chronotope/data/npy.hpp"
#include "csv_write.hpp"

namespace chronotope {
namespace {

template <class Value> void append_cell(std::string& line, const Value& value) {
  if (!line.empty()) line += ',';
  if constexpr (std::is_arithmetic_v<Value>) append_number(line, value);
  else append_csv_text(line, value);
}

// Six digits tell all probabilities of clicks apart; more would be most of the file.
void append_share(std::string& line, double probability) {
  char text[32];
  line += ',';
  line.append(text, std::to_chars(text, text + sizeof text, probability, std::chars_format::fixed, 6).ptr);
}

template <class... Values> std::string row_of(const Values&... values) {
  std::string line;
  (append_cell(line, values), ...);
  return line += '\n';
}

std::string truth_row(const WorldUser& user, const WorldAction& row, const std::string& best) {
  const ActionTruth& t = row.truth;
  std::string line;
  append_cell(line, user.id);
  append_cell(line, row.action.time);
  append_cell(line, row.action.place);
  append_cell(line, int{user.robot});
  append_cell(line, int{t.interest});
  append_cell(line, int{t.from_request});
  append_cell(line, std::string_view(name_of(t.status)));
  if (!t.interest) return line += ",,,,,\n";
  append_cell(line, best);
  for (const double probability : {t.best_probability, t.best_ten, t.probability}) append_share(line, probability);
  append_cell(line, t.rank);
  return line += '\n';
}

std::string truth_row(std::uint64_t number, const WorldRequest& row, std::size_t shown) {
  std::string line = std::to_string(number);
  append_cell(line, row.request.user);
  append_cell(line, row.request.time);
  append_cell(line, row.request.shown[shown].place);
  append_cell(line, std::string_view(name_of(row.status)));
  append_share(line, row.click_probability[shown]);
  return line += '\n';
}

std::string made_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw FileError(folder + ": the folder cannot be made: " + error.message());
  return folder + "/";
}

const char* ending_of(WorldFormat format) {
  switch (format) {
    case WorldFormat::csv: return ".csv.gz";
    case WorldFormat::json_lines: return ".jsonl.gz";
    default: return ".columns.gz";
  }
}

}  // namespace

const char* name_of(TravelStatus status) {
  switch (status) {
    case TravelStatus::pre_travel: return "pre-travel";
    case TravelStatus::in_travel: return "in-travel";
    default: return "local";
  }
}

class WorldFiles::State {
 public:
  State(const World& world, const std::string& folder, WorldFormat format)
      : world_(world),
        folder_(made_folder(folder)),
        ending_(ending_of(format)),
        actions_(folder_ + "actions" + ending_),
        requests_(folder_ + "requests" + ending_),
        action_truth_(folder_ + "truth_actions.csv.gz"),
        request_truth_(folder_ + "truth_requests.csv.gz") {
    action_truth_.write(
        "user,time,place,robot,interest,from_request,status,best,best_probability,best_ten,probability,rank\n");
    request_truth_.write("request,user,time,place,status,click_probability\n");
  }

  void add(const WorldUser& user) {
    for (const WorldAction& row : user.actions) {
      actions_.write(row.action);
      action_truth_.write(truth_row(user, row, row.truth.interest ? world_.place(row.truth.best).id : ""));
    }
    for (const WorldRequest& row : user.requests) {
      requests_.write(row.request);
      ++request_count_;
      for (std::size_t i = 0; i < row.request.shown.size(); ++i)
        request_truth_.write(truth_row(request_count_, row, i));
    }
  }

  void finish() {
    ByteSink places(folder_ + "places.csv.gz"), ids(folder_ + "vectors.ids");
    NpyWriter vectors(folder_ + "vectors.npy", 16);
    places.write("place,latitude,longitude,popularity,category\n");
    for (std::uint32_t number = 0; number < world_.places(); ++number) {
      const WorldPlace p = world_.place(number);
      places.write(row_of(p.id, p.position.latitude, p.position.longitude, p.popularity, p.category));
      ids.write(p.id + "\n");
      vectors.write(world_.vector(number));
    }
    actions_.finish();
    action_truth_.commit();
    if (request_count_ > 0) {
      requests_.finish();
      request_truth_.commit();
    }
    places.commit();
    ids.commit();
    vectors.finish();
  }

 private:
  const World& world_;
  std::string folder_, ending_;
  ActionWriter actions_;
  RequestWriter requests_;
  ByteSink action_truth_, request_truth_;
  std::uint64_t request_count_ = 0;
};

WorldFiles::WorldFiles(const World& world, const std::string& folder, WorldFormat format)
    : state_(std::make_unique<State>(world, folder, format)) {}
WorldFiles::~WorldFiles() = default;
void WorldFiles::add(const WorldUser& user) { state_->add(user); }
void WorldFiles::finish() { state_->finish(); }

}  // namespace chronotope
