// Proofs against replicas that signed two contents, kept over restarts: one file, written anew as a
// whole, atomically and synced, for each proof that is new. It is no part of the chain (nodes see
// different proofs) and no part of the vote log (what others signed binds nobody here).
//   file = version u8 1 || count u32 || entries: found_at u64 ms || proof as u32 length and bytes
//
// Bounded: the first proofs against each replica stay, for they are the ones that are still looked
// into. What the file holds is checked again when it is read. Thread-safe; add() blocks for a sync.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

#include "consensus/engine.hpp"
#include "ledger/types/genesis.hpp"

namespace quorate::node {

class EvidenceStore {
 public:
  struct Entry {
    WallMs found_at;
    Bytes proof;
    consensus::ProvedOffence offence;
    bool stored = true;  // false when the disk did not take it: it is gone with this process
  };

  // `file` need not exist, its folder must. Errors: corrupt for a file that this program did not
  // write for this chain, io.
  static Result<std::unique_ptr<EvidenceStore>> open(std::filesystem::path file,
                                                     const ledger::Genesis& genesis);

  // Keeps a proof of the engine's, unless it holds one about the same place or enough against the
  // replica. Error io when it is kept in memory only.
  Result<void> add(WallMs found_at, ByteView proof);
  // Oldest first.
  std::vector<Entry> all() const;

  static constexpr std::size_t kEntriesMax = 1024;

 private:
  EvidenceStore(std::filesystem::path file, std::size_t per_replica_max,
                std::shared_ptr<const consensus::MessageVerifier> verifier);
  Result<void> load();
  Result<void> write() const;
  bool wanted(const consensus::ProvedOffence& offence) const;

  const std::filesystem::path file_;
  const std::size_t per_replica_max_;
  const std::shared_ptr<const consensus::MessageVerifier> verifier_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
};

}  // namespace quorate::node
