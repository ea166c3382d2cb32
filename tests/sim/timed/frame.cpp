#include "tests/sim/timed/frame.hpp"

#include "consensus/pow/messages.hpp"

namespace quorate::sim::timed {
namespace {

namespace pbft = consensus::pbft;
namespace work = consensus::pow;

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

struct DescribeWork {
  Frame& frame;

  void operator()(const work::Announce& m) const {
    describe_headers(MessageType::announce, m.headers);
  }
  void operator()(const work::AskHeaders&) const { frame.type = MessageType::ask_headers; }
  void operator()(const work::Headers& m) const {
    describe_headers(MessageType::headers, m.headers);
  }
  void operator()(const work::FullBlock& m) const {
    describe(frame, MessageType::block, View(0), m.header.header.height);
    frame.block.emplace(m.header.id, m.payload);
  }
  void operator()(const work::AskBlocks&) const { frame.type = MessageType::ask_blocks; }

  // By the newest.
  void describe_headers(MessageType type, const std::vector<work::Identified>& headers) const {
    describe(frame, type, View(0), headers.empty() ? Height(0) : headers.back().header.height);
  }
};

FramePtr plain_frame(ReplicaId from, node::TrafficClass traffic, Bytes body) {
  auto out = std::make_shared<Frame>();
  out->from = from;
  out->traffic = traffic;
  out->body = std::move(body);
  if (traffic == node::TrafficClass::transactions) out->type = MessageType::transactions;
  if (traffic == node::TrafficClass::sync) out->type = MessageType::blocks;
  return out;
}

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
    case MessageType::announce: return "ANNOUNCE";
    case MessageType::ask_headers: return "ASK-HEADERS";
    case MessageType::headers: return "HEADERS";
    case MessageType::block: return "BLOCK";
    case MessageType::ask_blocks: return "ASK-BLOCKS";
    case MessageType::transactions: return "transactions";
    case MessageType::blocks: return "blocks";
    case MessageType::other:
    case MessageType::count_: break;
  }
  return "other";
}

FramePtr make_frame(ReplicaId from, node::TrafficClass traffic, Bytes body,
                    const pbft::DecodeLimits& limits) {
  FramePtr out = plain_frame(from, traffic, std::move(body));
  if (traffic != node::TrafficClass::consensus) return out;
  if (const auto envelope = pbft::decode(out->body, limits)) {
    std::visit(Describe{*out}, envelope->message);
  }
  return out;
}

FramePtr make_work_frame(ReplicaId from, node::TrafficClass traffic, Bytes body,
                         std::uint32_t payload_bytes_max) {
  FramePtr out = plain_frame(from, traffic, std::move(body));
  if (traffic != node::TrafficClass::consensus) return out;
  if (const auto message = work::decode(out->body, payload_bytes_max)) {
    std::visit(DescribeWork{*out}, *message);
  }
  return out;
}

}  // namespace quorate::sim::timed
