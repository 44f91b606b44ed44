// Data cleansing against examples computed by hand.
#include "chronotope/data/cleansing.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "actions.hpp"

using namespace chronotope;
using actions::action;
using scratch::error_of;
using scratch::Folder;

namespace {

using Log = std::vector<LoggedAction>;

// "user place category type" each, divided by commas; "-" for nothing.
Log log_of(const std::string& text) {
  Log log;
  std::istringstream rows(text);
  for (std::string row; std::getline(rows, row, ',');) {
    std::istringstream words(row);
    std::string user, place, category, type;
    words >> user >> place >> category >> type;
    log.push_back(action(user, place, category == "-" ? "" : category, type));
    log.back().time = 1000 + static_cast<std::int64_t>(log.size());
  }
  return log;
}

ActionSource source_of(const Log& log) {
  return [&log]() -> ActionPass {
    return [&log, i = std::size_t{0}](LoggedAction& a) mutable {
      if (i == log.size()) return false;
      a = log[i++];
      return true;
    };
  };
}

struct Cleansed {
  CleansingReport report;
  Log kept;
  /// "u.a+ u.h-": users, places and interest of what was kept.
  std::string text() const {
    std::string out;
    for (const LoggedAction& a : kept) {
      REQUIRE(a.interest.has_value());
      out += (out.empty() ? "" : " ") + a.user + "." + a.place + (*a.interest ? "+" : "-");
    }
    return out;
  }
};

Cleansed run(const std::string& text, const CleansingRules& rules) {
  const Log log = log_of(text);
  Cleansed c;
  c.report = cleanse(source_of(log), rules, [&](const LoggedAction& a) { c.kept.push_back(a); });
  return c;
}

std::string error_with(const CleansingRules& rules) {
  return error_of([&] { run("u a Bar", rules); });
}

void check_step(const CleansingStep& step, std::uint64_t sequences, std::uint64_t actions) {
  CHECK(step.sequences == sequences);
  CHECK(step.actions == actions);
}

CleansingRules searched(double most) {
  CleansingRules rules;
  rules.most_searched = most;
  rules.least_richness = 0;
  return rules;
}

}  // namespace

TEST_CASE("cleansing: a place is functional by its category, also where an action does not say it") {
  CleansingRules rules;
  rules.functional_categories = {"Home", "Ofice"};
  const Cleansed c = run("u h Home,v h -,u a Bar,w a Bar,w x home,u h -,u b -", rules);
  CHECK(c.text() == "u.h- u.a+ w.a+ w.x+ u.h- u.b+");  // "home" is not "Home"; v has nothing but functional actions
  check_step(c.report.coarse, 3, 7);
  check_step(c.report.action_level, 2, 4);
  check_step(c.report.sequence_level, 2, 4);
  CHECK(c.report.written == 6);
  CHECK(c.report.places == 4);
  CHECK(c.report.functional_by_category == 1);
  CHECK(c.report.functional_by_ratio == 0);
  CHECK(c.report.functional_by_both == 0);
  CHECK(c.report.unseen_categories == std::vector<std::string>{"Ofice"});
}

TEST_CASE("cleansing: without rules everything is interest-based") {
  const Cleansed c = run("u h Home search,u a - click", {});
  CHECK(c.text() == "u.h+ u.a+");
  CHECK(c.report.functional_by_category + c.report.functional_by_ratio == 0);
}

TEST_CASE("cleansing: a place is functional by more searches a click than allowed, over all users") {
  const std::string log =
      "u a - search,v a - search,w a - search,w a - click,"                     // 3 a click
      "u b - search,"                                                           // no click: infinitely many
      "u c - navigate,u d - click";                                             // neither; none a click
  CHECK(run(log, searched(3)).text() == "u.a+ v.a+ w.a+ w.a+ u.b- u.c+ u.d+");  // at equality it is not
  CHECK(run(log, searched(2.999)).text() == "u.a- u.b- u.c+ u.d+");             // nothing is left of v and w
  CHECK(run(log, searched(1e300)).report.functional_by_ratio == 1);
  CHECK(run(log, searched(0)).report.functional_by_ratio == 2);  // d and c are never more than 0
  CHECK(run(log, searched(std::numeric_limits<double>::infinity())).report.functional_by_ratio == 0);
}

