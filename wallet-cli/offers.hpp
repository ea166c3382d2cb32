// What the nodes made of one payment that was handed to them, as far as their words go. A refusal
// proves nothing: the node may be behind, or may lie and pass the payment on. And a node that went
// away may have done so before. So a payment that no node can have counts as not made when more
// nodes than may lie refuse it; one that some node may have, when all nodes refuse it, and they are
// more than may lie. One thread at a time.
#pragma once

#include <vector>

#include "wallet-cli/network.hpp"

namespace quorate::wallet {

class Offers {
 public:
  // `liars`: how many nodes may lie. `maybe_taken`: a node may have the payment already.
  Offers(Network& network, std::size_t liars, bool maybe_taken)
      : network_(network),
        said_(network.urls().size(), Said::nothing),
        liars_(liars),
        maybe_taken_(maybe_taken) {}

  // Submits to the current node, and to no other.
  rpc::RpcResult<nlohmann::json> submit(const std::string& method, const nlohmann::json& params,
                                        std::chrono::milliseconds patience = kNodePatience);
  // Whether the last answer was a refusal of this payment, not of any payment now.
  bool refused() const { return last_ == Said::refused; }
  // Whether the last node cannot have seen it.
  bool unreached() const { return last_ == Said::unreached; }
  // Whether any node may have it, or may have given it to others.
  bool maybe_taken() const { return maybe_taken_; }
  // That it is not made, with the reason of the first that refused it: rejected, or unreachable.
  // Nothing while it may be.
  std::optional<Failure> ended() const;

 private:
  // The newest that counts of each node.
  enum class Said : std::uint8_t { nothing, later, taken, refused, unreached };
  static Said meaning(const rpc::RpcResult<nlohmann::json>& answer);

  Network& network_;
  std::vector<Said> said_;  // by node
  std::size_t liars_;
  Said last_ = Said::nothing;
  bool maybe_taken_;
  std::optional<Failure> refusal_, silence_;
};

}  // namespace quorate::wallet
