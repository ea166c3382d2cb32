#include "testnet/node_status.hpp"

#include <algorithm>

#include "rpc/client/rpc_client.hpp"
#include "rpc/json/fields.hpp"

namespace quorate::testnet {

namespace {

using rpc::Json;

// A field of an answer, or its default: an older or newer node may say less.
std::uint64_t number_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string text(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

bool flag(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && *found == true;
}

const Json& list(const Json& json, const char* name) {
  static const Json kEmpty = Json::array();
  const auto found = json.find(name);
  return found != json.end() && found->is_array() ? *found : kEmpty;
}

// The result of a call, or an empty object: what is not answered keeps its default.
Json ask(rpc::RpcClient& client, const char* method) {
  auto answer = client.call(method, Json::object());
  return answer && answer->is_object() ? std::move(*answer) : Json::object();
}

bool read_chain(rpc::RpcClient& client, NodeStatus& status) {
  const auto chain = client.call("chain_getStatus", Json::object());
  if (!chain) {
    status.reason = chain.error().message;
    return false;
  }
  if (!chain->is_object()) return true;
  status.chain_id = text(*chain, "chain_id");
  status.height = number_of(*chain, "height");
  status.block_hash = text(*chain, "block_hash");
  status.certified_height = number_of(*chain, "certified_height");
  status.syncing = flag(*chain, "syncing");
  status.target = number_of(*chain, "target_height");
  return true;
}

BranchStatus read_branch(const Json& json) {
  BranchStatus out;
  out.tip = number_of(json, "tip");
  out.tip_id = text(json, "tip_id");
  out.tip_time_ms = number_of(json, "tip_time_ms");
  out.best_header = number_of(json, "best_header");
  out.bits = number_of(json, "bits");
  out.expected_hashes = number_of(json, "expected_hashes");
  out.hashes = number_of(json, "hashes");
  out.hashes_per_second = number_of(json, "hashes_per_second");
  out.blocks_mined = number_of(json, "blocks_mined");
  out.stale_blocks = number_of(json, "stale_blocks");
  out.branch_switches = number_of(json, "branch_switches");
  out.deepest_switch = number_of(json, "deepest_switch");
  out.rewinds = number_of(json, "rewinds");
  out.orphans = number_of(json, "orphans");
  out.mining = flag(json, "mining");
  return out;
}

void read_consensus(const Json& state, NodeStatus& status) {
  status.view = number_of(state, "view");
  status.promise_view = number_of(state, "promise_view");
  status.changing_view = flag(state, "changing_view");
  if (state.contains("primary")) {
    status.primary = static_cast<std::uint32_t>(number_of(state, "primary"));
  }
  status.low_watermark = number_of(state, "low_watermark");
  status.high_watermark = number_of(state, "high_watermark");
  status.lag = number_of(state, "lag");
  for (const auto& each : list(state, "suspects")) {
    status.suspects.push_back({text(each, "name"), text(each, "reason")});
  }
  for (const auto& each : list(state, "timers")) {
    status.timers[text(each, "name")] = number_of(each, "remaining_ms");
  }
  status.view_timeout_ms = number_of(state, "view_timeout_ms");
  status.pending_transactions = number_of(state, "pending_transactions");
  status.starting = flag(state, "starting");
  status.halted = text(state, "halted");
  status.observer = flag(state, "observer");
  status.observer_reason = text(state, "observer_reason");
  const auto branch = state.find("branch");
  if (branch != state.end() && branch->is_object()) status.branch = read_branch(*branch);
}

// What /readyz says is wrong, in words; the body as it is when it has another form.
std::string failing_checks(const std::string& body) {
  const auto json = rpc::parse_json(body);
  if (!json || !json->is_object()) return body;
  std::string out;
  for (const auto& check : list(*json, "checks")) {
    if (!check.is_object() || flag(check, "ok")) continue;
    const auto detail = text(check, "detail");
    if (!detail.empty()) out += (out.empty() ? "" : "; ") + detail;
  }
  return out.empty() ? body : out;
}

}  // namespace

std::size_t NodeStatus::peers_connected() const {
  return static_cast<std::size_t>(
      std::count_if(peers.begin(), peers.end(), [](const auto& peer) { return peer.connected; }));
}

const PeerStatus* NodeStatus::peer(const std::string& name) const {
  const auto found =
      std::find_if(peers.begin(), peers.end(), [&](const auto& each) { return each.name == name; });
  return found == peers.end() ? nullptr : &*found;
}

bool probe(rpc::RpcClient& client, const char* path, std::string& why) {
  const auto answer = client.get(path);
  if (!answer) {
    why = answer.error().message;
    return false;
  }
  if (answer->status == 200) return true;
  why = failing_checks(answer->body);
  return false;
}

void ask_node(rpc::RpcClient& client, NodeStatus& status) {
  status.reachable = read_chain(client, status);
  if (!status.reachable) return;
  status.ready = probe(client, "/readyz", status.reason);
  read_consensus(ask(client, "consensus_getState"), status);
  const auto peers = ask(client, "net_getPeers");
  for (const auto& peer : list(peers, "items")) {
    if (!peer.is_object()) continue;
    status.peers.push_back({text(peer, "name"), flag(peer, "connected"), text(peer, "last_error")});
  }
}

NodeStatus ask_node(const NodeEntry& node, const std::optional<ProcessId>& process,
                    std::chrono::milliseconds timeout) {
  NodeStatus status;
  status.process = state_of(process);
  if (process) status.pid = process->pid;
  if (status.process != RunState::alive) {
    status.reason = status.process == RunState::paused ? "paused" : "not running";
    return status;
  }
  auto client = rpc::RpcClient::create({node.rpc_url()}, {timeout, timeout});
  if (!client) {
    status.reason = client.error().detail;
    return status;
  }
  ask_node(*client, status);
  return status;
}

}  // namespace quorate::testnet
