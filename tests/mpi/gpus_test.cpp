// chronotope train --backend cuda under mpirun: the module is that of the emulated devices, of which there are two (tests/cuda_on_host). Skipped where
// ctest names none.
#include "mpi/job.hpp"

using namespace job;

namespace {

const char* const module = std::getenv("CHRONOTOPE_CUDA_MODULE");

Run on_gpus(Run train) {
  train.command = train.command + Words{"--backend", "cuda"};
  return train;
}

/// What a process leaves behind that is ended goes with the folder.
Words two_in(const Folder& folder) { return mpirun(2) + Words{"-x", "TMPDIR=" + folder.file("")}; }

}  // namespace

TEST_SUITE_BEGIN("gpus" * doctest::skip(!module || program::path().empty()));

TEST_CASE("two processes with a GPU each train as one with twice the batch") {
  const Folder folder;
  const std::vector<std::pair<std::string, Words>> cases{{"accumulated", {"training.accumulate=2"}}, {"lazy", {"training.embedding_updates=lazy"}}};
  const Run train = on_gpus(places(folder));
  for (const auto& [name, set] : cases) {
    CAPTURE(name);
    const std::string one = folder.file("one" + name), two = folder.file("two" + name);
    works(train(one, set + Words{"training.batch=4", "training.epochs=1"}));
    works(two_in(folder) + train(two, set + Words{"training.batch=2", "training.epochs=1"}));
    const Apart apart = compare(one, two);
    MESSAGE("two GPUs, " << name << ": losses differ by " << apart.loss << " of their size, gradient norms by " << apart.norm);
    CHECK(apart.loss <= rounding);
    CHECK(apart.norm <= rounding);
    fails(two_in(folder) + train(two), "error: process 0 of 2: " + two + " already holds a checkpoint");
  }
}

TEST_CASE("a run whose process is killed goes on from its checkpoint to the same bits") {
  const Folder folder;
  const Words set{"model.dropout=0.2", "training.checkpoint_seconds=0", "training.epochs=1"};
  const Run train = on_gpus(places(folder));
  const std::string whole = folder.file("whole"), last = std::string("/") + last_checkpoint;
  works(two_in(folder) + train(whole, set));
  for (const int victim : {0, 1}) {
    const std::string parts = folder.file("parts" + std::to_string(victim));
    kill_one(two_in(folder) + train(parts, set), parts, victim);
    works(two_in(folder) + Words{program::path(), "train", "--backend", "cuda", "--data", folder.file("city.csv.gz"), "--resume", "--out", parts});
    CHECK(tiny::difference(whole + last, parts + last) == "");
    CHECK(steps_of(parts).size() == steps_of(whole).size());
  }
}

TEST_CASE("processes that have no GPU of their own are refused") {
  const Folder folder;
  const Run train = places(folder);
  const Words on_cpu = train(folder.file("run")), on_gpu = on_gpus(train)(folder.file("run")), beside{":", "-np", "1"};
  fails(mpirun(1) + on_gpu + Words{"--gpu", "1"} + beside + on_gpu, "processes 0 and 1 would both compute on device 1 of ");
  fails(mpirun(1) + on_gpu + beside + on_cpu, "process 1 on CPUs: give all the same --backend");
  fails(mpirun(3) + Words{"-x", "TMPDIR=" + folder.file("")} + on_gpu, "error: process 2 of 3: [cuda] stream: there is no device 2; there are 2");
  Words without = two_in(folder);
  without.insert(without.end(), {"-x", std::string("CHRONOTOPE_CUDA_MODULE=") + CHRONOTOPE_MODULE_WITHOUT_NCCL});
  fails(without + on_gpu, "the CUDA module was built without it: install libnccl-dev");
  CHECK_FALSE(has_checkpoint(folder.file("run"), last_checkpoint));
}

TEST_SUITE_END();
