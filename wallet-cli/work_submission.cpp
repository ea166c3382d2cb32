#include "wallet-cli/work_submission.hpp"

#include <algorithm>
#include <cstdio>
#include <thread>

#include "crypto/work/reversal.hpp"
#include "rpc/client/work_pace.hpp"
#include "rpc/client/work_proof.hpp"
#include "rpc/json/fields.hpp"
#include "wallet-cli/offers.hpp"

namespace quorate::wallet {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A block takes as long as it takes; so many intervals for each are seldom exceeded.
constexpr std::uint64_t kPatienceIntervals = 4;
constexpr milliseconds kPatienceMin{30'000};
constexpr milliseconds kPauseMax{500};

std::uint64_t wished_depth(const rpc::WorkChain& chain, const WorkWish& wish) {
  return wish.depth.value_or(chain.parameters().depth);
}

double reversal(double attacker_share, std::uint64_t depth) {
  return crypto::work::reversal_probability(
      attacker_share,
      static_cast<std::uint32_t>(std::min<std::uint64_t>(depth, crypto::work::kReversalDepthMax)));
}

// "in block 7, 12 blocks deep: reversal probability …".
std::string standing(Height height, const std::string& deep, std::uint64_t depth,
                     double attacker_share) {
  return "in block " + std::to_string(height.value()) + ", " + deep + ": reversal probability " +
         chance(reversal(attacker_share, depth)) + " for an attacker with " +
         percent(attacker_share) + " of the hash rate";
}

// Where a node says that a transaction stands.
struct Sighting {
  std::string status = "unknown";
  std::string reason;  // why it is never executed on this branch
  // The block that holds it or, with a reason, the one by which that was so.
  std::optional<Height> height;
  std::optional<Digest> block_id;
  std::optional<Height> withdrawn_from;
};

Result<Sighting> read_sighting(const rpc::Json& answer) {
  QUORATE_TRY(const rpc::Fields fields, rpc::Fields::of(answer, "transaction"));
  Sighting out;
  QUORATE_TRY(out.status, fields.text("status"));
  if (fields.has("reason") && answer["reason"].is_string()) {
    QUORATE_TRY(out.reason, fields.text("reason"));
  }
  if (fields.has("withdrawn_from")) {
    QUORATE_TRY(out.withdrawn_from, fields.integer_of<Height>("withdrawn_from"));
  }
  if (!fields.has("block_id")) return out;
  QUORATE_TRY(out.height, fields.integer_of<Height>(out.reason.empty() ? "height" : "decided_at"));
  QUORATE_TRY(out.block_id, fields.fixed<Digest>("block_id"));
  return out;
}

// One transaction on its way.
class Way {
 public:
  Way(Network& network, rpc::WorkChain& chain, const Payment& payment, const WorkWish& wish,
      const std::function<void(const std::string&)>& progress)
      : network_(network),
        chain_(chain),
        offers_(network, network.urls().size() / 2, payment.maybe_taken),
        id_(payment.id),
        params_({{"tx", to_0x(ledger::encode(payment.transaction))},
                 {"chain_id", to_0x(chain.chain_id())}}),
        wish_(wish),
        progress_(progress) {}

  const Digest& id() const { return id_; }
  const std::string& state() const { return state_; }
  bool shown_false_proof() const { return wrong_ && wrong_->exit == ExitCode::failed; }
  const Failure& false_proof() const { return *wrong_; }

  // The same bytes may be submitted again and again. A refusal can mean that they are executed.
  Outcome<void> submit() {
    for (std::size_t tried = 0; tried < network_.urls().size(); ++tried) {
      static_cast<void>(offers_.submit("tx_submit", params_));
      if (!offers_.refused() && !offers_.unreached()) return {};
      if (offers_.refused()) {
        const auto seen = look();
        if (seen && (seen->block_id || seen->status != "unknown")) return {};
      }
      if (auto end = offers_.ended()) return tl::unexpected(std::move(*end));
      network_.rotate();
    }
    return {};
  }

  // One look at the network. The proof once it is good enough.
  Outcome<std::optional<rpc::ProvedReceipt>> step() {
    WALLET_CHECK(network_.follow_work());
    WALLET_TRY(const Sighting seen, look());
    if (seen.status == "unknown") {
      // A node that never heard of it refuses it when its nonce is taken, and cannot say by which
      // block. Another one may know more.
      if (!submit()) network_.rotate();
      return nothing();
    }
    if (!seen.block_id) {
      say(seen.status == "reversed" ? "reversed: its block left the branch with the most work, and "
                                      "it waits for another one"
                                    : "pending");
      return nothing();
    }
    const auto own = chain_.id(*seen.height);
    if (!own || *own != *seen.block_id) {
      // This node is behind or on a lighter branch. Another one may do better.
      network_.rotate();
      return nothing();
    }
    return seen.reason.empty() ? weigh(*seen.height) : weigh_failure(seen);
  }

 private:
  static std::optional<rpc::ProvedReceipt> nothing() { return std::nullopt; }

  Outcome<Sighting> look() {
    WALLET_TRY(const nlohmann::json answer,
               network_.call("tx_get", {{"transaction_id", to_0x(id_)}}));
    WALLET_TRY(Sighting seen, read_sighting(answer));
    return seen;
  }

  Outcome<std::optional<rpc::ProvedReceipt>> weigh(Height height) {
    const std::uint64_t depth = chain_.depth(height);
    const std::uint64_t needed = depth_needed(chain_, wish_);
    say(progress_text(height, depth, needed, wish_.attacker_share));
    if (depth < needed || !keeps_pace()) return nothing();
    auto proved = fetch_work_proof(network_, id_);
    // A node that has not switched branches yet looks like one that lies: another one decides.
    if (!proved) wrong_ = proved.error();
    if (!proved || !demand_carriers(chain_, *proved->work, wish_)) {
      network_.rotate();
      return nothing();
    }
    return std::optional<rpc::ProvedReceipt>(std::move(*proved));
  }

  // That it was not executed can be taken back like a payment, by a branch that executes it.
  Outcome<std::optional<rpc::ProvedReceipt>> weigh_failure(const Sighting& seen) {
    const std::uint64_t depth = chain_.depth(*seen.height);
    const std::uint64_t needed = depth_needed(chain_, wish_);
    const std::string why = why_not(seen.reason) + " ";
    if (depth < needed) {
      say(why + progress_text(*seen.height, depth, needed, wish_.attacker_share));
      return nothing();
    }
    if (!keeps_pace() || !most_say_not_executed()) return nothing();
    Failure out{ExitCode::rejected,
                (seen.withdrawn_from ? was_final(*seen.withdrawn_from) + "; " : "") + why +
                    standing(*seen.height, std::to_string(depth) + " blocks deep", depth,
                             wish_.attacker_share),
                "this is what " + network_.url() +
                    " says; what was not executed has no proof, and a heavier branch could still "
                    "execute it"};
    out.rpc_code = -32003;
    out.reason = seen.reason;
    return tl::unexpected(out);
  }

  // What was not executed has no proof: only most of the nodes together are believed, and none
  // against a block that another one shows.
  bool most_say_not_executed() {
    const auto answers = network_.ask_all({{"tx_get", {{"transaction_id", to_0x(id_)}}}});
    std::size_t not_executed = 0;
    for (std::size_t node = 0; node < answers.size(); ++node) {
      if (answers[node].empty() || !answers[node].front()) continue;
      const auto seen = read_sighting(*answers[node].front());
      if (!seen || !seen->block_id) continue;
      if (seen->reason.empty()) {
        network_.prefer(node);
        return false;
      }
      ++not_executed;
    }
    return 2 * not_executed > answers.size();
  }

  bool keeps_pace() {
    const auto pace = demand_pace(chain_);
    if (!pace) say(pace.error().message);
    return pace.has_value();
  }

  void say(const std::string& text) {
    if (text == state_) return;
    state_ = text;
    progress_(text);
  }

  Network& network_;
  rpc::WorkChain& chain_;
  Offers offers_;
  Digest id_;
  nlohmann::json params_;
  WorkWish wish_;
  const std::function<void(const std::string&)>& progress_;
  std::string state_;
  std::optional<Failure> wrong_;  // the newest proof that was of no use
};

Failure timed_out(const Way& way, milliseconds timeout) {
  Failure out{ExitCode::timed_out,
              "not deep enough after " + std::to_string(timeout.count() / 1000) +
                  " s: " + (way.state().empty() ? "the network does not show it" : way.state()),
              "It may still get there. Ask with 'quorate-wallet tx " + to_0x(way.id()) +
                  " --prove' before you send again."};
  out.data = nlohmann::json{{"transaction_id", to_0x(way.id())}}.dump();
  return out;
}

}  // namespace

std::uint64_t depth_needed(const rpc::WorkChain& chain, const WorkWish& wish) {
  return std::max(wished_depth(chain, wish),
                  chain.parameters().depth + 1 + carriers_needed(chain, wish));
}

milliseconds patience_for(const rpc::WorkChain& chain, const WorkWish& wish) {
  const std::uint64_t interval = chain.parameters().interval_ms * kPatienceIntervals;
  return std::max(kPatienceMin, milliseconds((depth_needed(chain, wish) + 1) * interval));
}

Outcome<FinalTransaction> submit_until_deep(
    Network& network, const Payment& payment, const WorkWish& wish, milliseconds timeout,
    const std::function<void(const std::string&)>& progress) {
  WALLET_TRY(rpc::WorkChain * chain, network.work());
  const Clock::time_point deadline = Clock::now() + timeout;
  const milliseconds pause =
      std::min(kPauseMax, milliseconds(chain->parameters().interval_ms / 4 + 1));
  Way way(network, *chain, payment, wish, progress);
  WALLET_CHECK(way.submit());
  while (Clock::now() < deadline) {
    auto proved = way.step();
    const bool later = !proved && (proved.error().exit == ExitCode::unreachable ||
                                   proved.error().exit == ExitCode::timed_out);
    if (!proved && !later) return tl::unexpected(proved.error());
    if (proved && *proved) {
      if (is_earlier(payment, **proved, chain)) {
        return tl::unexpected(already_final(payment, **proved));
      }
      if ((**proved).receipt.outcome != ledger::Outcome::succeeded) {
        return tl::unexpected(failed_transaction(**proved));
      }
      return FinalTransaction{std::move(**proved), since_offered(payment), network.url()};
    }
    std::this_thread::sleep_for(pause);
  }
  return tl::unexpected(way.shown_false_proof() ? way.false_proof() : timed_out(way, timeout));
}

Outcome<rpc::ProvedReceipt> fetch_work_proof(Network& network, const Digest& id) {
  WALLET_TRY(rpc::WorkChain * chain, network.work());
  constexpr const char* kLater = "ask again after the next blocks";
  const auto answer = network.try_call("tx_getProof", {{"transaction_id", to_0x(id)}});
  if (!answer && answer.error().code == -32002) {
    return failure(ExitCode::timed_out, answer.error().message, kLater);
  }
  if (!answer) return tl::unexpected(from_rpc(answer.error()));
  auto proved = rpc::check_transaction_proof(*chain, *answer, id);
  if (proved) return *proved;
  if (proved.error().code == Errc::unavailable) {
    return failure(ExitCode::timed_out, network.url() + ": " + proved.error().detail, kLater);
  }
  return failure(ExitCode::failed,
                 network.url() + " gave a proof that does not hold: " + proved.error().detail,
                 "do not trust this node; ask another one with --rpc-url");
}

std::uint64_t carriers_needed(const rpc::WorkChain& chain, const WorkWish& wish) {
  return rpc::carried_enough(wish.attacker_share, wished_depth(chain, wish), chain.tip());
}

Outcome<rpc::WorkPace> pace_now(const rpc::WorkChain& chain) {
  const auto now =
      std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  WALLET_TRY(const rpc::WorkPace pace,
             rpc::measure_pace(chain, WallMs(static_cast<std::uint64_t>(now.count()))));
  return pace;
}

Outcome<void> demand_pace(const rpc::WorkChain& chain) {
  WALLET_TRY(const rpc::WorkPace pace, pace_now(chain));
  if (!pace.slow) return {};
  return failure(ExitCode::timed_out,
                 "not relied on: " + rpc::describe(pace) +
                     ": a small part of the miners can make such a branch, and a node that lies "
                     "would show it",
                 "ask more nodes, with --rpc-url for each; after a pause of the whole network, or "
                 "when this machine's clock was wrong, ask again in a few minutes");
}

Outcome<void> demand_carriers(const rpc::WorkChain& chain, const rpc::ProvedByWork& proved,
                              const WorkWish& wish) {
  if (proved.height == Height(0)) return {};
  WALLET_CHECK(demand_pace(chain));
  const std::uint64_t needed = carriers_needed(chain, wish);
  if (proved.carried >= needed) return {};
  const std::uint64_t last =
      proved.height.value() + chain.parameters().depth + rpc::kCarriersCounted;
  return failure(
      ExitCode::timed_out,
      "not proved: the result of block " + std::to_string(proved.height.value()) +
          " is carried by " + std::to_string(proved.carried) +
          " more headers than contradict it; " + std::to_string(needed) +
          " are needed against an attacker with " + percent(wish.attacker_share) +
          " of the hash rate",
      chain.tip().value() < last
          ? "ask again after the next blocks"
          : "no more headers count; name a smaller --attacker-share, or ask other nodes");
}

std::string progress_text(Height height, std::uint64_t depth, std::uint64_t needed,
                          double attacker_share) {
  const std::string deep =
      depth < needed
          ? std::to_string(depth) + " of " + std::to_string(needed) + " blocks deep"
          : std::to_string(depth) + " blocks deep, waiting until enough of them carry its result";
  return standing(height, deep, depth, attacker_share);
}

std::string was_final(Height height) {
  return "it was final in block " + std::to_string(height.value()) +
         ", which left the branch with the most work";
}

std::string why_not(const std::string& reason) {
  return reason == ledger::to_string(ledger::Reason::expired)
             ? "it expired"
             : "another transaction took its nonce";
}

std::string percent(double fraction) {
  const double value = fraction * 100;
  char text[32];
  std::snprintf(text, sizeof(text), "%.*g %%", value >= 10 ? 3 : 2, value);
  return text;
}

std::string chance(double probability) {
  return probability < 0.00001 ? "below 0.001 %" : percent(probability);
}

std::string describe(const rpc::ProvedByWork& work, double attacker_share) {
  const double reversed = reversal(attacker_share, work.depth);
  const double false_result = rpc::lie_probability(attacker_share, work.carried, work.tip);
  return std::to_string(work.depth) + " blocks deep, result carried by " +
         std::to_string(work.carried) + " of them, work of " + std::to_string(work.tip.value()) +
         " headers checked, " +
         (reversed < false_result ? "probability of a false result " : "reversal probability ") +
         chance(std::max(reversed, false_result)) + " for an attacker with " +
         percent(attacker_share) + " of the hash rate";
}

nlohmann::json to_json(const rpc::ProvedByWork& work, double attacker_share) {
  const auto z = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(work.depth, crypto::work::kReversalDepthMax));
  return {{"depth", work.depth},
          {"carried", work.carried},
          {"headers_checked", work.tip.value()},
          {"false_result", rpc::lie_probability(attacker_share, work.carried, work.tip)},
          {"reversal",
           {{"attacker_share", attacker_share},
            {"exact", crypto::work::reversal_probability(attacker_share, z)},
            {"nakamoto", crypto::work::nakamoto_reversal_probability(attacker_share, z)}}}};
}

}  // namespace quorate::wallet
