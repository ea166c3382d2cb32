// kill, start, pause and resume.
#include <csignal>
#include <iostream>
#include <thread>

#include "rpc/json/ledger_json.hpp"
#include "testnet/cluster.hpp"
#include "testnet/commands/commands.hpp"

namespace quorate::testnet {

namespace {

struct Change {
  std::size_t node = 0;
  std::string done;  // "killed", "was not running", ...
  bool was_primary = false;
};

Result<std::vector<std::size_t>> resolve(const Cluster& cluster,
                                         const std::vector<std::string>& wanted) {
  std::vector<std::size_t> out;
  for (const auto& name : wanted) {
    QUORATE_TRY(const auto index, cluster.manifest().find(name));
    if (std::find(out.begin(), out.end(), index) == out.end()) out.push_back(index);
  }
  return out;
}

// "3/4 alive, quorum 3", and what to do when that is too few.
std::string summary(const Cluster& cluster) {
  const auto alive = cluster.in_state(RunState::alive).size();
  const auto paused = cluster.in_state(RunState::paused);
  const auto dead = cluster.in_state(RunState::dead);
  std::string text = std::to_string(alive) + "/" + std::to_string(cluster.size()) + " alive, ";
  if (!paused.empty()) text += std::to_string(paused.size()) + " paused, ";
  if (alive >= cluster.quorum()) return text + cluster.rule();
  text += cluster.quorum() > 1 ? "below " + cluster.rule() + ": halted by design" : "nobody mines";
  text += ". Try: quorate-testnet ";
  const auto& command = dead.empty() ? "resume " : "start ";
  const auto& nodes = dead.empty() ? paused : dead;
  std::string list = names(cluster, nodes);
  std::erase(list, ',');
  return text + command + list;
}

void print(const Cluster& cluster, const std::vector<Change>& changes, bool json) {
  const auto alive = cluster.in_state(RunState::alive).size();
  if (json) {
    rpc::Json nodes = rpc::Json::array();
    for (const auto& change : changes) {
      nodes.push_back({{"name", cluster.node(change.node).name},
                       {"result", change.done},
                       {"was_primary", change.was_primary}});
    }
    std::cout << rpc::Json{{"nodes", std::move(nodes)},
                           {"alive", alive},
                           {"quorum", cluster.quorum()},
                           {"halted", alive < cluster.quorum()}}
                     .dump(2)
              << "\n";
    return;
  }
  std::string line = "  ";
  for (const auto& change : changes) {
    line += cluster.node(change.node).name + (change.was_primary ? " (primary) " : " ") +
            change.done + "; ";
  }
  std::cout << line << summary(cluster) << "\n";
  if (alive < cluster.quorum()) return;  // which the summary explains
  const std::string warning = cluster.primary_warning(cluster.primary());
  if (!warning.empty()) std::cout << "  " << warning << "\n";
}

struct SignalCommand {
  int signal;
  RunState after;      // the state the process is in then
  const char* done;    // what has happened then
  const char* was_so;  // what to say when it was in that state before
};

// A signal takes effect a moment after it was sent.
Result<void> wait_for_effect(const Cluster& cluster, std::size_t index, const ProcessId& process,
                             RunState state, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  if (state == RunState::dead) {
    QUORATE_TRY(const bool ended, wait_for_end(process, timeout));
    if (ended) return {};
    return fail(Errc::timeout, cluster.node(index).name + " (process " +
                                   std::to_string(process.pid) +
                                   ") was killed and has not ended yet: it waits for its disk");
  }
  while (cluster.state(index) != state && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return {};
}

Result<int> signal_nodes(const NodesOptions& options, const SignalCommand& command) {
  QUORATE_TRY(const auto cluster, Cluster::open(options.common.data));
  QUORATE_TRY(const auto nodes, resolve(cluster, options.nodes));
  QUORATE_TRY(const auto lock, DataLock::acquire(cluster.layout()));
  const auto primary = command.signal == SIGCONT ? std::nullopt : cluster.primary();
  std::vector<Change> changes;
  bool all_done = true;
  for (const std::size_t index : nodes) {
    const auto process = cluster.process(index);
    const RunState state = cluster.state(index);
    if (state == command.after) {
      changes.push_back({index, command.was_so, false});
      all_done = all_done && command.signal != SIGCONT;  // "resume" speaks of a node that waits
      continue;
    }
    if (!process || state == RunState::dead) {
      changes.push_back({index, "is not running", false});
      all_done = false;
      continue;
    }
    QUORATE_TRY(const bool sent, send_signal(*process, command.signal));
    if (sent) {
      QUORATE_CHECK(
          wait_for_effect(cluster, index, *process, command.after, options.common.timeout));
    }
    changes.push_back({index, command.done, primary && *primary == index});
  }
  print(cluster, changes, options.common.json);
  return all_done ? 0 : 1;
}

// The greatest height among the nodes that run: what a node that comes back has to reach.
std::uint64_t greatest_height(const Cluster& cluster) {
  std::uint64_t height = 0;
  for (const std::size_t index : cluster.in_state(RunState::alive)) {
    height = std::max(height, cluster.status(index, std::chrono::milliseconds(1000)).height);
  }
  return height;
}

}  // namespace

Result<int> run_kill(const NodesOptions& options) {
  return signal_nodes(options, {SIGKILL, RunState::dead, "killed", "was not running"});
}

Result<int> run_pause(const NodesOptions& options) {
  return signal_nodes(options, {SIGSTOP, RunState::paused, "paused", "was paused already"});
}

Result<int> run_resume(const NodesOptions& options) {
  return signal_nodes(options, {SIGCONT, RunState::alive, "resumed", "is not paused"});
}

Result<int> run_start(const NodesOptions& options) {
  QUORATE_TRY(const auto cluster, Cluster::open(options.common.data));
  QUORATE_TRY(const auto nodes, resolve(cluster, options.nodes));
  QUORATE_TRY(const auto lock, DataLock::acquire(cluster.layout()));
  const auto target = greatest_height(cluster);
  std::vector<Change> changes;
  std::vector<std::size_t> started;
  for (const std::size_t index : nodes) {
    if (cluster.process(index)) {
      changes.push_back({index, "was running", false});
      continue;
    }
    QUORATE_CHECK(cluster.start(index));
    started.push_back(index);
  }
  QUORATE_CHECK(cluster.wait_ready(started, options.common.timeout));
  const bool quorate = cluster.in_state(RunState::alive).size() >= cluster.quorum();
  for (const std::size_t index : started) {
    if (quorate) QUORATE_CHECK(cluster.wait_height(index, target, options.common.timeout));
    const auto status = cluster.status(index, std::chrono::milliseconds(1000));
    changes.push_back({index, "started, at height " + std::to_string(status.height), false});
  }
  print(cluster, changes, options.common.json);
  return 0;
}

}  // namespace quorate::testnet
