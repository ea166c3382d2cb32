#include "testnet/load/generator.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <mutex>
#include <thread>

#include "node/config/genesis_file.hpp"
#include "rpc/client/rpc_client.hpp"
#include "rpc/client/trusted_chain.hpp"
#include "rpc/json/fields.hpp"
#include "rpc/json/ledger_json.hpp"
#include "testnet/load/accounts.hpp"

namespace quorate::testnet {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{100};
constexpr milliseconds kIdlePause{10};
constexpr milliseconds kResendDelay{1500};
constexpr std::size_t kSamplesPerTick = 2;
constexpr std::size_t kProgressTicks = 10;

volatile std::sig_atomic_t g_interrupted = 0;

double seconds_between(LoadClock::time_point from, LoadClock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

std::uint64_t own_cpu_us() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto microseconds = [](const timeval& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(time.tv_usec);
  };
  return microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
}

// CPU time of every process at one moment.
struct CpuSample {
  LoadClock::time_point at;
  std::vector<std::uint64_t> node_ticks;
  std::uint64_t own_us = 0;
  StealSample steal;
};

CpuSample sample_cpu(const Cluster& cluster) {
  CpuSample sample{LoadClock::now(), {}, own_cpu_us(), sample_steal()};
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    const auto process = cluster.process(i);
    const auto ticks = process ? sample_process(process->pid) : std::nullopt;
    sample.node_ticks.push_back(ticks ? ticks->cpu_ticks : 0);
  }
  return sample;
}

void compare_cpu(const Cluster& cluster, const CpuSample& before, const CpuSample& after,
                 PointResult& point) {
  const double seconds = seconds_between(before.at, after.at);
  const double ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    // A node that was restarted in between starts from zero.
    const auto from = std::min(before.node_ticks[i], after.node_ticks[i]);
    const auto used = static_cast<double>(after.node_ticks[i] - from) / ticks_per_second;
    point.cpu.push_back({cluster.node(i).name, used / seconds});
  }
  const auto own = static_cast<double>(after.own_us - before.own_us) / 1e6;
  point.cpu.push_back({"generator", own / seconds});
  const auto total = after.steal.total - before.steal.total;
  const auto stolen = after.steal.steal - before.steal.steal;
  point.steal = total == 0 ? 0 : static_cast<double>(stolen) / static_cast<double>(total);
}

Error rpc_failure(const rpc::RpcError& error) {
  const auto code =
      error.kind == rpc::RpcError::Kind::answered ? Errc::rejected : Errc::unavailable;
  return Error{code, error.url + ": " + error.message};
}

struct AccountState {
  std::uint64_t balance = 0;
  std::uint64_t nonce = 0;
  std::uint64_t next_nonce = 0;
  bool operator==(const AccountState&) const = default;
};

Result<AccountState> read_account(rpc::RpcClient& client, const crypto::Address& address) {
  const auto json = client.call("account_get", {{"address", crypto::to_text(address)}});
  if (!json) return tl::unexpected(rpc_failure(json.error()));
  QUORATE_TRY(const auto fields, rpc::Fields::of(*json, "account"));
  AccountState state;
  QUORATE_TRY(state.balance, fields.amount("balance"));
  QUORATE_TRY(state.nonce, fields.integer("nonce"));
  QUORATE_TRY(state.next_nonce, fields.integer("next_nonce"));
  return state;
}

// All accounts at one moment: what an interrupted run left behind may still be executed while they
// are read, so they are read until two readings agree. Error timeout when that never happens.
Result<std::vector<AccountState>> read_at_rest(rpc::RpcClient& client,
                                               const std::vector<LoadAccount>& accounts,
                                               std::chrono::seconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::vector<AccountState> before;
  while (true) {
    std::vector<AccountState> now;
    for (const auto& account : accounts) {
      QUORATE_TRY(const auto state, read_account(client, account.address));
      now.push_back(state);
    }
    if (now == before) return now;
    if (std::chrono::steady_clock::now() > deadline) {
      return fail(Errc::timeout, "transfers of the load accounts go on being executed");
    }
    before = std::move(now);
    std::this_thread::sleep_for(milliseconds(50));
  }
}

}  // namespace

