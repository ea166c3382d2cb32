// tx_*: submitting transactions and following them. The backend answers these on its own threads.
#include "rpc/json/fields.hpp"
#include "rpc/methods/method.hpp"
#include "rpc/methods/views_json.hpp"

namespace quorate::rpc {

namespace {

constexpr std::uint64_t kWaitMaxMs = 30'000;
constexpr std::size_t kSubmitBatchMax = 10'000;

constexpr ParamSpec kTxParam = {"tx", ParamKind::transaction, true,
                                "the signed transaction in its canonical encoding"};
constexpr ParamSpec kChainIdParam = {
    "chain_id", ParamKind::digest, false,
    "the chain it was signed for: a mismatch is then told apart from a bad signature"};
constexpr double kShareDefault = 0.1;
constexpr ParamSpec kShareParam = {
    "attacker_share", ParamKind::share, false,
    "under proof of work: the share of the hash rate against which to reckon the probability of a "
    "reversal, 0 to 0.5, default 0.1"};
constexpr ParamSpec kIdParam = {"transaction_id", ParamKind::digest, true,
                                "as tx_submit returned it"};

// A signature for another chain looks like any bad signature, unless the caller says which chain
// was meant.
MethodResult<void> check_chain(const Params& params, const Backend& backend) {
  if (!params.has("chain_id")) return {};
  const auto given = params.digest("chain_id");
  if (!given) return tl::unexpected(given.error());
  if (*given == backend.chain_id()) return {};
  MethodError error = from_refusal({ledger::Reason::wrong_chain_id,
                                    "the transaction is for chain " + to_0x(*given) +
                                        ", this node serves chain " + to_0x(backend.chain_id()),
                                    {},
                                    {}});
  error.data["expected"] = to_0x(backend.chain_id());
  error.data["got"] = to_0x(*given);
  return tl::unexpected(std::move(error));
}

MethodResult<Bytes> read_transaction(const Params& params, const Backend& backend) {
  QUORATE_CHECK(check_chain(params, backend));
  return params.bytes("tx");
}

MethodError refusal_error(const SubmitResult& result) {
  MethodError error = from_refusal(*result.refusal);
  if (result.id) error.data["transaction_id"] = to_0x(*result.id);
  return error;
}

Json id_json(const std::optional<Digest>& id) { return id ? Json(to_0x(*id)) : Json(nullptr); }

void submit(const Params& params, const Context& context, const Done& done) {
  auto tx = read_transaction(params, context.backend);
  if (!tx) return done(tl::unexpected(tx.error()));
  std::vector<Bytes> encoded;
  encoded.push_back(std::move(*tx));
  context.backend.submit(std::move(encoded), [done](const std::vector<SubmitResult>& results) {
    const SubmitResult& result = results.at(0);
    if (result.refusal) return done(tl::unexpected(refusal_error(result)));
    done(Json{{"transaction_id", id_json(result.id)}, {"status", "pending"}});
  });
}

// How the caller of tx_get and tx_submitAndWait wants a transaction shown.
struct Shown {
  EngineView engine;
  double attacker_share = kShareDefault;

