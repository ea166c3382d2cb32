#include "node/net/peer_manager.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>

#include "node/net/tls.hpp"
#include "tests/unit/node/net_fixture.hpp"

namespace quorate::node {
namespace {

using test::MemoryLog;
using test::Watched;

struct Heard {
  int connected = 0;
  int disconnected = 0;
  std::vector<std::pair<TrafficClass, Bytes>> frames;
};

// The members of a test genesis hold the keys 1, 2, 3, ...
struct TestNode {
  explicit TestNode(std::uint32_t self_, std::uint32_t members = 2)
      : self(self_), key(test::node_key(static_cast<std::uint8_t>(self_ + 1))) {
    config.self = ReplicaId(self);
    config.listen = "127.0.0.1:0";
    config.chain_id.bytes[0] = 7;
    config.software = "test";
    config.frames = frame_limits_for(1U << 20U);
    config.timing.backoff_first = std::chrono::milliseconds(10);
    config.timing.backoff_most = std::chrono::milliseconds(50);
    for (std::uint32_t i = 0; i < members; ++i) {
      config.members.push_back({"node" + std::to_string(i),
                                test::node_key(static_cast<std::uint8_t>(i + 1)).public_key()});
      config.addresses.push_back("127.0.0.1:1");
    }
  }
  // Holds the key `number` and claims it in its own genesis.
  void pose_with_key(std::uint8_t number) {
    key = test::node_key(number);
    config.members[self].node_key = key.public_key();
  }
  void reach(const TestNode& other) {
    config.addresses[other.self] = "127.0.0.1:" + std::to_string(other.manager->port());
  }
  void start() {
    config.node_key = &key;
    auto started = PeerManager::start(
        config,
        {.on_frame =
             [this](ReplicaId, TrafficClass traffic, Bytes body) {
               heard.update([&](Heard& h) { h.frames.emplace_back(traffic, std::move(body)); });
             },
         .on_connected = [this](ReplicaId) { heard.update([](Heard& h) { ++h.connected; }); },
         .on_disconnected =
             [this](ReplicaId) { heard.update([](Heard& h) { ++h.disconnected; }); }},
        log);
    if (!started) FAIL(started.error().detail);
    manager = std::move(*started);
  }
  bool connects(int times = 1) {
    return heard.wait([&](const Heard& h) { return h.connected >= times; });
  }
  void send(const TestNode& to, TrafficClass traffic, Bytes body) {
    manager->send(ReplicaId(to.self), traffic, std::move(body));
  }

