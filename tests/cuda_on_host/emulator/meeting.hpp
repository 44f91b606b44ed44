#pragma once
// Where the ranks of a communicator meet, threads or processes: a folder, in which what a rank brings to a step is a file.

#include <string>

namespace cuda_on_host {

class Meeting {
 public:
  /// A new folder, in that of the system for temporary files.
  static std::string make();

  Meeting(std::string folder, int rank, int size) : folder_(std::move(folder)), rank_(rank), size_(size) {}
  int rank() const { return rank_; }
  int size() const { return size_; }
  /// Whether the folder is there and nobody has this rank in it.
  bool is_free() const;

  void bring(const std::string& step, const std::string& bytes);
  bool brought(int rank, const std::string& step) const;
  /// Of anyone, of all.
  bool any(const std::string& step) const;
  bool all(const std::string& step) const;
  std::string read(int rank, const std::string& step) const;
  /// This rank's, when the others have read it.
  void forget(const std::string& step) const;
  /// Nothing is read here any more. The last to leave removes the folder.
  void leave();

 private:
  std::string file(int rank, const std::string& step) const { return folder_ + "/" + std::to_string(rank) + "." + step; }

  std::string folder_;
  int rank_, size_;
};

}  // namespace cuda_on_host