  Json of(const TransactionView& view) const { return to_json(view, engine, attacker_share); }
};

// What the branch says of it, for the data of an error.
void add_branch(MethodError& error, const TransactionView& view, const Shown& shown) {
  const Json json = shown.of(view);
  for (const char* name :
       {"block_id", "depth", "commit_depth", "reversal", "decided_at", "withdrawn_from"}) {
    if (json.contains(name)) error.data[name] = json[name];
  }
}

// The refusal of a transaction that will never be executed.
MethodError never_executed(const TransactionView& view, const Shown& shown) {
  const bool expired = *view.reason == ledger::Reason::expired;
  MethodError error = from_refusal({*view.reason,
                                    expired ? "expired before it was ordered"
                                            : "another transaction of this account used its nonce",
                                    {},
                                    {}});
  error.data["transaction_id"] = to_0x(view.id);
  add_branch(error, view, shown);
  return error;
}

MethodResult<Shown> read_shown(const Params& params, const Backend& backend) {
  QUORATE_TRY(const double share, params.share("attacker_share", kShareDefault));
  return Shown{backend.engine(), share};
}

bool is_executed(const TransactionView& view) {
  return !view.reason &&
         (view.status == TransactionStatus::final || view.status == TransactionStatus::failed);
}

// What tx_submitAndWait answers once the transaction's fate is known, or the time is up.
MethodResult<Json> waited(const TransactionView& view, const Shown& shown) {
  if (view.reason) return tl::unexpected(never_executed(view, shown));
  if (is_executed(view)) return shown.of(view);
  MethodError error =
      make_error(Code::commit_timeout, "not final yet",
                 "ask tx_get, or submit the same bytes again: it cannot be executed twice");
  error.data["transaction_id"] = to_0x(view.id);
  error.data["status"] = to_string(view.status);
  add_branch(error, view, shown);
  return tl::unexpected(std::move(error));
}

// A transaction whose nonce is used up may be this very one, executed before: submitting the same
// bytes again is how a client learns what became of them.
void after_refusal(Backend& backend, const SubmitResult& result, const Shown& shown,
                   const Done& done) {
  const MethodError error = refusal_error(result);
  const ledger::Reason reason = result.refusal->reason;
  const bool perhaps_executed =
      reason == ledger::Reason::duplicate || reason == ledger::Reason::nonce_too_low;
  if (!perhaps_executed || !result.id) return done(tl::unexpected(error));
  backend.transaction(*result.id, [done, shown, error](const TransactionView& view) {
    if (is_executed(view)) return done(shown.of(view));
    done(tl::unexpected(view.reason ? never_executed(view, shown) : error));
  });
}

void submit_and_wait(const Params& params, const Context& context, const Done& done) {
  auto tx = read_transaction(params, context.backend);
  if (!tx) return done(tl::unexpected(tx.error()));
  const auto timeout_ms = params.number("timeout_ms", kWaitMaxMs, kWaitMaxMs);
  if (!timeout_ms) return done(tl::unexpected(timeout_ms.error()));
  const std::chrono::milliseconds timeout(*timeout_ms);
  const auto shown = read_shown(params, context.backend);
  if (!shown) return done(tl::unexpected(shown.error()));
  Backend& backend = context.backend;
  std::vector<Bytes> encoded;
  encoded.push_back(std::move(*tx));
  backend.submit(std::move(encoded), [done, timeout, shown = *shown,
                                      &backend](const std::vector<SubmitResult>& results) {
    const SubmitResult& result = results.at(0);
    if (result.refusal) return after_refusal(backend, result, shown, done);
    backend.wait_final(*result.id, timeout,
                       [done, shown](const TransactionView& view) { done(waited(view, shown)); });
  });
}

Json entry_json(const SubmitResult& result) {
  Json out = {{"transaction_id", id_json(result.id)}, {"error", nullptr}};
  if (result.refusal) out["error"] = error_json(refusal_error(result));
  return out;
}

// A batch under way: what was readable goes to the backend, what was not has its answer already.
struct Batch {
  Json items = Json::array();
  std::vector<Bytes> encoded;
  std::vector<std::size_t> positions;  // of `encoded` among the items
};

MethodResult<Batch> read_batch(const Params& params, const Backend& backend) {
  QUORATE_CHECK(check_chain(params, backend));
  const Json& txs = params.raw("txs");
  if (!txs.is_array()) return tl::unexpected(bad_param("txs", "expected an array"));
  if (txs.size() > kSubmitBatchMax) {
    return tl::unexpected(make_error(Code::limit_exceeded,
                                     "at most " + std::to_string(kSubmitBatchMax) +
                                         " transactions, got " + std::to_string(txs.size()),
                                     "split the batch"));
  }
  Batch batch;
  for (std::size_t i = 0; i < txs.size(); ++i) {
    auto bytes = read_bytes(txs[i], "txs[" + std::to_string(i) + "]");
    if (bytes) {
      batch.items.push_back(nullptr);
      batch.positions.push_back(i);
      batch.encoded.push_back(std::move(*bytes));
    } else {
      SubmitResult result;
      result.refusal = SubmitRefusal{ledger::Reason::bad_encoding, bytes.error().detail, {}, {}};
      batch.items.push_back(entry_json(result));
    }
  }
  return batch;
}

void submit_batch(const Params& params, const Context& context, const Done& done) {
  auto read = read_batch(params, context.backend);
  if (!read) return done(tl::unexpected(read.error()));
  auto batch = std::make_shared<Batch>(std::move(*read));
  std::vector<Bytes> encoded = std::move(batch->encoded);
  const auto finish = [batch, done](const std::vector<SubmitResult>& results) {
    QUORATE_ASSERT(results.size() == batch->positions.size());
    std::size_t admitted = 0;
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (!results[i].refusal) ++admitted;
      batch->items[batch->positions[i]] = entry_json(results[i]);
    }
    done(Json{{"admitted", admitted}, {"items", std::move(batch->items)}});
  };
  if (encoded.empty()) return finish({});
  context.backend.submit(std::move(encoded), finish);
}

void check(const Params& params, const Context& context, const Done& done) {
  auto tx = params.bytes("tx");
  if (!tx) return done(tl::unexpected(tx.error()));
  const auto chain = check_chain(params, context.backend);
  if (!chain && chain.error().code == Code::invalid_params) {
    return done(tl::unexpected(chain.error()));
  }
  if (!chain) {
    return done(
        Json{{"valid", false}, {"transaction_id", nullptr}, {"error", error_json(chain.error())}});
  }
  context.backend.check(std::move(*tx), [done](const SubmitResult& result) {
    Json out = entry_json(result);
    out["valid"] = !result.refusal.has_value();
    done(std::move(out));
  });
}

void get_transaction(const Params& params, const Context& context, const Done& done) {
  const auto id = params.digest("transaction_id");
  if (!id) return done(tl::unexpected(id.error()));
  const auto shown = read_shown(params, context.backend);
  if (!shown) return done(tl::unexpected(shown.error()));
  context.backend.transaction(
      *id, [done, shown = *shown](const TransactionView& view) { done(shown.of(view)); });
}

MethodResult<Json> get_receipt_proof(const Params& params, const Context& context) {
  QUORATE_TRY(const Digest id, params.digest("transaction_id"));
  QUORATE_CHECK(demand_proofs(context));
  const auto proof = context.backend.transaction_proof(id);
  if (!proof) return tl::unexpected(from_error(proof.error()));
  return to_json(*proof);
}

}  // namespace

