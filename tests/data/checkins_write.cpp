// Writing check-in files and single files whole or not at all.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/data/city.hpp"
#include "scratch.hpp"

using chronotope::AtomicFile;
using chronotope::CheckinTable;
using scratch::error_of;

namespace {

bool same(const CheckinTable& a, const CheckinTable& b) {
  const auto fields = [](const chronotope::Checkin& r) {
    return std::tuple(r.place, r.category, r.latitude, r.longitude, r.utc, r.local, r.split, r.target, r.trajectory);
  };
  bool equal = a.users == b.users && a.places == b.places && a.categories == b.categories && a.begin == b.begin;
  for (std::size_t i = 0; equal && i < a.rows.size(); ++i) equal = fields(a.rows[i]) == fields(b.rows[i]);
  return equal;
}

// No file of this process may grow beyond `bytes` while it lives: a full disk for those who have none.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = signal(SIGXFSZ, SIG_IGN);
    const rlimit small{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

}  // namespace

TEST_CASE("data: what is written reads back the same") {
  const scratch::Folder folder;
  CheckinTable table = chronotope::generate_city();
  table.users[3] = "u0004, \"the\r\nquoted\"";
  table.rows[5].latitude = 0.1 + 0.2;
  table.rows[5].longitude = -1e-300;
  for (const std::string name : {"city.csv", "city.csv.gz"}) {
    chronotope::write_checkins(table, folder.file(name));
    CHECK(same(chronotope::read_checkins(folder.file(name)), table));
  }
  CHECK(scratch::bytes_of(folder.file("city.csv.gz")).starts_with("\x1f\x8b"));
  CHECK(folder.entries() == 2);
}

TEST_CASE("data: tables that could not be read back are not written") {
  const scratch::Folder folder;
  const CheckinTable good = scratch::read_text(scratch::small_header + "u,p,1,2,1000,train\n");
  const auto error = [&](auto&& spoil) {
    CheckinTable bad = good;
    spoil(bad);
    return error_of([&] { chronotope::write_checkins(bad, folder.file("bad.csv")); });
  };
  CHECK(error([](CheckinTable&) {}) == "");
  for (const std::string& text :
       {error([](CheckinTable& t) { t.rows.clear(); }), error([](CheckinTable& t) { t.begin = {0}; }),
        error([](CheckinTable& t) { t.begin[1] = 9; }), error([](CheckinTable& t) { t.users[0] = ""; }),
        error([](CheckinTable& t) { t.places[0] = "\xFF"; }), error([](CheckinTable& t) { t.rows[0].place = 1; }),
        error([](CheckinTable& t) { t.rows[0].category = -1; }), error([](CheckinTable& t) { t.rows[0].utc = 0; }),
        error([](CheckinTable& t) { t.rows[0].latitude = 0.0 / 0.0; })}) {
    CAPTURE(text);
    CHECK(text.starts_with("DataError: "));
    CHECK(text.find("bad.csv: cannot be written: ") != std::string::npos);
  }
}

TEST_CASE("data: a folder that is not there, or is a file") {
  const scratch::Folder folder;
  const CheckinTable table = scratch::read_text(scratch::small_header + "u,p,1,2,1000,train\n");
  const auto error = [&](const std::string& name) {
    return error_of([&] { chronotope::write_checkins(table, folder.file(name)); });
  };
  CHECK(error("none/out.csv") == "FileError: " + folder.file("none/out.csv") +
                                     ": cannot be written: a temporary file beside it cannot be created: No such file "
                                     "or directory");
  folder.put("file", "");
  CHECK(error("file/out.csv").find("Not a directory") != std::string::npos);
}

TEST_CASE("data: a disk that fills up leaves the old file and nothing else") {
  const scratch::Folder folder;
  const CheckinTable table = chronotope::generate_city();
  for (const std::string name : {"city.csv", "city.csv.gz"}) {
    folder.put(name, "old");
    std::string error;
    {
      const SmallDisk disk(10'000);
      error = error_of([&] { chronotope::write_checkins(table, folder.file(name)); });
    }
    CAPTURE(error);
    CHECK(error.starts_with("FileError: " + folder.file(name) + ": cannot be written: writing failed: "));
    CHECK(scratch::bytes_of(folder.file(name)) == "old");
  }
  CHECK(folder.entries() == 2);
}

TEST_CASE("core: AtomicFile replaces at commit and not before") {
  const scratch::Folder folder;
  const std::string path = folder.put("note", "old");
  {
    AtomicFile file(path);
    file.write("new ");
    file.write("text");
    CHECK(scratch::bytes_of(path) == "old");
    CHECK(folder.entries() == 2);
    file.commit();
    CHECK(error_of([&] { file.write("late"); }).starts_with("FileError: "));
    CHECK(error_of([&] { file.commit(); }).starts_with("FileError: "));
  }
  CHECK(scratch::bytes_of(path) == "new text");
  { AtomicFile(path).write("dropped"); }
  CHECK(scratch::bytes_of(path) == "new text");
  CHECK(folder.entries() == 1);
  chronotope::write_file_atomically(path, "short");
  CHECK(scratch::bytes_of(path) == "short");
}

TEST_CASE("core: AtomicFile does not replace a folder") {
  const scratch::Folder folder;
  std::filesystem::create_directory(folder.file("sub"));
  CHECK(error_of([&] {
          chronotope::write_file_atomically(folder.file("sub"), "x");
        }).find("renaming the temporary file failed") != std::string::npos);
  CHECK(folder.entries() == 1);
}
