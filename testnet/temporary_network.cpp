#include "testnet/temporary_network.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <numeric>

#include "testnet/perturb/links.hpp"
#include "testnet/ports.hpp"

namespace quorate::testnet {

namespace {

using std::chrono::milliseconds;

// Below the ports that the system gives to outgoing connections.
constexpr std::uint16_t kFirstPort = 21'000;
constexpr std::uint16_t kPortStep = 2 * kNodesMax;
constexpr std::uint16_t kPlaces = 300;
constexpr std::chrono::seconds kStopMax{10};

std::vector<std::size_t> all_of(std::size_t count) {
  std::vector<std::size_t> out(count);
  std::iota(out.begin(), out.end(), std::size_t{0});
  return out;
}

// Where to begin differs from process to process, so that two of them rarely want the same place.
Result<void> choose_ports(NetworkPlan& plan) {
  const auto begin = static_cast<std::uint32_t>(::getpid()) % kPlaces;
  for (std::uint32_t i = 0; i < kPlaces; ++i) {
    const std::uint32_t place = (begin + i) % kPlaces;
    plan.rpc_base_port = static_cast<std::uint16_t>(kFirstPort + place * kPortStep);
    plan.p2p_base_port = static_cast<std::uint16_t>(plan.rpc_base_port + kNodesMax);
    const auto nodes = plan_nodes(plan);
    if (check_ports(nodes, all_of(nodes.size()), PortChoice::open)) return {};
  }
  return fail(Errc::unavailable, "no free ports for a testnet between " +
                                     std::to_string(kFirstPort) + " and " +
                                     std::to_string(kFirstPort + kPlaces * kPortStep));
}

void stop(const ProcessId& process, std::chrono::steady_clock::time_point deadline) {
  const auto left =
      std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
  const auto ended = wait_for_end(process, std::max(left, milliseconds(1)));
  if (ended && *ended) return;
  if (const auto killed = send_signal(process, SIGKILL); !killed) {
    std::cerr << "warning: process " << process.pid << ": " << killed.error().detail << "\n";
    return;
  }
  (void)wait_for_end(process, std::chrono::seconds(5));
}

}  // namespace

Result<std::unique_ptr<TemporaryNetwork>> TemporaryNetwork::start(NetworkPlan plan,
                                                                  bool fault_links,
                                                                  std::chrono::seconds timeout) {
  std::string folder = (std::filesystem::temp_directory_path() / "quorate-compare-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return fail(Errc::io, "cannot create " + folder);
  std::unique_ptr<TemporaryNetwork> out(new TemporaryNetwork(folder, timeout));
  QUORATE_CHECK(out->make(std::move(plan), fault_links));
  return out;
}

Result<void> TemporaryNetwork::make(NetworkPlan plan, bool fault_links) {
  QUORATE_CHECK(choose_ports(plan));
  const Layout layout{folder_ / "data"};
  QUORATE_CHECK(create_network(layout, plan));
  QUORATE_TRY(cluster_, Cluster::open(layout.data));
  QUORATE_TRY(lock_, DataLock::acquire(cluster_->layout()));
  if (fault_links) QUORATE_CHECK(Links(cluster_->layout(), cluster_->manifest()).start());
  const auto all = all_of(cluster_->size());
  for (const std::size_t node : all) QUORATE_CHECK(cluster_->start(node));
  return cluster_->wait_ready(all, timeout_);
}

TemporaryNetwork::~TemporaryNetwork() {
  end();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void TemporaryNetwork::end() {
  if (!cluster_) return;
  std::vector<ProcessId> running;
  for (const std::size_t node : all_of(cluster_->size())) {
    const auto process = cluster_->process(node);
    if (process && send_signal(*process, SIGTERM)) running.push_back(*process);
  }
  const auto deadline = std::chrono::steady_clock::now() + kStopMax;
  for (const ProcessId& process : running) stop(process, deadline);
  const Links links(cluster_->layout(), cluster_->manifest());
  if (!links.exist()) return;
  if (const auto stopped = links.stop(); !stopped) {
    std::cerr << "warning: " << stopped.error().detail << "\n";
  }
}

Result<void> TemporaryNetwork::kill(std::size_t node) {
  const auto process = cluster_->process(node);
  if (!process) return {};
  QUORATE_CHECK(send_signal(*process, SIGKILL));
  QUORATE_TRY(const bool ended, wait_for_end(*process, std::chrono::seconds(5)));
  if (!ended) return fail(Errc::timeout, cluster_->node(node).name + " does not end when killed");
  return {};
}

Result<void> TemporaryNetwork::start(std::size_t node) {
  QUORATE_CHECK(cluster_->start(node));
  return cluster_->wait_ready({node}, timeout_);
}

Result<void> TemporaryNetwork::partition(const std::vector<std::vector<std::size_t>>& groups) {
  const Links links(cluster_->layout(), cluster_->manifest());
  QUORATE_TRY(auto rules, links.rules());
  rules.clear();
  if (!groups.empty()) QUORATE_CHECK(testnet::partition(rules, groups));
  QUORATE_CHECK(links.apply(rules));
  return {};
}

}  // namespace quorate::testnet