std::vector<Method> tx_methods() {
  return {
      {"tx_submit",
       "Admits a signed transaction to this node's mempool and relays it. The same bytes may "
       "always be submitted again.",
       {kTxParam, kChainIdParam},
       "transaction_id, with status pending: admitted, not yet ordered",
       R"({"tx": "$tx", "chain_id": "$chain_id"})",
       submit},
      {"tx_submitAndWait",
       "Submits and answers when the transaction is final, or failed for good, or the time is up "
       "(-32010; it may still become final). Bytes that were executed before get that outcome.",
       {kTxParam,
        {"timeout_ms", ParamKind::number, false, "at most 30000, which is the default"},
        kChainIdParam,
        kShareParam},
       "as tx_get; status is final or failed",
       R"({"tx": "$next_tx", "timeout_ms": 5000})",
       submit_and_wait},
      {"tx_submitBatch",
       "Submits up to 10,000 transactions in one call, as many as the size limit of a request "
       "holds.",
       {{"txs", ParamKind::transactions, true, "signed transactions"}, kChainIdParam},
       "admitted: how many; items, in the order given: transaction_id, and error where refused",
       R"({"txs": ["$tx", "0x00"]})",
       submit_batch},
      {"tx_check",
       "What tx_submit would answer, and what execution on the newest state would give, without "
       "submitting.",
       {kTxParam, kChainIdParam},
       "valid, transaction_id, and error (code, message, data) where it would be refused or fail",
       R"({"tx": "$overspending_tx"})",
       check},
      {"tx_get",
       "What became of a transaction, as far as this node knows.",
       {kIdParam, kShareParam},
       "status: unknown, pending, final, failed (without effect, and it will never have one) or "
       "expired; height, index and receipt once executed; reason (nonce_too_low, expired) when it "
       "never will be. A node tells unknown from failed and expired for the last 100,000 "
       "transactions it has pooled. Under proof of work also included (in a block that is less "
       "than commit_depth deep) and reversed (it was final in block withdrawn_from, which another "
       "branch has outweighed, and has not become final again: with a reason it never will; known "
       "of the newest 20,000, also after a restart); whatever stands in a block has block_id, "
       "depth "
       "and reversal: the probability that an attacker with attacker_share of the hash rate takes "
       "it back, exact and by Nakamoto's approximation; with a reason these are of the block "
       "decided_at, by which it could not be executed any more. Final is the depth that the chain "
       "chose, not a certainty, and so is failed for a reason",
       R"({"transaction_id": "$transaction_id"})",
       get_transaction},
      {"tx_getProof",
       "Proves the receipt of an executed transaction: the receipt is a leaf, by path, of "
       "receipts_root in the first header; the headers lead by parent_hash to the certificate. "
       "Under proof of work there is no certificate: the work headers from work.from_height on "
       "carry the hashes of the headers, one each, as exec_ref. A client takes work headers from "
       "chain_getWorkHeaders and checks them itself.",
       {kIdParam},
       "receipt, path, headers (ascending) and certificate; under proof of work, work "
       "(from_height, and the ids that those work headers have on this node's branch) instead of "
       "certificate; error -32002 while no block carries the receipt yet",
       R"({"transaction_id": "$transaction_id"})",
       answer_now(get_receipt_proof)},
  };
}

}  // namespace quorate::rpc
