#include "rpc/methods/error.hpp"

#include "rpc/json/fields.hpp"

namespace quorate::rpc {

namespace {

std::string_view reason_of(Code code) {
  switch (code) {
    case Code::parse_error: return "parse_error";
    case Code::invalid_request: return "invalid_request";
    case Code::method_not_found: return "method_not_found";
    case Code::invalid_params: return "invalid_params";
    case Code::internal_error: return "internal_error";
    case Code::not_found: return "not_found";
    case Code::unavailable: return "unavailable";
    case Code::transaction_rejected: return "transaction_rejected";
    case Code::not_supported: return "not_supported";
    case Code::limit_exceeded: return "limit_exceeded";
    case Code::commit_timeout: return "commit_timeout";
    case Code::mempool_full: return "mempool_full";
    case Code::not_permitted: return "not_permitted";
  }
  return "internal_error";
}

Code code_of(ledger::Reason reason) {
  switch (reason) {
    case ledger::Reason::mempool_full: return Code::mempool_full;
    case ledger::Reason::not_permitted: return Code::not_permitted;
    default: return Code::transaction_rejected;
  }
}

std::string hint_for(const SubmitRefusal& refusal) {
  switch (refusal.reason) {
    case ledger::Reason::bad_encoding:
      return "send the canonical signed encoding described in docs/protocol.md";
    case ledger::Reason::bad_signature:
      return "sign for this chain: a signature made for another chain_id does not verify here";
    case ledger::Reason::wrong_chain_id: return "this node serves another chain; check the URL";
    case ledger::Reason::nonce_too_low:
    case ledger::Reason::nonce_too_high:
      return refusal.expected ? "next nonce is " + std::to_string(*refusal.expected)
                              : "ask account_get for next_nonce";
    case ledger::Reason::insufficient_funds: return "send less, or fund the account first";
    case ledger::Reason::duplicate: return "it was executed before; ask tx_get for its receipt";
    case ledger::Reason::expired: return "sign it again with a later valid_until_height";
    case ledger::Reason::too_large:
      return "at most " + std::to_string(ledger::kTransactionBytesMax) + " bytes";
    case ledger::Reason::unknown_sender: return "fund the account first";
    case ledger::Reason::not_permitted: return "the genesis lists who may submit on this chain";
    case ledger::Reason::mempool_full: return "try again later, or at another node";
    case ledger::Reason::balance_overflow: return "the recipient's balance would exceed 2^64-1";
    case ledger::Reason::none: break;
  }
  return "";
}

}  // namespace

std::vector<std::pair<Code, std::string_view>> all_codes() {
  return {
      {Code::parse_error, "not JSON, nested deeper than 32, a key twice, an integer too large"},
      {Code::invalid_request, "JSON, but not a JSON-RPC 2.0 request"},
      {Code::method_not_found, "no method of this name; rpc.discover lists them"},
      {Code::invalid_params, "a parameter is missing, unknown or of the wrong form"},
      {Code::internal_error, "the node failed; its log says why"},
      {Code::not_found, "no such block or transaction here"},
      {Code::unavailable, "not now: the node is syncing, or the certificate is not complete yet"},
      {Code::transaction_rejected, "the transaction was refused; data.reason says why"},
      {Code::not_supported, "not over this kind of connection, or not by this chain's engine"},
      {Code::limit_exceeded, "a cap on count or size"},
      {Code::commit_timeout, "the transaction was admitted but is not final yet"},
      {Code::mempool_full, "no room for the transaction now"},
      {Code::not_permitted, "the sender may not submit on this chain"},
  };
}

MethodError make_error(Code code, std::string message, std::string_view hint,
                       std::string_view reason) {
  Json data = {{"reason", reason.empty() ? reason_of(code) : reason}};
  if (!hint.empty()) data["hint"] = hint;
  return {code, std::move(message), std::move(data)};
}

MethodError from_error(const Error& error) {
  switch (error.code) {
    case Errc::not_found: return make_error(Code::not_found, error.detail);
    case Errc::unavailable:
      return make_error(Code::unavailable, error.detail, "try again later, or at another node");
    case Errc::timeout: return make_error(Code::unavailable, error.detail, "try again later");
    case Errc::limit_exceeded: return make_error(Code::limit_exceeded, error.detail);
    case Errc::permission: return make_error(Code::not_permitted, error.detail);
    case Errc::bad_encoding:
    case Errc::bad_signature:
    case Errc::invalid_argument:
    case Errc::conflict:
    case Errc::rejected:
    case Errc::io:
    case Errc::corrupt: break;
  }
  return make_error(Code::internal_error, error.detail, "the node's log says more");
}

MethodError from_refusal(const SubmitRefusal& refusal) {
  const std::string_view reason = ledger::to_string(refusal.reason);
  std::string message = refusal.detail;
  if (message.empty()) {
    message = reason;
    std::replace(message.begin(), message.end(), '_', ' ');
  }
  MethodError error =
      make_error(code_of(refusal.reason), std::move(message), hint_for(refusal), reason);
  // Amounts travel as decimal strings, nonces and heights as numbers.
  const auto value = [&](std::uint64_t number) {
    return refusal.reason == ledger::Reason::insufficient_funds ? amount_json(number)
                                                                : integer_json(number);
  };
  if (refusal.expected) error.data["expected"] = value(*refusal.expected);
  if (refusal.got) error.data["got"] = value(*refusal.got);
  return error;
}

Json error_json(const MethodError& error) {
  return {{"code", static_cast<int>(error.code)}, {"message", error.message}, {"data", error.data}};
}

}  // namespace quorate::rpc
