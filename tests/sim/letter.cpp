#include "tests/sim/letter.hpp"

#include <algorithm>

namespace quorate::sim {
namespace {

constexpr std::size_t kFields = 1 + 8;  // behind type and epoch

std::uint64_t u64_at(ByteView bytes, std::size_t at) {
  if (bytes.size() < at + 8) return 0;
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < 8; ++i) out |= std::uint64_t{bytes[at + i]} << (8 * i);
  return out;
}

Peek peek_consensus(ByteView body) {
  Peek out;
  if (body.size() < kFields || body[0] == 0 || body[0] > 13) return out;
  out.kind = static_cast<MessageKind>(body[0]);
  switch (out.kind) {
    case MessageKind::pre_prepare:
    case MessageKind::prepare:
    case MessageKind::commit:
      out.view = View(u64_at(body, kFields));
      out.height = Height(u64_at(body, kFields + 8));
      if (body.size() >= kFields + 16 + Digest::kSize) {
        std::copy_n(body.begin() + kFields + 16, Digest::kSize, out.id.bytes.begin());
      }
      break;
    case MessageKind::suspect:
    case MessageKind::view_change:
    case MessageKind::new_view:
    case MessageKind::status: out.view = View(u64_at(body, kFields)); break;
    case MessageKind::seal:
    case MessageKind::checkpoint:
    case MessageKind::checkpoint_proof:
    case MessageKind::data: out.height = Height(u64_at(body, kFields)); break;
    case MessageKind::commit_certificate:
      out.height = Height(u64_at(body, kFields));
      out.view = View(u64_at(body, kFields + 8));
      break;
    default: break;
  }
  return out;
}

}  // namespace

Peek peek(node::TrafficClass traffic, ByteView body) {
  if (traffic == node::TrafficClass::consensus) return peek_consensus(body);
  Peek out;
  if (traffic == node::TrafficClass::transactions) {
    out.kind = MessageKind::transactions;
  } else if (!body.empty()) {
    out.kind = body[0] == 1 ? MessageKind::blocks_request : MessageKind::blocks_response;
    if (body[0] == 1) out.height = Height(u64_at(body, 1));
  }
  return out;
}

const char* to_string(MessageKind kind) {
  switch (kind) {
    case MessageKind::other: return "other";
    case MessageKind::pre_prepare: return "pre_prepare";
    case MessageKind::prepare: return "prepare";
    case MessageKind::commit: return "commit";
    case MessageKind::seal: return "seal";
    case MessageKind::checkpoint: return "checkpoint";
    case MessageKind::suspect: return "suspect";
    case MessageKind::view_change: return "view_change";
    case MessageKind::new_view: return "new_view";
    case MessageKind::status: return "status";
    case MessageKind::fetch: return "fetch";
    case MessageKind::data: return "data";
    case MessageKind::commit_certificate: return "commit_certificate";
    case MessageKind::checkpoint_proof: return "checkpoint_proof";
    case MessageKind::transactions: return "transactions";
    case MessageKind::blocks_request: return "blocks_request";
    case MessageKind::blocks_response: return "blocks_response";
  }
  return "?";
}

}  // namespace quorate::sim
