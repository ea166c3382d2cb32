// Watches for finality as a client that does not trust its node: a block counts when its header
// hashes to what a quorum of seals signed (its own, or those of a descendant that leads back to it
// by parent hash), and a transaction counts when the block's transaction root, or with receipts its
// receipt root, commits to it. Runs on a thread of its own and moves to the next node when one
// goes away.
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
};

class FinalityWatcher {
 public:
  // `on_final` is called on the watcher's thread, in order of height, once per block.
  FinalityWatcher(WatcherOptions options, std::function<void(FinalBlock)> on_final);
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
