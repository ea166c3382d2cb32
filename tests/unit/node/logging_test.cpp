#include "node/logging.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/temporary_folder.hpp"

using namespace quorate::node;

TEST_CASE("a plain log line has time, level, component, message and fields") {
  CHECK(format_log_line(LogFormat::plain, 1'927'857'906'789, LogLevel::info, "consensus",
                        "committed block", {{"height", "12"}, {"view", "0"}}) ==
        "2031-02-03T04:05:06.789Z INFO consensus committed block height=12 view=0");
}

TEST_CASE("a field from outside cannot forge a line or another field") {
  CHECK(format_log_line(LogFormat::plain, 0, LogLevel::warning, "p2p", "refused",
                        {{"why", "a b=c\n2031 INFO \"x\""}, {"none", ""}}) ==
        "1970-01-01T00:00:00.000Z WARN p2p refused why=\"a b=c\\n2031 INFO \\\"x\\\"\" none=\"\"");
  CHECK(format_log_line(LogFormat::plain, 0, LogLevel::error, "p2p", "a\nb", {}) ==
        "1970-01-01T00:00:00.000Z ERROR p2p a\\nb");
}

TEST_CASE("a JSON log line escapes quotes, control characters and bytes that are not UTF-8") {
  CHECK(format_log_line(LogFormat::json, 0, LogLevel::debug, "p2p", "say \"hi\"\x01",
                        {{"peer", "\xff\xc3\xa9\xed\xa0\x80\\"}}) ==
        "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"debug\",\"component\":\"p2p\","
        "\"message\":\"say \\\"hi\\\"\\u0001\","
        "\"peer\":\"\\ufffd\xc3\xa9\\ufffd\\ufffd\\ufffd\\\\\"}");
}

// What a node says before it ends itself must not die with the thread that writes it.
TEST_CASE("after flush every line written before is out") {
  const quorate::TemporaryFolder folder;
  const auto file = (folder.path() / "log").string();
  std::fflush(stderr);
  const int kept = ::dup(STDERR_FILENO);
  REQUIRE(kept >= 0);
  REQUIRE(std::freopen(file.c_str(), "w", stderr) != nullptr);
  std::string text;
  {
    NodeLog log({}, LogFormat::plain);
    for (int i = 0; i < 2000; ++i) log.info("test", "line");
    log.error("test", "the last one");
    log.flush();
    std::ifstream in(file);
    text.assign(std::istreambuf_iterator<char>(in), {});
  }
  std::fflush(stderr);
  ::dup2(kept, STDERR_FILENO);
  ::close(kept);
  CHECK(std::count(text.begin(), text.end(), '\n') == 2001);
  CHECK(text.find("ERROR test the last one") != std::string::npos);
}
