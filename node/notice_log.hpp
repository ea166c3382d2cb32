// Writes what the replica does into the log. Called on the consensus thread; returns at once. What
// a peer can cause as often as it likes has so many lines a minute.
#pragma once

#include <map>

#include "node/ports.hpp"
#include "node/runtime/log.hpp"
#include "node/runtime/log_budget.hpp"

namespace quorate::node {

class NoticeLog final : public Observer {
 public:
  // `log` must outlive this.
  explicit NoticeLog(Log& log) : log_(log) {}
  void notice(const Notice& notice) override;

  static constexpr std::uint64_t kRefusedMax = 3;  // of one peer, a minute

 private:
  void refused(const Notice& notice);

  Log& log_;
  std::map<std::optional<ReplicaId>, LogBudget> refused_;  // by peer
};

}  // namespace quorate::node
