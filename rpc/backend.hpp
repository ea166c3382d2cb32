// The node as the API sees it. `node` implements it; rpc includes nothing else of the node. Reads
// are answered on the calling thread from immutable views; what must go through the consensus
// thread takes a callback, which may run on any thread and is called exactly once. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "consensus/engine_list.hpp"
#include "crypto/certificate/seal.hpp"
#include "ledger/types/block.hpp"
#include "ledger/types/block_certificate.hpp"
#include "ledger/types/genesis.hpp"
#include "ledger/types/merkle.hpp"
#include "ledger/types/receipt.hpp"
#include "ledger/types/state_proof.hpp"

namespace quorate::rpc {

// What a client must know of the chain's engine to read the answers; constant.
struct EngineView {
  bool seals = true;  // a block certificate makes a block final; otherwise its depth does
  std::uint32_t connected_min = 1;
  std::uint32_t commit_depth = 0;  // in blocks, its own included; 0: nothing is ever withdrawn
  bool mines = false;
  consensus::ProvedBy proved_by = consensus::ProvedBy::seals;
};

// The preferred branch of an engine that orders by work.
struct BranchView {
  Height tip;
  Digest tip_id;
  Height best_header;  // of the branch that weighs most, perhaps not fetched yet
  WallMs tip_time;
  std::uint32_t bits = 0;  // of the next block
  std::uint64_t expected_hashes = 0;
  std::uint64_t blocks_mined = 0;     // here, since the start
  std::uint64_t stale_blocks = 0;     // seen and not on the preferred branch
  std::uint64_t branch_switches = 0;  // that took blocks back
  std::uint64_t deepest_switch = 0;   // in blocks
  std::uint64_t rewinds = 0;          // that took back what was final here
  std::size_t orphans = 0;
  bool mining = false;
  std::uint64_t hashes = 0;             // tried here, since the start
  std::uint64_t hashes_per_second = 0;  // of late
};

struct ChainStatus {
  std::string chain_name;
  Digest chain_id;
  std::string engine;
  Height height;  // executed here
  Digest block_hash;
  WallMs block_time;
  Height certified_height;  // newest height with a block certificate here
  bool syncing = false;
  Height target;
  bool ready = false;
  std::string not_ready_reason;
  std::uint32_t peers = 0;            // validators besides this node
  std::uint32_t peers_connected = 0;  // of these
  std::uint32_t peers_silent = 0;     // of the connected, though they should have said something
  std::optional<BranchView> branch;
};

struct ReplicaView {  // consensus_getState
  // Somebody who would leave the active view.
  struct Suspicion {
    ReplicaId replica;
    std::string name;
    View view;
    std::string reason;
    std::uint64_t expires_in_ms = 0;
  };
  // The highest view above the active one that a replica asked for.
  struct ViewChangeSeen {
    ReplicaId replica;
    std::string name;
    View view;
  };
  struct Timer {
    std::string name;
    std::uint64_t remaining_ms = 0;
  };
  std::string node_name;
  std::optional<ReplicaId> replica;
  Epoch epoch;
  View view;
  View promise_view;
  bool changing_view = false;  // promise_view is asked for and not open yet
  ReplicaId primary;           // of `view`
  std::string primary_name;
  std::uint32_t validators = 0, faults_tolerated = 0, quorum = 0;
  Height last_executed, last_committed, sealed_to, low_watermark, high_watermark;
  Height known_height;  // the highest height that signatures prove to be committed
  std::vector<Suspicion> suspects;
  std::vector<ViewChangeSeen> view_changes;
  std::vector<Timer> timers;
  std::string progress_not_timed;  // why the primary is not expected to make progress now
  std::uint64_t view_timeout_ms = 0;
  std::uint32_t timeout_level = 0;
  std::size_t pending_transactions = 0;  // that could be proposed, or are
  bool starting = false;
  std::string halted;
  bool observer = false;
  std::string observer_reason;
  Height executing_again_to;    // a replaced ledger is filled up to here before it votes; or 0
  std::string replaced_ledger;  // why and where an earlier ledger was moved aside; or empty
  std::optional<BranchView>
      branch;  // then nothing above that is about views or seals has a meaning
};

// A proof that one replica signed two contents where a correct one signs a single one.
struct EvidenceView {
  struct SignedContent {
    Bytes content;         // what tells it from the other one: an id, a hash or a claim
    Digest signed_digest;  // what the signature covers
    Signature signature;
  };
  ReplicaId replica;
  std::string name;
  PublicKey validator_key;
  std::string type;  // of the messages: "pre_prepare", "prepare", ...
  std::optional<View> view;
  std::optional<Height> height;
  WallMs found_at;
  std::vector<SignedContent> contents;  // two
  Bytes proof;
  bool stored = true;
};

struct PeerView {
  ReplicaId replica;
  std::string name;
  std::string address;  // as configured
  bool connected = false;
  bool outbound = false;
  std::uint64_t bytes_in = 0, bytes_out = 0, connects = 0;
  std::string last_error;  // why the last connection ended or was refused
};

struct NodeInfo {
  std::string name, version, git_commit, engine, chain_name;
  Digest chain_id;
  PublicKey node_key;
  std::optional<PublicKey> validator_key;
  std::uint32_t wire_version = 0, storage_version = 0;
  std::uint64_t uptime_ms = 0;
  std::vector<std::pair<std::string, std::string>> libraries;
};

struct BlockView {
  ledger::Header header;
  Digest hash;
  std::vector<ledger::SignedTransaction> transactions;
  std::vector<Digest> transaction_ids;
  std::vector<ledger::Receipt> receipts;
  Bytes commit_certificate;
  bool certified = false;
};

struct AccountView {
  crypto::Address address;
  bool exists = false;
  std::uint64_t balance = 0;
  std::uint64_t nonce = 0;       // executed
  std::uint64_t next_nonce = 0;  // counting what waits in this node's mempool
  Height height;
};

// Where work carries the ledger: the work header of height `first` and those after it on the
// preferred branch carry, as exec_ref, the hashes of the proof's headers, one each in their order.
struct CarriedByWork {
  Height first;
  std::vector<Digest> block_ids;  // of those work headers
};

// Proved by the certificate where the engine seals; otherwise by `work`, over `headers`.
struct AccountProof {
  crypto::Address address;
  ledger::StateProof proof;
  ledger::BlockCertificate certificate;      // its header's state_root is what the proof leads to
  std::vector<ledger::Header> headers = {};  // ascending; state_root of the first
  std::optional<CarriedByWork> work = {};
};

enum class TransactionStatus : std::uint8_t {
  unknown,
  pending,
  included,
  final,
  failed,
  expired,
  reversed
};

struct TransactionView {
  Digest id;
  TransactionStatus status = TransactionStatus::unknown;
  std::optional<Height> height;  // where it was executed
  std::optional<std::uint32_t> index;
  std::optional<ledger::Receipt> receipt;
  // Why it will never be executed: nonce_too_low (failed: another transaction of its sender has its
  // nonce) or expired. None when it was executed; the receipt says more then.
  std::optional<ledger::Reason> reason;
  std::optional<ledger::SignedTransaction> transaction;
  // Its block, where the order is tentative. The tip has depth 1.
  struct Placement {
    Height height;
    Digest block_id;
    std::uint64_t depth = 0;
  };
  std::optional<Placement> placement;
  std::optional<Placement> decided;      // with `reason`: the block by which it was so
  std::optional<Height> withdrawn_from;  // reversed: the height it was executed at
};

// Proves a receipt: it is leaf `path.index` under receipts_root of the first header; `headers` lead
// by parent hash from the transaction's block to the certified one (one entry when it is certified
// itself).
struct TransactionProof {
  ledger::Receipt receipt;
  ledger::MerkleProof path;
  std::vector<ledger::Header> headers;  // ascending; the last equals certificate.header
  ledger::BlockCertificate certificate;
  std::optional<CarriedByWork> work;  // instead of the certificate where the engine does not seal
};

// Consecutive commit certificates of the preferred branch, which are its encoded work headers.
struct WorkHeaders {
  std::vector<Bytes> headers;  // the first stands at the height asked for
  Height tip;
};

// Blocks that another branch has outweighed, after they were final here.
struct WithdrawnBlocks {
  struct Transaction {
    Digest id;
    Height height;
    ledger::SignedTransaction transaction;
  };
  Height from;  // the lowest
  Height to;
  std::vector<Transaction> transactions;  // that had been executed, in order
  bool complete = true;  // false: those of the higher blocks were too many to be told of
};

struct SubmitRefusal {
  ledger::Reason reason = ledger::Reason::none;
  std::string detail;
  std::optional<std::uint64_t> expected, got;
};
struct SubmitResult {
  std::optional<Digest> id;              // set when the encoding allowed it
  std::optional<SubmitRefusal> refusal;  // none = admitted
};

struct MempoolView {
  std::size_t transactions = 0, ready = 0, bytes = 0, accounts = 0;
  std::size_t transactions_max = 0, bytes_max = 0;
};

// What subscribers hear. Called on a thread of the node, in order of height; must return at once.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // The block of this height is final, with all below it: it has a block certificate or, where the
  // engine does not seal, it was executed at the depth that the chain commits at.
  virtual void on_block_final(Height height) = 0;
  // What was announced as final is not any more; others become final at these heights.
  virtual void on_blocks_withdrawn(std::shared_ptr<const WithdrawnBlocks>) {}
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual const ledger::Genesis& genesis() const = 0;
  virtual const Digest& chain_id() const = 0;
  virtual EngineView engine() const = 0;
  virtual ChainStatus chain_status() const = 0;
  virtual ReplicaView replica_view() const = 0;
  // Oldest first.
  virtual std::vector<EvidenceView> evidence() const = 0;
  virtual std::vector<PeerView> peers() const = 0;
  virtual NodeInfo node_info() const = 0;
  virtual MempoolView mempool() const = 0;