struct Generator::Impl {
  Impl(const Cluster& network, GeneratorOptions given, rpc::TrustedChain trusted)
      : cluster(network), options(std::move(given)), chain(std::move(trusted)) {}

  bool seals() const { return cluster.traits().seals; }
  Result<void> prepare();
  Result<void> read_accounts(rpc::RpcClient& client);
  Result<void> refresh_nonces();
  Result<rpc::RpcClient> any_client() const {
    return rpc::RpcClient::create(urls, {std::chrono::seconds(2), std::chrono::seconds(35)});
  }
  void deliver(const FinalBlock& block) {
    const std::lock_guard lock(mutex);
    if (collector != nullptr) collector->on_final(block);
  }
  void withdraw(std::uint64_t height) {
    const std::lock_guard lock(mutex);
    if (collector != nullptr) collector->on_withdrawn(height);
  }
  void collect_into(Collector* target) {
    const std::lock_guard lock(mutex);
    collector = target;
  }
  Result<void> submit_until_final(rpc::RpcClient& client, std::string_view tx);
  Result<double> one_idle_transaction(rpc::RpcClient& client, const Workload& work, std::size_t k);
  void sample_proofs(rpc::RpcClient& client, const Workload& work, const Schedule& schedule,
                     Collector& target, std::vector<double>& proof_ms);
  void show_progress(const PointResult& point, const Sender& sender, Collector& target,
                     LoadClock::time_point start) const;
  void run_window(PointResult& point, const Workload& work, Sender& sender, Collector& target,
                  const Schedule& schedule, std::vector<double>& proof_ms);
  Result<Digest> state_root(const std::string& url, std::uint64_t height) const;

  const Cluster& cluster;
  const GeneratorOptions options;
  const rpc::TrustedChain chain;
  std::vector<std::string> urls;
  std::vector<LoadAccount> accounts;
  std::uint64_t supply_before = 0;
  std::uint64_t nonces_before = 0;
  std::uint64_t acknowledged = 0;
  Probes probes;
  std::unique_ptr<AckFile> ack;
  std::mutex mutex;
  Collector* collector = nullptr;
  std::unique_ptr<FinalityWatcher> watcher;
};

Result<void> Generator::Impl::prepare() {
  for (std::size_t i = 0; i < cluster.size(); ++i) urls.push_back(cluster.node(i).rpc_url());
  QUORATE_TRY(auto client, any_client());
  QUORATE_CHECK(read_accounts(client));
  QUORATE_TRY(probes, run_probes(chain.chain_id(), accounts.front(), cluster.layout().data));
  if (options.ack_file) {
    QUORATE_TRY(ack, AckFile::open(*options.ack_file));
  }
  const auto status = client.call("chain_getStatus", rpc::Json::object());
  if (!status) return tl::unexpected(rpc_failure(status.error()));
  QUORATE_TRY(const auto fields, rpc::Fields::of(*status, "chain_getStatus"));
  QUORATE_TRY(const auto height, fields.integer("height"));
  // Miners who do not know of each other's blocks put one transaction into several: only a receipt
  // says which of them executed it.
  const bool receipts = options.ack_file.has_value() || !seals();
  watcher = std::make_unique<FinalityWatcher>(
      WatcherOptions{chain, urls, height + 1, receipts, seals()},
      [this](const FinalBlock& block) { deliver(block); },
      [this](std::uint64_t from) { withdraw(from); });
  return {};
}

