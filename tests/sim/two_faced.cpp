#include "tests/sim/two_faced.hpp"

namespace quorate::sim {

namespace pbft = consensus::pbft;

Script two_faced(std::set<std::uint32_t> other_half) {
  Script script;
  script.say = [other_half = std::move(other_half)](Villain& villain, ReplicaId to,
                                                    const Said& said) {
    if (!said.message) return;
    if (std::holds_alternative<pbft::StatusReport>(*said.message)) return villain.pass(to, said);
    const auto* proposal = std::get_if<pbft::PrePrepare>(said.message.get());
    const bool own = proposal != nullptr && proposal->core.ballot.view == View(0) &&
                     villain.self() == ReplicaId(0);
    if (!own) return;
    const pbft::PrePrepare told =
        other_half.count(to.value()) != 0 ? villain.other_proposal(*proposal) : *proposal;
    villain.send(to, told);
    for (const ReplicaId accomplice : villain.conspiracy().members) {
      if (accomplice != villain.self()) {
        villain.send(to, villain.vote(pbft::VoteKind::prepare, told.core.ballot, accomplice));
      }
      villain.send(to, villain.vote(pbft::VoteKind::commit, told.core.ballot, accomplice));
    }
  };
  return script;
}

}  // namespace quorate::sim
