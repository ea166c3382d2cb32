#include "rpc/subscriptions/subscription_set.hpp"

#include "rpc/methods/views_json.hpp"

namespace quorate::rpc {

namespace {

// Blocks looked through for one address before other work gets its turn.
constexpr int kScanMax = 32;
// Withdrawn transactions in one notification.
constexpr std::size_t kReversedMax = 4'096;

bool concerns(const ledger::Transaction& transaction, const crypto::Address& address) {
  if (crypto::address_of(transaction.sender) == address) return true;
  return std::any_of(
      transaction.operations.begin(), transaction.operations.end(),
      [&](const ledger::Operation& operation) { return ledger::touches(operation, address); });
}

std::string notification(const std::string& id, const std::string& result) {
  return R"({"jsonrpc":"2.0","method":"chain_subscription","params":{"subscription":")" + id +
         R"(","result":)" + result + "}}";
}

}  // namespace

MethodResult<std::string> SubscriptionSet::add(const SubscriptionRequest& request) {
  if (subscriptions_.size() >= kSubscriptionsMax) {
    return tl::unexpected(make_error(
        Code::limit_exceeded,
        "at most " + std::to_string(kSubscriptionsMax) + " subscriptions on one connection",
        "end one with chain_unsubscribe, or open another connection"));
  }
  Subscription subscription;
  subscription.request = request;
  const Height now = feed_.final_height();
  subscription.next = request.from_height.value_or(now.saturating_add(1));
  subscription.live = subscription.next > now;
  subscription.withdrawals_seen = feed_.withdrawals();
  char id[24];
  std::snprintf(id, sizeof(id), "0x%llx", static_cast<unsigned long long>(++last_id_));
  subscriptions_.emplace(id, subscription);
  return std::string(id);
}

void SubscriptionSet::activate(const std::string& id) {
  const auto at = subscriptions_.find(id);
  if (at != subscriptions_.end()) at->second.active = true;
}

bool SubscriptionSet::remove(const std::string& id) { return subscriptions_.erase(id) > 0; }

void SubscriptionSet::on_progress() {
  const std::uint64_t leaps = feed_.leaps();
  if (leaps == std::exchange(leaps_seen_, leaps)) return;
  for (auto& [id, subscription] : subscriptions_) {
    if (due(subscription)) subscription.live = false;
  }
}

bool SubscriptionSet::due(const Subscription& subscription) const {
  return subscription.active && (subscription.next <= feed_.final_height() ||
                                 subscription.withdrawals_seen < feed_.withdrawals());
}

bool SubscriptionSet::live_behind() const {
  return std::any_of(subscriptions_.begin(), subscriptions_.end(),
                     [this](const auto& entry) { return entry.second.live && due(entry.second); });
}

Result<SubscriptionSet::Step> SubscriptionSet::next(Which which) {
  // Once around, starting after the one that had its turn last.
  auto at = subscriptions_.upper_bound(turn_);
  for (std::size_t i = 0; i < subscriptions_.size(); ++i, ++at) {
    if (at == subscriptions_.end()) at = subscriptions_.begin();
    Subscription& subscription = at->second;
    if (!due(subscription) || (which == Which::live && !subscription.live)) continue;
    turn_ = at->first;
    auto message = render(at->first, subscription);
    // It was withdrawn a moment ago; the news of that wakes us again.
    if (!message && message.error().code == Errc::unavailable) continue;
    if (!message) return tl::unexpected(message.error());
    if (!due(subscription)) subscription.live = true;
    return Step{std::move(*message), true};
  }
  return Step{};
}

Result<std::optional<std::string>> SubscriptionSet::render(const std::string& id,
                                                           Subscription& subscription) {
  return subscription.withdrawals_seen < feed_.withdrawals() ? render_withdrawal(id, subscription)
                                                             : render_block(id, subscription);
}

Result<std::optional<std::string>> SubscriptionSet::render_withdrawal(const std::string& id,
                                                                      Subscription& subscription) {
  QUORATE_TRY(const auto blocks, feed_.withdrawal_after(subscription.withdrawals_seen));
  ++subscription.withdrawals_seen;
  // Whoever was not told of them yet has nothing to take back.
  if (subscription.next <= blocks->from) return std::optional<std::string>();
  subscription.next = blocks->from;
  const auto& address = subscription.request.address;
  Json items = Json::array();
  bool complete = blocks->complete;
  for (const WithdrawnBlocks::Transaction& each : blocks->transactions) {
    if (address && !concerns(each.transaction.transaction, *address)) continue;
    complete = complete && items.size() < kReversedMax;
    if (items.size() == kReversedMax) break;
    items.push_back(
        {{"transaction_id", to_0x(each.id)}, {"height", integer_json(each.height.value())}});
  }
  if (items.empty() && complete && subscription.request.topic == Topic::transactions) {
    return std::optional<std::string>();
  }
  const Json result = {{"reversed",
                        {{"from_height", integer_json(blocks->from.value())},
                         {"to_height", integer_json(blocks->to.value())},
                         {"items", std::move(items)},
                         {"complete", complete}}}};
  return std::optional(notification(id, result.dump()));
}

Result<std::optional<std::string>> SubscriptionSet::render_block(const std::string& id,
                                                                 Subscription& subscription) {
  if (subscription.request.topic == Topic::new_blocks) {
    QUORATE_TRY(const BlockFeed::Text text, feed_.new_block(subscription.next));
    subscription.next = subscription.next.next();
    return std::optional(notification(id, *text));
  }
  for (int scanned = 0; scanned < kScanMax && due(subscription); ++scanned) {
    QUORATE_TRY(const BlockFeed::Block block, feed_.block(subscription.next));
    subscription.next = subscription.next.next();
    const auto& address = subscription.request.address;
    Json items = Json::array();
    for (std::size_t i = 0; i < block->transactions.size(); ++i) {
      if (address && !concerns(block->transactions[i].transaction, *address)) continue;
      items.push_back(block_transaction(*block, i));
    }
    if (items.empty()) continue;
    const Json result = {{"height", integer_json(block->header.height.value())},
                         {"hash", to_0x(block->hash)},
                         {"items", std::move(items)}};
    return std::optional(notification(id, result.dump()));
  }
  return std::optional<std::string>();
}

}  // namespace quorate::rpc