Result<void> Generator::Impl::read_accounts(rpc::RpcClient& client) {
  const std::size_t lanes = cluster.size() * options.connections_per_node;
  const std::size_t count = cluster.manifest().load_accounts / lanes * lanes;
  if (count == 0) {
    return fail(Errc::rejected,
                "this testnet was made with too few load accounts; make another one: "
                "quorate-testnet down --purge, then quorate-testnet up --load-accounts 512");
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    auto key = load_account_key(i);
    const auto address = crypto::address_of(key.public_key());
    QUORATE_TRY(const auto state, read_account(client, address));
    supply_before += state.balance;
    nonces_before += state.nonce;
    accounts.push_back({std::move(key), address, state.next_nonce});
  }
  return {};
}

// After transactions were signed and never sent, or never became final.
Result<void> Generator::Impl::refresh_nonces() {
  QUORATE_TRY(auto client, any_client());
  for (auto& account : accounts) {
    QUORATE_TRY(const auto state, read_account(client, account.address));
    account.next_nonce = state.next_nonce;
  }
  return {};
}

// The same bytes may be submitted again for as long as they wait.
Result<void> Generator::Impl::submit_until_final(rpc::RpcClient& client, std::string_view tx) {
  constexpr int kStillPending = -32010;
  const auto deadline = LoadClock::now() + options.drain_timeout;
  while (true) {
    const auto sent = client.call("tx_submitAndWait", {{"tx", tx}});
    if (sent) return {};
    if (sent.error().code != kStillPending || LoadClock::now() > deadline) {
      return tl::unexpected(rpc_failure(sent.error()));
    }
  }
}

Result<double> Generator::Impl::one_idle_transaction(rpc::RpcClient& client, const Workload& work,
                                                     std::size_t k) {
  const auto start = LoadClock::now();
  QUORATE_CHECK(submit_until_final(client, work.hex(k)));
  if (!seals()) return seconds_between(start, LoadClock::now()) * 1e3;
  const auto proof = client.call("tx_getProof", {{"transaction_id", to_0x(work.id(k))}});
  if (!proof) return tl::unexpected(rpc_failure(proof.error()));
  QUORATE_TRY(const auto proved, chain.check_transaction_proof(*proof, work.id(k)));
  if (proved.receipt.outcome != ledger::Outcome::succeeded) {
    return fail(Errc::rejected, "a transfer between load accounts failed: " +
                                    std::string(ledger::to_string(proved.receipt.reason)));
  }
  return seconds_between(start, LoadClock::now()) * 1e3;
}

void Generator::Impl::sample_proofs(rpc::RpcClient& client, const Workload& work,
                                    const Schedule& schedule, Collector& target,
                                    std::vector<double>& proof_ms) {
  for (const std::size_t k : target.take_sample(kSamplesPerTick)) {
    const auto proof = client.call("tx_getProof", {{"transaction_id", to_0x(work.id(k))}});
    if (!proof || !chain.check_transaction_proof(*proof, work.id(k))) continue;
    proof_ms.push_back(seconds_between(schedule.due(k), LoadClock::now()) * 1e3);
  }
}

void Generator::Impl::show_progress(const PointResult& point, const Sender& sender,
                                    Collector& target, LoadClock::time_point start) const {
  if (!options.progress) return;
  const auto totals = sender.totals();
  char median[32] = "nothing new is final";
  if (const auto ms = target.recent_median_ms()) {
    std::snprintf(median, sizeof(median), "p50 %.1f ms", *ms);
  }
  std::fprintf(stderr, "    %.0f tx/s: %4.1f of %.0f s, sent %llu, final %llu, refused %llu, %s\n",
               point.offered, seconds_between(start, LoadClock::now()), point.seconds,
               static_cast<unsigned long long>(totals.sent),
               static_cast<unsigned long long>(target.finals()),
               static_cast<unsigned long long>(totals.refusals), median);
}

