#include "tests/sim/timed/timed_run.hpp"

#include <algorithm>
#include <numeric>

#include "tests/sim/timed/load.hpp"

namespace quorate::sim::timed {
namespace {

// How long a TCP and TLS connection takes, in one-way delays.
constexpr int kConnectDelays = 5;
constexpr Duration kConnect = std::chrono::milliseconds(5);

class Run {
 public:
  Run(const Scene& scene, Watcher& watcher, Stopwatch* stopwatch)
      : scene_(scene),
        watcher_(watcher),
        shared_(scene_, watcher),
        wires_(scene_, shared_.timeline, shared_.prng.fork(), watcher,
               [this](Flight flight) { nodes_[flight.to.value()]->arrive(std::move(flight)); }),
        malicious_(scene.replicas) {
    const std::size_t machines = scene.one_machine ? 1 : scene.replicas;
    for (std::size_t i = 0; i < machines; ++i) {
      machines_.push_back(std::make_unique<Machine>(
          shared_.timeline, scene.cores, nanoseconds(scene.costs.wake), scene.neighbours));
    }
    for (std::uint32_t i = 0; i < scene.replicas; ++i) {
      Machine& machine = *machines_[scene.one_machine ? 0 : i];
      nodes_.push_back(
          std::make_unique<TimedNode>(shared_, machine, wires_, ReplicaId(i), hooks(), stopwatch));
    }
    if (scene.work) add_miners(*scene.work);
    load_ = std::make_unique<Load>(shared_, nodes_,
                                   scene.one_machine ? machines_.front().get() : nullptr);
    shared_.on_block = [this](const Digest& block) { load_->shown(block); };
  }

  RunEnd run() {
    for (const auto& node : nodes_) start(*node);
    for (std::size_t i = 0; i < scene_.faults.size(); ++i) {
      shared_.timeline.at(Instant{scene_.faults[i].at}, [this, i] { begin(i); });
    }
    load_->begin();
    while (!over() && !violation_ && shared_.timeline.run_next()) continue;
    return end();
  }

 private:
  TimedNode::Hooks hooks() {
    return {[this](ReplicaId replica, const ledger::ExecutedBlock& block) {
              agree(replica, block);
              load_->executed(replica, block);
              // Nobody seals where work decides: being so deep is all the finality there is.
              if (scene_.work) load_->sealed(replica, block.header.height);
            },
            [this](ReplicaId replica, Height height) { load_->sealed(replica, height); },
            [this](ReplicaId replica, Height height,
                   const std::vector<ledger::WithdrawnBlock>& blocks) {
              load_->withdrawn(replica, height, blocks);
            },
            [this](ReplicaId replica, const Digest& tip, Height height) {
              watcher_.prefers(shared_.timeline.now(), replica, tip, height);
              load_->prefers(replica, tip, height);
            },
            [this](ReplicaId replica, node::Ticket, std::size_t) { load_->answered(replica); }};
  }

  void add_miners(const WorkScene& work) {
    std::vector<std::uint64_t> shares = work.hash_shares;
    if (shares.empty()) shares.assign(scene_.replicas, 1);
    const std::uint64_t all = std::accumulate(shares.begin(), shares.end(), std::uint64_t{0});
    const std::uint64_t rate = pow::hashes_per_second(shared_.genesis.consensus);
    for (const auto& node : nodes_) {
      TimedNode* its = node.get();
      miners_.push_back(std::make_unique<pow::VirtualMiner>(
          shared_.timeline, shared_.lottery, shared_.prng.fork(),
          rate * shares.at(its->self().value()) / all,
          [this, its](consensus::WorkToken token, const pow::MinedBlock& block) {
            watcher_.mined(its->self(), block);
            its->deliver(node::WorkFound{token, block.header.nonce});
          }));
      its->set_miner(miners_.back().get());
    }
  }

  // The load and its tail are over, every fault has ended, and either everything is final or nobody
  // waits longer.
  bool over() const {
    const Duration now = shared_.timeline.now().since_origin;
    if (now < scene_.length + scene_.tail || !load_->complete() || faults_to_come() > 0)
      return false;
    return load_->open() == 0 || now >= scene_.length + scene_.drain;
  }
  std::size_t faults_to_come() const {
    const Duration now = shared_.timeline.now().since_origin;
    return static_cast<std::size_t>(
        std::count_if(scene_.faults.begin(), scene_.faults.end(), [now](const Fault& fault) {
          return fault.at > now || (fault.until && *fault.until > now);
        }));
  }

