// A node without consensus: the real ledger in memory, sealed by four keys the test holds. Blocks
// are made when the test says so, or for every submission with `commit_at_once`. With `threaded`
// every answer comes from a thread of its own, as the real node's do; without, before the call
// returns. With `work` blocks are mined instead of sealed. Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "crypto/dev_accounts.hpp"
#include "ledger/chain.hpp"
#include "ledger/memory_store.hpp"
#include "rpc/backend.hpp"
#include "tests/unit/rpc/fake_branch.hpp"

namespace quorate::rpc::test {

struct FakeOptions {
  bool threaded = true;
  bool commit_at_once = false;
  bool work = false;  // ordered by proof of work: what is kFakeDepth deep is executed
  std::uint64_t genesis_ms = 1'900'000'000'000;  // blocks follow, a second each
};

class FakeBackend final : public Backend {
 public:
  explicit FakeBackend(FakeOptions options = {});
  ~FakeBackend() override;

  // Orders what waits (nothing is fine: an empty block), seals it and tells the sink; or mines it,
  // and executes what has become deep enough. Returns the block's height.
  Height make_block();
  void make_blocks(std::size_t count);
  // Executes and stores a block without a certificate; nobody is told.
  Height make_unsealed_block();
  // The canonical encoding of a transfer by a development account.
  Bytes transfer(std::uint32_t from, std::uint64_t nonce, std::uint32_t to, std::uint64_t amount,
                 std::uint64_t valid_until_height = 0) const;
  Digest id_of(const Bytes& encoded) const;

  // What chain_status and the pages report.
  void set_not_ready(std::string reason);
  void set_syncing(bool syncing);
  // block() fails with this from now on.
  void break_blocks(Error error);

  const ledger::Genesis& genesis() const override { return genesis_; }
  const Digest& chain_id() const override { return chain_id_; }
  EngineView engine() const override;
  ChainStatus chain_status() const override;
  ReplicaView replica_view() const override;
  std::vector<EvidenceView> evidence() const override;
  std::vector<PeerView> peers() const override;
  NodeInfo node_info() const override;
  MempoolView mempool() const override;
  Result<BlockView> block(Height height) const override;
  Result<BlockView> block_by_hash(const Digest& hash) const override;
  Result<BlockView> block_summary(Height height) const override;
  Result<ledger::BlockCertificate> certificate(Height height) const override;
  Result<WorkHeaders> work_headers(Height from, std::uint32_t limit) const override;
  void account(const crypto::Address& address,
               std::function<void(AccountView)> done) const override;
  Result<AccountProof> account_proof(const crypto::Address& address,
                                     std::uint32_t carriers) const override;
  void transaction(const Digest& id, std::function<void(TransactionView)> done) const override;
  Result<TransactionProof> transaction_proof(const Digest& id) const override;
  void submit(std::vector<Bytes> encoded,
              std::function<void(std::vector<SubmitResult>)> done) override;
  void check(Bytes encoded, std::function<void(SubmitResult)> done) const override;
  void wait_final(const Digest& id, std::chrono::milliseconds timeout,
                  std::function<void(TransactionView)> done) override;
  void set_event_sink(EventSink* sink) override;
  std::string metrics_text() const override;

 private:
  struct Waiter {
    Digest id;
    std::chrono::steady_clock::time_point deadline;
    std::function<void(TransactionView)> done;
  };

  Height execute(bool sealed);
  Height mine();
  ledger::ExecutedBlock execute_next(ledger::OrderedBlock ordered);
  Height final_height() const;
  BranchView branch_view() const;
  Result<CarriedByWork> carried_by_work(Height height, std::vector<ledger::Header>& headers) const;
  TransactionView::Placement placement(Height height) const;
  SubmitResult admit(const Bytes& encoded, bool keep);
  TransactionView view_of(const Digest& id) const;
  void answer_waiters();
  // Runs it on the thread, or at once.
  void later(std::function<void()> work) const;
  void run();

  const FakeOptions options_;
  ledger::Genesis genesis_;
  Digest chain_id_;
  crypto::Ed25519Verifier verifier_;
  std::vector<crypto::ValidatorKey> validators_;
  ledger::MemoryStore store_;
  std::unique_ptr<ledger::Chain> chain_;
  std::optional<FakeBranch> branch_;  // under the mutex

  mutable std::recursive_mutex mutex_;  // the state below and the chain
  std::map<std::pair<crypto::Address, std::uint64_t>, ledger::TransactionPtr> pending_;
  std::vector<Waiter> waiters_;
  std::string not_ready_;
  bool syncing_ = false;
  std::optional<Error> broken_;
  std::mutex sink_mutex_;  // held while the sink is called, so that removing it waits
  EventSink* sink_ = nullptr;

  mutable std::mutex work_mutex_;
  mutable std::condition_variable work_ready_;
  mutable std::deque<std::function<void()>> work_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace quorate::rpc::test