TEST_CASE("cleansing: the threshold is met as it is written") {
  std::string log = "u c - click,u t - search,u t - click,u t - click,u t - click";
  for (int i = 0; i < 10; ++i) log += i < 3 ? ",u s - search,u s - click" : ",u s - click";  // 3 / 10 == .3
  CHECK(run(log, searched(.3)).report.functional_by_ratio == 1);                             // t: 1 / 3
  CHECK(run(log, searched(.29999)).report.functional_by_ratio == 2);
}

TEST_CASE("cleansing: which types are searches and clicks is a setting; both rules may hold of a place") {
  CleansingRules rules = searched(1);
  rules.search_types = {"find", "ask"};
  rules.click_types = {"tap"};
  rules.functional_categories = {"Home"};
  const Cleansed c = run("u a Home find,u a - ask,u a - tap,u b - search,u h Home -,u c - tap,u s - find", rules);
  CHECK(c.text() == "u.a- u.a- u.a- u.b+ u.h- u.c+ u.s-");
  CHECK(c.report.functional_by_category == 2);
  CHECK(c.report.functional_by_ratio == 2);
  CHECK(c.report.functional_by_both == 1);
}

TEST_CASE("cleansing: users who only repeat themselves are dropped; at the threshold they stay") {
  std::string log = "once a";
  for (int i = 0; i < 10; ++i) log += ",three " + std::string(1, static_cast<char>('a' + i % 3));  // 3 / 10
  for (int i = 0; i < 7; ++i) log += ",two " + std::string(1, static_cast<char>('a' + i % 2));     // 2 / 7 = .286
  CleansingRules rules;
  Cleansed c = run(log, rules);
  check_step(c.report.coarse, 3, 18);
  check_step(c.report.action_level, 3, 18);
  check_step(c.report.sequence_level, 2, 11);
  CHECK(c.report.written == 11);
  CHECK(c.kept.size() == 11);
  CHECK(c.text().find("two.") == std::string::npos);
  rules.least_richness = .300001;
  check_step(run(log, rules).report.sequence_level, 1, 1);
  rules.least_richness = 1;
  check_step(run(log, rules).report.sequence_level, 1, 1);
  rules.least_richness = 0;
  check_step(run(log, rules).report.sequence_level, 3, 18);
}

TEST_CASE("cleansing: richness is that of the interest-based actions") {
  CleansingRules rules;
  rules.functional_categories = {"Home"};
  // rich: 1 / 1, though 2 / 10 of all. poor: 1 / 4, though 4 / 7 of all. home: nothing left.
  std::string log = "rich a,home h Home";
  for (int i = 0; i < 9; ++i) log += ",rich h Home";
  for (int i = 0; i < 4; ++i) log += ",poor a";
  for (const std::string place : {"h", "i", "j"}) log += ",poor " + place + " Home";
  const Cleansed c = run(log, rules);
  check_step(c.report.coarse, 3, 18);
  check_step(c.report.action_level, 2, 5);
  check_step(c.report.sequence_level, 1, 1);
  CHECK(c.report.written == 10);
  CHECK(c.text() == "rich.a+ rich.h- rich.h- rich.h- rich.h- rich.h- rich.h- rich.h- rich.h- rich.h-");
}

TEST_CASE("cleansing: users may be mixed, and everything but interest stays as it was") {
  Log log = log_of("u a,v b,u b,v a,u a");
  log[0].interest = false;  // an older verdict
  log[1].position = {1, 2};
  log[2].profile = "age: 30";
  Log kept;
  cleanse(source_of(log), {}, [&](const LoggedAction& a) { kept.push_back(a); });
  for (LoggedAction& a : log) a.interest = true;
  CHECK(kept == log);
}