  std::uint32_t self;
  crypto::NodeKey key;
  PeerManagerConfig config;
  MemoryLog log;
  Watched<Heard> heard;
  std::unique_ptr<PeerManager> manager;
};

void connect_pair(TestNode& low, TestNode& high) {
  high.start();
  low.reach(high);
  low.start();
  REQUIRE(low.connects());
  REQUIRE(high.connects());
}

TEST_CASE("Two members connect and frames of every class arrive in order") {
  TestNode high(1);
  TestNode low(0);
  connect_pair(low, high);
  for (std::uint8_t i = 0; i < 100; ++i) low.send(high, TrafficClass::consensus, Bytes(i, i));
  low.send(high, TrafficClass::sync, Bytes(3'000'000, 5));
  high.send(low, TrafficClass::transactions, Bytes{1, 2, 3});

  REQUIRE(high.heard.wait([](const Heard& h) { return h.frames.size() == 101; }));
  std::uint8_t expected = 0;
  for (const auto& [traffic, body] : high.heard.get().frames) {
    if (traffic == TrafficClass::sync) {
      CHECK(body == Bytes(3'000'000, 5));
      continue;
    }
    CHECK(body == Bytes(expected, expected));
    ++expected;
  }
  REQUIRE(low.heard.wait([](const Heard& h) { return h.frames.size() == 1; }));
  CHECK(low.heard.get().frames[0] == std::pair(TrafficClass::transactions, Bytes{1, 2, 3}));

  const auto peers = low.manager->peers();
  REQUIRE(peers.size() == 1);
  CHECK(peers[0].name == "node1");
  CHECK(peers[0].connected);
  CHECK(peers[0].outbound);
  CHECK(peers[0].connects == 1);
  CHECK(peers[0].bytes_out > 3'000'000);
  CHECK(high.manager->peers()[0].bytes_in > 3'000'000);
  CHECK(high.manager->totals().frames_in[0] == 100);
}

TEST_CASE("A broadcast reaches every connected member") {
  TestNode node2(2, 3);
  TestNode node1(1, 3);
  TestNode node0(0, 3);
  node2.start();
  node1.reach(node2);
  node1.start();
  node0.reach(node1);
  node0.reach(node2);
  node0.start();
  REQUIRE(node0.connects(2));
  REQUIRE(node1.connects(2));
  REQUIRE(node2.connects(2));
  node1.manager->send(std::nullopt, TrafficClass::consensus, Bytes{9});
  for (TestNode* node : {&node0, &node2}) {
    CHECK(node->heard.wait(
        [](const Heard& h) { return h.frames.size() == 1 && h.frames[0].second == Bytes{9}; }));
  }
}

TEST_CASE("A stranger is refused and both logs name both sides") {
  TestNode high(1);
  TestNode stranger(0);
  stranger.pose_with_key(77);
  high.start();
  stranger.reach(high);
  stranger.start();
  const std::string key = to_0x(stranger.key.public_key());
  CHECK(high.log.wait_for({"refused", "stranger", key, "node0", "genesis of 'node1'"}) != "");
  CHECK(stranger.log.wait_for({"refused by the peer", key, "node0", "node1"}) != "");
  CHECK(high.heard.get().connected == 0);
  CHECK(stranger.heard.get().connected == 0);
  CHECK(high.manager->totals().refused > 0);
}

TEST_CASE("A node that is reached with another key than its genesis key is refused") {
  TestNode high(1);
  high.pose_with_key(78);
  TestNode low(0);
  high.start();
  low.reach(high);
  low.start();
  CHECK(low.log.wait_for({"refused", "stranger", to_0x(high.key.public_key())}) != "");
  CHECK(low.heard.get().connected == 0);
}

TEST_CASE("Another chain is refused and both logs name both chains") {
  TestNode high(1);
  TestNode low(0);
  low.config.chain_id.bytes[0] = 8;
  high.start();
  low.reach(high);
  low.start();
  const std::string ours = to_0x(high.config.chain_id);
  const std::string theirs = to_0x(low.config.chain_id);
  CHECK(high.log.wait_for({"another chain", ours, theirs}) != "");
  CHECK(low.log.wait_for({"another chain", ours, theirs}) != "");
  CHECK(high.heard.get().connected == 0);
}

TEST_CASE("Another wire version is refused and both logs name both versions") {
  TestNode high(1);
  TestNode low(0);
  low.config.wire_version = kWireVersion + 1;
  high.start();
  low.reach(high);
  low.start();
  CHECK(high.log.wait_for({"WARN ", "'node1' (replica 1) refuses 'node0' (replica 0)",
                           "wire version " + std::to_string(kWireVersion) + " (ours",
                           std::to_string(kWireVersion + 1) + " (theirs)"}) != "");
  CHECK(low.log.wait_for({"wire version", "(ours", "(theirs)"}) != "");
  CHECK(high.heard.get().connected == 0);
}

TEST_CASE("An oversized frame ends the connection, and both logs name both sides") {
  TestNode high(1);
  high.config.frames.consensus_max = 1000;
  TestNode low(0);
  connect_pair(low, high);
  low.send(high, TrafficClass::consensus, Bytes(1001, 0));
  const std::vector<std::string> why = {
      "WARN ",
      "'node1' (replica 1) refuses 'node0' (replica 0): oversized consensus frame: 1001 bytes",
      "the limit is 1000"};
  CHECK(high.log.wait_for(why) != "");
  CHECK(low.log.wait_for(why) != "");
  // They find each other again.
  CHECK(low.connects(2));
}

TEST_CASE("A member that connects again and again is shut out for a while") {
  TestNode high(1);
  high.config.connections_per_minute_max = 3;
  TestNode low(0);
  connect_pair(low, high);
  for (int times = 2; times <= 3; ++times) {
    low.manager->disconnect(ReplicaId(1), "to come back");
    REQUIRE(low.connects(times));
    REQUIRE(high.connects(times));
  }
  low.manager->disconnect(ReplicaId(1), "to come back");
  const std::vector<std::string> why = {"WARN ", "'node1' (replica 1) refuses 'node0' (replica 0)",
                                        "for 60 s, it connected more than 3 times within a minute"};
  CHECK(high.log.wait_for(why) != "");
  CHECK(low.log.wait_for(why) != "");
  CHECK(high.heard.get().connected == 3);
  CHECK(high.manager->totals().bans == 1);
}

TEST_CASE("A peer that comes back is dialled again") {
  TestNode high(1);
  TestNode low(0);
  connect_pair(low, high);
  const std::uint16_t port = high.manager->port();
  high.manager.reset();
  REQUIRE(low.heard.wait([](const Heard& h) { return h.disconnected == 1; }));
  CHECK(!low.manager->peers()[0].connected);
  // A frame for a peer that is away is dropped, not kept.
  low.send(high, TrafficClass::consensus, Bytes{1});
  REQUIRE(low.log.wait_for({"cannot connect"}) != "");
  CHECK(low.manager->peers()[0].last_error.find("cannot connect") != std::string::npos);

  TestNode again(1);
  again.config.listen = "127.0.0.1:" + std::to_string(port);
  again.start();
  REQUIRE(low.connects(2));
  REQUIRE(again.connects());
  low.send(again, TrafficClass::consensus, Bytes{2});
  REQUIRE(again.heard.wait([](const Heard& h) { return !h.frames.empty(); }));
  CHECK(again.heard.get().frames[0].second == Bytes{2});
  CHECK(low.manager->peers()[0].connects == 2);
  CHECK(low.manager->peers()[0].connected);
  CHECK(low.manager->peers()[0].last_error.empty());
}

TEST_CASE("A peer can be named by host") {
  if (::gethostbyname("localhost") == nullptr) {
    WARN("skipped: this machine does not know localhost (no /etc/hosts?)");
    return;
  }
  TestNode high(1);
  TestNode low(0);
  high.start();
  low.config.addresses[1] = "localhost:" + std::to_string(high.manager->port());
  low.start();
  CHECK(low.connects());
  TestNode lost(0);
  lost.config.addresses[1] = "no-such-host.invalid:1";
  lost.start();
  CHECK(lost.log.wait_for({"cannot resolve its address"}) != "");
  CHECK(lost.manager->peers()[0].last_error.find("cannot resolve") != std::string::npos);
}

TEST_CASE("Disconnecting a peer tells it the reason") {
  TestNode high(1);
  TestNode low(0);
  connect_pair(low, high);
  high.manager->disconnect(ReplicaId(0), "10 invalid messages within a minute");
  const std::string why =
      "'node1' (replica 1) refuses 'node0' (replica 0): 10 invalid messages within a minute";
  CHECK(low.log.wait_for({"refused by the peer: " + why}) != "");
  CHECK(high.log.wait_for({"WARN ", "peer disconnected", why}) != "");
}

TEST_CASE("A silent peer is noticed") {
  TestNode high(1);
  high.config.timing.ping_interval = std::chrono::milliseconds(50);
  high.config.timing.dead_after = std::chrono::milliseconds(300);
  TestNode low(0);
  low.config.timing.ping_interval = std::chrono::hours(1);  // it never says anything
  connect_pair(low, high);
  CHECK(high.log.wait_for({"peer disconnected", "nothing received for 0.3 s"}) != "");
}

TEST_CASE("Pings keep an idle connection alive") {
  TestNode high(1);
  TestNode low(0);
  for (TestNode* node : {&high, &low}) {
    node->config.timing.ping_interval = std::chrono::milliseconds(20);
    node->config.timing.dead_after = std::chrono::milliseconds(600);
  }
  connect_pair(low, high);
  CHECK(
      !high.heard.wait([](const Heard& h) { return h.disconnected > 0; }, std::chrono::seconds(1)));
}

// A client without TLS, as an attacker would be.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof(at)) == 0);
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { close(fd_); }

