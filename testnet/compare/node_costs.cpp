#include "testnet/compare/node_costs.hpp"

#include <unistd.h>

#include <fstream>

#include "rpc/client/rpc_client.hpp"
#include "testnet/compare/counters.hpp"

namespace quorate::testnet::comparison {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kAnswerMax{2000};
constexpr double kMicrojoules = 1e6;

std::string read_line(const fs::path& file) {
  std::ifstream in(file);
  std::string out;
  std::getline(in, out);
  return out;
}

// Of one thread of a process, which may end meanwhile.
void add_thread(const fs::path& folder, NodeCosts& costs) {
  const auto sample = parse_stat(read_line(folder / "stat"));
  if (!sample) return;
  const double seconds =
      static_cast<double>(sample->cpu_ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  costs.cpu_s[work_of_thread(read_line(folder / "comm"))] += seconds;
}

void add_counters(const NodeEntry& node, NodeCosts& costs) {
  auto client = rpc::RpcClient::create({node.rpc_url()}, {kAnswerMax, kAnswerMax});
  if (!client) return;
  const auto answer = client->get("/metrics");
  if (!answer || answer->status != 200) return;
  const std::string& text = answer->body;
  const std::string out = "direction=\"out\"";
  costs.p2p_bytes += metric_sum(text, "quorate_p2p_bytes_total", out);
  costs.p2p_messages += metric_sum(text, "quorate_p2p_messages_total", out);
  costs.hashes += metric_sum(text, "quorate_pow_hashes_total");
  costs.reversed = std::max(costs.reversed, metric_sum(text, "quorate_pow_reversed_txs_total"));
  costs.withdrawn =
      std::max(costs.withdrawn, metric_sum(text, "quorate_pow_withdrawn_blocks_total"));
}

}  // namespace

double NodeCosts::all_cpu_s() const {
  double out = 0;
  for (const auto& [kind, seconds] : cpu_s) out += seconds;
  return out;
}

NodeCosts sample_costs(const Cluster& cluster) {
  NodeCosts out;
  for (const std::size_t node : cluster.in_state(RunState::alive)) {
    const auto process = cluster.process(node);
    if (!process) continue;
    std::error_code error;
    const fs::path threads = "/proc/" + std::to_string(process->pid) + "/task";
    for (const auto& thread : fs::directory_iterator(threads, error)) {
      add_thread(thread.path(), out);
    }
    add_counters(cluster.node(node), out);
  }
  out.machine_joules = read_rapl_joules();
  return out;
}

NodeCosts operator-(const NodeCosts& after, const NodeCosts& before) {
  NodeCosts out = after;
  for (const auto& [kind, seconds] : before.cpu_s) out.cpu_s[kind] -= seconds;
  out.p2p_bytes -= before.p2p_bytes;
  out.p2p_messages -= before.p2p_messages;
  out.hashes -= before.hashes;
  out.reversed -= before.reversed;
  out.withdrawn -= before.withdrawn;
  // A counter that has come round says nothing.
  const bool sound = after.machine_joules && before.machine_joules &&
                     *after.machine_joules >= *before.machine_joules;
  out.machine_joules.reset();
  if (sound) out.machine_joules = *after.machine_joules - *before.machine_joules;
  return out;
}

std::optional<double> read_rapl_joules() {
  std::optional<double> out;
  std::error_code error;
  for (const auto& zone : fs::directory_iterator("/sys/class/powercap", error)) {
    const std::string name = zone.path().filename().string();
    // intel-rapl:0 is a package; intel-rapl:0:0 a part of it.
    const std::size_t colon = name.find(':');
    const bool package =
        name.rfind("intel-rapl:", 0) == 0 && name.find(':', colon + 1) == std::string::npos;
    double microjoules = 0;
    if (!package || !(std::ifstream(zone.path() / "energy_uj") >> microjoules)) continue;
    out = out.value_or(0) + microjoules / kMicrojoules;
  }
  return out;
}

}  // namespace quorate::testnet::comparison
