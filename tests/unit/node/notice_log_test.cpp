#include "node/notice_log.hpp"

#include <catch2/catch.hpp>

using namespace quorate;
using namespace quorate::node;

namespace {

struct Lines final : Log {
  void write(LogLevel level, std::string_view, std::string_view message,
             std::initializer_list<LogField> fields) override {
    if (level == LogLevel::warning) all.emplace_back(message);
    for (const LogField& field : fields) all.back() += " " + field.value;
  }
  std::vector<std::string> all;
};

Notice refusal(std::uint32_t peer) {
  Notice out{};
  out.kind = Notice::Kind::message_rejected;
  out.peer = ReplicaId(peer);
  out.text = "of no use";
  return out;
}

}  // namespace

TEST_CASE("what a peer sends in vain fills no disk") {
  Lines lines;
  NoticeLog log(lines);
  for (int i = 0; i < 1'000; ++i) log.notice(refusal(1));
  CHECK(lines.all.size() == NoticeLog::kRefusedMax);
  CHECK(lines.all.front() == "refused a message 1 of no use");
  log.notice(refusal(2));  // another has lines of its own
  CHECK(lines.all.back() == "refused a message 2 of no use");
}

TEST_CASE("a log budget says at the next window what it left out") {
  LogBudget budget(2);
  LogBudget::Clock::time_point now{std::chrono::hours(1)};
  CHECK(budget.take(now).log);
  CHECK(budget.take(now).log);
  for (int i = 0; i < 5; ++i) CHECK_FALSE(budget.take(now).log);
  now += LogBudget::kWindow + std::chrono::seconds(1);
  const auto first = budget.take(now);
  CHECK(first.log);
  CHECK(first.unlogged == 5);
  CHECK(budget.take(now).unlogged == 0);
}