  // ---- connections ----

  void start(TimedNode& node) {
    node.start();
    for (const auto& peer : nodes_) {
      if (peer->self() != node.self() && peer->up()) connect(node, *peer);
    }
  }

  void connect(TimedNode& a, TimedNode& b) {
    const Duration delay = scene_.links.delay.at(a.self().value()).at(b.self().value());
    shared_.timeline.after(kConnect + delay * kConnectDelays, [this, &a, &b] {
      if (!a.up() || !b.up()) return;
      if (wires_.separated(a.self(), b.self())) return connect(a, b);
      a.connected(b.self(), true);
      b.connected(a.self(), true);
    });
  }

  // ---- faults ----

  // Where work decides, the largest miner.
  ReplicaId primary() const {
    if (scene_.work) {
      const auto largest =
          std::max_element(miners_.begin(), miners_.end(), [](const auto& a, const auto& b) {
            return a->hashes_per_second() < b->hashes_per_second();
          });
      return ReplicaId(static_cast<std::uint32_t>(largest - miners_.begin()));
    }
    View view(0);
    for (const auto& node : nodes_) {
      if (node->up()) view = std::max(view, node->replica().status().consensus.view);
    }
    return ReplicaId(static_cast<std::uint32_t>(view.value() % nodes_.size()));
  }

  void begin(std::size_t index) {
    const Fault& fault = scene_.faults[index];
    std::vector<ReplicaId> replicas = fault.replicas;
    if (replicas.empty()) replicas.push_back(primary());
    if (fault.kind == FaultKind::partition) {
      wires_.split(index, replicas);
      happened(std::nullopt, "partition: " + names(replicas) + " cut off from the others");
    } else {
      for (const ReplicaId replica : replicas) begin(fault, *nodes_[replica.value()]);
    }
    if (!fault.until) return;
    shared_.timeline.at(Instant{*fault.until},
                        [this, index, replicas] { finish(index, replicas); });
  }

  void begin(const Fault& fault, TimedNode& node) {
    switch (fault.kind) {
      case FaultKind::crash: return crash(node);
      case FaultKind::equivocate:
        malicious_[node.self().value()] = true;
        node.equivocate(true);
        return happened(node.self(), "begins to send two proposals for one slot");
      case FaultKind::slow:
        node.propose_slowly(fault.pace);
        return happened(
            node.self(),
            "proposes only once in " +
                std::to_string(
                    std::chrono::duration_cast<std::chrono::milliseconds>(fault.pace).count()) +
                " ms");
      case FaultKind::hide:
        wires_.hide(node.self(), true);
        return happened(node.self(), "begins to mine in private");
      case FaultKind::partition: break;
    }
  }

  void finish(std::size_t index, const std::vector<ReplicaId>& replicas) {
    const Fault& fault = scene_.faults[index];
    if (fault.kind == FaultKind::partition) {
      wires_.heal(index);
      return happened(std::nullopt, "partition healed: " + names(replicas) + " connected again");
    }
    for (const ReplicaId replica : replicas) {
      TimedNode& node = *nodes_[replica.value()];
      if (fault.kind == FaultKind::crash && !node.up()) {
        happened(replica, "starts again");
        start(node);
      }
      if (fault.kind == FaultKind::equivocate) {
        node.equivocate(false);
        happened(replica, "is honest again");
      }
      if (fault.kind == FaultKind::slow) {
        node.propose_slowly(Duration(0));
        happened(replica, "proposes at full speed again");
      }
      if (fault.kind == FaultKind::hide) {
        wires_.hide(replica, false);
        happened(replica, "shows what it has mined");
      }
    }
  }

  void crash(TimedNode& node) {
    if (!node.up()) return;
    happened(node.self(), "crashes");
    node.crash();
    load_->crashed(node.self());
    for (const auto& peer : nodes_) {
      const Duration delay = scene_.links.delay.at(node.self().value()).at(peer->self().value());
      shared_.timeline.after(delay, [&node, &peer = *peer] {
        if (!node.up()) peer.connected(node.self(), false);
      });
    }
  }

