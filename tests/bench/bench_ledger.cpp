// Execution rates of the ledger, without signature checks. Not part of the tests; build the target
// bench_ledger and run it on an idle machine.
//   replay/...   decoding, ids, execution, roots, storage: transactions per second on one core
//   execute/...  the same for transactions that are decoded already
//   tree/...     accounts per second that a block's update of the state tree takes
#include <benchmark/benchmark.h>

#include <filesystem>

#include "crypto/base/assert.hpp"
#include "crypto/hash.hpp"
#include "ledger/chain.hpp"
#include "ledger/memory_store.hpp"
#include "ledger/state_tree.hpp"
#ifdef QUORATE_BENCH_ROCKSDB
#include "ledger/rocksdb/rocksdb_store.hpp"
#endif

namespace quorate::ledger {
namespace {

struct AcceptAll final : crypto::Verifier {
  bool verify(const PublicKey&, ByteView, const Signature&) const override { return true; }
};

PublicKey key(std::uint64_t number) {
  PublicKey out;
  for (std::size_t i = 0; i < 8; ++i) out.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return out;
}

crypto::Address address(std::uint64_t number) { return crypto::address_of(key(number)); }

Genesis genesis_of(std::uint64_t accounts) {
  Genesis genesis;
  genesis.chain_name = "bench";
  for (std::uint64_t i = 0; i < accounts; ++i) genesis.accounts.push_back({address(i), 1'000'000});
  return genesis;
}

// Every transaction has a sender of its own turn and a receiver far from it.
std::vector<Bytes> payloads(const Genesis& genesis, std::uint64_t blocks, std::uint64_t size) {
  const std::uint64_t accounts = genesis.accounts.size();
  std::vector<Bytes> out;
  std::uint64_t sent = 0;
  for (std::uint64_t block = 0; block < blocks; ++block) {
    std::vector<TransactionPtr> transactions;
    for (std::uint64_t i = 0; i < size; ++i, ++sent) {
      auto transaction = std::make_shared<VerifiedTransaction>();
      Transaction& content = transaction->signed_transaction.transaction;
      content.sender = key(sent % accounts);
      content.nonce = sent / accounts + 1;
      content.operations = {
          Transfer{genesis.accounts[(sent * 7919 + 13) % accounts].address, 1 + sent % 3}};
      transaction->encoded = encode(transaction->signed_transaction);
      transactions.push_back(std::move(transaction));
    }
    out.push_back(encode_payload(transactions));
  }
  return out;
}

std::vector<TransactionPtr> decoded(const Digest& chain_id, const Bytes& payload) {
  std::vector<TransactionPtr> out;
  const auto parts = split_payload(payload);
  for (const ByteView part : *parts) {
    out.push_back(*verify_transaction(chain_id, part, AcceptAll()));
  }
  return out;
}

OrderedBlock ordered(const Digest& chain_id, Height height, const Bytes& payload) {
  OrderedBlock block;
  block.height = height;
  block.payload_id = crypto::sha256(payload);
  block.payload = payload;
  block.transactions = decoded(chain_id, payload);
  block.commit_certificate.resize(300);
  return block;
}

constexpr std::uint64_t kBlockTransactions = 2000;

// Replays the same blocks on a fresh store in each iteration.
template <class MakeStore>
void run(benchmark::State& state, const MakeStore& make_store, bool decode_too) {
  const Genesis genesis = genesis_of(static_cast<std::uint64_t>(state.range(0)));
  const Digest id = chain_id(genesis);
  const auto blocks = payloads(genesis, 50, kBlockTransactions);
  for (auto _ : state) {
    state.PauseTiming();
    const auto store = make_store();
    auto chain = *Chain::open(*store, genesis);
    std::vector<OrderedBlock> ready;
    for (std::size_t i = 0; i < blocks.size() && !decode_too; ++i) {
      ready.push_back(ordered(id, Height(i + 1), blocks[i]));
    }
    state.ResumeTiming();
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      std::vector<OrderedBlock> one;
      one.push_back(decode_too ? ordered(id, Height(i + 1), blocks[i]) : std::move(ready[i]));
      const auto done = chain->execute(std::move(one));
      QUORATE_ASSERT(done && done->front().receipts.back().outcome == Outcome::succeeded);
    }
    state.PauseTiming();
    chain.reset();
    ready.clear();
    state.ResumeTiming();
  }
  state.counters["tx/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()) *
                             static_cast<double>(blocks.size() * kBlockTransactions),
                         benchmark::Counter::kIsRate);
}

// Discards blocks and index: what is left is execution and hashing.
class NullStore final : public KvStore {
 public:
  Result<Bytes> get(Family family, ByteView key) const override { return inner_.get(family, key); }
  Result<void> scan(Family family, ByteView prefix, ByteView from,
                    const std::function<bool(ByteView, ByteView)>& visit) const override {
    return inner_.scan(family, prefix, from, visit);
  }
  Result<void> write(const WriteBatch& batch, bool sync) override {
    if (opened_) return {};
    opened_ = true;
    return inner_.write(batch, sync);
  }

