// Every signature that ever was on the wire, over all lives, whoever carried it. Judges I2 (a
// correct key signs one content per slot), finds commitments (q COMMITs for one ballot, whether or
// not anybody has collected them), and for I12 names those whose signatures explain a fork.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "tests/sim/wire_reader.hpp"

namespace quorate::sim {

class WireLog {
 public:
  using OnCommitted = std::function<void(Height, View, const Digest& id)>;
  WireLog(World& world, OnCommitted on_committed)
      : world_(world), on_committed_(std::move(on_committed)) {}

  // Reads and remembers the signatures of a message; the outermost comes first, and of a message
  // that was seen before it comes alone. Of an untrusted message only signatures count that were
  // really made.
  std::vector<WireSignature> note(ByteView message, bool trusted);

  // I12: whoever signed two contents for one slot, and whoever sent a COMMIT and later asked for a
  // view without the certificate that it had then (or voted below its promise, which looks the
  // same). With a fork these are at least f+1, and a correct replica is never among them.
  std::set<ReplicaId> culprits() const;

 private:
  using Slot = std::tuple<MessageKind, View, Height, ReplicaId>;
  using Ballot = std::pair<View, Digest>;
  struct Asked {  // one VIEW-CHANGE
    View view;
    ReplicaId signer;
    Height low;
    std::map<Height, View> prepared;
  };
  bool made(const WireSignature& signature) const;
  void note_one(const WireSignature& signature);
  void note_view_changes(const std::vector<WireSignature>& signatures);
  void note_commit(const WireSignature& signature);

  World& world_;
  OnCommitted on_committed_;
  // By a hash of the bytes; looked up, never iterated.
  std::unordered_map<std::uint64_t, WireSignature> seen_;
  std::map<Slot, Digest> signed_;
  std::set<ReplicaId> equivocated_;
  std::map<Height, std::map<Ballot, std::set<ReplicaId>>> commits_;
  std::map<Digest, Asked> asked_;  // by what the signature covers
};

}  // namespace quorate::sim
