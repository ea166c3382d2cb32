// The light client of a chain that is ordered by proof of work: the branch of work headers that
// weighs most among those that nodes have shown, every header checked here (linkage, bits, work,
// times). A node can keep silent about a branch, but cannot make one up without doing its work; so
// ask several. Needs the genesis and no node's word. One thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "crypto/work/header_rules.hpp"
#include "ledger/types/genesis.hpp"
#include "rpc/client/header_file.hpp"

namespace quorate::rpc {

// True where the blocks of this genesis's chain are proved by work, not by seals.
bool proved_by_work(const ledger::Genesis& genesis);
// True where nothing proves a block to a client, or nothing that this program knows.
bool proved_by_nothing(const ledger::Genesis& genesis);

class WorkChain {
 public:
  // Goes on with what `file` holds; without one from genesis. `work` must outlive the chain.
  // Errors: invalid_argument (parameters of the genesis), io.
  static Result<WorkChain> open(
      const ledger::Genesis& genesis, const std::optional<std::filesystem::path>& file,
      const crypto::work::WorkFunction& work = crypto::work::double_sha256());

  // What one node shows of its preferred branch: up to `limit` encoded headers from this height on;
  // fewer only where the branch ends.
  using Source = std::function<Result<std::vector<Bytes>>(Height from, std::uint32_t limit)>;
  // Checks the source's branch and takes it if it weighs more than what was known. True when it was
  // taken. `now` is this machine's clock: headers from its future have to wait. Errors: rejected (a
  // header breaks the rules, naming it), bad_encoding, unavailable (the node went on to another
  // branch while it was read: ask again), io; and those of the source. After an error what was
  // known is still known, and what was checked is kept if it weighs more.
  Result<bool> follow(const Source& source, WallMs now);

  const crypto::work::Parameters& parameters() const { return rules_.parameters(); }
  const Digest& chain_id() const { return rules_.chain_id(); }
  Height tip() const { return tip_.height; }
  const Digest& tip_id() const { return tip_.id; }
  const crypto::work::Uint256& total_work() const { return tip_.total_work; }
  // Of the block of this height: the tip has depth 1; 0 above it.
  std::uint64_t depth(Height height) const;
  // 1 <= height <= tip(), else not_found. Errors: io, corrupt.
  Result<crypto::work::Header> header(Height height) const;
  // The same with the work of the branch up to it.
  Result<HeaderFile::Record> record(Height height) const;
  Result<Digest> id(Height height) const;

 private:
  WorkChain(crypto::work::HeaderRules rules, HeaderFile file,
            const crypto::work::WorkFunction& work)
      : rules_(std::move(rules)), file_(std::move(file)), work_(&work) {}
  // What the child of the block of this height is judged by.
  Result<crypto::work::Context> context_at(Height height) const;
  // A height at which the source shows the header that is known here: the tip, or one of a few
  // below it.
  Result<Height> shared_with(const Source& source) const;
  Result<bool> shows(const Source& source, Height height, const Digest& id) const;
  // Puts the source's headers above `context` into `file` until its branch ends, or until it weighs
  // more than `enough`, and moves `context` along.
  Result<void> read(const Source& source, WallMs now, crypto::work::Context& context,
                    HeaderFile& file, const crypto::work::Uint256& enough) const;
  Result<void> replace_above(Height fork, const HeaderFile& other);

  crypto::work::HeaderRules rules_;
  HeaderFile file_;
  const crypto::work::WorkFunction* work_;
  crypto::work::Context tip_;  // of the newest header in the file
};

}  // namespace quorate::rpc
