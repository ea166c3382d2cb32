// Writes what the replica does into the log. Called on the consensus thread; returns at once.
#pragma once

#include "node/ports.hpp"
#include "node/runtime/log.hpp"

namespace quorate::node {

class NoticeLog final : public Observer {
 public:
  // `log` must outlive this.
  explicit NoticeLog(Log& log) : log_(log) {}
  void notice(const Notice& notice) override;

 private:
  Log& log_;
};

}  // namespace quorate::node
