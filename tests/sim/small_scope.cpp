// One small-scope scenario, in the manner of Twins and ByzzFuzz: a few replicas, a few heights, a
// handful of rounds. A round is one kind of message in one view; each has a partition of its own,
// and a faulty replica does one thing in it. Most protocol bugs need no more than that, and a
// scenario takes milliseconds.
#include <map>

#include "tests/sim/mutation.hpp"
#include "tests/sim/options.hpp"
#include "tests/sim/simulation.hpp"

namespace quorate::sim {
namespace {

namespace pbft = consensus::pbft;

constexpr Duration kViewTimeout = std::chrono::seconds(1);
constexpr Duration kViewTimeoutMax = std::chrono::seconds(8);
constexpr Duration kStatusBusy = std::chrono::milliseconds(300);
constexpr Duration kHealBound = 10 * kViewTimeoutMax;

using Round = std::pair<View, MessageKind>;

// What a villain does in one round.
struct Deed {
  enum class Kind : std::uint8_t { honest, withhold, mutate, misdeed } kind = Kind::honest;
  std::uint64_t victims = 0;  // bit per replica
  std::shared_ptr<Strategy> misdeed;
};

class InRounds final : public Strategy {
 public:
  const char* name() const override { return "in_rounds"; }
  void say(Villain& villain, ReplicaId to, const Said& said) override {
    const Deed& deed = deed_of(villain, {said.peek.view, said.peek.kind});
    const bool victim = ((deed.victims >> to.value()) & 1U) != 0;
    if (deed.kind == Deed::Kind::honest || !victim) return villain.pass(to, said);
    if (deed.kind == Deed::Kind::withhold) return villain.acted(Happened::withheld);
    if (deed.kind == Deed::Kind::misdeed) return deed.misdeed->say(villain, to, said);
    if (!said.message) return villain.pass(to, said);
    villain.acted(Happened::mutation);
    // All victims get the same.
    if (mutated_from_ != said.body) {
      mutated_from_ = said.body;
      mutated_ = mutated(villain, *said.message);
    }
    villain.send_bytes(to, said.traffic, mutated_);
  }

 private:
  const Deed& deed_of(Villain& villain, const Round& round) {
    const auto known = deeds_.find(round);
    if (known != deeds_.end()) return known->second;
    Prng& prng = villain.prng();
    Deed deed;
    deed.victims = prng.one_in(3) ? ~std::uint64_t{0} : prng.next();
    switch (prng.below(6)) {
      case 0:
      case 1: break;
      case 2: deed.kind = Deed::Kind::withhold; break;
      case 3: deed.kind = Deed::Kind::mutate; break;
      default: {
        static constexpr std::array<Misdeed, 4> kSmall = {
            Misdeed::equivocate, Misdeed::forge_view_change, Misdeed::forge_new_view,
            Misdeed::lie_in_checkpoints};
        deed.kind = Deed::Kind::misdeed;
        deed.misdeed = make_strategy(kSmall.at(prng.below(kSmall.size())));
        break;
      }
    }
    return deeds_.emplace(round, std::move(deed)).first->second;
  }

  std::map<Round, Deed> deeds_;
  std::shared_ptr<const Bytes> mutated_from_;
  Bytes mutated_;
};

// Loses what crosses the partition of its round.
class Partitions {
 public:
  Partitions(Prng prng, std::uint64_t per_mille) : prng_(prng), per_mille_(per_mille) {}
  bool lost(const Letter& letter) {
    switch (letter.peek.kind) {
      case MessageKind::pre_prepare:
      case MessageKind::prepare:
      case MessageKind::commit:
      case MessageKind::view_change:
      case MessageKind::new_view:
      case MessageKind::suspect:
      case MessageKind::commit_certificate:
      case MessageKind::data: break;
      default: return false;
    }
    const std::uint64_t groups = groups_of({letter.peek.view, letter.peek.kind});
    return ((groups >> letter.from.value()) & 1U) != ((groups >> letter.to.value()) & 1U);
  }

 private:
  std::uint64_t groups_of(const Round& round) {
    const auto known = groups_.find(round);
    if (known != groups_.end()) return known->second;
    const std::uint64_t groups = prng_.per_mille(per_mille_) ? prng_.next() : 0;
    return groups_.emplace(round, groups).first->second;
  }