// Until everything that is due has been sent and has become final, or nobody waits any longer.
void Generator::Impl::run_window(PointResult& point, const Workload& work, Sender& sender,
                                 Collector& target, const Schedule& schedule,
                                 std::vector<double>& proof_ms) {
  const auto window_end = schedule.due(work.size());
  const auto deadline = window_end + options.drain_timeout;
  const auto cpu_before = sample_cpu(cluster);
  bool cpu_taken = false;
  std::uint64_t errors_seen = 0;
  auto resend_at = LoadClock::time_point::max();
  auto client = any_client();
  for (std::size_t tick = 1;; ++tick) {
    std::this_thread::sleep_for(kTick);
    const auto now = LoadClock::now();
    const bool over = now >= window_end || interrupted();
    if (over && !cpu_taken) {
      compare_cpu(cluster, cpu_before, sample_cpu(cluster), point);
      cpu_taken = true;
    }
    if (client && seals()) sample_proofs(*client, work, schedule, target, proof_ms);
    if (tick % kProgressTicks == 0) show_progress(point, sender, target, schedule.start);
    if (options.each_tick) options.each_tick(seconds_between(schedule.start, now));
    const auto totals = sender.totals();
    if (totals.connection_errors != errors_seen) {
      errors_seen = totals.connection_errors;
      resend_at = now + kResendDelay;
    }
    if (now >= resend_at) {
      sender.resend(target.unfinished(work.size()));
      resend_at = LoadClock::time_point::max();
    }
    if (target.finals() == work.size() || now >= deadline || interrupted()) break;
  }
}

Result<Digest> Generator::Impl::state_root(const std::string& url, std::uint64_t height) const {
  QUORATE_TRY(auto client, rpc::RpcClient::create({url}));
  const auto deadline = LoadClock::now() + std::chrono::seconds(20);
  while (true) {
    const auto json = client.call("chain_getBlock", {{"block", height}});
    if (json) {
      QUORATE_TRY(const auto fields, rpc::Fields::of(*json, "block"));
      QUORATE_TRY(const rpc::Json* header, fields.get("header"));
      QUORATE_TRY(const auto read, rpc::header_from_json(*header));
      return read.state_root;
    }
    // Not there yet: this node executes a moment later than the others.
    if (LoadClock::now() >= deadline) return tl::unexpected(rpc_failure(json.error()));
    std::this_thread::sleep_for(kTick);
  }
}

Generator::Generator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Generator::~Generator() = default;

Result<std::unique_ptr<Generator>> Generator::create(const Cluster& cluster,
                                                     GeneratorOptions options) {
  QUORATE_TRY(auto genesis, node::read_genesis_file(cluster.layout().genesis_file()));
  QUORATE_TRY(auto chain,
              rpc::TrustedChain::from_genesis(std::move(genesis), cluster.manifest().chain_id));
  auto impl = std::make_unique<Impl>(cluster, std::move(options), std::move(chain));
  QUORATE_CHECK(impl->prepare());
  return std::unique_ptr<Generator>(new Generator(std::move(impl)));
}

const Probes& Generator::probes() const { return impl_->probes; }
double Generator::ceiling() const { return impl_->probes.ceiling(impl_->cluster.size()); }
void Generator::interrupt() { g_interrupted = 1; }

void Generator::interrupt_on_signals() {
  const auto interrupt_now = [](int) { interrupt(); };
  std::signal(SIGINT, interrupt_now);
  std::signal(SIGTERM, interrupt_now);
  if (std::signal(SIGHUP, interrupt_now) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);
}

bool Generator::interrupted() { return g_interrupted != 0; }

Result<IdleResult> Generator::measure_idle(std::size_t transactions) {
  const auto work = Workload::sign(impl_->chain.chain_id(), impl_->accounts, transactions);
  QUORATE_TRY(auto client, impl_->any_client());
  std::vector<double> latencies;
  for (std::size_t k = 0; k < work.size() && !interrupted(); ++k) {
    QUORATE_TRY(const double took, impl_->one_idle_transaction(client, work, k));
    latencies.push_back(took);
    ++impl_->acknowledged;
    std::this_thread::sleep_for(kIdlePause);
  }
  IdleResult result;
  result.latency_ms = percentiles(std::move(latencies));
  const auto& probes = impl_->probes;
  result.ratio = result.latency_ms.p50 * 1e3 / (5 * probes.hop_us + 2 * probes.fdatasync_us);
  return result;
}