TEST_CASE("cleansing: rules that cannot be") {
  CleansingRules rules;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double bad : {nan, -.1, 1.1}) {
    rules.least_richness = bad;
    CHECK(error_with(rules).starts_with("ConfigError: cleanse: least_richness is "));
  }
  for (const double bad : {nan, -1.})
    CHECK(error_with(searched(bad)).starts_with("ConfigError: cleanse: most_searched is "));
  rules = {};
  rules.functional_categories = {"Home", ""};
  CHECK(error_with(rules).starts_with("ConfigError: cleanse: a functional category is empty"));
  rules.functional_categories = {"\xFF"};
  CHECK(error_with(rules).find("'?' is not UTF-8") != std::string::npos);
  rules = {};
  rules.click_types = {"tap", "search"};
  CHECK(error_with(rules).starts_with("ConfigError: cleanse: the type 'search' counts as search and as click"));
  rules.click_types = {""};
  CHECK(error_with(rules).find("'' is empty or not UTF-8") != std::string::npos);
}

TEST_CASE("cleansing: nobody stays, nothing was there, the log changes") {
  CleansingRules rules;
  rules.functional_categories = {"Bar"};
  const std::string error = error_with(rules);
  CHECK(error.starts_with(
      "DataError: cleanse: nobody stays: of 1 actions of 1 users, 0 actions of 0 users are interest-based"));
  CHECK(error.find("lower least_richness") != std::string::npos);
  CHECK(error_of([] { run("", {}); }) == "DataError: cleanse: there are no actions");
  const Log before = log_of("u a,u b"), other_place = log_of("u a,u c"), other_user = log_of("u a,w b"),
            shorter = log_of("u a");
  for (const Log* after : {&other_place, &other_user, &shorter})
    for (const int changed : {2, 3}) {
      if (after == &shorter && changed == 2) continue;  // then passes 2 and 3 agree
      if (after == &other_user && changed == 2) continue;
      int pass = 0;
      const ActionSource source = [&] { return source_of(++pass < changed ? before : *after)(); };
      CAPTURE(changed);
      CHECK(error_of([&] {
              cleanse(source, {}, [](const LoggedAction&) {});
            }).find("the log changed while it was read") != std::string::npos);
    }
}

TEST_CASE("cleansing: a file into a file, the same twice, over itself, and never a part of one") {
  const Folder folder;
  actions::write(folder.file("a.csv"), log_of("u h Home,v b -,u a Bar,v b Bar,v b Bar,v b Bar"));
  const std::string before = scratch::bytes_of(folder.file("a.csv"));
  CleansingRules rules;
  rules.functional_categories = {"Home"};
  const CleansingReport report = cleanse_file(folder.file("a.csv"), folder.file("b.csv"), rules);
  check_step(report.sequence_level, 1, 1);
  const std::string cleansed = scratch::bytes_of(folder.file("b.csv"));
  CHECK(cleansed.find("u,1001,,,,h,,,Home,,,0\nu,1003,,,,a,,,Bar,,,1\n") != std::string::npos);
  CHECK(actions::read(folder.file("b.csv")).size() == 2);
  cleanse_file(folder.file("a.csv"), folder.file("a.csv"), rules);
  CHECK(scratch::bytes_of(folder.file("a.csv")) == cleansed);
  folder.put("a.csv", before);

  folder.put("bad.csv", before + "w,1000,,,,p,,,,,,2\n");
  rules.least_richness = 1;
  for (const std::string name : {"bad.csv", "none.csv"})
    CHECK(error_of([&] { cleanse_file(folder.file(name), folder.file("c.csv"), rules); }).find(name) !=
          std::string::npos);
  rules.functional_categories = {"Home", "Bar"};
  CHECK(error_of([&] { cleanse_file(folder.file("a.csv"), folder.file("c.csv"), rules); }).find("nobody stays") !=
        std::string::npos);
  CHECK(
      error_of([&] { cleanse_file(folder.file("a.csv"), folder.file("c.txt"), rules); }).starts_with("ConfigError: "));
  CHECK(folder.entries() == 3);  // a, b and bad
}

TEST_CASE("cleansing: what keep throws comes out") {
  const Log log = log_of("u a");
  CHECK(error_of([&] { cleanse(source_of(log), {}, [](const LoggedAction&) { throw FileError("full"); }); }) ==
        "FileError: full");
}