 private:
  MemoryStore inner_;
  bool opened_ = false;
};

void execute_null(benchmark::State& state) {
  run(
      state, [] { return std::make_unique<NullStore>(); }, false);
}
void replay_null(benchmark::State& state) {
  run(
      state, [] { return std::make_unique<NullStore>(); }, true);
}
void replay_memory(benchmark::State& state) {
  run(
      state, [] { return std::make_unique<MemoryStore>(); }, true);
}

#ifdef QUORATE_BENCH_ROCKSDB
void replay_rocksdb(benchmark::State& state) {
  const auto folder = std::filesystem::temp_directory_path() / "quorate-bench-ledger";
  run(
      state,
      [&folder] {
        std::filesystem::remove_all(folder);
        return std::move(*RocksdbStore::open(folder));
      },
      true);
  std::filesystem::remove_all(folder);
}
#endif

void tree_update(benchmark::State& state) {
  const auto accounts = static_cast<std::uint64_t>(state.range(0));
  std::vector<StateEntry> all;
  for (std::uint64_t i = 0; i < accounts; ++i) {
    all.push_back({state_key(address(i)), {address(i), {i, 0}}});
  }
  const auto by_key = [](const StateEntry& a, const StateEntry& b) { return a.key < b.key; };
  std::vector<StateEntry> touched;
  for (std::uint64_t i = 0; i < 4000; ++i) touched.push_back(all[i * 104729 % accounts]);
  std::sort(all.begin(), all.end(), by_key);
  std::sort(touched.begin(), touched.end(), by_key);
  StateTree tree = StateTree().with(all);
  for (auto _ : state) {
    for (StateEntry& entry : touched) ++entry.leaf.account.balance;
    tree = tree.with(touched);
  }
  state.counters["accounts/s"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * static_cast<double>(touched.size()),
      benchmark::Counter::kIsRate);
}

BENCHMARK(execute_null)->Name("execute/null_store")->Arg(1 << 16)->Unit(benchmark::kMillisecond);
BENCHMARK(replay_null)
    ->Name("replay/null_store")
    ->Arg(1 << 10)
    ->Arg(1 << 16)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(replay_memory)->Name("replay/memory_store")->Arg(1 << 16)->Unit(benchmark::kMillisecond);
#ifdef QUORATE_BENCH_ROCKSDB
BENCHMARK(replay_rocksdb)
    ->Name("replay/rocksdb")
    ->Arg(1 << 16)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
#endif
BENCHMARK(tree_update)->Name("tree/update_4000")->Arg(1 << 16)->Arg(1 << 18);

}  // namespace
}  // namespace quorate::ledger

BENCHMARK_MAIN();