  // Errors: not_found (never executed here), unavailable.
  virtual Result<BlockView> block(Height height) const = 0;
  virtual Result<BlockView> block_by_hash(const Digest& hash) const = 0;
  // As block(), but with header, hash and certified only: reads no payload, for long lists.
  virtual Result<BlockView> block_summary(Height height) const = 0;
  virtual Result<ledger::BlockCertificate> certificate(Height height) const = 0;
  // Up to `limit` of them, from the height `from` (at least 1) up; none above the tip. Error
  // unavailable while the branch is being switched. Only where work proves the blocks.
  virtual Result<WorkHeaders> work_headers(Height from, std::uint32_t limit) const = 0;
  virtual void account(const crypto::Address& address,
                       std::function<void(AccountView)> done) const = 0;

  // At the newest certified height; where work proves, at the newest that so many headers carry.
  virtual Result<AccountProof> account_proof(const crypto::Address& address,
                                             std::uint32_t carriers) const = 0;

  virtual void transaction(const Digest& id, std::function<void(TransactionView)> done) const = 0;
  // Error not_found (no executed transaction of this id), unavailable (no certificate yet),
  // invalid_argument (nothing proves the blocks of this chain).
  virtual Result<TransactionProof> transaction_proof(const Digest& id) const = 0;

  // Verifies off-thread, admits to the mempool and relays. One result per transaction, in order.
  virtual void submit(std::vector<Bytes> encoded,
                      std::function<void(std::vector<SubmitResult>)> done) = 0;
  // What submit would answer, and what execution on the newest state would give, without
  // submitting.
  virtual void check(Bytes encoded, std::function<void(SubmitResult)> done) const = 0;
  // Calls `done` once when the transaction is final or failed, or at the deadline with its status
  // then.
  virtual void wait_final(const Digest& id, std::chrono::milliseconds timeout,
                          std::function<void(TransactionView)> done) = 0;

  // `sink` must outlive the backend or be removed with nullptr.
  virtual void set_event_sink(EventSink* sink) = 0;
  // Prometheus text exposition.
  virtual std::string metrics_text() const = 0;
};

}  // namespace quorate::rpc
