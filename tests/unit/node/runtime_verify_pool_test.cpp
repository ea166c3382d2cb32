#include "node/runtime/verify_pool.hpp"

#include <pthread.h>

#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <thread>

#include "crypto/keys.hpp"
#include "node/runtime/transaction_cache.hpp"
#include "tests/unit/node/net_fixture.hpp"

namespace quorate::node::verify_pool_test {
namespace {

using test::Watched;

// Counts what it checks, and can be made to wait.
class CountingVerifier final : public crypto::Verifier {
 public:
  bool verify(const PublicKey& key, ByteView message, const Signature& signature) const override {
    {
      std::unique_lock lock(mutex_);
      ++count_;
      opened_.wait(lock, [this] { return open_; });
    }
    return inner_.verify(key, message, signature);
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  void open(bool value) {
    const std::lock_guard lock(mutex_);
    open_ = value;
    opened_.notify_all();
  }

 private:
  const crypto::Ed25519Verifier inner_;
  mutable std::mutex mutex_;
  mutable std::condition_variable opened_;
  mutable std::size_t count_ = 0;
  bool open_ = true;
};

constexpr std::uint8_t kUnsigned = 250;  // the first byte of a message that nobody signed

class EchoMessage final : public consensus::VerifiedMessage {
 public:
  explicit EchoMessage(Bytes body_) : body(std::move(body_)) {}
  const char* type_name() const override { return "echo"; }
  bool is_unsigned() const override { return body[0] == kUnsigned; }
  const Bytes body;
};

// Takes every message whose first byte is not zero.
class EchoMessages final : public consensus::MessageVerifier {
 public:
  std::function<void(ReplicaId from, ByteView message)> on_verify;  // on the pool's thread
  Result<consensus::VerifiedMessagePtr> verify(ReplicaId from, ByteView message) const override {
    if (on_verify) on_verify(from, message);
    if (message.empty() || message[0] == 0) return fail(Errc::bad_signature, "zero");
    return std::make_shared<const EchoMessage>(to_bytes(message));
  }
  Result<consensus::CommittedPayload> verify_commit_certificate(ByteView) const override {
    return fail(Errc::bad_encoding, "not in this test");
  }
  Result<consensus::VerifiedMessagePtr> verify_committed(ByteView, Bytes) const override {
    return fail(Errc::bad_encoding, "not in this test");
  }
  Digest payload_digest(ByteView) const override { return {}; }
  Result<consensus::ProvedOffence> verify_evidence(ByteView) const override {
    return fail(Errc::bad_signature, "no evidence");
  }
  std::size_t message_bytes_max() const override { return 1U << 20U; }
};

struct Output {
  std::vector<std::vector<Bytes>> consensus = std::vector<std::vector<Bytes>>(4);  // by peer
  std::size_t relayed = 0;
  std::size_t invalid = 0;
  std::size_t requests = 0;  // for blocks
  std::vector<PayloadChecked> payloads;
};

using Allowances = std::array<FrameAllowance, kTrafficClasses>;

struct Fixture {
  explicit Fixture(unsigned threads, std::size_t clients_max = 20'000,
                   std::size_t consensus_bytes_max = 1000,
                   const Allowances& allowances = VerifyPoolConfig{}.allowances) {
    VerifyPoolConfig config;
    config.context = {chain, {}, &messages, &signatures, &cache};
    config.replicas = 4;
    config.threads = threads;
    config.lane_bytes_max = {consensus_bytes_max, 1000, 100'000};
    config.client_transactions_max = clients_max;
    config.allowances = allowances;
    config.excess_max = 30;
    config.unsigned_burst = 20;
    config.unsigned_per_second = 0;
    config.unsigned_excess_max = 30;
    pool = std::make_unique<VerifyPool>(
        std::move(config),
        VerifyCallbacks{
            .on_message =
                [this](ReplicaId from, TrafficClass traffic, PeerMessage message,
                       Budget::Credit credit) {
                  output.update([&](Output& out) {
                    if (traffic == TrafficClass::transactions) {
                      out.relayed += std::get<RelayedTransactions>(message).transactions.size();
                      return;
                    }
                    if (std::holds_alternative<BlocksRequest>(message)) {
                      ++out.requests;
                      return;
                    }
                    const auto& echo = dynamic_cast<const EchoMessage&>(
                        *std::get<ConsensusMessage>(message).message);
                    out.consensus[from.value()].push_back(echo.body);
                    if (hold_credits) credits.push_back(std::move(credit));
                  });
                },
            .on_invalid = [this](
                              ReplicaId, TrafficClass,
                              const Error&) { output.update([](Output& out) { ++out.invalid; }); },
            .on_payload =
                [this](PayloadChecked checked) {
                  output.update([&](Output& out) { out.payloads.push_back(std::move(checked)); });
                }});
  }

  std::vector<ledger::SignedTransaction> sign(std::uint64_t count) const {
    std::vector<ledger::SignedTransaction> out;
    for (std::uint64_t i = 1; i <= count; ++i) {
      ledger::Transaction transaction;
      transaction.sender = key.public_key();
      transaction.nonce = i;
      transaction.operations.push_back(ledger::Transfer{crypto::address_of(key.public_key()), 1});
      out.push_back(ledger::sign(chain, transaction, key));
    }
    return out;
  }
  static Bytes framed(const std::vector<ledger::SignedTransaction>& transactions) {
    crypto::Writer out;
    out.u32(static_cast<std::uint32_t>(transactions.size()));
    for (const auto& transaction : transactions) out.bytes(ledger::encode(transaction));
    return std::move(out).take();
  }

  const Digest chain{{3}};
  const crypto::AccountKey key{crypto::SecretSeed::from(Bytes(32, 7)).value()};
  CountingVerifier signatures;
  EchoMessages messages;
  TransactionCache cache{chain, signatures};
  Watched<Output> output;
  bool hold_credits = false;
  std::vector<Budget::Credit> credits;
  std::unique_ptr<VerifyPool> pool;
};

TEST_CASE("The frames of one peer come out in the order in which they came") {
  Fixture fixture(3);
  for (std::uint8_t i = 1; i <= 100; ++i) {
    for (std::uint32_t peer = 0; peer < 4; ++peer) {
      fixture.pool->frame(ReplicaId(peer), TrafficClass::consensus, Bytes(4, i));
    }
  }
  REQUIRE(fixture.output.wait([](const Output& out) {
    return std::all_of(out.consensus.begin(), out.consensus.end(),
                       [](const auto& bodies) { return bodies.size() == 100; });
  }));
  for (const auto& bodies : fixture.output.get().consensus) {
    CHECK(std::is_sorted(bodies.begin(), bodies.end()));
  }
}

TEST_CASE("A transaction that comes three ways is verified once") {
  Fixture fixture(2);
  const auto transactions = fixture.sign(100);
  const Bytes body = Fixture::framed(transactions);
  fixture.pool->frame(ReplicaId(1), TrafficClass::transactions, body);
  REQUIRE(fixture.output.wait([](const Output& out) { return out.relayed == 100; }));
  fixture.pool->check(Digest{{1}}, Height(1), body);
  REQUIRE(fixture.output.wait([](const Output& out) { return out.payloads.size() == 1; }));
  Watched<std::size_t> answered;
  std::vector<Bytes> encoded;
  for (const auto& transaction : transactions) encoded.push_back(ledger::encode(transaction));
  REQUIRE(fixture.pool->client_transactions(std::move(encoded), [&](auto, auto results) {
    answered.update([&](std::size_t& count) { count = results.size(); });
  }));
  REQUIRE(answered.wait([](std::size_t count) { return count == 100; }));
  CHECK(fixture.signatures.count() == 100);
  CHECK(fixture.cache.verified() == 100);
  CHECK(fixture.cache.known() == 200);
  const auto payload = fixture.output.get().payloads[0];
  REQUIRE(payload.transactions.has_value());
  CHECK(payload.transactions->size() == 100);
  CHECK((*payload.transactions)[99]->signed_transaction == transactions[99]);
}

TEST_CASE(
    "A payload with one bad signature, or that is no payload, is invalid; an empty one is not") {
  Fixture fixture(2);
  auto transactions = fixture.sign(100);
  transactions[70].signature.bytes[0] ^= 1;
  fixture.pool->check(Digest{{1}}, Height(1), Fixture::framed(transactions));
  fixture.pool->check(Digest{{2}}, Height(2), Bytes{1, 2, 3});
  fixture.pool->check(Digest{{3}}, Height(3), Bytes{});
  REQUIRE(fixture.output.wait([](const Output& out) { return out.payloads.size() == 3; }));
  for (const auto& checked : fixture.output.get().payloads) {
    CHECK(checked.transactions.has_value() == (checked.id == Digest{{3}}));
  }
}

TEST_CASE("Votes pass while transactions are being verified") {
  Fixture fixture(2);
  fixture.signatures.open(false);
  fixture.pool->frame(ReplicaId(1), TrafficClass::transactions, Fixture::framed(fixture.sign(10)));
  fixture.pool->frame(ReplicaId(2), TrafficClass::transactions, Fixture::framed(fixture.sign(10)));
  for (std::uint8_t i = 1; i <= 50; ++i) {
    fixture.pool->frame(ReplicaId(1), TrafficClass::consensus, Bytes(4, i));
  }
  CHECK(fixture.output.wait([](const Output& out) { return out.consensus[1].size() == 50; }));
  CHECK(fixture.output.get().relayed == 0);
  fixture.signatures.open(true);
  CHECK(fixture.output.wait([](const Output& out) { return out.relayed == 20; }));
}

// The bulk thread serves a lane in which the next vote waits, then turns to a transaction that
// takes for ever. It does so at one turn of four, so the test begins at each of them.
TEST_CASE("A vote behind one that the bulk thread served does not wait for transactions") {
  struct Gates {
    std::map<std::string, ReplicaId> served;  // by the thread that has it
    std::set<std::string> open;
  };
  const auto thread_name = [] {
    std::array<char, 16> name{};
    pthread_getname_np(pthread_self(), name.data(), name.size());
    return std::string(name.data());
  };
  for (std::uint8_t turns = 0; turns < 4; ++turns) {
    Fixture fixture(2);
    Watched<Gates> gates;
    fixture.messages.on_verify = [&](ReplicaId from, ByteView message) {
      if (message[0] != 200) return;
      const std::string name = thread_name();
      gates.update([&](Gates& all) { all.served[name] = from; });
      gates.wait([&](const Gates& all) { return all.open.count(name) > 0; });
    };
    // One at a time, so that each is one turn of the bulk thread.
    for (std::uint8_t i = 0; i < turns; ++i) {
      fixture.pool->frame(ReplicaId(3), TrafficClass::transactions, Bytes{1, 2});
      REQUIRE(fixture.output.wait([&](const Output& out) { return out.invalid == i + 1U; }));
    }
    fixture.pool->frame(ReplicaId(0), TrafficClass::consensus, Bytes(4, 200));
    fixture.pool->frame(ReplicaId(1), TrafficClass::consensus, Bytes(4, 200));
    REQUIRE(gates.wait([](const Gates& all) { return all.served.size() == 2; }));
    const ReplicaId peer = gates.get().served.at("quorate-vrfy1");
    const ReplicaId other = gates.get().served.at("quorate-vrfy0");
    fixture.pool->frame(peer, TrafficClass::consensus, Bytes(4, 1));
    fixture.signatures.open(false);
    fixture.pool->frame(ReplicaId(2), TrafficClass::transactions, Fixture::framed(fixture.sign(1)));
    const auto bodies = [](const Output& out, ReplicaId of) {
      return out.consensus[of.value()].size();
    };
    gates.update([](Gates& all) { all.open.insert("quorate-vrfy0"); });
    REQUIRE(fixture.output.wait([&](const Output& out) { return bodies(out, other) == 1; }));
    // Time for the first thread to go to sleep; without it the test proves less, and still passes.
    for (int i = 0; i < 10'000; ++i) std::this_thread::yield();
    gates.update([](Gates& all) { all.open.insert("quorate-vrfy1"); });
    CHECK(fixture.output.wait([&](const Output& out) { return bodies(out, peer) == 2; }));
    fixture.signatures.open(true);
    CHECK(fixture.output.wait([](const Output& out) { return out.relayed == 1; }));
  }
}

TEST_CASE("A full consensus lane drops its oldest frames and others are not touched") {
  Fixture fixture(1);
  fixture.signatures.open(false);
  // The only thread is kept busy.
  fixture.pool->frame(ReplicaId(3), TrafficClass::transactions, Fixture::framed(fixture.sign(1)));
  while (fixture.signatures.count() == 0) std::this_thread::yield();
  for (std::uint8_t i = 1; i <= 30; ++i) {
    fixture.pool->frame(ReplicaId(0), TrafficClass::consensus, Bytes(100, i));
  }
  fixture.pool->frame(ReplicaId(1), TrafficClass::consensus, Bytes(100, 1));
  CHECK(fixture.pool->statistics().frames_dropped[0] == 20);
  fixture.signatures.open(true);
  REQUIRE(fixture.output.wait([](const Output& out) {
    return out.consensus[0].size() == 10 && out.consensus[1].size() == 1;
  }));
  CHECK(fixture.output.get().consensus[0].front()[0] == 21);
  CHECK(fixture.output.get().consensus[0].back()[0] == 30);
}

TEST_CASE("What the replica has not seen yet counts against the peer's budget") {
  Fixture fixture(2);
  fixture.hold_credits = true;
  for (std::uint8_t i = 1; i <= 30; ++i) {
    fixture.pool->frame(ReplicaId(0), TrafficClass::consensus, Bytes(100, i));
  }
  REQUIRE(fixture.output.wait([](const Output& out) { return out.consensus[0].size() >= 10; }));
  CHECK(fixture.pool->statistics().frames_dropped[0] == 20);
  fixture.output.update([&](Output&) { fixture.credits.clear(); });
  fixture.pool->frame(ReplicaId(0), TrafficClass::consensus, Bytes(100, 99));
  CHECK(fixture.output.wait([](const Output& out) { return out.consensus[0].back()[0] == 99; }));
}

TEST_CASE("Invalid frames are reported and counted") {
  Fixture fixture(2);
  fixture.pool->frame(ReplicaId(0), TrafficClass::consensus, Bytes{0});
  fixture.pool->frame(ReplicaId(0), TrafficClass::transactions, Bytes{1, 2});
  CHECK(fixture.output.wait([](const Output& out) { return out.invalid == 2; }));
  const auto statistics = fixture.pool->statistics();
  CHECK(statistics.frames_invalid == std::array<std::uint64_t, kTrafficClasses>{1, 0, 1});
}

TEST_CASE("Clients are refused when too many of theirs wait, and answered when the pool stops") {
  Fixture fixture(2, 100);
  fixture.signatures.open(false);
  const auto transactions = fixture.sign(64);
  std::vector<Bytes> encoded;
  for (const auto& transaction : transactions) encoded.push_back(ledger::encode(transaction));
  Watched<std::vector<Errc>> errors;
  const auto done = [&](auto, auto results) {
    errors.update([&](auto& all) {
      for (const auto& result : results) {
        if (!result) all.push_back(result.error().code);
      }
    });
  };
  REQUIRE(fixture.pool->client_transactions(encoded, done));
  CHECK(!fixture.pool->client_transactions(encoded, done));
  fixture.signatures.open(true);
  fixture.pool->stop();
  CHECK(!fixture.pool->client_transactions(encoded, done));
  // Those that no thread had taken up were answered by stop; nothing is answered twice.
  const auto answered = errors.get();
  CHECK(answered.size() <= 64);
  CHECK(std::count(answered.begin(), answered.end(), Errc::unavailable) ==
        static_cast<std::ptrdiff_t>(answered.size()));
}

TEST_CASE(
    "A peer that floods with long frames holds up the short ones of the others by one of them") {
  Fixture test(1, 20'000, 8U << 20U);
  Watched<bool> open;
  Watched<std::vector<std::uint32_t>> order;
  test.messages.on_verify = [&](ReplicaId from, ByteView) {
    if (from == ReplicaId(3)) open.wait([](bool value) { return value; });
    order.update([&](auto& all) { all.push_back(from.value()); });
  };
  test.pool->frame(ReplicaId(3), TrafficClass::consensus, {1});  // holds the only thread
  for (int i = 0; i < 40; ++i) {
    test.pool->frame(ReplicaId(1), TrafficClass::consensus, Bytes(32 * 1024, 1));
  }
  for (int i = 0; i < 100; ++i) {
    test.pool->frame(ReplicaId(2), TrafficClass::consensus, Bytes(100, 1));
  }
  open.update([](bool& value) { value = true; });
  REQUIRE(order.wait([](const auto& all) { return all.size() == 141; }));
  const auto served = order.get();
  const auto last = std::find(served.rbegin(), served.rend(), 2U).base();
  CHECK(std::count(served.begin(), last, 1U) == 1);
  CHECK(test.pool->statistics().frames_dropped == std::array<std::uint64_t, kTrafficClasses>{});
}

TEST_CASE("Payloads are checked while a peer floods, and transactions wait too") {
  Fixture test(1, 20'000, 8U << 20U);
  Watched<bool> open;
  Watched<std::size_t> before_the_check;
  test.messages.on_verify = [&](ReplicaId from, ByteView) {
    if (from == ReplicaId(3)) open.wait([](bool value) { return value; });
    if (test.output.get().payloads.empty()) {
      before_the_check.update([](std::size_t& count) { ++count; });
    }
  };
  test.pool->frame(ReplicaId(3), TrafficClass::consensus, {1});  // holds the only thread
  for (int i = 0; i < 200; ++i) {
    test.pool->frame(ReplicaId(1), TrafficClass::consensus, Bytes(100, 1));
    test.pool->frame(ReplicaId(2), TrafficClass::transactions, {1, 2});
  }
  test.pool->check(Digest{{1}}, Height(1), Bytes{});
  open.update([](bool& value) { value = true; });
  REQUIRE(test.output.wait([](const Output& out) {
    return out.payloads.size() == 1 && out.consensus[1].size() == 200;
  }));
  CHECK(before_the_check.get() <= 16);
}

TEST_CASE("Of what nobody signed a peer may send so much; the rest is dropped, and reported") {
  Fixture test(2, 20'000, 1U << 20U);
  for (int i = 0; i < 100; ++i) {
    test.pool->frame(ReplicaId(1), TrafficClass::consensus, Bytes(4, kUnsigned));
    test.pool->frame(ReplicaId(1), TrafficClass::consensus, Bytes(4, 1));
  }
  for (int i = 0; i < 20; ++i) {
    test.pool->frame(ReplicaId(2), TrafficClass::consensus, Bytes(4, kUnsigned));
  }
  REQUIRE(test.output.wait([](const Output& out) {
    return out.consensus[1].size() == 120 && out.consensus[2].size() == 20 && out.invalid == 2;
  }));
  // The last frame of a lane may still be on its way out.
  test.pool->stop();
  const auto statistics = test.pool->statistics();
  CHECK(statistics.frames_excess[0] == 80);
  CHECK(statistics.frames_invalid == std::array<std::uint64_t, kTrafficClasses>{});
  CHECK(test.output.get().consensus[1].size() == 120);
}

TEST_CASE("Valid frames have an allowance too; what is above it is not even looked at") {
  Fixture test(2, 20'000, 1U << 20U, {{{50, 0}, {5, 0}, {4, 0}}});
  for (int i = 0; i < 90; ++i) test.pool->frame(ReplicaId(1), TrafficClass::consensus, Bytes(4, 1));
  test.pool->frame(ReplicaId(2), TrafficClass::consensus, Bytes(4, 1));
  REQUIRE(test.output.wait([](const Output& out) {
    return out.consensus[1].size() == 50 && out.consensus[2].size() == 1 && out.invalid == 1;
  }));
  auto statistics = test.pool->statistics();
  CHECK(statistics.frames_excess[0] == 40);
  CHECK(statistics.frames[0] == 51);

  // Relayed transactions by their size.
  const Bytes long_frame(3'000, 0xff);
  test.pool->frame(ReplicaId(1), TrafficClass::transactions, long_frame);
  test.pool->frame(ReplicaId(1), TrafficClass::transactions, long_frame);
  statistics = test.pool->statistics();
  CHECK(statistics.frames_excess[2] == 1);
  test.pool->stop();
}

TEST_CASE("A peer may ask for so many blocks; the rest of its requests is dropped, and reported") {
  Fixture test(2, 20'000, 1U << 20U);
  for (int i = 0; i < 55; ++i) {
    test.pool->frame(ReplicaId(1), TrafficClass::sync, encode_blocks_request(Height(1)));
  }
  REQUIRE(
      test.output.wait([](const Output& out) { return out.requests == 20 && out.invalid == 1; }));
  test.pool->stop();
  CHECK(test.pool->statistics().frames_excess[1] == 35);
}

}  // namespace
}  // namespace quorate::node::verify_pool_test
