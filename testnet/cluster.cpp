#include "testnet/cluster.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <fstream>
#include <thread>

#include "crypto/certificate/quorum.hpp"
#include "rpc/client/rpc_client.hpp"
#include "testnet/perturb/links.hpp"
#include "testnet/ports.hpp"

namespace quorate::testnet {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kPollInterval{20};
constexpr std::size_t kLogLinesShown = 15;

Result<rpc::RpcClient> client_of(const NodeEntry& node, milliseconds timeout) {
  return rpc::RpcClient::create({node.rpc_url()}, {timeout, timeout});
}

// The programs are installed side by side.
Result<std::string> node_program() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return fail(Errc::io, "cannot find this program's own folder: " + error.message());
  return (self.parent_path() / "quorate-node").string();
}

}  // namespace

Result<Cluster> Cluster::open(const std::filesystem::path& data) {
  Layout layout{data};
  QUORATE_TRY(auto manifest, load_manifest(layout));
  return Cluster(std::move(layout), std::move(manifest));
}

std::string Cluster::rule() const {
  return quorum() > 1 ? "quorum " + std::to_string(quorum()) : "each goes on by itself";
}

std::uint32_t Cluster::faults_tolerated() const {
  return crypto::faults_tolerated(static_cast<std::uint32_t>(size()));
}

std::optional<ProcessId> Cluster::process(std::size_t index) const {
  return find_process(layout_.pid_file(node(index).name));
}

std::vector<std::size_t> Cluster::in_state(RunState wanted) const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < size(); ++i) {
    if (state(i) == wanted) out.push_back(i);
  }
  return out;
}

NodeStatus Cluster::status(std::size_t index, milliseconds timeout) const {
  return ask_node(node(index), process(index), timeout);
}

std::optional<std::uint32_t> Cluster::primary() const {
  if (traits().mines) return std::nullopt;
  for (const std::size_t index : in_state(RunState::alive)) {
    const auto answer = status(index, milliseconds(1000));
    if (answer.primary) return answer.primary;
  }
  return std::nullopt;
}

std::string Cluster::role(const NodeStatus& status, std::size_t index) {
  if (!status.reachable) return "-";
  if (status.observer) return "observer";
  if (status.branch) return status.branch->is_miner() ? "miner" : "follower";
  if (!status.primary) return "-";
  return *status.primary == index ? "primary" : "backup";
}

std::string Cluster::primary_warning(std::optional<std::uint32_t> primary) const {
  if (!primary || *primary >= size() || state(*primary) == RunState::alive) return {};
  return node(*primary).name + " is the primary and is " +
         (state(*primary) == RunState::paused ? "paused" : "down") +
         ": the next transfer waits until the others have replaced it";
}

Result<void> Cluster::start(std::size_t index) const {
  const auto& entry = node(index);
  QUORATE_CHECK(check_ports(manifest_.nodes, {index}, PortChoice::recorded));
  QUORATE_TRY(const auto program, node_program());
  std::vector<std::string> command = {program, "run", "--home",
                                      std::filesystem::absolute(layout_.home(entry.name)).string()};
  if (const Links links(layout_, manifest_); links.exist()) {
    QUORATE_CHECK(links.start());
    QUORATE_TRY(const auto peers, links.peers_setting(index));
    if (!peers.empty()) command.insert(command.end(), {"--set", peers});
  }
  QUORATE_TRY([[maybe_unused]] const auto process,
              spawn_detached(command, layout_.log_file(entry.name), layout_.pid_file(entry.name)));
  return {};
}

Error Cluster::not_ready(std::size_t index, const std::string& why) const {
  const auto& entry = node(index);
  return Error{Errc::rejected, entry.name + " " + why + "; its last log lines (" +
                                   layout_.log_file(entry.name).string() + "):\n" +
                                   log_tail(index, kLogLinesShown)};
}

// A process that has ended is reaped, if it is a child of this one.
Error Cluster::ended(std::size_t index) const {
  const auto child = read_pid_file(layout_.pid_file(node(index).name));
  const auto how = child ? reap(*child) : std::nullopt;
  return not_ready(index, "ended with " + how.value_or("unknown status"));
}

