// Watches for finality as a client that does not trust its node: a block counts when its header
// hashes to what a quorum of seals signed (its own, or those of a descendant that leads back to it
// by parent hash), and a transaction counts when the block's transaction root, or with receipts its
// receipt root, commits to it. Where nobody seals blocks, a block counts when the node says that it
// is final, and again from where the node withdraws blocks. Runs on a thread of its own and moves
// to the next node when one goes away.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ledger/types/receipt.hpp"
#include "rpc/client/trusted_chain.hpp"

namespace quorate::testnet {

struct FinalBlock {
  std::uint64_t height = 0;
  std::chrono::steady_clock::time_point verified;  // when the proof of this block was held
  std::vector<Digest> transaction_ids;             // in order of the payload
  std::vector<ledger::Receipt> receipts;           // with WatcherOptions::receipts only
};

struct WatcherOptions {
  rpc::TrustedChain chain;
  std::vector<std::string> urls;
  std::uint64_t from_height = 1;
  bool receipts = false;  // also fetch and check every receipt: heavier for the node
  bool seals = true;      // of the chain's engine
};

class FinalityWatcher {
 public:
  // Called on the watcher's thread: `on_final` in order of height, once per block; `on_withdrawn`
  // when the blocks from this height on are final no more, after which others come in their place.
  FinalityWatcher(WatcherOptions options, std::function<void(FinalBlock)> on_final,
                  std::function<void(std::uint64_t)> on_withdrawn = nullptr);
  ~FinalityWatcher();

  // The newest height that was verified.
  std::uint64_t height() const;
  // Answers of nodes that did not verify; zero in a sound network.
  std::uint64_t bad_answers() const;
  // What went wrong last, for messages; empty if nothing did.
  std::string last_error() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::testnet