Result<PointResult> Generator::measure_point(double rate, double seconds) {
  PointResult point;
  point.offered = rate;
  point.seconds = seconds;
  const auto count = static_cast<std::size_t>(rate * seconds);
  const auto work = Workload::sign(impl_->chain.chain_id(), impl_->accounts, count);
  SenderOptions options;
  for (std::size_t i = 0; i < impl_->cluster.size(); ++i) {
    options.ports.push_back(impl_->cluster.node(i).rpc_port);
  }
  options.connections_per_node = impl_->options.connections_per_node;
  options.batch_delay = impl_->options.batch_delay;
  const Schedule schedule{LoadClock::now() + kTick, rate};
  Collector collector(work, schedule, impl_->ack.get());
  impl_->collect_into(&collector);
  std::vector<double> proof_ms;
  {
    Sender sender(options, work, schedule);
    sender.start();
    impl_->run_window(point, work, sender, collector, schedule, proof_ms);
    sender.stop();
    point.totals = sender.totals();
    point.refusals = sender.reasons();
  }
  impl_->collect_into(nullptr);
  if (!collector.ack_error().empty()) {
    return fail(Errc::io, "the acknowledgements cannot be written: " + collector.ack_error());
  }

  const auto warm = schedule.start + std::chrono::duration_cast<LoadClock::duration>(
                                         std::chrono::duration<double>(seconds / 5));
  const auto end = std::min(schedule.due(work.size()), LoadClock::now());
  point.committed = impl_->seals() ? static_cast<double>(collector.final_between(warm, end)) /
                                         std::max(seconds_between(warm, end), 1e-3)
                                   : collector.sustained_rate();
  point.whole = !interrupted();
  point.reversed = collector.reversed();
  point.finals = collector.finals();
  point.failed = collector.failed();
  point.unfinished = point.totals.sent - std::min(point.totals.sent, point.finals);
  point.latency_ms = percentiles(collector.latencies_ms(warm, end));
  point.final_at_s = collector.moments_s();
  point.proof_ms = percentiles(std::move(proof_ms));
  impl_->acknowledged += point.finals;
  if (point.finals != work.size()) QUORATE_CHECK(impl_->refresh_nonces());
  return point;
}

Result<CheckResult> Generator::check() {
  CheckResult result;
  result.height = impl_->watcher->height();
  result.acknowledged = impl_->acknowledged;
  if (impl_->watcher->bad_answers() > 0) {
    return fail(Errc::bad_signature,
                "a node gave an answer that does not verify: " + impl_->watcher->last_error());
  }
  std::vector<Digest> roots;
  for (const std::size_t index : impl_->cluster.in_state(RunState::alive)) {
    QUORATE_TRY(auto root, impl_->state_root(impl_->urls[index], result.height));
    roots.push_back(root);
  }
  result.roots_equal = !roots.empty() && std::adjacent_find(roots.begin(), roots.end(),
                                                            std::not_equal_to<>()) == roots.end();
  QUORATE_TRY(auto client, impl_->any_client());
  std::uint64_t supply = 0;
  std::uint64_t nonces = 0;
  QUORATE_TRY(const auto states,
              read_at_rest(client, impl_->accounts, impl_->options.drain_timeout));
  for (const auto& state : states) {
    supply += state.balance;
    nonces += state.nonce;
  }
  result.committed = nonces - impl_->nonces_before;
  result.supply_unchanged = supply == impl_->supply_before;
  return result;
}

}  // namespace quorate::testnet
