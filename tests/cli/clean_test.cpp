// chronotope clean, from action logs and check-in files.

#include <nlohmann/json.hpp>

#include "cli/program.hpp"

using nlohmann::json;
using namespace program;

namespace {

constexpr const char* clicks_and_searches =
    "user,time,place,category,type\n"
    "u,1000,h,Home (private),click\n"
    "u,1001,a,Bar,click\n"
    "u,1002,s,Shop,search\n"
    "v,1003,h,Home (private),click\n";
constexpr const char* checkins =
    "user_id,poi_id,latitude,longitude,utc_timestamp,split,category_name\n"
    "u,h,1,2,1000,train,Home (private)\n"
    "u,a,1,2,1001,train,Bar\n";

}  // namespace

PROGRAM_TEST("clean marks what is functional, drops who has nothing else, and shows what each level took") {
  const scratch::Folder folder;
  const std::string data = folder.put("log.csv", clicks_and_searches), out = folder.file("out.jsonl.gz"),
                    figures = folder.file("out.json");
  const Outcome o = works({"clean", "--data", data, "--out", out, "--functional", "Home (private)", "Ofice",
                           "--most-searched", "2", "--json", figures});
  for (const std::string word :
       {"+ action level            1   50.0%        1   25.0%          75.0%",
        "2 of 3 places are functional: 1 by their category, 1 by searches", "\"Ofice\": is it misspelt?"}) {
    CAPTURE(word);
    CHECK(o.out.find(word) != std::string::npos);
  }
  CHECK(json::parse(scratch::bytes_of(figures)).at("written_actions") == 3);
  works({"clean", "--data", out, "--out", folder.file("again.csv"), "--functional", "Home (private)", "--most-searched",
         "2"});
  CHECK(scratch::bytes_of(folder.file("again.csv")) ==
        "user,time,offset,user_latitude,user_longitude,place,latitude,longitude,category,type,profile,interest\n"
        "u,1000,,,,h,,,Home (private),click,,0\nu,1001,,,,a,,,Bar,click,,1\nu,1002,,,,s,,,Shop,search,,0\n");
}

PROGRAM_TEST("clean reads its rules from a file, and flags go before it") {
  const scratch::Folder folder;
  const std::string data = folder.put("log.csv", clicks_and_searches), by_flags = folder.file("flags.csv"), by_file = folder.file("file.csv");
  works({"clean", "--data", data, "--out", by_flags, "--functional", "Home (private)", "--most-searched", "2"});
  const std::string rules = folder.put("rules.json", R"json({"functional": ["Home (private)"], "most_searched": 2, "least_richness": 0.9})json");
  works({"clean", "--data", data, "--out", by_file, "--rules", rules, "--least-richness", "0.3"});
  CHECK(scratch::bytes_of(by_file) == scratch::bytes_of(by_flags));
  fails({"clean", "--data", data, "--out", by_file, "--rules", folder.put("a.json", R"({"functionals": []})")}, {"a.json", "did you mean \"functional\""});
  fails({"clean", "--data", data, "--out", by_file, "--rules", folder.put("b.json", R"({"most_searched": -1})")}, {"b.json", "most_searched"});
  fails({"clean", "--data", data, "--out", by_file, "--rules", folder.put("c.json", "[]")}, {"c.json", "JSON object"});
}

PROGRAM_TEST("clean takes check-in files") {
  const scratch::Folder folder;
  works({"clean", "--data", folder.put("c.csv", checkins), "--out", folder.file("out.csv"), "--functional",
         "Home (private)"});
  const std::string text = scratch::bytes_of(folder.file("out.csv"));
  CHECK(text.find("\nu,1000,0,,,h,1,2,Home (private),checkin,,0\nu,1001,0,,,a,1,2,Bar,checkin,,1\n") !=
        std::string::npos);
}

PROGRAM_TEST("clean says what is wrong and leaves nothing behind") {
  const scratch::Folder folder;
  const std::string data = folder.put("log.csv", clicks_and_searches), out = folder.file("out.csv");
  fails({"clean", "--data", data, "--out", folder.file("out.txt")}, {"out.txt", ".columns"});
  fails({"clean", "--data", data, "--out", out, "--least-richness", "2"}, {"least_richness is 2", "between 0 and 1"});
  fails({"clean", "--data", data, "--out", out, "--most-searched", "many"}, {"--most-searched"});
  fails({"clean", "--data", data, "--out", out, "--functional", "Home (private)", "Bar", "Shop"}, {"nobody stays"});
  fails({"clean", "--data", folder.put("bad.csv", std::string(clicks_and_searches) + "w,0,a,,\n"), "--out", out},
        {"bad.csv: row 6, column 2 (time): '0' is out of range"});
  fails({"clean", "--data", folder.file("none.csv"), "--out", out}, {"none.csv: cannot be opened"});
  fails({"clean", "--data", data, "--out", out, "--json", folder.file("none/figures.json")}, {"figures.json"});
  fails({"clean", "--data", data, "--out", out, "--json", out}, {"--json", "--out"});
  fails({"clean", "--data", data}, {"--out"});
  CHECK(folder.entries() == 2);
  const std::string help = works({"clean", "--help"}).out;
  for (const std::string word : {"interest 0", "--functional \"Home (private)\" Office Subway", "docs/data.md"})
    CHECK(help.find(word) != std::string::npos);
}
