// chronotope generate-world, and that the other commands take what it writes.

#include <nlohmann/json.hpp>

#include "cli/program.hpp"

using nlohmann::json;
using namespace program;

namespace {

std::vector<std::string> small(const std::string& out) {
  return {"generate-world", out, "--users", "30", "--places",           "400",
          "--cities",       "2", "--days",  "40", "--actions-per-user", "40"};
}

}  // namespace

PROGRAM_TEST("generate-world writes logs that clean and index take, the same every time") {
  const scratch::Folder folder;
  const std::string out = folder.file("world");
  const Outcome o = works(small(out));
  for (const std::string word : {"An invented world (seed 1)", "nothing about real data", "best AUC"}) {
    CAPTURE(word);
    CHECK(o.out.find(word) != std::string::npos);
  }
  const auto first = snapshot(out);
  CHECK(first.size() == 8);
  const json figures = json::parse(first.at(out + "/world.json"));
  CHECK(figures.at("options").at("users") == 30);
  CHECK(figures.at("best").size() == 3);
  works(small(out));
  CHECK(snapshot(out) == first);
  std::vector<std::string> clean = {"clean",       "--data", out + "/actions.csv.gz", "--out", folder.file("clean.csv"),
                                    "--functional"};
  for (const auto& category : figures.at("functional_categories")) clean.push_back(category);
  CHECK(works(clean).out.find("is it misspelt") == std::string::npos);
  works({"index", "build", "--places", out + "/places.csv.gz", "--out", folder.file("places.index")});
}

PROGRAM_TEST("generate-world writes JSON lines, and says what is wrong") {
  const scratch::Folder folder;
  std::vector<std::string> json_lines = small(folder.file("world"));
  json_lines.insert(json_lines.end(), {"--format", "jsonl"});
  works(json_lines);
  CHECK(snapshot(folder.file("world")).contains(folder.file("world") + "/requests.jsonl.gz"));
  fails({"generate-world", folder.file("other"), "--places", "100"}, {"places = 100", "200 to 10000000"});
  fails({"generate-world", folder.file("other"), "--format", "xml"}, {"--format"});
  fails({"generate-world"}, {"OUT_DIR"});
  fails({"generate-world", folder.put("file", "")}, {"file: the folder cannot be made"});
  CHECK(folder.entries() == 2);
  const std::string help = works({"generate-world", "--help"}).out;
  for (const std::string word : {"Everything is invented", "world.json", "--functional Residence Office", "1000000"})
    CHECK(help.find(word) != std::string::npos);
}
