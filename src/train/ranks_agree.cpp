#include "train/ranks_agree.hpp"

#include "chronotope/train/packed.hpp"
#include "core/fingerprint.hpp"

namespace chronotope {
namespace {

std::string number(std::size_t rank) { return "process " + std::to_string(rank) + " of this training "; }

constexpr const char* other_weights =
    "has other weights than process 0: all need the same program, backend and number of threads, and see the same files";

}  // namespace

std::uint64_t digest_of(const std::string& text) {
  Fingerprint hash;
  hash.add(std::span<const char>(text));
  return hash.value();
}

std::uint64_t digest_of(const std::map<std::string, HostTensor>& tensors) {
  Fingerprint hash;
  for (const auto& [name, tensor] : tensors) hash.add(digest_of(name)), hash.add(std::span<const std::byte>(tensor.data));
  return hash.value();
}

void check_same_start(AnyCommunicator<any_backend>& ranks, const StartDigests& mine) {
  Packer packed;
  packed << mine.config << mine.data << mine.weights;
  const std::vector<std::string> all = ranks.gather(packed.bytes());
  const auto read = [](const std::string& bytes) {
    Unpacker from(bytes);
    const auto config = from.take<std::uint64_t>(), data = from.take<std::uint64_t>();
    return StartDigests{config, data, from.take<std::uint64_t>()};
  };
  const StartDigests first = read(all[0]);
  for (std::size_t r = 1; r < all.size(); ++r) {
    const StartDigests other = read(all[r]);
    if (other.config != first.config) throw ConfigError(number(r) + "runs under another config than process 0");
    if (other.data != first.data) throw DataError(number(r) + "has read other data than process 0");
    if (other.weights != first.weights) throw Error(number(r) + other_weights);
  }
}

void check_same_weights(AnyCommunicator<any_backend>& ranks, std::uint64_t weights) {
  const std::vector<std::string> all = ranks.gather((Packer() << weights).bytes());
  for (std::size_t r = 1; r < all.size(); ++r)
    if (all[r] != all[0]) throw Error(number(r) + other_weights);
}

}  // namespace chronotope