Result<std::vector<Unready>> Cluster::wait_settled(const std::vector<std::size_t>& indices,
                                                   milliseconds timeout) const {
  const auto deadline = Clock::now() + timeout;
  std::vector<rpc::RpcClient> clients;
  for (const std::size_t index : indices) {
    QUORATE_TRY(auto client, client_of(node(index), milliseconds(1000)));
    clients.push_back(std::move(client));
  }
  while (true) {
    std::vector<Unready> out;
    for (std::size_t i = 0; i < indices.size(); ++i) {
      std::string why = "no answer";
      if (probe(clients[i], "/readyz", why)) continue;
      if (state(indices[i]) == RunState::dead) return tl::unexpected(ended(indices[i]));
      out.push_back({indices[i], why});
    }
    const bool only_follow = std::all_of(out.begin(), out.end(), [](const Unready& each) {
      return each.why.rfind("observer", 0) == 0;
    });
    const bool enough = size() - out.size() >= quorum() && only_follow;
    if (out.empty() || enough || Clock::now() >= deadline) return out;
    std::this_thread::sleep_for(kPollInterval);
  }
}

Result<void> Cluster::wait_ready(const std::vector<std::size_t>& indices,
                                 milliseconds timeout) const {
  const auto deadline = Clock::now() + timeout;
  // Where nodes mine one goes on by itself, and is not ready before it hears of another.
  const std::size_t needed = traits().mines ? std::min<std::size_t>(2, size()) : quorum();
  const bool quorate = in_state(RunState::alive).size() >= needed;
  const char* path = quorate ? "/readyz" : "/livez";
  for (const std::size_t index : indices) {
    QUORATE_TRY(auto client, client_of(node(index), milliseconds(1000)));
    std::string why = "no answer";
    while (!probe(client, path, why)) {
      if (state(index) == RunState::dead) return tl::unexpected(ended(index));
      if (Clock::now() >= deadline) {
        return tl::unexpected(not_ready(
            index,
            "is not ready after " + std::to_string(timeout.count() / 1000) + " s (" + why + ")"));
      }
      std::this_thread::sleep_for(kPollInterval);
    }
  }
  return {};
}

Result<void> Cluster::wait_height(std::size_t index, std::uint64_t height,
                                  milliseconds timeout) const {
  const auto deadline = Clock::now() + timeout;
  while (true) {
    const auto now = status(index, milliseconds(1000));
    if (now.reachable && now.height >= height) return {};
    if (now.process == RunState::dead) return tl::unexpected(not_ready(index, "ended"));
    if (Clock::now() >= deadline) {
      return fail(Errc::timeout, node(index).name + " is at height " + std::to_string(now.height) +
                                     " and has not caught up to " + std::to_string(height));
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

std::string Cluster::log_tail(std::size_t index, std::size_t lines) const {
  std::ifstream in(layout_.log_file(node(index).name));
  std::deque<std::string> last;
  for (std::string line; std::getline(in, line);) {
    last.push_back(line);
    if (last.size() > lines) last.pop_front();
  }
  std::string out;
  for (const auto& line : last) out += "    " + line + "\n";
  if (out.empty()) out = "    (nothing logged)\n";
  out.pop_back();
  return out;
}

Result<DataLock> DataLock::acquire(const Layout& layout) {
  const auto path = layout.data / "LOCK";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return fail(Errc::io, "cannot open " + path.string() + ": " + std::strerror(errno));
  }
  DataLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return fail(Errc::unavailable, "another quorate-testnet command is at work in " +
                                       layout.data.string() + "; wait for it to end");
  }
  return lock;
}

DataLock::~DataLock() {
  if (fd_ >= 0) ::close(fd_);
}

std::string names(const Cluster& cluster, const std::vector<std::size_t>& indices) {
  std::string out;
  for (const std::size_t index : indices) {
    if (!out.empty()) out += ", ";
    out += cluster.node(index).name;
  }
  return out;
}

}  // namespace quorate::testnet
