#include "consensus/pow/serving.hpp"

#include <algorithm>

#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pow {

namespace {

// One token is a small message; a payload or a page of headers costs one more per 16 KiB.
constexpr std::uint64_t kBucketCapacity = 2'048;
constexpr std::uint64_t kBucketPerSecond = 2'048;
constexpr std::uint64_t kBytesPerToken = 16U << 10U;
constexpr std::size_t kLoadsMax = 64;
// A look at the ledger for a waypoint; the first is in the price of the answer.
constexpr std::uint64_t kSearchCost = 4;

std::uint64_t cost_of(std::size_t bytes) { return 1 + bytes / kBytesPerToken; }

}  // namespace

bool Serving::afford(ReplicaId peer, std::uint64_t cost) {
  const auto bucket =
      buckets_.try_emplace(peer, TokenBucket(kBucketCapacity, kBucketPerSecond)).first;
  return bucket->second.take(std::min(cost, kBucketCapacity), state_.now);
}

// ---- headers ----

void Serving::on_ask(ReplicaId from, const AskHeaders& question) {
  if (!afford(from, cost_of(kHeadersMax * crypto::work::kHeaderSize))) return;
  if (answer_from_tree(from, question)) return;
  if (searches_.count(from) == 0) search_ledger(from, Search{question, 0, Height(0)});
}

// What follows the newest waypoint that stands on the preferred branch.
bool Serving::answer_from_tree(ReplicaId to, const AskHeaders& question) {
  const Block* shared = nullptr;
  for (const Waypoint& point : question.locator) {
    const Block* known = state_.tree->find(point.id);
    if (known != nullptr && state_.tree->on_branch(*known)) shared = known;
    if (shared != nullptr) break;
  }
  if (shared == nullptr) return false;
  Headers answer;
  PersistToken after;
  const Block& tip = state_.tree->tip();
  Height height = shared->height();
  while (height < tip.height() && answer.headers.size() < kHeadersMax) {
    height = height.next();
    const Block* block = state_.tree->on_branch(height);
    answer.headers.push_back({block->header, block->id});
    if (const StoredBody* body = state_.bodies.find(block->id))
      after = std::max(after, body->token);
  }
  answer.more = height < tip.height();
  if (QUORATE_MUTANT(headers_told_early)) after = PersistToken(0);
  state_.outbox.send(to, answer, after);
  return true;
}

// The tree begins above everything that the peer named.
void Serving::search_ledger(ReplicaId peer, Search search) {
  const auto& points = search.question.locator;
  while (search.next < points.size() &&
         points[search.next].height >= state_.tree->root().height()) {
    ++search.next;  // not on this branch, as the tree told
  }
  if (search.next >= points.size()) return;
  search.first = std::max(points[search.next].height, Height(1));
  state_.outbox.emit(LoadCertificates{search.first, kHeadersMax + 1});
  searches_.insert_or_assign(peer, std::move(search));
}

bool Serving::on_loaded(const CertificatesLoaded& loaded) {
  // Any search that waits for this height may take it.
  for (auto it = searches_.begin(); it != searches_.end(); ++it) {
    if (it->second.first != loaded.first) continue;
    const ReplicaId peer = it->first;
    Search search = std::move(it->second);
    searches_.erase(it);
    continue_search(peer, std::move(search), loaded);
    return true;
  }
  return false;
}

void Serving::continue_search(ReplicaId peer, Search search, const CertificatesLoaded& loaded) {
  const Waypoint& point = search.question.locator[search.next];
  Headers answer;
  bool on_branch = point.height == Height(0);
  for (const Bytes& certificate : loaded.certificates) {
    // From the own ledger, where only checked ones are stored.
    const auto header = crypto::work::decode_header(certificate);
    if (!header) return;
    Identified entry = identify(*header);
    if (entry.header.height == point.height) {
      on_branch = entry.id == point.id;
      if (!on_branch) break;
      continue;
    }
    if (answer.headers.size() < kHeadersMax) answer.headers.push_back(std::move(entry));
  }
  if (!on_branch) {
    ++search.next;
    if (afford(peer, kSearchCost)) search_ledger(peer, std::move(search));
    return;
  }
  answer.more = !answer.headers.empty();
  state_.outbox.send(peer, answer);
}

// ---- blocks ----

void Serving::send_block(ReplicaId to, const FullBlock& block, PersistToken after) {
  if (afford(to, cost_of(block.payload->size()))) state_.outbox.send(to, block, after);
}

void Serving::on_ask(ReplicaId from, const AskBlocks& question) {
  if (!afford(from, 1)) return;
  for (const Digest& id : question.ids) {
    const StoredBody* body = state_.bodies.find(id);
    const Block* block = state_.tree->find(id);
    if (body != nullptr && block != nullptr && body->checked) {
      send_block(from, {{block->header, id}, body->payload}, body->token);
      continue;
    }
    const auto known = loading_.find(id);
    if (known != loading_.end()) {
      known->second.insert(from);
    } else if (loading_.size() < kLoadsMax && afford(from, 1)) {
      loading_[id].insert(from);
      state_.outbox.emit(LoadPayload{id});
    }
  }
}

void Serving::on_loaded(const PayloadLoaded& loaded) {
  const auto waiting = loading_.find(loaded.id);
  if (waiting == loading_.end()) return;
  const std::set<ReplicaId> peers = std::move(waiting->second);
  loading_.erase(waiting);
  if (!loaded.body) return;
  const auto header = crypto::work::decode_header(loaded.body->commit_certificate);
  if (!header) return;
  const auto payload = std::make_shared<const Bytes>(loaded.body->payload);
  for (const ReplicaId peer : peers) {
    send_block(peer, {{*header, loaded.id}, payload}, PersistToken(0));
  }
}

std::size_t Serving::memory_bytes() const {
  std::size_t bytes = buckets_.size() * 96;
  for (const auto& entry : loading_) bytes += 96 + entry.second.size() * 48;
  for (const auto& entry : searches_) {
    bytes += 128 + entry.second.question.locator.size() * sizeof(Waypoint);
  }
  return bytes;
}

}  // namespace quorate::consensus::pow
