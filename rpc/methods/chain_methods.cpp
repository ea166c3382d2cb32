// chain_*: the status, the blocks, the genesis and the validators.
#include "rpc/json/fields.hpp"
#include "rpc/methods/method.hpp"
#include "rpc/methods/views_json.hpp"

namespace quorate::rpc {

namespace {

constexpr std::uint64_t kWorkHeadersMax = 1000;
constexpr std::uint64_t kWorkHeadersDefault = 100;

constexpr ParamSpec kBlockParam = {"block", ParamKind::block, false,
                                   "a height, a block hash, \"latest\" (the newest executed here) "
                                   "or \"certified\" (the newest with a block certificate)"};

template <class T>
MethodResult<T> of_backend(Result<T> result) {
  if (!result) return tl::unexpected(from_error(result.error()));
  return std::move(*result);
}

MethodResult<BlockView> load_block(const Backend& backend, const BlockId& id) {
  if (const auto* hash = std::get_if<Digest>(&id)) return of_backend(backend.block_by_hash(*hash));
  if (const auto* height = std::get_if<Height>(&id)) return of_backend(backend.block(*height));
  const ChainStatus status = backend.chain_status();
  const bool latest = std::holds_alternative<LatestBlock>(id);
  return of_backend(backend.block(latest ? status.height : status.certified_height));
}

MethodResult<Json> get_block(const Params& params, const Context& context) {
  QUORATE_TRY(const BlockId id, params.block("block"));
  QUORATE_TRY(const bool full, params.flag("full", false));
  QUORATE_TRY(const BlockView block, load_block(context.backend, id));
  Json out = block_summary(block);
  if (full) {
    Json transactions = Json::array();
    for (std::size_t i = 0; i < block.transactions.size(); ++i) {
      transactions.push_back(block_transaction(block, i));
    }
    out["transactions"] = std::move(transactions);
    out["commit_certificate"] = to_0x(block.commit_certificate);
  }
  Json ids = Json::array();
  for (const Digest& transaction : block.transaction_ids) ids.push_back(to_0x(transaction));
  out["transaction_ids"] = std::move(ids);
  return out;
}

MethodResult<Json> get_blocks(const Params& params, const Context& context) {
  QUORATE_TRY(const std::optional<Height> cursor, params.height("cursor"));
  QUORATE_TRY(const std::uint64_t limit, params.number("limit", kListDefault, kListMax));
  const bool ascending = params.has("order") && params.raw("order") == "asc";
  if (params.has("order") && !ascending && params.raw("order") != "desc") {
    return tl::unexpected(bad_param("order", "expected \"asc\" or \"desc\""));
  }
  if (limit == 0) return tl::unexpected(bad_param("limit", "expected at least 1"));
  const Height head = context.backend.chain_status().height;
  Json out = {{"items", Json::array()}, {"next_cursor", nullptr}};
  Height at = cursor.value_or(ascending ? Height(0) : head);
  if (at > head && ascending) return out;
  at = std::min(at, head);
  const Height end = ascending ? head : Height(0);
  for (std::uint64_t count = 0; count < limit; ++count) {
    QUORATE_TRY(const BlockView block, of_backend(context.backend.block_summary(at)));
    Json summary = block_summary(block);
    out["items"].push_back(std::move(summary));
    if (at == end) return out;
    at = ascending ? at.next() : at.previous();
  }
  out["next_cursor"] = integer_json(at.value());
  return out;
}

MethodResult<Json> get_status(const Params&, const Context& context) {
  Json out = to_json(context.backend.chain_status());
  const EngineView engine = context.backend.engine();
  if (engine.commit_depth > 0) out["engine_traits"] = to_json(engine);
  return out;
}

MethodResult<Json> get_work_headers(const Params& params, const Context& context) {
  QUORATE_TRY(const std::optional<Height> given, params.height("from"));
  QUORATE_TRY(const std::uint64_t limit,
              params.number("limit", kWorkHeadersDefault, kWorkHeadersMax));
  if (limit == 0) return tl::unexpected(bad_param("limit", "expected at least 1"));
  const Height from = given.value_or(Height(1));
  if (from == Height(0)) {
    return tl::unexpected(bad_param("from", "expected at least 1: the genesis has no work header"));
  }
  QUORATE_CHECK(demand_proofs(context));
  if (context.backend.engine().proved_by != consensus::ProvedBy::work) {
    return tl::unexpected(not_by_this_engine(
        context, "work headers", "its blocks are sealed: ask chain_getBlockCertificate"));
  }
  QUORATE_TRY(const WorkHeaders page,
              of_backend(context.backend.work_headers(from, static_cast<std::uint32_t>(limit))));
  Json items = Json::array();
  for (const Bytes& header : page.headers) items.push_back(to_0x(header));
  const Height next = from.saturating_add(page.headers.size());
  Json out = {{"from_height", integer_json(from.value())},
              {"items", std::move(items)},
              {"tip", integer_json(page.tip.value())},
              {"next_cursor", nullptr}};
  if (next <= page.tip) out["next_cursor"] = integer_json(next.value());
  return out;
}

MethodResult<Json> get_certificate(const Params& params, const Context& context) {
  QUORATE_CHECK(demand_proofs(context));
  if (context.backend.engine().proved_by != consensus::ProvedBy::seals) {
    return tl::unexpected(not_by_this_engine(context, "block certificates",
                                             "work proves its blocks: ask chain_getWorkHeaders"));
  }
  Height height = context.backend.chain_status().certified_height;
  if (params.has("block")) {
    QUORATE_TRY(const BlockId id, params.block("block"));
    if (const auto* given = std::get_if<Height>(&id)) {
      height = *given;
    } else if (!std::holds_alternative<CertifiedBlock>(id)) {
      QUORATE_TRY(const BlockView block, load_block(context.backend, id));
      height = block.header.height;
    }
  }
  QUORATE_TRY(const ledger::BlockCertificate certificate,
              of_backend(context.backend.certificate(height)));
  return to_json(certificate);
}

MethodResult<Json> get_genesis(const Params&, const Context& context) {
  return Json{{"chain_id", to_0x(context.backend.chain_id())},
              {"genesis", to_json(context.backend.genesis())}};
}

MethodResult<Json> get_validators(const Params&, const Context& context) {
  const ledger::Genesis& genesis = context.backend.genesis();
  const ReplicaView view = context.backend.replica_view();
  Json items = Json::array();
  for (std::size_t i = 0; i < genesis.validators.size(); ++i) {
    const ledger::GenesisValidator& validator = genesis.validators[i];
    items.push_back({{"replica", i},
                     {"name", validator.name},
                     {"validator_key", to_0x(validator.validator_key)},
                     {"node_key", to_0x(validator.node_key)},
                     {"p2p", validator.p2p}});
  }
  return Json{{"epoch", integer_json(view.epoch.value())},
              {"faults_tolerated", view.faults_tolerated},
              {"quorum", view.quorum},
              {"items", std::move(items)},
              {"next_cursor", nullptr}};
}

}  // namespace

std::vector<Method> chain_methods() {
  return {
      {"chain_getStatus",
       "Where this node's chain stands, and whether the node is ready to commit.",
       {},
       "the newest executed and the newest certified height, the chain's name and chain_id, "
       "whether the node is syncing and ready, and if not, why, and its peers: the other "
       "validators, how many are connected, and how many of those are silent. Under proof of work "
       "also "
       "engine_traits (commit_depth: the depth at which blocks are executed and called final) and "
       "branch: tip, its id and time, bits and expected_hashes of the next block, what was mined "
       "here, stale blocks, branch switches and rewinds",
       "{}",
       answer_now(get_status)},
      {"chain_getBlock",
       "One block.",
       {kBlockParam,
        {"full", ParamKind::flag, false, "also the transactions, receipts and commit certificate"}},
       "height, hash, header, the ids of its transactions, and whether its block certificate is "
       "complete here",
       R"({"block": "latest", "full": true})",
       answer_now(get_block)},
      {"chain_getBlocks",
       "Blocks without their transactions, newest first unless asked otherwise.",
       {{"cursor", ParamKind::height, false,
         "the height to start at; next_cursor of the last page"},
        {"limit", ParamKind::number, false, "1 to 100, default 20"},
        {"order", ParamKind::order, false, "\"desc\" (default) or \"asc\""}},
       "items, and next_cursor: null after the last page",
       R"({"limit": 2})",
       answer_now(get_blocks)},
      {"chain_getBlockCertificate",
       "The header of a block with the seals of a quorum over its hash: a proof for anyone who "
       "knows the genesis.",
       {{"block", ParamKind::block, false, "as for chain_getBlock, but default \"certified\""}},
       "block_hash, header and seals; error -32002 while fewer than a quorum have sealed it here; "
       "error -32004 on a chain whose engine does not seal",
       "{}",
       answer_now(get_certificate)},
      {"chain_getWorkHeaders",
       "The work headers of this node's preferred branch, for clients that check work themselves. "
       "Only on chains ordered by proof of work; -32004 elsewhere.",
       {{"from", ParamKind::height, false, "the height to start at, 1 unless given"},
        {"limit", ParamKind::number, false, "1 to 1000, default 100"}},
       "items: encoded headers (docs/protocol.md), ascending without gaps from from_height; tip: "
       "the branch's height; next_cursor: where to go on, null at the tip. Error -32002 while the "
       "branch is being switched",
       R"({"from": 1, "limit": 2})",
       answer_now(get_work_headers)},
      {"chain_getGenesis",
       "The genesis this node runs. A client that must not trust the node compares chain_id with "
       "its own.",
       {},
       "chain_id, and the genesis as in config/genesis.json",
       "{}",
       answer_now(get_genesis)},
      {"chain_getValidators",
       "The members of the current epoch, in order of their replica number.",
       {},
       "epoch, quorum, faults_tolerated, and the members as items",
       "{}",
       answer_now(get_validators)},
  };
}

}  // namespace quorate::rpc
