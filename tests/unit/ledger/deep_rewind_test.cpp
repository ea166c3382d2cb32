// Rewinds that take back more than fits into memory at once.
#include <catch2/catch.hpp>

#include "ledger/storage_layout.hpp"
#include "tests/unit/ledger/branches.hpp"

namespace quorate::ledger {
namespace {

using namespace test;

// Notes how much stands in its largest batch.
class MeasuringStore final : public KvStore {
 public:
  explicit MeasuringStore(KvStore& inner) : inner_(inner) {}
  Result<Bytes> get(Family family, ByteView key) const override { return inner_.get(family, key); }
  Result<void> scan(Family family, ByteView prefix, ByteView from,
                    const std::function<bool(ByteView, ByteView)>& visit) const override {
    return inner_.scan(family, prefix, from, visit);
  }
  Result<void> write(const WriteBatch& batch, bool sync) override {
    ++batches;
    entries_max = std::max(entries_max, batch.puts.size());
    return inner_.write(batch, sync);
  }

  std::size_t batches = 0;
  std::size_t entries_max = 0;

 private:
  KvStore& inner_;
};

std::uint64_t transactions_above(const std::vector<OrderedBlock>& branch, std::uint64_t height) {
  std::uint64_t out = 0;
  for (std::size_t i = height; i < branch.size(); ++i) out += branch[i].transactions.size();
  return out;
}

}  // namespace

TEST_CASE("a rewind erases bit by bit, however deep it is") {
  Setup setup;
  setup.grow_to(400);
  setup.chain.reset();
  MeasuringStore measured(setup.store);
  constexpr RewindLimits kLimits{.batch_entries = 60};
  setup.chain =
      *Chain::open(measured, setup.genesis, {.snapshots = &setup.snapshots, .rewind = kLimits});
  setup.rewind(20);
  // One batch for the accounts and the head, of which there are few here.
  CHECK(measured.entries_max <= kLimits.batch_entries + 10);
  CHECK(measured.batches >= 380 * 7 / (kLimits.batch_entries + 10));
  check_is_replay(*setup.chain, setup.store, setup.branch);
}

TEST_CASE("of a deep rewind the lowest blocks are told of, and all are counted") {
  const auto limits =
      GENERATE(RewindLimits{.transactions = 20}, RewindLimits{.payload_bytes = 4'000});
  Setup setup(limits);
  setup.grow_to(100);
  const std::vector<OrderedBlock> before = setup.branch;
  const Rewound rewound = setup.rewind(10);
  CHECK(rewound.taken_from == Height(100));
  CHECK(rewound.transactions == transactions_above(before, 10));
  std::uint64_t told = 0;
  std::size_t bytes = 0;
  REQUIRE(rewound.withdrawn.size() > 3);
  REQUIRE(rewound.withdrawn.size() < 60);
  for (std::size_t i = 0; i < rewound.withdrawn.size(); ++i) {
    CHECK(rewound.withdrawn[i].payload_id == before[10 + i].payload_id);
    told += rewound.withdrawn[i].transactions.size();
    for (const TransactionPtr& each : rewound.withdrawn[i].transactions)
      bytes += each->encoded.size();
  }
  CHECK(told <= limits.transactions);
  CHECK(bytes <= limits.payload_bytes);
  check_is_replay(*setup.chain, setup.store, setup.branch);
}

TEST_CASE("what is withdrawn and not erased yet is seen by nobody") {
  Setup setup;
  const Digest& id = setup.chain->chain_id();
  const auto first = transfer(id, "anna", 1, "ben", 25);
  execute_one(*setup.chain, ordered(Height(1), {}));
  const ExecutedBlock two = execute_one(*setup.chain, ordered(Height(2), {first}));
  REQUIRE(setup.chain->store_seals(Height(2), seals_of(setup.genesis, two.header, {0, 1, 2})));
  setup.store.fail_after(1);  // the head is moved, and nothing erased
  REQUIRE_FALSE(setup.chain->rewind(Height(1)));
  REQUIRE(setup.store.get(Family::blocks, layout::header_key(Height(2))));
  const Chain& chain = *setup.chain;
  CHECK(chain.head().height == Height(1));
  CHECK(chain.header(Height(2)).error().code == Errc::not_found);
  CHECK(chain.block(Height(2)).error().code == Errc::not_found);
  CHECK(chain.receipts(Height(2)).error().code == Errc::not_found);
  CHECK(chain.certificate(Height(2)).error().code == Errc::not_found);
  CHECK(chain.commit_certificate(Height(2)).error().code == Errc::not_found);
  CHECK(chain.height_of(two.block_hash).error().code == Errc::not_found);
  CHECK(chain.height_of_payload(two.payload_id).error().code == Errc::not_found);
  CHECK(chain.find(first->id).error().code == Errc::not_found);
  CHECK(chain.find(first->id).error().detail.find(to_0x(first->id)) != std::string::npos);
  setup.store.heal();
  CHECK(*finish_rewind(setup.store) == 1);
  CHECK_FALSE(setup.store.get(Family::blocks, layout::header_key(Height(2))));
  CHECK(*finish_rewind(setup.store) == 0);
}

}  // namespace quorate::ledger
