#include "tests/sim/timed/frame.hpp"

namespace quorate::sim::timed {
namespace {

namespace pbft = consensus::pbft;

void describe(Frame& frame, MessageType type, View view, Height height) {
  frame.type = type;
  frame.view = view;
  frame.height = height;
}

struct Describe {
  Frame& frame;

  void operator()(const pbft::PrePrepare& m) const {
    describe(frame, MessageType::pre_prepare, m.core.ballot.view, m.core.ballot.height);
  }
  void operator()(const pbft::Vote& m) const {
    const bool prepare = m.kind == pbft::VoteKind::prepare;
    describe(frame, prepare ? MessageType::prepare : MessageType::commit, m.ballot.view,
             m.ballot.height);
  }
  void operator()(const pbft::Seal& m) const {
    describe(frame, MessageType::seal, View(0), m.height);
  }
  void operator()(const pbft::CheckpointVote& m) const {
    describe(frame, MessageType::checkpoint, View(0), m.claim.height);
  }
  void operator()(const pbft::Suspect& m) const {
    describe(frame, MessageType::suspect, m.view, Height(0));
  }
  void operator()(const pbft::ViewChangePtr& m) const {
    describe(frame, MessageType::view_change, m->view, Height(0));
  }
  void operator()(const pbft::NewViewPtr& m) const {
    describe(frame, MessageType::new_view, m->view, Height(0));
  }
  void operator()(const pbft::StatusReport& m) const {
    describe(frame, MessageType::status, m.view, m.last_executed);
  }
  void operator()(const pbft::Data& m) const {
    describe(frame, MessageType::data, View(0), m.body.header.height);
  }
  void operator()(const pbft::Fetch&) const { frame.type = MessageType::fetch; }
  void operator()(const pbft::CommitCertificate& m) const {
    describe(frame, MessageType::certificate, m.view, m.height);
  }
  void operator()(const pbft::CheckpointProof& m) const {
    describe(frame, MessageType::certificate, View(0), m.claim.height);
  }
  template <class Other>
  void operator()(const Other&) const {}  // a message that later versions add
};

}  // namespace

std::string_view to_string(MessageType type) {
  switch (type) {
    case MessageType::pre_prepare: return "PRE-PREPARE";
    case MessageType::prepare: return "PREPARE";
    case MessageType::commit: return "COMMIT";
    case MessageType::seal: return "SEAL";
    case MessageType::checkpoint: return "CHECKPOINT";
    case MessageType::suspect: return "SUSPECT";
    case MessageType::view_change: return "VIEW-CHANGE";
    case MessageType::new_view: return "NEW-VIEW";
    case MessageType::status: return "STATUS";
    case MessageType::fetch: return "FETCH";
    case MessageType::data: return "DATA";
    case MessageType::certificate: return "certificate";
    case MessageType::transactions: return "transactions";
    case MessageType::blocks: return "blocks";
    case MessageType::other:
    case MessageType::count_: break;
  }
  return "other";
}

FramePtr make_frame(ReplicaId from, node::TrafficClass traffic, Bytes body,
                    const pbft::DecodeLimits& limits) {
  auto out = std::make_shared<Frame>();
  out->from = from;
  out->traffic = traffic;
  out->body = std::move(body);
  if (traffic == node::TrafficClass::transactions) out->type = MessageType::transactions;
  if (traffic == node::TrafficClass::sync) out->type = MessageType::blocks;
  if (traffic != node::TrafficClass::consensus) return out;
  if (const auto envelope = pbft::decode(out->body, limits)) {
    std::visit(Describe{*out}, envelope->message);
  }
  return out;
}

}  // namespace quorate::sim::timed
