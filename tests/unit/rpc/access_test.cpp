#include "rpc/server/access.hpp"

#include <catch2/catch.hpp>

using namespace quorate::rpc;
using std::chrono::milliseconds;

TEST_CASE("host names match whole, without port and case") {
  const HostList hosts("10.0.0.7", {"node.example.org", "[2001:db8::1]"});
  for (const char* host :
       {"localhost", "LOCALHOST:1", "127.0.0.1:8645", "[::1]:8645", "::1", "10.0.0.7:8645",
        "Node.Example.Org", "node.example.org.:80", "[2001:DB8::1]:8645"}) {
    INFO(host);
    CHECK(hosts.allows_host(host));
  }
  for (const char* host : {"", "example.org", "node.example.org.evil", "xnode.example.org",
                           "127.0.0.2", "[::1", "localhost@evil", "localhost evil"}) {
    INFO(host);
    CHECK_FALSE(hosts.allows_host(host));
  }
  CHECK(hosts.allows_origin(""));
  CHECK(hosts.allows_origin("https://node.example.org"));
  CHECK_FALSE(hosts.allows_origin("null"));
  CHECK_FALSE(hosts.allows_origin("https://evil.org"));
  CHECK(HostList("127.0.0.1", {"*"}).allows_host("anything"));
}

TEST_CASE("a bucket allows one second's worth at once and refills at the rate") {
  Limiter limiter(10, 0, 0);
  const Limiter::TimePoint start = Limiter::TimePoint{} + std::chrono::hours(1);
  for (int i = 0; i < 10; ++i) CHECK(limiter.take("a", start).count() == 0);
  CHECK(limiter.take("a", start) == milliseconds(100));
  CHECK(limiter.take("b", start).count() == 0);
  CHECK(limiter.take("a", start + milliseconds(100)).count() == 0);
  CHECK(limiter.take("a", start + milliseconds(150)) == milliseconds(50));
  limiter.charge("a", 20, start + milliseconds(200));
  CHECK(limiter.take("a", start + milliseconds(200)) == milliseconds(2000));
  CHECK(limiter.take("a", start + std::chrono::minutes(1)).count() == 0);
}

TEST_CASE("without a rate nothing waits") {
  Limiter limiter(0, 0, 0);
  for (int i = 0; i < 1000; ++i) CHECK(limiter.take("a", {}).count() == 0);
}

TEST_CASE("connections are counted per address and in all") {
  Limiter limiter(0, 2, 3);
  using Verdict = Limiter::Verdict;
  CHECK(limiter.connected("a") == Verdict::welcome);
  CHECK(limiter.connected("a") == Verdict::welcome);
  CHECK(limiter.connected("a") == Verdict::too_many_of_address);
  CHECK(limiter.connected("b") == Verdict::welcome);
  CHECK(limiter.connected("b") == Verdict::too_many);
  limiter.disconnected("a");
  CHECK(limiter.connected("b") == Verdict::welcome);
}
