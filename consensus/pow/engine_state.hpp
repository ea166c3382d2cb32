// What the parts of the engine share: the block tree, the payloads, the outbox, the clock of the
// event being handled. Each part (tip choice, mining, ...) adds what only it needs.
// Owned by the engine's thread.
#pragma once

#include <optional>
#include <string>

#include "consensus/pow/block_tree.hpp"
#include "consensus/pow/body_store.hpp"
#include "consensus/pow/outbox.hpp"
#include "consensus/pow/peer_heads.hpp"
#include "consensus/pow/settings.hpp"

namespace quorate::consensus::pow {

struct EngineState {
  explicit EngineState(Settings configured) : settings(std::move(configured)) {
    tree.emplace(settings.rules, settings.limits);
  }

  const Settings settings;
  Instant now;  // of the event being handled
  WallMs wall;
  Outbox outbox;
  std::optional<BlockTree> tree;  // always there; made anew when a life begins
  BodyStore bodies;
  PeerHeads heads;
  // Blocks of the log are shown to the host again; until it answered, nothing is chosen.
  bool starting = true;
  bool halted = false;
  std::string halt_reason;
  bool observer = false;  // follows and executes, mines nothing
  bool eligible = false;  // client work waits in the host

  std::uint64_t depth() const { return settings.depth(); }

  void reject(ReplicaId from, std::string reason) {
    outbox.emit(Rejected{from, std::move(reason)});
  }
  void progress(Progress::Phase phase, Height height, std::uint64_t blocks = 0) {
    outbox.emit(Progress{phase, height, View(0), "", blocks});
  }
  void halt(std::string reason) {
    if (halted) return;
    halted = true;
    halt_reason = reason;
    outbox.emit(Halt{std::move(reason)});
  }
  ReplicaId own_id() const { return settings.self.value_or(ReplicaId(0)); }
  // Every other replica; all of them for a node that is nobody's peer.
  template <class Visit>
  void for_each_peer(Visit visit) const {
    for (std::uint32_t i = 0; i < settings.members(); ++i) {
      if (!settings.is_self(ReplicaId(i))) visit(ReplicaId(i));
    }
  }
};

}  // namespace quorate::consensus::pow
