// chronotope train under mpirun: as one process with a larger batch, killed and resumed, and started wrongly.

#include "mpi/job.hpp"

using namespace job;

PROGRAM_TEST("two and three processes train as one with a batch as many times as large") {
  const Folder folder;
  const std::vector<std::pair<std::string, Words>> cases{{"plain", {}}, {"accumulated", {"training.accumulate=2"}}, {"lazy", {"training.embedding_updates=lazy"}}};
  const Run train = places(folder);
  for (const int n : {2, 3})
    for (const auto& [name, set] : cases) {
      CAPTURE(n);
      CAPTURE(name);
      const std::string one = folder.file("one" + name + std::to_string(n)), several = folder.file("several" + name + std::to_string(n));
      works(train(one, set + Words{"training.batch=" + std::to_string(2 * n)}));
      works(mpirun(n) + train(several, set + Words{"training.batch=2"}));
      const Apart apart = compare(one, several);
      MESSAGE(n << " processes, " << name << ": losses differ by " << apart.loss << " of their size, gradient norms by " << apart.norm);
      CHECK(apart.loss <= rounding);
      CHECK(apart.norm <= rounding);
      CHECK(read_checkpoint(several, last_checkpoint).state.ranks == n);
    }
}

PROGRAM_TEST("click models train alike, too") {
  const Folder folder;
  const Run train = clicks(folder);
  works(train(folder.file("one"), {"training.batch=48"}));
  works(mpirun(2) + train(folder.file("two")));
  const Apart apart = compare(folder.file("one"), folder.file("two"));
  MESSAGE("clicks: losses differ by " << apart.loss << " of their size, gradient norms by " << apart.norm);
  CHECK(apart.loss <= rounding);
  CHECK(apart.norm <= rounding);
}

PROGRAM_TEST("a run whose process is killed ends with an error and goes on from its checkpoint to the same bits") {
  const Folder folder;
  const Words set{"model.dropout=0.2", "training.checkpoint_seconds=0", "training.epochs=20", "training.batch=2"};
  const Run train = places(folder);
  const std::string whole = folder.file("whole"), last = std::string("/") + last_checkpoint;
  works(mpirun(2) + train(whole, set));
  for (const int victim : {0, 1}) {
    const std::string parts = folder.file("parts" + std::to_string(victim));
    kill_one(mpirun(2) + train(parts, set), parts, victim);
    const Words resume{program::path(), "train", "--threads", "1", "--data", folder.file("city.csv.gz"), "--resume", "--out", parts};
    fails(resume, "begun by 2 processes");
    fails(mpirun(3) + resume, "begun by 2 processes");
    works(mpirun(2) + resume);
    CHECK(tiny::difference(whole + last, parts + last) == "");
    CHECK(steps_of(parts).size() == steps_of(whole).size());
  }
}

PROGRAM_TEST("processes with other data or another config are told at the start, and what one cannot do ends all") {
  const Folder folder;
  const Run train = places(folder);
  const std::string other = folder.file("other.csv.gz"), out = folder.file("run");
  program::works({"generate-city", "--out", other, "--users", "14", "--places", "60", "--checkins-per-user", "25", "--days", "60", "--seed", "3"});
  const Words beside{":", "-np", "1"};
  Words foreign = train(out);
  foreign[5] = other;
  fails(mpirun(1) + train(out) + beside + foreign, "has read other data than process 0");
  fails(mpirun(1) + train(out) + beside + train(out, {"training.beta1=0.8"}), "runs under another config than process 0");
  foreign[5] = folder.file("nowhere.csv.gz");
  fails(mpirun(1) + train(out) + beside + foreign, "error: process 1 of 2: ");
  CHECK_FALSE(std::filesystem::exists(out + "/" + last_checkpoint));
  works(mpirun(2) + train(out, {"training.epochs=1"}));
  fails(mpirun(2) + train(out), "already holds a checkpoint");
}

PROGRAM_TEST("under mpirun the first process alone speaks, and one process trains as without") {
  const Folder folder;
  const Run train = places(folder);
  const Outcome two = run(mpirun(2) + train(folder.file("two")));
  CAPTURE(two.err);
  CHECK(two.end.code == 0);
  CHECK(program::lines(two.out).size() == 2);
  CHECK(two.err.find("2 processes, each ") != std::string::npos);
  CHECK(two.err.find("data: ") == two.err.rfind("data: "));
  works(train(folder.file("alone")));
  works(mpirun(1) + train(folder.file("one")));
  const std::string last = std::string("/") + last_checkpoint;
  CHECK(tiny::difference(folder.file("alone") + last, folder.file("one") + last) == "");
}
