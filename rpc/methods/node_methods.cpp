// mempool_*, net_*, node_* and rpc.discover: the node about itself.
#include "rpc/methods/method.hpp"
#include "rpc/methods/openrpc.hpp"
#include "rpc/methods/views_json.hpp"

namespace quorate::rpc {

namespace {

MethodResult<Json> get_peers(const Params&, const Context& context) {
  Json items = Json::array();
  for (const PeerView& peer : context.backend.peers()) items.push_back(to_json(peer));
  return Json{{"items", std::move(items)}, {"next_cursor", nullptr}};
}

// With this machine's clock, so that clocks that differ show.
MethodResult<Json> get_info(const Params&, const Context& context) {
  Json out = to_json(context.backend.node_info());
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  const WallMs time(static_cast<std::uint64_t>(now.count()));
  out["time"] = rfc3339(time);
  out["time_ms"] = integer_json(time.value());
  return out;
}

}  // namespace

std::vector<Method> node_methods() {
  return {
      {"mempool_getStatus",
       "How full this node's mempool is.",
       {},
       "transactions, ready (no nonce missing before them), bytes, accounts, and the caps",
       "{}",
       answer_now([](const Params&, const Context& context) -> MethodResult<Json> {
         return to_json(context.backend.mempool());
       })},
      {"net_getPeers",
       "The other validators and the connections to them.",
       {},
       "items: name, address, connected, bytes, and why the last connection ended",
       "{}",
       answer_now(get_peers)},
      {"node_getInfo",
       "Which program this is, on which chain, with which keys.",
       {},
       "names, versions, public keys, uptime, the time by its clock and library versions",
       "{}",
       answer_now(get_info)},
      {"rpc.discover",
       "This interface as an OpenRPC document; also at GET /openrpc.json.",
       {},
       "an OpenRPC 1.2.6 document",
       "{}",
       answer_now([](const Params&, const Context& context) -> MethodResult<Json> {
         return openrpc_document(context.backend.node_info().version);
       })},
  };
}

}  // namespace quorate::rpc