  void say(std::string_view text) { CHECK(send(fd_, text.data(), text.size(), MSG_NOSIGNAL) >= 0); }
  // True once the server has ended the connection.
  bool ended(int timeout_ms) {
    pollfd poller{.fd = fd_, .events = POLLIN, .revents = 0};
    while (poll(&poller, 1, timeout_ms) > 0) {
      std::array<char, 512> sink{};
      if (recv(fd_, sink.data(), sink.size(), 0) <= 0) return true;
    }
    return false;
  }

 private:
  int fd_;
};

// A member's key, and whatever it likes to say over TLS.
class Impostor {
 public:
  Impostor(const TestNode& node, std::uint16_t port)
      : tls_(make_tls_context(node.key, "impostor")->release()), stream_(io_, tls_) {
    stream_.next_layer().connect({boost::asio::ip::address_v4::loopback(), port});
    stream_.handshake(boost::asio::ssl::stream_base::client);
  }
  void say(std::uint8_t type, std::uint32_t size, const Bytes& body = {}) {
    Bytes frame{static_cast<std::uint8_t>(size), static_cast<std::uint8_t>(size >> 8U),
                static_cast<std::uint8_t>(size >> 16U), static_cast<std::uint8_t>(size >> 24U),
                type};
    frame.insert(frame.end(), body.begin(), body.end());
    boost::asio::write(stream_, boost::asio::buffer(frame));
  }
  void greet(const TestNode& node) {
    const Bytes hello = encode_hello({.wire_version = kWireVersion,
                                      .chain_id = node.config.chain_id,
                                      .replica = node.config.self,
                                      .storage_version = 0,
                                      .name = "impostor",
                                      .software = "test"});
    say(16, static_cast<std::uint32_t>(hello.size()), hello);
    say(19, 0);
  }