  static std::string names(const std::vector<ReplicaId>& replicas) {
    std::string out;
    for (const ReplicaId replica : replicas) {
      out += (out.empty() ? "node" : ", node") + std::to_string(replica.value());
    }
    return out;
  }
  void happened(std::optional<ReplicaId> replica, const std::string& what) {
    watcher_.happened(shared_.timeline.now(), replica, what);
  }

  // ---- what must hold ----

  void agree(ReplicaId replica, const ledger::ExecutedBlock& block) {
    if (scene_.work) return agree_on_order(replica, block);
    const std::size_t index = block.header.height.value();
    if (index > blocks_.size()) blocks_.resize(index);
    std::optional<Digest>& agreed = blocks_[index - 1];
    if (!agreed) agreed = block.block_hash;
    if (*agreed != block.block_hash) {
      violation_ = "node" + std::to_string(replica.value()) + " executed another block at height " +
                   std::to_string(index) + " than others did";
    }
  }

  // Branches may differ; what comes out of one may not.
  void agree_on_order(ReplicaId replica, const ledger::ExecutedBlock& block) {
    highest_ = std::max(highest_, block.header.height);
    const auto [known, fresh] = results_.emplace(block.payload_id, block.block_hash);
    if (fresh || known->second == block.block_hash) return;
    violation_ = "node" + std::to_string(replica.value()) +
                 " made another block of the same order at height " +
                 std::to_string(block.header.height.value()) + " than others did";
  }

  WorkEnd work_end() const {
    WorkEnd out;
    out.blocks = shared_.lottery.blocks();
    out.reversed = load_->reversed();
    out.lost_for_good = load_->lost_for_good();
    for (const auto& node : nodes_) {
      if (!node->up()) continue;
      const auto branch = node->replica().status().consensus.branch;
      const bool better =
          branch && shared_.lottery.work(branch->tip_id) > shared_.lottery.work(out.best);
      if (better) out.best = branch->tip_id;
    }
    for (auto block = shared_.lottery.find(out.best); block != nullptr;
         block = shared_.lottery.find(block->header.parent)) {
      out.on_best.insert(block->id);
    }
    return out;
  }

  RunEnd end() {
    RunEnd out;
    out.ended = shared_.timeline.now().since_origin;
    out.events = shared_.timeline.events_run();
    out.offered = load_->offered();
    out.unfinished = load_->open();
    out.height = scene_.work ? highest_ : Height(blocks_.size());
    if (scene_.work) out.work = work_end();
    out.violation = violation_;
    for (const auto& node : nodes_) {
      NodeEnd one;
      one.up = node->up();
      if (one.up) {
        const node::ReplicaStatus status = node->replica().status();
        one.height = status.head.height;
        one.block_hash = status.head.block_hash;
        one.view = status.consensus.view;
        one.voting = !status.consensus.observer;
        one.not_ready_reason = status.not_ready_reason;
      }
      out.nodes.push_back(one);
      const bool any_malicious =
          std::find(malicious_.begin(), malicious_.end(), true) != malicious_.end();
      if (node->invalid_frames() > 0 && !any_malicious && !out.violation) {
        out.violation = "node" + std::to_string(node->self().value()) +
                        " got a message that does not verify from a correct replica";
      }
    }
    for (const auto& machine : machines_) out.cpu.push_back(machine->used());
    return out;
  }

  const Scene& scene_;
  Watcher& watcher_;
  Shared shared_;
  Wires wires_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::vector<std::unique_ptr<TimedNode>> nodes_;
  std::vector<std::unique_ptr<pow::VirtualMiner>> miners_;
  std::unique_ptr<Load> load_;
  std::vector<std::optional<Digest>> blocks_;  // by height - 1
  std::map<Digest, Digest> results_;           // payload id -> block hash, of proof of work
  Height highest_;                             // likewise
  std::vector<bool> malicious_;
  std::optional<std::string> violation_;
};

}  // namespace

RunEnd run(const Scene& scene, Watcher& watcher, Stopwatch* stopwatch) {
  return Run(scene, watcher, stopwatch).run();
}

}  // namespace quorate::sim::timed
