// chronotope index: from files to codes and back, changes, versions, report.

#include <nlohmann/json.hpp>

#include "cli/world.hpp"

using nlohmann::json;
using namespace program;

namespace {

const std::string places =
    "place,latitude,longitude,popularity,category\n"
    "cafe,48.8530,2.3800,90,Cafe\n"
    "bar,48.8531,2.3801,40,Bar\n"
    "museum,48.70,2.10,99,Museum\n"
    "far,-17.8,179.99,1,\n";

/// A folder with files of places and an index of the first.
class IndexWorld {
 public:
  IndexWorld()
      : index(file("index")),
        first(put("first.csv", places)),
        more(put("more.csv", "place,latitude,longitude\npark,48.8532,2.3802\nisland,-17.8,-179.99\n")) {
    built = works({"index", "build", "--places", first, "--out", index});
  }
  std::string file(const std::string& name) const { return folder_.file(name); }
  std::string put(const std::string& name, const std::string& text) const { return folder_.put(name, text); }

 private:
  scratch::Folder folder_;

 public:
  std::string index, first, more;
  Outcome built;
};

bool says(const Outcome& o, const std::string& words) {
  CAPTURE(o.out);
  return o.out.find(words) != std::string::npos;
}

}  // namespace

PROGRAM_TEST("index numbers places, keeps the numbers, and goes back") {
  const IndexWorld w;
  CHECK(says(w.built, "version 1: 4 places in 3 blocks"));
  CHECK(says(works({"index", "find", "--index", w.index, "--place", "museum"}), "museum: block 2, inner id 1"));
  CHECK(says(works({"index", "find", "--index", w.index, "--place", "bar"}), "bar: block 1, inner id 2"));
  CHECK(says(works({"index", "append", "--index", w.index, "--places", w.more}),
             "version 2 (of 1): 6 places in 4 blocks, 0 codes retired; 2 places and 1 blocks added"));
  CHECK(
      says(works({"index", "find", "--index", w.index, "--block", "1", "--inner", "3"}), "park: block 1, inner id 3"));
  CHECK(says(
      works({"index", "remove", "--index", w.index, "--place", "bar", "--list", w.put("out.txt", "far\r\n\nisland\n")}),
      "version 3 (of 2): 3 places in 4 blocks, 3 codes retired"));
  fails({"index", "find", "--index", w.index, "--place", "bar"}, {"no place 'bar'", "version 3"});
  fails({"index", "find", "--index", w.index, "--block", "1", "--inner", "2"}, {"no place has block 1 and inner id 2"});
  CHECK(says(works({"index", "find", "--index", w.index, "--version", "1", "--place", "bar"}), "block 1, inner id 2"));
  CHECK(says(works({"index", "rollback", "--index", w.index, "--to", "2"}), "version 2"));
  CHECK(lines(works({"index", "versions", "--index", w.index}).out).at(1).rfind("* version 2 (of 1)", 0) == 0);
  CHECK(says(works({"index", "find", "--index", w.index, "--at", "48.853", "2.38", "--radius", "6"}),
             "block 1 (here): 0.000 km away, 3 inner ids"));
  CHECK(says(works({"index", "find", "--index", w.index, "--at", "10", "10"}), "no block at 10.0"));
  CHECK(says(works({"index", "check", "--index", w.index}), "sound: version 2"));
}

PROGRAM_TEST("index takes check-in files, and appends what is new in them") {
  const IndexWorld w;
  const std::string index = w.file("city");
  works({"index", "build", "--checkins", world().city, "--out", index, "--block-km", "2", "--most-inner", "10"});
  CHECK(says(works({"index", "append", "--index", index, "--checkins", world().city, "--new-only"}),
             "nothing to append"));
  fails({"index", "append", "--index", index, "--checkins", world().city},
        {"is in the index already", "remove the old one first"});
  CHECK(says(works({"index", "append", "--index", index, "--places", w.first, "--new-only"}), "4 places and"));
}

PROGRAM_TEST("index report: table, figures, page") {
  const IndexWorld w;
  const std::string figures = w.file("report.json"), page = w.file("report.html");
  CHECK(says(works({"index", "report", "--index", w.index, "--json", figures, "--report", page}),
             "3 blocks + 2 inner ids = 5 for 4 places"));
  CHECK(json::parse(scratch::bytes_of(figures)).at("ids") == 5);
  const std::string html = scratch::bytes_of(page);
  CHECK(html.find("<svg") != std::string::npos);
  CHECK(html.find("4 places need 5 ids") != std::string::npos);
}

PROGRAM_TEST("index help teaches, and errors say what to do") {
  const std::string help = works({"index", "--help"}).out;
  for (const std::string word :
       {"build", "append", "remove", "rollback", "versions", "check", "find", "report", "place,latitude,longitude"})
    CHECK(help.find(word) != std::string::npos);
  for (const std::string command : {"build", "append", "remove", "rollback", "versions", "check", "find", "report"})
    CHECK(works({"index", command, "--help"}).out.find("--") != std::string::npos);
  const IndexWorld w;
  const auto before = snapshot(w.index);
  fails({"index", "build", "--places", w.first, "--out", w.index}, {"holds an index already"});
  fails({"index", "build", "--places", w.first, "--checkins", w.first, "--out", w.file("new")},
        {"--places", "--checkins"});
  fails({"index", "build", "--out", w.file("new")}, {"--places", "--checkins"});
  fails({"index", "build", "--places", w.put("bad.csv", "place,latitude,longitude\na,91,0\n"), "--out", w.file("new")},
        {"bad.csv", "row 2", "latitude", "91"});
  fails({"index", "build", "--places", w.first, "--out", w.file("new"), "--block-km", "0"}, {"0.5 to 1000"});
  fails({"index", "append", "--index", w.index, "--places", w.first}, {"first.csv", "row ", "in the index already"});
  fails({"index", "append", "--index", w.file("none"), "--places", w.more}, {"none"});
  fails({"index", "remove", "--index", w.index, "--place", "nobody"}, {"nobody", "nothing was changed"});
  fails({"index", "remove", "--index", w.index}, {"--place", "--list"});
  fails({"index", "rollback", "--index", w.index, "--to", "7"}, {"no version 7", "there are: 1"});
  fails({"index", "rollback", "--index", w.index, "--to", "0"}, {"--to"});
  fails({"index", "find", "--index", w.index}, {"--place, --block with --inner, --at"});
  fails({"index", "find", "--index", w.index, "--block", "1"}, {"--inner"});
  fails({"index", "find", "--index", w.index, "--at", "95", "0"}, {"out of range"});
  fails({"index", "report", "--index", w.index, "--version", "3"}, {"no version 3"});
  fails({"index"}, {"subcommand"});
  CHECK(snapshot(w.index) == before);
  CHECK(!std::filesystem::exists(w.file("new/current")));
}
