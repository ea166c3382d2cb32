#include "tests/sim/disk_faults.hpp"

namespace quorate::sim {
namespace {

void flip_bit(Disk& disk, Prng& prng) {
  Bytes file = disk.file();
  file[prng.below(disk.synced_bytes())] ^= static_cast<std::uint8_t>(1U << prng.below(8));
  disk.overwrite(std::move(file));
}

void cut_off(Disk& disk, Prng& prng) {
  Bytes file = disk.file();
  const std::size_t header = node::vote_log_header_size();
  const std::size_t synced = disk.synced_bytes();
  if (synced <= header + 1) return;
  file.resize(prng.between(header, synced - 1));
  disk.overwrite(std::move(file));
}

}  // namespace

DiskCopy copy_disk(const SimNode& node) { return {node.disk().contents(), node.ledger().copy()}; }

void strike(Simulation& simulation, SimNode& node, DiskFault fault, const DiskCopy& earlier,
            Prng& prng) {
  simulation.make_amnesiac(node.self());
  Coverage& coverage = simulation.world().coverage;
  switch (fault) {
    case DiskFault::flipped_bit:
      coverage.add(Happened::bit_flip);
      return flip_bit(node.disk(), prng);
    case DiskFault::cut_off: return cut_off(node.disk(), prng);
    case DiskFault::old_copy:
      coverage.add(Happened::old_copy);
      node.disk().restore(earlier.votes);
      return node.ledger().restore(earlier.ledger->copy(true));
    case DiskFault::old_votes:
      coverage.add(Happened::old_copy);
      return node.disk().restore(earlier.votes);
    case DiskFault::wiped:
      coverage.add(Happened::wiped);
      node.disk().wipe(true);
      return node.ledger().restore(std::make_unique<ledger::MemoryStore>());
    case DiskFault::wiped_votes:
      coverage.add(Happened::wiped);
      return node.disk().wipe(prng.one_in(2));
    case DiskFault::count_: break;
  }
}

}  // namespace quorate::sim
