// The chain: blocks in order, the state they lead to, and what clients ask about both. Executing a
// run of blocks writes blocks, state, receipts, commit certificates and indexes in one atomic
// batch.
//
// A rewind takes the newest blocks back. One atomic batch moves the head and the accounts: whoever
// opens the store finds the chain before it or after it. What stands above the head from then on is
// of no block of this chain: nobody sees it, and it is erased bit by bit.
//
// Threads: execute, rewind and store_seals belong to one thread (the node's execute thread).
// Everything const is safe on any thread, and each answer is that of one chain: whole blocks,
// before a rewind or after it. Between two answers the chain may have gone back; rewinds() tells. A
// StateView is immutable and can be kept.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "crypto/base/result.hpp"
#include "crypto/certificate/seal.hpp"
#include "ledger/erase_above.hpp"
#include "ledger/kv_store.hpp"
#include "ledger/snapshots.hpp"
#include "ledger/types/block.hpp"
#include "ledger/types/block_certificate.hpp"
#include "ledger/types/genesis.hpp"
#include "ledger/types/merkle.hpp"
#include "ledger/types/receipt.hpp"
#include "ledger/types/state_proof.hpp"
#include "ledger/withdrawn_transactions.hpp"

namespace quorate::ledger {

// The state after one height: an immutable tree that shares its unchanged parts with other heights.
// Copying is cheap; lookups take no lock.
class StateView {
 public:
  virtual ~StateView() = default;
  virtual Height height() const = 0;
  virtual Digest root() const = 0;
  virtual std::optional<Account> account(const crypto::Address& address) const = 0;
  virtual StateProof prove(const crypto::Address& address) const = 0;
};
using StateViewPtr = std::shared_ptr<const StateView>;

// One ordered payload, as consensus hands it over.
struct OrderedBlock {
  Height height;
  Digest payload_id;
  WallMs proposed_time;                      // 0 for a null block
  PublicKey proposer;                        // zero for a null block
  Bytes payload;                             // kept beside the block to serve catch-up
  std::vector<TransactionPtr> transactions;  // the decoded payload, in order
  Bytes commit_certificate;
};

struct ExecutedBlock {
  Header header;
  Digest block_hash;
  Digest checkpoint_digest;  // covers state root, block hash and configuration
  Digest payload_id;
  std::vector<TransactionPtr> transactions;
  std::vector<Receipt> receipts;
  StateViewPtr state;  // after this block
};

// A block as it is stored and served.
struct StoredBlock {
  Header header;
  Bytes payload;
  Bytes commit_certificate;  // empty at genesis
};

struct TransactionLocation {
  Height height;
  std::uint32_t index = 0;
  Receipt receipt;
};

struct Head {
  Height height;
  Digest block_hash;
  Digest payload_id;  // zero at genesis
};

// A block that a rewind took back: it was executed here, and is not part of the chain any more.
struct WithdrawnBlock {
  Header header;
  Digest block_hash;
  Digest payload_id;
  std::vector<TransactionPtr> transactions;
  std::vector<Receipt> receipts;
};

struct Rewound {
  Head head;
  StateViewPtr state;
  Height taken_from;               // where the head was
  std::uint64_t transactions = 0;  // in all blocks that were taken back
  // The lowest of those blocks, lowest first: as many as RewindLimits allow.
  std::vector<WithdrawnBlock> withdrawn;
  Height executed_from;  // the blocks above it were executed again
};

// How much of a rewind is in memory at a time, however deep it goes. What is withdrawn and told of
// is about what a mempool takes back.
struct RewindLimits {
  std::uint64_t transactions = 100'000;    // of the withdrawn blocks that are told of
  std::size_t payload_bytes = 64U << 20U;  // of theirs
  std::size_t batch_entries = kEraseBatchEntries;
};

struct ChainOptions {
  // True: a quorum seals the blocks of this chain, and its certified height follows their
  // certificates. False: nobody does, and what is executed counts as certified.
  bool seals = true;
  // For chains whose commits can be withdrawn; null: a rewind executes the chain from genesis.
  Snapshots* snapshots = nullptr;
  RewindLimits rewind = {};
};

class Chain {
 public:
  // Opens the chain in `store` (which must outlive it, as the snapshots must) or writes the genesis
  // block into an empty one. Errors: conflict when the store holds another chain or storage
  // version, naming both; corrupt when the stored state does not lead to the head's state root.
  static Result<std::unique_ptr<Chain>> open(KvStore& store, const Genesis& genesis,
                                             ChainOptions options = {});
  ~Chain();

  // Executes consecutive heights from head + 1 in one atomic batch, synced before it returns.
  // The blocks were ordered by consensus: what cannot execute becomes a receipt, never an error.
  // Error io or corrupt only; the caller ends the process.
  Result<std::vector<ExecutedBlock>> execute(std::vector<OrderedBlock> blocks);
  // Takes back every block above `height`: from the newest snapshot at or below it, or genesis, the
  // stored payloads are executed again, and then one synced batch puts the accounts and the head of
  // `height` back. What stands above it is erased before this returns, or when the chain is opened
  // again. Errors: invalid_argument above the head; io and corrupt, after which the caller ends the
  // process.
  Result<Rewound> rewind(Height height);
  // Stores the SEALs of a height at or below the head, without sync: they can be collected again.
  // The caller has verified them; they stand in increasing order of replica and are at least a
  // quorum. Errors: invalid_argument, io.
  Result<void> store_seals(Height height, const std::vector<crypto::ReplicaSignature>& seals);

  const Genesis& genesis() const;
  const Digest& chain_id() const;
  Head head() const;
  StateViewPtr state() const;  // at the head
  // The state at a recent height, if it is still in memory: that of the certified height, of the 64
  // heights before it and of all after it, but never more than the newest 256 below the head. Under
  // load one height holds megabytes of its own, so none is kept that nobody can ask for.
  std::optional<StateViewPtr> state_at(Height height) const;
  // The state at the certified height, in one step; none right after opening a chain whose head is
  // not certified yet.
  std::optional<StateViewPtr> certified_state() const;
  // The newest height with a block certificate (genesis counts as certified); of a chain without
  // seals the head.
  Height certified_height() const;
  // How often blocks were taken back since the chain was opened: equal before and after a few
  // questions, their answers are of one chain.
  std::uint64_t rewinds() const;

  // Errors of all: not_found, io, corrupt.
  Result<StoredBlock> block(Height height) const;
  Result<Header> header(Height height) const;
  Result<Bytes> commit_certificate(Height height) const;
  Result<Height> height_of(const Digest& block_hash) const;
  Result<Height> height_of_payload(const Digest& payload_id) const;
  Result<std::vector<Receipt>> receipts(Height height) const;
  Result<BlockCertificate> certificate(Height height) const;
  // Where a transaction was executed (succeeded or failed); skipped ones are not located.
  Result<TransactionLocation> find(const Digest& transaction_id) const;
  // Of a transaction that a rewind took back, in this life or an earlier one, also when it has been
  // executed again since; the newest WithdrawnTransactions::kMax are known.
  std::optional<WithdrawnTransaction> withdrawn(const Digest& transaction_id) const;

 private:
  struct Impl;
  explicit Chain(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::ledger
