#include "chronotope/eval/command_judge.hpp"

#include <nlohmann/json.hpp>
#include <system_error>

#include "core/piped_command.hpp"
#include "data/csv.hpp"

namespace chronotope {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const std::vector<JudgedPlace>& places) {
  Json list = Json::array();
  for (const JudgedPlace& p : places)
    list.push_back({{"place", p.place},
                    {"category", p.category},
                    {"distance_km", p.distance_km ? Json(*p.distance_km) : Json()},
                    {"description", p.description}});
  return list;
}

std::string line_of(const JudgeCase& asked) {
  const Json json{{"request", asked.request}, {"context", asked.context}, {"profile", asked.profile},
                  {"history", asked.history}, {"a", json_of(asked.a)},    {"b", json_of(asked.b)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Nothing when the text is no verdict on these lists.
std::optional<Verdict> verdict_of(const std::string& text, const JudgeCase& asked) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return {};
  const auto count = [&](const char* name, std::size_t most) {
    const Json value = json.value(name, Json());
    return value.is_number_unsigned() && value.get<std::uint64_t>() <= most ? std::optional(value.get<std::size_t>()) : std::nullopt;
  };
  const auto fit_a = count("fit_a", asked.a.size()), fit_b = count("fit_b", asked.b.size());
  const Json better = json.value("better", Json());
  if (!fit_a || !fit_b || (better != "a" && better != "b" && better != "even")) return {};
  return Verdict{better == "a" ? BetterList::a : better == "b" ? BetterList::b : BetterList::even, *fit_a, *fit_b};
}

std::string seconds_text(double seconds) {
  const std::string text = std::to_string(seconds);
  return text.substr(0, text.find('.') + 2) + " s";
}

struct Failure {
  JudgeFault fault;
  std::string what;
};

/// Nothing for a command that ended well.
std::optional<Failure> failure_of(const CommandEnd& ended, const CommandLimits& limits) {
  switch (ended.how) {
    case CommandEnd::How::not_started:
      return Failure{JudgeFault::start, "cannot be run: " + std::error_code(ended.number, std::generic_category()).message()};
    case CommandEnd::How::too_slow:
      return Failure{JudgeFault::time, "has not ended within " + seconds_text(limits.seconds) + "; it was killed"};
    case CommandEnd::How::too_much_output:
      return Failure{JudgeFault::output, "wrote more than " + std::to_string(limits.most_output) +
                                             " bytes, beginning with " + shown(ended.output) + "; it was killed"};
    case CommandEnd::How::by_signal: return Failure{JudgeFault::status, "was ended by signal " + std::to_string(ended.number)};
    case CommandEnd::How::unknown:
      return Failure{JudgeFault::status, "has no exit status, as this program ignores SIGCHLD"};
    case CommandEnd::How::exited: break;
  }
  if (ended.number == 0) return {};
  return Failure{JudgeFault::status, "ended with exit status " + std::to_string(ended.number)};
}

std::string wanted(const JudgeCase& asked) {
  return "one line such as {\"better\": \"a\", \"fit_a\": 3, \"fit_b\": 2} is wanted, with \"a\", \"b\" or \"even\" and counts of at most " +
         std::to_string(asked.a.size()) + " and " + std::to_string(asked.b.size());
}

}  // namespace

CommandJudge::CommandJudge(std::vector<std::string> command, const CommandLimits& limits)
    : command_(std::move(command)), limits_(limits) {
  if (command_.empty() || command_.front().empty()) throw ConfigError("a judge needs a command: a program and its arguments");
  for (const std::string& word : command_)
    if (word.find('\0') != word.npos) throw ConfigError("the judge's command has a zero byte in " + shown(word));
  if (!(limits.seconds > 0) || limits.most_output == 0)
    throw ConfigError("a judge's command needs time and output above 0; " + std::to_string(limits.seconds) + " s and " +
                      std::to_string(limits.most_output) + " bytes were given");
}

Verdict CommandJudge::operator()(const JudgeCase& asked) const {
  const CommandEnd ended = run_piped(command_, line_of(asked), limits_.seconds, limits_.most_output);
  std::optional<Failure> failure = failure_of(ended, limits_);
  const std::optional<Verdict> verdict = failure ? std::nullopt : verdict_of(ended.output, asked);
  if (!failure && !verdict) failure = Failure{JudgeFault::answer, "answered " + shown(ended.output) + "; " + wanted(asked)};
  if (failure)
    throw JudgeError(failure->fault, "the judge " + shown(command_.front()) + ", request " + std::to_string(asked.request) + ": " + failure->what);
  return *verdict;
}

}  // namespace chronotope
