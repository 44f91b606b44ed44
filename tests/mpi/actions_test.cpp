// Models of actions under mpirun: pre-training, and each stage behind it, as one process with twice the batch.
#include "mpi/job.hpp"

using namespace job;

PROGRAM_TEST("models of actions train alike in every stage") {
  const Folder folder;
  const std::string world = folder.file("world"), index = folder.file("places.index"), pretrained = folder.file("pretrain1");
  program::works({"generate-world", world, "--users", "40", "--places", "300", "--cities", "2", "--days", "60", "--actions-per-user", "60"});
  program::works({"index", "build", "--places", world + "/places.csv.gz", "--out", index, "--most-inner", "16"});
  const Words program{program::path(), "train", "--threads", "1", "--data", world + "/actions.csv.gz"};
  const Words behind{"--from", pretrained, "--requests", world + "/requests.csv.gz"}, set{"model.dropout=0", "training.eps=1e-3", "training.learning_rate=1e-3"};
  const std::vector<std::pair<std::string, Run>> stages{
      {"pretrain", {program + Words{"--config", std::string(CHRONOTOPE_SOURCE_DIR) + "/configs/tiny_pretrain.json", "--set", "actions.index=" + index}}},
      {"embed", {program + Words{"--stage", "embed"} + behind}},
      {"rank", {program + Words{"--stage", "rank"} + behind}},
      {"align", {program + Words{"--stage", "align"} + behind}}};
  for (const auto& [name, train] : stages) {
    CAPTURE(name);
    const std::string one = folder.file(name + "1"), two = folder.file(name + "2");
    works(train(one, set + Words{"training.epochs=1", "training.batch=8"}));
    works(mpirun(2) + train(two, set + Words{"training.epochs=1", "training.batch=4"}));
    const Apart apart = compare(one, two);
    MESSAGE(name << ": losses differ by " << apart.loss << " of their size, gradient norms by " << apart.norm);
    CHECK(apart.loss <= rounding);
    CHECK(apart.norm <= rounding);
  }
}
