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

#include "crypto/certificate/seal.hpp"
#include "ledger/types/block.hpp"
#include "ledger/types/block_certificate.hpp"
#include "ledger/types/genesis.hpp"
#include "ledger/types/merkle.hpp"
#include "ledger/types/receipt.hpp"
#include "ledger/types/state_proof.hpp"

namespace quorate::rpc {

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

struct AccountProof {
  crypto::Address address;
  ledger::StateProof proof;
  ledger::BlockCertificate certificate;  // its header's state_root is what the proof leads to
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
};

// Proves a receipt: it is leaf `path.index` under receipts_root of the first header; `headers` lead
// by parent hash from the transaction's block to the certified one (one entry when it is certified
// itself).
struct TransactionProof {
  ledger::Receipt receipt;
  ledger::MerkleProof path;
  std::vector<ledger::Header> headers;  // ascending; the last equals certificate.header
  ledger::BlockCertificate certificate;
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
  // A block of this height has a block certificate, hence is final, with all below it.
  virtual void on_block_final(Height height) = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual const ledger::Genesis& genesis() const = 0;
  virtual const Digest& chain_id() const = 0;
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

  virtual void account(const crypto::Address& address,
                       std::function<void(AccountView)> done) const = 0;
  // At the newest certified height.
  virtual Result<AccountProof> account_proof(const crypto::Address& address) const = 0;

  virtual void transaction(const Digest& id, std::function<void(TransactionView)> done) const = 0;
  // Error not_found (no executed transaction of this id), unavailable (no certificate yet).
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
