#include "testnet/load/finality.hpp"

#include <mutex>
#include <thread>

#include "ledger/types/merkle.hpp"
#include "rpc/client/rpc_client.hpp"
#include "rpc/json/fields.hpp"
#include "rpc/json/ledger_json.hpp"

namespace quorate::testnet {

namespace {

constexpr std::chrono::milliseconds kNotificationWait{500};
constexpr std::chrono::milliseconds kReconnectDelay{100};
constexpr std::size_t kTransactionsMax = 1U << 20U;

struct PendingBlock {
  FinalBlock block;
  Digest hash;
  Digest parent;
};

// Ids, and with them the receipts, exactly as the header commits to them.
Result<PendingBlock> read_block(const rpc::Json& json, bool with_receipts) {
  QUORATE_TRY(const auto fields, rpc::Fields::of(json, "block"));
  QUORATE_TRY(const rpc::Json* header_json, fields.get("header"));
  QUORATE_TRY(const auto header, rpc::header_from_json(*header_json));
  PendingBlock out;
  out.hash = ledger::block_hash(header);
  out.parent = header.parent_hash;
  out.block.height = header.height.value();
  QUORATE_TRY(const rpc::Json* ids, fields.array("transaction_ids", kTransactionsMax));
  for (const auto& id : *ids) {
    QUORATE_TRY(auto digest, rpc::read_fixed<Digest>(id, "block.transaction_ids"));
    out.block.transaction_ids.push_back(digest);
  }
  if (ledger::merkle_root(out.block.transaction_ids) != header.transactions_root) {
    return fail(Errc::bad_signature, "the transaction ids do not lead to the header's root");
  }
  if (!with_receipts) return out;
  QUORATE_TRY(const rpc::Json* transactions, fields.array("transactions", kTransactionsMax));
  std::vector<Digest> leaves;
  for (const auto& transaction : *transactions) {
    QUORATE_TRY(const auto entry, rpc::Fields::of(transaction, "block.transactions"));
    QUORATE_TRY(const rpc::Json* receipt_json, entry.get("receipt"));
    QUORATE_TRY(const auto receipt, rpc::receipt_from_json(*receipt_json));
    leaves.push_back(ledger::receipt_leaf(receipt));
    out.block.receipts.push_back(receipt);
  }
  if (ledger::merkle_root(leaves) != header.receipts_root) {
    return fail(Errc::bad_signature, "the receipts do not lead to the header's root");
  }
  return out;
}

}  // namespace

struct FinalityWatcher::Impl {
  Impl(WatcherOptions given, std::function<void(FinalBlock)> sink,
       std::function<void(std::uint64_t)> withdrawn_sink)
      : options(std::move(given)),
        on_final(std::move(sink)),
        on_withdrawn(std::move(withdrawn_sink)),
        next(options.from_height) {
    verified = next - 1;
    thread = std::thread([this] { run(); });
  }
  ~Impl() {
    stopping = true;
    thread.join();
  }

  void run() {
    for (std::size_t node = 0; !stopping; node = (node + 1) % options.urls.size()) {
      follow(options.urls[node]);
      if (!stopping) std::this_thread::sleep_for(kReconnectDelay);
    }
  }

  // Until the node goes away or we are told to stop.
  void follow(const std::string& url) {
    auto client = rpc::RpcClient::create({url}, {std::chrono::seconds(1), std::chrono::seconds(5)});
    if (!client) return note(client.error().detail);
    auto feed = rpc::RpcSubscription::open(url, "newBlocks", {{"from_height", next}});
    if (!feed) return note(feed.error().message);
    while (!stopping) {
      const auto notification = feed->next(kNotificationWait);
      if (!notification) {
        if (notification.error().kind == rpc::RpcError::Kind::timeout) continue;
        return note(notification.error().message);
      }
      const auto height = read_height(*notification);
      if (!height) return bad(height.error().detail);
      if (*height < next) continue;
      if (*height > next) return bad("a notification was skipped");
      if (!take(*client, *height)) return;
      ++next;
    }
  }

