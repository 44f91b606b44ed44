// Bad input: one message that says where, exit code 1, and nothing written or damaged.

#include <zlib.h>

#include "chronotope/core/safetensors.hpp"
#include "cli/world.hpp"

using namespace program;

namespace {

const std::string header = "user_id,poi_id,latitude,longitude,utc_timestamp,split\n";

std::string gzip(const std::string& name, const std::string& text) {
  const std::string path = world().file(name);
  gzFile file = gzopen(path.c_str(), "wb");
  REQUIRE(file);
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  return path;
}

/// Every command that reads check-ins refuses the file alike, and the disk stays as it was.
void bad_data(const std::string& name, const std::string& bytes, const std::vector<std::string>& words) {
  CAPTURE(name);
  const std::string path = name.find(".packed") != std::string::npos ? gzip(name, bytes) : world().put(name, bytes);
  std::vector<std::string> all = words;
  all.push_back(path);
  const auto before = snapshot(world().root());
  fails(world().train(path, world().file("new")), all);
  fails({"evaluate", "--checkpoint", world().model, "--data", path, "--json", world().file("new.json")}, all);
  fails({"recommend", "--checkpoint", world().model, "--data", path, "--user", "a"}, all);
  CHECK(snapshot(world().root()) == before);
  std::filesystem::remove(path);
}

/// The model's folder copied, its checkpoints changed by `damage`.
template <class F> std::string damaged(const std::string& name, F damage) {
  const std::string folder = world().file(name);
  std::filesystem::copy(world().model, folder, std::filesystem::copy_options::recursive);
  for (const char* file : {"/best.safetensors", "/last.safetensors"}) damage(folder + file);
  return folder;
}

/// Every command that reads checkpoints refuses the folder, and it stays as it was.
void bad_checkpoint(const std::string& folder, const std::vector<std::string>& words) {
  CAPTURE(folder);
  const auto before = snapshot(world().root());
  std::vector<std::string> all = words;
  all.push_back(folder);
  fails({"evaluate", "--checkpoint", folder, "--data", world().city, "--json", world().file("new.json")}, all);
  fails({"recommend", "--checkpoint", folder, "--data", world().city, "--user", first_user()}, all);
  fails(with(world().train(world().city, folder), {"--resume"}), all);
  CHECK(snapshot(world().root()) == before);
  std::filesystem::remove_all(folder);
}

void rewrite(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace

PROGRAM_TEST("files that are not check-ins") {
  const std::string packed = scratch::bytes_of(world().city);
  bad_data("cut.csv.gz", packed.substr(0, packed.size() / 2), {"cut off"});
  bad_data("one.csv.gz", packed.substr(0, 5), {"cut off"});
  bad_data("foreign.packed", "<html>not found</html>", {"row 1", "user_id"});
  bad_data("binary.packed", std::string("\0\1\2\3", 4), {});
  bad_data("empty.csv", "", {});
  bad_data("empty.packed", "", {});
  bad_data("header.csv", header, {"no rows"});
  std::string flipped = packed;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 0x55);
  bad_data("flipped.csv.gz", flipped, {});
  fails(world().train(world().file("none.csv"), world().file("new")), {"none.csv"});
  fails(world().train(world().root(), world().file("new")), {world().root()});
}

PROGRAM_TEST("columns and values") {
  bad_data("missing.csv", "user_id,poi_id,latitude,utc_timestamp,split\na,p,1,100,train\n", {"row 1", "longitude"});
  bad_data("doubled.csv", "user_id,poi_id,latitude,longitude,utc_timestamp,split,latitude\na,p,1,2,100,train,1\n", {"row 1", "latitude", "twice"});
  bad_data("utf8.csv", header + "a,p,1,2,100,train\na,\xff\xfe,1,2,200,train\n", {"row 3", "UTF-8"});
  bad_data("latitude.csv", header + "a,p,1,2,100,train\na,q,90.5,2,200,train\n", {"row 3", "latitude", "90.5"});
  bad_data("longitude.csv", header + "a,p,1,-181,100,train\n", {"row 2", "longitude", "-181"});
  bad_data("nan.csv", header + "a,p,nan,2,100,train\n", {"row 2", "latitude", "nan"});
  bad_data("order.csv", header + "a,p,1,2,200,train\na,q,1,2,100,train\n", {"row 3", "utc_timestamp", "row 2"});
  bad_data("zero.csv", header + "a,p,1,2,0,train\n", {"row 2", "utc_timestamp"});
  bad_data("split.csv", header + "a,p,1,2,100,training\n", {"row 2", "split", "training"});
  bad_data("short.csv", header + "a,p,1,2,100,train\na,p,1\n", {"row 3"});
}

PROGRAM_TEST("data that cannot be trained or evaluated on") {
  const std::string nobody = world().put("lonely.csv", header + "a,p,1,2,100,train\nb,q,1,2,200,train\n");
  const std::string untested = world().put("untested.csv", header + "a,p,1,2,100,train\na,q,1,2,200,train\na,p,1,2,300,train\n");
  const std::string tests = world().put("tests.csv", header + "a,p,1,2,100,test\na,q,1,2,200,test\n");
  const auto before = snapshot(world().root());
  fails(world().train(nobody, world().file("new")), {"two training rows"});
  fails(world().train(tests, world().file("new")), {"train"});
  fails({"evaluate", "--checkpoint", world().model, "--data", untested, "--json", world().file("new.json")}, {untested, "test", "target"});
  fails({"evaluate", "--checkpoint", world().model, "--data", untested, "--split", "validation", "--report", world().file("new.html")}, {untested, "validation"});
  CHECK(snapshot(world().root()) == before);
  for (const std::string& path : {nobody, untested, tests}) std::filesystem::remove(path);
}

PROGRAM_TEST("one user alone is trained on and evaluated, or refused in words") {
  std::string rows = header;
  for (int i = 0; i < 12; ++i)
    rows += "a,p" + std::to_string(i % 3) + ",1,2," + std::to_string(1000 + 100000 * i) + (i < 8 ? ",train\n" : i < 10 ? ",validation\n" : ",test\n");
  const std::string one = world().put("one.csv", rows), model = world().file("one");
  works(world().train(one, model));
  const Outcome o = run({"evaluate", "--checkpoint", model, "--data", one});
  CAPTURE(o.err);
  CHECK(o.end.signal == 0);
  CHECK((o.end.code == 0 || (o.end.code == 1 && o.err.rfind("error: ", 0) == 0)));
  works({"recommend", "--checkpoint", model, "--data", one, "--user", "a"});
  std::filesystem::remove_all(model), std::filesystem::remove(one);
}

PROGRAM_TEST("unknown ids, words and options") {
  const std::vector<std::string> ask{"recommend", "--checkpoint", world().model, "--data", world().city, "--user"};
  fails(with(ask, {"nobody"}), {"nobody", world().city});
  fails(with(ask, {"\xff"}), {});
  fails(with(ask, {"1", "--top", "0"}), {"--top"});
  fails(with(ask, {"1", "--top", "many"}), {"--top"});
  for (const std::string time : {"yesterday", "2024-13-01T00:00", "2024-02-30T00:00", "2024-03-01T25:00", "24-03-01T00:00"}) {
    CAPTURE(time);
    fails(with(ask, {first_user(), "--time", time}), {time});
  }
  fails({"evaluate", "--checkpoint", world().model, "--data", world().city, "--split", "train"}, {"--split", "train"});
  fails({"evaluate", "--checkpoint", world().model, "--data", world().city, "--backend", "abacus"}, {"--backend", "abacus"});
  fails({"evaluate", "--checkpoint", world().model, "--data", world().city, "--threads", "-1"}, {"--threads"});
  fails({"evaluate", "--data", world().city}, {"--checkpoint"});
  fails({"train", "--data", world().city}, {"--out"});
  fails({"trian"}, {});
  fails({"info"}, {});
  fails({"generate-city", "--out", world().file("x.csv"), "--users", "0"}, {"users"});
  fails({"generate-city", "--out", world().file("x.csv"), "--users", "some"}, {"--users"});
  CHECK_FALSE(std::filesystem::exists(world().file("x.csv")));
}

PROGRAM_TEST("configs") {
  const auto before_model = snapshot(world().model);
  const auto with_config = [&](const std::string& text, const std::vector<std::string>& words) {
    const std::string path = world().put("bad.json", text);
    std::vector<std::string> all = words;
    all.push_back(path);
    fails({"train", "--config", path, "--data", world().city, "--out", world().file("new")}, all);
    std::filesystem::remove(path);
  };
  with_config(R"({"model": {"widht": 24}})", {"model.widht", "model.width"});
  with_config(R"({"model": {"width": 25}})", {"multiple of 12"});
  with_config(R"({"model": {"width": "24"}})", {"model.width", "whole number"});
  with_config("{", {"not JSON"});
  with_config("", {});
  fails({"train", "--config", world().file("none.json"), "--data", world().city, "--out", world().file("new")}, {"none.json"});
  for (const std::string nonsense : {"model.widht=24", "model.width=25", "model.width", "=", "training.learning_rate=fast", "training.batch=[1]", "seed=\xff"}) {
    CAPTURE(nonsense);
    fails(with(world().train(world().city, world().file("new")), {"--set", nonsense}), {"--set"});
  }
  CHECK_FALSE(std::filesystem::exists(world().file("new")));
  fails(with(world().train(world().city, world().model), {"--resume", "--set", "training.epochs=9"}), {"--resume"});
  fails(world().train(world().city, world().model), {world().model, "already holds a checkpoint"});
  CHECK(snapshot(world().model) == before_model);
}

PROGRAM_TEST("checkpoints that are none") {
  bad_checkpoint(damaged("cut", [](const std::string& path) {
                   const std::string bytes = scratch::bytes_of(path);
                   rewrite(path, bytes.substr(0, bytes.size() - 100));
                 }), {"safetensors"});
  bad_checkpoint(damaged("emptied", [](const std::string& path) { rewrite(path, ""); }), {"0 bytes"});
  bad_checkpoint(damaged("length", [](const std::string& path) {
                   std::string bytes = scratch::bytes_of(path);
                   bytes[7] = '\x7f';
                   rewrite(path, bytes);
                 }), {"header length"});
  bad_checkpoint(damaged("header", [](const std::string& path) {
                   std::string bytes = scratch::bytes_of(path);
                   bytes[8] = 'x';
                   rewrite(path, bytes);
                 }), {"not JSON"});
  bad_checkpoint(damaged("renamed", [](const std::string& path) {
                   chronotope::Safetensors file = chronotope::read_safetensors(path);
                   auto node = file.tensors.extract("model.encoder.fusion");
                   node.key() = "model.encoder.confusion";
                   file.tensors.insert(std::move(node));
                   chronotope::write_safetensors(path, file);
                 }), {"another model", "missing: encoder.fusion", "unexpected: encoder.confusion"});
  bad_checkpoint(damaged("foreign", [](const std::string& path) {
                   chronotope::Safetensors file = chronotope::read_safetensors(path);
                   file.metadata = {{"format", "pt"}};
                   chronotope::write_safetensors(path, file);
                 }), {"not a checkpoint"});
  std::filesystem::create_directory(world().file("hollow"));
  fails({"evaluate", "--checkpoint", world().file("hollow"), "--data", world().city}, {world().file("hollow"), "no checkpoint"});
  fails({"info", "--checkpoint", world().file("hollow")}, {world().file("hollow")});
  fails(with(world().train(world().city, world().file("hollow")), {"--resume"}), {world().file("hollow")});
  CHECK(std::filesystem::is_empty(world().file("hollow")));
  std::filesystem::remove(world().file("hollow"));
}

PROGRAM_TEST("weights that are not numbers") {
  const std::string folder = damaged("nan", [](const std::string& path) {
    chronotope::Safetensors file = chronotope::read_safetensors(path);
    chronotope::HostTensor& fusion = file.tensors.at("model.encoder.fusion");
    fusion = chronotope::HostTensor::of(std::vector<float>(3, std::numeric_limits<float>::quiet_NaN()), {3});
    chronotope::write_safetensors(path, file);
  });
  fails({"evaluate", "--checkpoint", folder, "--data", world().city}, {"NaN"});
  std::filesystem::remove_all(folder);
}

PROGRAM_TEST("resuming with other data") {
  const std::string other = world().file("other.csv");
  works({"generate-city", "--out", other, "--users", "12", "--places", "60", "--checkins-per-user", "20", "--days", "60", "--seed", "9"});
  const auto before = snapshot(world().root());
  fails(with(world().train(other, world().model), {"--resume"}), {world().model, "differ"});
  CHECK(snapshot(world().root()) == before);
  std::filesystem::remove(other);
}

PROGRAM_TEST("places that cannot be written to") {
  const std::string file = world().put("file", "precious");
  const auto before = snapshot(world().root());
  fails(world().train(world().city, file + "/model"), {file});
  fails(world().train(world().city, file), {file});
  fails({"generate-city", "--out", file + "/city.csv"}, {file});
  fails({"generate-city", "--out", world().file("no/such/folder.csv")}, {"no/such/folder.csv"});
  fails({"evaluate", "--checkpoint", world().model, "--data", world().city, "--json", file + "/x.json"}, {file});
  fails({"evaluate", "--checkpoint", world().model, "--data", world().city, "--report", file + "/x.html"}, {file});
  CHECK(snapshot(world().root()) == before);
  std::filesystem::remove(file);
}

PROGRAM_TEST("output that cannot be printed") {
  if (!std::filesystem::exists("/dev/full")) return;
  const Outcome o = run({"info", "--config-keys"}, "/dev/full");
  CHECK(o.end.code == 1);
  CHECK(o.err.rfind("error: ", 0) == 0);
}
