#include "testnet/compare/machine.hpp"

#include <sys/utsname.h>

#include <fstream>

#include "crypto/hash.hpp"
#include "crypto/work/nonce_search.hpp"
#include "crypto/work/uint256.hpp"
#include "testnet/load/accounts.hpp"
#include "testnet/mining.hpp"

namespace quorate::testnet::comparison {

namespace {

// The search of the nodes' miners, for a target that nobody meets.
class HopelessSearch final : public consensus::PuzzleSolver {
 public:
  std::optional<std::uint64_t> search(ByteView puzzle, std::uint64_t first,
                                      std::uint64_t count) const override {
    return crypto::work::search_nonce(puzzle, target_, first, count);
  }

 private:
  const Digest target_ = crypto::work::to_little_endian(crypto::work::Uint256::of(1));
};

std::string processor_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    const std::size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown";
}

std::string kernel_name() {
  utsname name{};
  if (::uname(&name) != 0) return "unknown";
  return std::string(name.sysname) + " " + name.release;
}

}  // namespace

Result<Machine> probe_machine(const std::filesystem::path& folder) {
  auto key = load_account_key(0);
  const auto address = crypto::address_of(key.public_key());
  const LoadAccount account{std::move(key), address};
  Machine out;
  QUORATE_TRY(out.probes, run_probes(crypto::hash("quorate/probe/1", {}), account, folder));
  out.hash_rate = measure_hash_rate(HopelessSearch());
  out.processor = processor_name();
  out.kernel = kernel_name();
  return out;
}

double steal_between(const StealSample& before, const StealSample& after) {
  const std::uint64_t total = after.total - before.total;
  if (total == 0) return 0;
  return static_cast<double>(after.steal - before.steal) / static_cast<double>(total);
}

}  // namespace quorate::testnet::comparison
