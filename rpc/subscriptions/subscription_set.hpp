// The subscriptions of one connection. Each is a cursor into the final blocks, never a list of
// events: whatever height the cursor has passed was sent, everything above is still to come. So
// replay turns into live without a gap or a duplicate, and a client that reads slowly costs no
// memory here. When blocks that were sent are withdrawn, the subscriber is told which, and the
// cursor goes back. Owned by the connection; one thread at a time.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "rpc/methods/method.hpp"
#include "rpc/subscriptions/block_feed.hpp"

namespace quorate::rpc {

inline constexpr std::size_t kSubscriptionsMax = 64;

class SubscriptionSet {
 public:
  explicit SubscriptionSet(const BlockFeed& feed) : feed_(feed), leaps_seen_(feed.leaps()) {}

  // Silent until activate(). Error limit_exceeded.
  MethodResult<std::string> add(const SubscriptionRequest& request);
  void activate(const std::string& id);
  bool remove(const std::string& id);
  bool empty() const { return subscriptions_.empty(); }

  // A subscription is live once it has caught up. When the chain leaps ahead at once, as after a
  // long absence of this node, nobody is slow: all are replaying again.
  void on_progress();

  enum class Which { live, all };
  struct Step {
    std::optional<std::string> message;  // the next notification
    bool more = false;                   // call again: nothing found yet, but not at the end
  };
  // Taking turns between subscriptions. Error: a final block could not be read.
  Result<Step> next(Which which);
  // Something is due to a live subscription.
  bool live_behind() const;

 private:
  struct Subscription {
    SubscriptionRequest request;
    Height next;
    std::uint64_t withdrawals_seen = 0;
    bool active = false;
    bool live = false;
  };
  Result<std::optional<std::string>> render(const std::string& id, Subscription& subscription);
  Result<std::optional<std::string>> render_block(const std::string& id,
                                                  Subscription& subscription);
  Result<std::optional<std::string>> render_withdrawal(const std::string& id,
                                                       Subscription& subscription);
  bool due(const Subscription& subscription) const;

  const BlockFeed& feed_;
  std::uint64_t leaps_seen_;
  std::uint64_t last_id_ = 0;
  std::map<std::string, Subscription> subscriptions_;
  std::string turn_;  // the subscription served last
};

}  // namespace quorate::rpc
