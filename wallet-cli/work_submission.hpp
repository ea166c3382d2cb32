// Getting a transaction to the depth its sender wants on a chain that is ordered by proof of work,
// and saying what that is worth. The wallet checks every work header itself; what a node says about
// a transaction only tells where to look.
#pragma once

#include <functional>

#include "rpc/client/work_pace.hpp"
#include "wallet-cli/submission.hpp"

namespace quorate::wallet {

// What the user wants to be safe from.
struct WorkWish {
  double attacker_share = 0.1;         // of the hash rate
  std::optional<std::uint64_t> depth;  // the chain's commit depth unless given
};

// The blocks that must stand on a transaction's block, its own included, until its place and its
// result are as safe as wished: nothing carries a result before the chain has executed it.
std::uint64_t depth_needed(const rpc::WorkChain& chain, const WorkWish& wish);

// A generous guess of how long that takes.
std::chrono::milliseconds patience_for(const rpc::WorkChain& chain, const WorkWish& wish);

// Submits, follows the branch with the most work and verifies. `progress` hears a line whenever the
// transaction gets deeper or is taken back. Failures as of submit_until_final.
Outcome<FinalTransaction> submit_until_deep(
    Network& network, const Payment& payment, const WorkWish& wish,
    std::chrono::milliseconds timeout, const std::function<void(const std::string&)>& progress);

// Fetches and verifies the proof of one transaction, however few headers carry it.
Outcome<rpc::ProvedReceipt> fetch_work_proof(Network& network, const Digest& id);

// By how many headers a result must be carried to be called proved.
std::uint64_t carriers_needed(const rpc::WorkChain& chain, const WorkWish& wish);
// Fails (timed_out) while fewer do, or while the newest headers are too cheap to say anything. The
// genesis, which the wallet knows, needs neither.
Outcome<void> demand_carriers(const rpc::WorkChain& chain, const rpc::ProvedByWork& proved,
                              const WorkWish& wish);

// What the newest headers that are known cost, by this machine's clock; and a failure (timed_out)
// when that is too little to rely on any depth.
Outcome<rpc::WorkPace> pace_now(const rpc::WorkChain& chain);
Outcome<void> demand_pace(const rpc::WorkChain& chain);

// How far a transaction in the block of this height has come: "in block 7, 3 of 11 blocks deep:
// reversal probability ...". Deep enough, it may still wait for headers that carry its result.
std::string progress_text(Height height, std::uint64_t depth, std::uint64_t needed,
                          double attacker_share);

// "it was final in block 7, which left the branch with the most work"
std::string was_final(Height height);
// Why a transaction is not executed: "another transaction took its nonce", "it expired".
std::string why_not(const std::string& reason);

// "16 blocks deep, result carried by 9 of them, work of 31 headers checked, reversal probability
// 0.059 % for an attacker with 10 % of the hash rate": the larger of the two probabilities.
std::string describe(const rpc::ProvedByWork& work, double attacker_share);
// {depth, carried, headers_checked, reversal, false_result}
nlohmann::json to_json(const rpc::ProvedByWork& work, double attacker_share);

// "10 %"
std::string percent(double fraction);
// The same of something that may happen: never "0 %", only "below 0.001 %".
std::string chance(double probability);

}  // namespace quorate::wallet
