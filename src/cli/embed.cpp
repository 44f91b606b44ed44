// chronotope embed: vectors of places and of users.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "chronotope/data/place_vectors.hpp"
#include "chronotope/data/vector_index.hpp"
#include "cli/action_commands.hpp"
#include "cli/commands.hpp"

namespace chronotope::cli {
namespace {

struct Options {
  std::string checkpoint, data, places, users, index, faiss;
  Device device;
};

void embed_places(const Options& o, const ActionServer& server) {
  const PlaceCatalogue& catalogue = server.trained().tokenizer.places();
  std::vector<std::string> ids;
  for (std::uint32_t n = 1; n <= catalogue.places(); ++n)
    if (const auto place = catalogue.place(n)) ids.emplace_back(place->id);
  const Matrix vectors = server.embed_places(ids);
  write_npy(o.places + ".npy", vectors);
  write_place_ids(o.places + ".ids", ids);
  std::printf("%zu places in %s.npy, their ids in %s.ids\n", ids.size(), o.places.c_str(), o.places.c_str());
  if (o.faiss.empty()) return;
  write_vector_index(o.places + ".faiss", vectors, {.kind = vector_index_kind(o.faiss)});
  std::printf("nearest places of a vector: %s.faiss (%s, inner product; rows as in %s.ids)\n", o.places.c_str(), o.faiss.c_str(), o.places.c_str());
}

/// Each user an hour after the last action, where it was made.
void embed_users(const Options& o, const ActionServer& server) {
  std::map<std::string, std::vector<LoggedAction>> by_user;
  const ActionPass next = actions_in(o.data)();
  for (LoggedAction a; next(a);) by_user[a.user].push_back(a);
  NpyWriter out(o.users + ".npy", server.trained().config.actions.embedding);
  std::vector<std::string> ids;
  for (auto& [user, actions] : by_user) {
    std::stable_sort(actions.begin(), actions.end(), [](const LoggedAction& a, const LoggedAction& b) { return a.time < b.time; });
    const auto profile = std::find_if(actions.begin(), actions.end(), [](const LoggedAction& a) { return !a.profile.empty(); });
    PlaceSession session(server, profile == actions.end() ? "" : profile->profile);
    session.append(actions);
    const LoggedAction& last = actions.back();
    const auto at = last.user_position ? last.user_position : last.position;
    out.write(session.embed({local_time(last.time, last.offset, at) + 3600, at}));
    ids.push_back(user);
  }
  out.finish();
  write_place_ids(o.users + ".ids", ids);
  std::printf("%zu users in %s.npy, their ids in %s.ids\n", ids.size(), o.users.c_str(), o.users.c_str());
}

void run(const Options& o) {
  if (o.places.empty() && o.users.empty()) throw ConfigError("say what to embed: --places OUT, --users OUT with --data LOG, or both");
  if (!o.users.empty() && o.data.empty()) throw ConfigError("--users needs --data, the log with their actions");
  if (!o.faiss.empty() && o.places.empty()) throw ConfigError("--faiss makes an index of places: say --places OUT too");
  if (!o.faiss.empty() && !has_vector_indexes()) throw ConfigError("--faiss: this build of chronotope has no FAISS (docs/data.md says how to get it)");
  const ActionServer server(o.checkpoint, o.device.stream(), o.index);
  if (!o.places.empty()) embed_places(o, server);
  if (!o.users.empty()) embed_users(o, server);
}

}  // namespace

void add_embed(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("embed", "vectors of places and users, as .npy files with lists of ids");
  command->footer("The product of a user's and a place's vector is their similarity: both have length 1.\n"
                  "  chronotope embed --checkpoint embed_model --places places --users users --data clean.csv.gz\n"
                  "  chronotope embed --checkpoint embed_model --places places --faiss hnsw");
  command->add_option("--checkpoint", o->checkpoint, "folder that train --stage embed wrote")->required();
  command->add_option("--places", o->places, "write OUT.npy and OUT.ids with all places of the index")->type_name("OUT");
  command->add_option("--users", o->users, "write OUT.npy and OUT.ids with all users of --data, each an hour after the last action")->type_name("OUT");
  command->add_option("--data", o->data, "action log")->check(CLI::ExistingFile);
  command->add_option("--index", o->index, "folder of the index of places, where it is not where training found it");
  command->add_option("--faiss", o->faiss, "write OUT.faiss too, an index of the places' vectors: flat (exact), ivf or hnsw")->check(CLI::IsMember({"flat", "ivf", "hnsw"}));
  o->device.add_to(*command);
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
