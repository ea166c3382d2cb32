#include "wallet-cli/offers.hpp"

#include <algorithm>

namespace quorate::wallet {

using rpc::RpcError;

Offers::Said Offers::meaning(const rpc::RpcResult<nlohmann::json>& answer) {
  if (answer) return Said::taken;
  const RpcError& error = answer.error();
  if (error.kind != RpcError::Kind::answered) return error.reached ? Said::taken : Said::unreached;
  switch (error.code) {
    case -32010: return Said::taken;  // it waits, but not for ever
    case -32002:                      // the node is not ready
    case -32011: return Said::later;  // the node has no room
    case -32003:
    case -32012:
    case -32602: return Said::refused;
    default: return Said::taken;  // nobody knows how far it came
  }
}

rpc::RpcResult<nlohmann::json> Offers::submit(const std::string& method,
                                              const nlohmann::json& params,
                                              std::chrono::milliseconds patience) {
  auto answer = network_.call_at(network_.current(), method, params, patience);
  last_ = meaning(answer);
  Said& said = said_.at(network_.current());
  // Who took it and is gone may come back.
  if (last_ != Said::unreached || said != Said::taken) said = last_;
  if (last_ == Said::taken) maybe_taken_ = true;
  if (last_ == Said::refused && !refusal_) refusal_ = from_rpc(answer.error());
  if (last_ == Said::unreached) silence_ = from_rpc(answer.error());
  return answer;
}

std::optional<Failure> Offers::ended() const {
  const auto count = [this](Said what) {
    return static_cast<std::size_t>(std::count(said_.begin(), said_.end(), what));
  };
  const std::size_t refused = count(Said::refused);
  const bool all_refuse = refused == said_.size();
  if (maybe_taken_) return all_refuse && refused > liars_ ? refusal_ : std::nullopt;
  // Whoever names fewer nodes than may lie takes their word.
  if (refused > liars_ || all_refuse) return refusal_;
  if (refused + count(Said::unreached) < said_.size()) return std::nullopt;
  return refusal_ ? refusal_ : silence_;
}

}  // namespace quorate::wallet