  Prng prng_;
  std::uint64_t per_mille_;
  std::map<Round, std::uint64_t> groups_;  // bit per machine
};

class SmallScope {
 public:
  explicit SmallScope(const Options& options) : simulation_(prepare(options)) {
    Prng& prng = simulation_.prng();
    auto& config = simulation_.world().engine_config;
    for (const auto& node : simulation_.nodes()) {
      node->engine_config().view_timeout = kViewTimeout;
      node->engine_config().view_timeout_max = kViewTimeoutMax;
      node->engine_config().status_interval_busy = kStatusBusy;
    }
    config.view_timeout = kViewTimeout;
    heights_ = prng.between(2, 6);
  }

  Outcome run() {
    if (simulation_.world().options.faults) choose_faulty();
    partition();
    simulation_.start_all();
    offer_work();
    crash_some();
    const Duration chaos = simulation_.prng().duration(kViewTimeout, 4 * kViewTimeout);
    simulation_.run_until([this] { return simulation_.height() >= Height(heights_); }, chaos);
    if (simulation_.ok()) {
      simulation_.heal();
      simulation_.converge(kHealBound);
    }
    return simulation_.finish();
  }

 private:
  static Options prepare(Options options) {
    Prng prng(options.seed);
    ledger::ConsensusParameters parameters;
    parameters.checkpoint_interval = prng.between(2, 4);
    parameters.proposals_in_flight = static_cast<std::uint32_t>(prng.between(1, 4));
    parameters.payload_bytes_max = 32U << 10U;
    parameters.payload_transactions_max = 4;
    options.parameters = parameters;
    return options;
  }

  ReplicaId any_replica() {
    const std::uint64_t n = simulation_.world().membership.size();
    // The primaries of the first views more often than the others.
    return ReplicaId(static_cast<std::uint32_t>(
        simulation_.prng().one_in(2) ? simulation_.prng().below(2) : simulation_.prng().below(n)));
  }

  void choose_faulty() {
    World& world = simulation_.world();
    Prng& prng = simulation_.prng();
    for (std::uint32_t i = 0; i < world.membership.faults(); ++i) {
      const ReplicaId replica = any_replica();
      if (!world.correct(replica)) continue;
      switch (prng.below(4)) {
        case 0: twin(replica); break;
        case 1: break;  // crashes only
        default: simulation_.make_byzantine(replica, std::make_unique<InRounds>()); break;
      }
    }
  }

  void twin(ReplicaId replica) {
    World& world = simulation_.world();
    const Machine twin = simulation_.add_twin(replica);
    world.coverage.add(Happened::twins);
    consensus::EngineConfig& config = simulation_.node(twin).engine_config();
    config = simulation_.node(replica).engine_config();
  }

  void partition() {
    const std::uint64_t per_mille = simulation_.prng().below(4) * 250;
    if (per_mille == 0 || !simulation_.world().options.faults) return;
    auto partitions = std::make_shared<Partitions>(simulation_.prng().fork(), per_mille);
    simulation_.network().add_rule([partitions](const Letter& letter) -> std::optional<Fate> {
      if (!partitions->lost(letter)) return std::nullopt;
      Fate fate;
      fate.lost = true;
      return fate;
    });
  }

  // A transaction per height or so, at different moments.
  void offer_work() {
    Timeline& timeline = simulation_.world().timeline;
    for (std::uint64_t i = 0; i < heights_ + 2; ++i) {
      timeline.after(simulation_.prng().duration(Duration(0), std::chrono::milliseconds(30)) *
                             static_cast<int>(i) +
                         std::chrono::milliseconds(5),
                     [this] { simulation_.workload().act(); });
    }
  }

  // One machine dies and comes back within the budget, or beyond it, with all it had.
  void crash_some() {
    Prng& prng = simulation_.prng();
    if (!simulation_.world().options.faults || !prng.one_in(3)) return;
    const ReplicaId replica = any_replica();
    SimNode& node = simulation_.node(replica);
    static constexpr std::array<Boundary, 3> kBoundaries = {Boundary::append, Boundary::synced,
                                                            Boundary::frame};
    node.crash_after(kBoundaries.at(prng.below(3)), prng.between(1, 40));
    const Duration outage = prng.duration(Duration(0), kViewTimeout);
    simulation_.on_crash([this, outage](Machine machine) {
      simulation_.world().timeline.after(outage, [this, machine] {
        if (!simulation_.node(machine).up()) {
          simulation_.world().coverage.add(Happened::restart);
          simulation_.start(machine);
        }
      });
    });
  }

  Simulation simulation_;
  std::uint64_t heights_ = 0;
};

}  // namespace

Outcome run_small_scope(const Options& options) { return SmallScope(options).run(); }

}  // namespace quorate::sim