  // The height that a notification announces; one below `next` when it took blocks back.
  Result<std::uint64_t> read_height(const rpc::Json& notification) {
    QUORATE_TRY(const auto fields, rpc::Fields::of(notification, "newBlocks"));
    if (options.seals || !fields.has("reversed")) return fields.integer("height");
    QUORATE_TRY(const rpc::Json* reversed, fields.get("reversed"));
    QUORATE_TRY(const auto range, rpc::Fields::of(*reversed, "newBlocks.reversed"));
    QUORATE_TRY(const auto from, range.integer("from_height"));
    if (from < next) withdraw(from);
    return std::min(from, next) - 1;
  }

  // Fetches one block and, when its certificate is there, settles it and the ones before it.
  bool take(rpc::RpcClient& client, std::uint64_t height) {
    const auto json =
        client.call("chain_getBlock", {{"block", height}, {"full", options.receipts}});
    if (!json) {
      note(json.error().message);
      return false;
    }
    auto block = read_block(*json, options.receipts);
    if (!block || block->block.height != height) {
      bad(block ? "another height than asked for" : block.error().detail);
      return false;
    }
    pending.push_back(std::move(*block));
    if (!options.seals) return settle_by_depth();
    const auto sealed = client.call("chain_getBlockCertificate", {{"block", height}});
    // A height may never gather its own seals; then a descendant's settle it.
    if (!sealed)
      return sealed.error().kind == rpc::RpcError::Kind::answered ||
             drop_last(sealed.error().message);
    const auto proved = options.chain.check_certificate(*sealed);
    if (!proved) {
      bad(proved.error().detail);
      return drop_last({});
    }
    return settle(proved->block_hash);
  }

  // What was final from `height` on is so no more.
  void withdraw(std::uint64_t height) {
    next = height;
    verified = height - 1;
    last_hash.reset();
    if (on_withdrawn) on_withdrawn(height);
  }

  // A block that does not stand on the last one says that another node, or this one while nobody
  // listened, is on another branch: back by one, until they meet.
  bool settle_by_depth() {
    const PendingBlock& block = pending.back();
    const Digest hash = block.hash;
    if (last_hash && block.parent != *last_hash) {
      pending.clear();
      withdraw(next - 1);
      return false;
    }
    last_hash = hash;
    return settle(hash);
  }

  bool drop_last(const std::string& why) {
    if (!why.empty()) note(why);
    pending.pop_back();
    return false;
  }

  // `certified` is the hash of the newest pending block; the older ones must lead up to it.
  bool settle(const Digest& certified) {
    Digest expected = certified;
    for (auto it = pending.rbegin(); it != pending.rend(); ++it) {
      if (it->hash != expected) {
        bad("block " + std::to_string(it->block.height) + " is not the one that was certified");
        next = pending.front().block.height;
        pending.clear();
        return false;
      }
      expected = it->parent;
    }
    const auto now = std::chrono::steady_clock::now();
    for (auto& entry : pending) {
      entry.block.verified = now;
      verified = entry.block.height;
      on_final(std::move(entry.block));
    }
    pending.clear();
    return true;
  }

  void bad(const std::string& why) {
    ++bad_answers;
    note(why);
  }
  void note(const std::string& why) {
    const std::lock_guard lock(mutex);
    last_error = why;
  }

  const WatcherOptions options;
  const std::function<void(FinalBlock)> on_final;
  const std::function<void(std::uint64_t)> on_withdrawn;
  std::uint64_t next;
  std::vector<PendingBlock> pending;
  std::optional<Digest> last_hash;  // of the newest final block, where nobody seals
  std::atomic<std::uint64_t> verified{0};
  std::atomic<std::uint64_t> bad_answers{0};
  std::atomic<bool> stopping{false};
  mutable std::mutex mutex;
  std::string last_error;
  std::thread thread;
};

FinalityWatcher::FinalityWatcher(WatcherOptions options, std::function<void(FinalBlock)> on_final,
                                 std::function<void(std::uint64_t)> on_withdrawn)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(on_final),
                                   std::move(on_withdrawn))) {}

FinalityWatcher::~FinalityWatcher() = default;

std::uint64_t FinalityWatcher::height() const { return impl_->verified; }
std::uint64_t FinalityWatcher::bad_answers() const { return impl_->bad_answers; }
std::string FinalityWatcher::last_error() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->last_error;
}

}  // namespace quorate::testnet