 private:
  boost::asio::io_context io_;
  boost::asio::ssl::context tls_;
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream_;
};

TEST_CASE("Whatever frame is refused, the log names both sides") {
  struct Case {
    bool greeted;
    std::uint8_t type;
    std::uint32_t size;
    const char* why;
  };
  const auto one = GENERATE(
      Case{false, 1, 8, "a consensus frame before the handshake"},
      Case{false, 99, 0, "unknown frame type 99"},
      Case{false, 16, 513, "oversized hello frame: 513 bytes, the limit is 512"},
      Case{true, 16, 0, "a hello frame after the handshake"},
      Case{true, 99, 0, "unknown frame type 99"}, Case{true, 19, 0, "an untimely welcome frame"},
      Case{true, 1, 1U << 31U,
           "oversized consensus frame: 2147483648 bytes, the limit is 5242880"});
  TestNode high(1);
  high.start();
  const TestNode low(0);
  Impostor impostor(low, high.manager->port());
  if (one.greeted) {
    impostor.greet(low);
    REQUIRE(high.connects());
  }
  impostor.say(one.type, one.size);
  CHECK(
      high.log.wait_for({"WARN ", std::string("'node1' (replica 1) refuses 'node0' (replica 0): ") +
                                      one.why}) != "");
  // Of nobody known there is the key.
  TestNode stranger(0);
  stranger.pose_with_key(77);
  Impostor unknown(stranger, high.manager->port());
  unknown.say(99, 0);
  CHECK(high.log.wait_for({"WARN ",
                           "'node1' (replica 1) refuses the holder of node key " +
                               to_0x(stranger.key.public_key()) + " at 127.0.0.1:",
                           ": unknown frame type 99"}) != "");
}

TEST_CASE("A handshake that never ends is cut, and garbage is refused") {
  TestNode high(1);
  high.config.timing.handshake_max = std::chrono::milliseconds(200);
  high.start();
  RawClient slow(high.manager->port());
  RawClient garbage(high.manager->port());
  garbage.say("GET / HTTP/1.1\r\n\r\n");
  CHECK(garbage.ended(5000));
  CHECK(slow.ended(5000));
  CHECK(high.log.wait_for({"TLS handshake failed"}) != "");
  CHECK(high.log.wait_for({"no connection within 0.2 s"}) != "");
}

TEST_CASE("Many unfinished handshakes do not keep a member out") {
  TestNode high(1);
  high.config.handshakes_max = 4;
  high.config.timing.handshake_max = std::chrono::seconds(60);
  high.start();
  std::vector<std::unique_ptr<RawClient>> crowd;
  for (int i = 0; i < 20; ++i) crowd.push_back(std::make_unique<RawClient>(high.manager->port()));
  TestNode low(0);
  low.reach(high);
  low.start();
  CHECK(low.connects());
  CHECK(high.connects());
  CHECK(crowd.front()->ended(5000));
  CHECK(high.log.wait_for({"too many unfinished handshakes"}) != "");
}

TEST_CASE("A busy port and a foreign node key are errors that say what is wrong") {
  TestNode first(1);
  first.start();
  TestNode second(1);
  second.config.listen = "127.0.0.1:" + std::to_string(first.manager->port());
  second.config.node_key = &second.key;
  auto started = PeerManager::start(second.config, {}, second.log);
  REQUIRE(!started.has_value());
  CHECK(started.error().code == Errc::conflict);
  CHECK(started.error().detail.find(second.config.listen) != std::string::npos);

  const crypto::NodeKey other = test::node_key(50);
  second.config.node_key = &other;
  started = PeerManager::start(second.config, {}, second.log);
  REQUIRE(!started.has_value());
  CHECK(started.error().code == Errc::invalid_argument);
  CHECK(started.error().detail.find(to_0x(other.public_key())) != std::string::npos);
}

}  // namespace
}  // namespace quorate::node
