// chronotope rank: scores of all candidates of a request log.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/eval/clicks.hpp"
#include "chronotope/eval/user_clicks.hpp"
#include "chronotope/train/stage_task.hpp"
#include "cli/action_commands.hpp"
#include "cli/commands.hpp"

namespace chronotope::cli {
namespace {

struct Options {
  std::string checkpoint, data, requests, out, index;
  Device device;
};

void write_scores(const std::string& path, const RequestHistories& requests, std::span<const float> scores) {
  AtomicFile file(path);
  std::string text = "request,number,score,clicked\n";
  std::size_t i = 0;
  char row[96];
  for (std::size_t r = 0; r < requests.requests.size(); ++r)
    for (std::size_t c = 0; c < requests.requests[r].shown; ++c, ++i) {
      std::snprintf(row, sizeof row, "%zu,%zu,%.9g,%d\n", r + 1, c + 1, static_cast<double>(scores[i]), requests.clicked[i]);
      text += row;
    }
  file.write(text), file.commit();
}

void run(const Options& o) {
  Context<any_backend> context(o.device.stream());
  const TrainedActions t = load_actions(context, read_trained(o.checkpoint), o.index);
  if (t.config.stage.name == "pretrain") throw ConfigError("this model was only pre-trained: chronotope train --stage rank (or embed, align) --from it makes one that scores candidates");
  const ActionHistories histories(actions_in(o.data), t.tokenizer, t.config.actions.travel_km);
  const ActionTokens actions(histories, t.tokenizer, t.config.actions.profile_tokens);
  RequestReader reader(o.requests);
  const RequestHistories requests([&](LoggedRequest& r) { return reader.next(r); }, histories, t.tokenizer);
  const RequestTokens tokens(requests, actions, t.config.model.length);
  const auto all = requests_between(requests, 0, INT64_MAX, RequestNeeds::anything);
  const Stage stage = t.config.stage.name == "embed" ? Stage::embed : t.config.stage.name == "rank" ? Stage::rank : Stage::align;
  if (stage == Stage::align && requests.unknown_places > 0) throw DataError("an aligned model scores places of its index only; " + std::to_string(requests.unknown_places) + " shown places are not in it");
  const std::vector<float> scores = candidate_scores(context, t.model, tokens, all, stage, t.config.evaluation.batch);
  if (!o.out.empty()) write_scores(o.out, requests, scores);
  const ClickRows rows{scores, requests.clicked};
  std::printf("%zu candidates in %zu requests, scored by %s", scores.size(), all.size(), stage == Stage::embed ? "the cosine of user and place" : stage == Stage::rank ? "log-odds of a click" : "log-probability");
  std::printf("; AUC against the clicks in the log %.4f\n", auc(rows).value);
}

}  // namespace

void add_rank(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("rank", "score the candidates of a request log");
  command->add_option("--checkpoint", o->checkpoint, "folder that train --stage rank, embed or align wrote")->required();
  command->add_option("--data", o->data, "action log with the users' histories")->required()->check(CLI::ExistingFile);
  command->add_option("--requests", o->requests, "request log (docs/data.md); clicks are only compared with")->required()->check(CLI::ExistingFile);
  command->add_option("--out", o->out, "CSV to write: request, number of the candidate in it, score, clicked");
  command->add_option("--index", o->index, "folder of the index of places, where it is not where training found it");
  o->device.add_to(*command);
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
