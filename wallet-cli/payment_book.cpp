#include "wallet-cli/payment_book.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include "crypto/base/assert.hpp"
#include "crypto/base/disk_error.hpp"
#include "crypto/secure_file.hpp"
#include "rpc/json/fields.hpp"

namespace quorate::wallet {
namespace {

using Path = std::filesystem::path;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLockPause{10};
// Far above what a node lets wait per account; what is struck out first is oldest.
constexpr std::size_t kUndecidedMax = 5'000;

std::string book_name(const Digest& chain_id, const crypto::Address& account) {
  return to_hex(chain_id) + "-" + crypto::to_text(account);
}

// What to do when the folder does not take a file.
Failure cannot_note(Failure why, const Path& folder) {
  why.hint = "the wallet notes every payment before it sends it, so nothing was sent; make " +
             folder.string() + " writable for this user";
  return why;
}

Outcome<int> take_lock(const Path& file, steady_clock::time_point deadline) {
  const int lock = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return tl::unexpected(from_error(disk_error("cannot open", file, errno).value()));
  while (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    if (error == EINTR) continue;
    if (error == EWOULDBLOCK && steady_clock::now() < deadline) {
      std::this_thread::sleep_for(kLockPause);
      continue;
    }
    ::close(lock);
    if (error != EWOULDBLOCK) {
      return tl::unexpected(from_error(disk_error("cannot lock", file, error).value()));
    }
    return failure(ExitCode::locked_or_busy,
                   "another quorate-wallet is choosing a nonce for this account and did not come "
                   "to an end in time; nothing was sent",
                   "send again, with a longer --timeout if the nodes are slow to answer");
  }
  return lock;
}

}  // namespace

Outcome<PaymentBook> PaymentBook::open(const Path& folder, const Digest& chain_id,
                                       const crypto::Address& account,
                                       steady_clock::time_point deadline) {
  const Path file = folder / (book_name(chain_id, account) + ".json");
  if (const auto made = crypto::make_private_directory(folder); !made) {
    return tl::unexpected(cannot_note(from_error(made.error()), folder));
  }
  Path lock_file = file;
  auto lock = take_lock(lock_file.replace_extension(".lock"), deadline);
  if (!lock && lock.error().exit != ExitCode::locked_or_busy) {
    return tl::unexpected(cannot_note(lock.error(), folder));
  }
  if (!lock) return tl::unexpected(lock.error());
  PaymentBook book(file, *lock);
  WALLET_CHECK(book.load());
  return book;
}

Outcome<PaymentBook> PaymentBook::peek(const Path& folder, const Digest& chain_id,
                                       const crypto::Address& account) {
  PaymentBook book(folder / (book_name(chain_id, account) + ".json"), -1);
  WALLET_CHECK(book.load());
  return book;
}

PaymentBook::PaymentBook(PaymentBook&& other) noexcept
    : file_(std::move(other.file_)),
      lock_(std::exchange(other.lock_, -1)),
      newest_(std::move(other.newest_)),
      undecided_(std::move(other.undecided_)) {}

PaymentBook::~PaymentBook() {
  if (lock_ >= 0) ::close(lock_);
}

Outcome<void> PaymentBook::load() {
  const auto raw = crypto::read_private_file(file_);
  if (!raw && raw.error().code == Errc::not_found) return {};
  if (!raw) return tl::unexpected(from_error(raw.error()));
  if (const auto done = read(std::string(raw->begin(), raw->end())); !done) {
    return failure(ExitCode::io_or_corrupt, file_.string() + " is damaged: " + done.error().detail,
                   "it holds what this wallet remembers of its newest payments; once none of this "
                   "account is under way any more, remove it");
  }
  return {};
}

Result<void> PaymentBook::read(const std::string& text) {
  QUORATE_TRY(const rpc::Json json, rpc::parse_json(text));
  QUORATE_TRY(const rpc::Fields fields, rpc::Fields::of(json, "payments"));
  QUORATE_CHECK(fields.only({"newest", "undecided"}));
  if (fields.has("newest")) {
    QUORATE_TRY(const rpc::Fields newest, rpc::Fields::of(json["newest"], "payments.newest"));
    Mark mark;
    QUORATE_TRY(mark.height, newest.integer_of<Height>("height"));
    QUORATE_TRY(mark.nonce, newest.integer("nonce"));
    QUORATE_TRY(mark.block_id, newest.fixed<Digest>("block_id"));
    newest_ = mark;
  }
  QUORATE_TRY(const rpc::Json* items, fields.array("undecided", kUndecidedMax));
  for (const rpc::Json& item : *items) {
    QUORATE_TRY(const rpc::Fields each, rpc::Fields::of(item, "payments.undecided"));
    Entry entry;
    QUORATE_TRY(entry.nonce, each.integer("nonce"));
    QUORATE_TRY(entry.transaction_id, each.fixed<Digest>("transaction_id"));
    QUORATE_TRY(entry.valid_until_height, each.integer("valid_until_height"));
    undecided_.push_back(entry);
  }
  return {};
}

void PaymentBook::mark(const Mark& mark) {
  const bool newer = !newest_ || mark.height > newest_->height ||
                     (mark.height == newest_->height && mark.nonce > newest_->nonce);
  if (newer) newest_ = mark;
  std::erase_if(undecided_, [this](const Entry& entry) {
    const bool expired =
        entry.valid_until_height != 0 && entry.valid_until_height <= newest_->height.value();
    return entry.nonce <= newest_->nonce || expired;
  });
}

void PaymentBook::add(const Entry& entry) {
  if (undecided_.size() == kUndecidedMax) undecided_.erase(undecided_.begin());
  undecided_.push_back(entry);
}

void PaymentBook::strike(const Digest& transaction_id) {
  std::erase_if(undecided_,
                [&](const Entry& entry) { return entry.transaction_id == transaction_id; });
}

Outcome<void> PaymentBook::save() const {
  QUORATE_ASSERT(lock_ >= 0);
  rpc::Json json = {{"undecided", rpc::Json::array()}};
  if (newest_) {
    json["newest"] = {{"height", newest_->height.value()},
                      {"nonce", newest_->nonce},
                      {"block_id", to_0x(newest_->block_id)}};
  }
  for (const Entry& entry : undecided_) {
    json["undecided"].push_back({{"nonce", entry.nonce},
                                 {"transaction_id", to_0x(entry.transaction_id)},
                                 {"valid_until_height", entry.valid_until_height}});
  }
  const std::string text = json.dump() + "\n";
  if (const auto done = crypto::replace_private_file(file_, as_bytes(text)); !done) {
    return tl::unexpected(cannot_note(from_error(done.error()), file_.parent_path()));
  }
  return {};
}

namespace {

Path seen_file(const Path& folder, const Digest& chain_id) {
  return folder / (to_hex(chain_id) + ".newest.json");
}

}  // namespace

std::optional<Height> newest_seen(const Path& folder, const Digest& chain_id) {
  const auto raw = crypto::read_private_file(seen_file(folder, chain_id));
  if (!raw) return std::nullopt;
  const auto json = rpc::parse_json(std::string(raw->begin(), raw->end()));
  if (!json) return std::nullopt;
  const auto fields = rpc::Fields::of(*json, "newest");
  if (!fields) return std::nullopt;
  const auto height = fields->integer_of<Height>("height");
  return height ? std::optional<Height>(*height) : std::nullopt;
}

void remember_seen(const Path& folder, const Digest& chain_id, Height height) {
  const auto known = newest_seen(folder, chain_id);
  if (known && *known >= height) return;
  if (!crypto::make_private_directory(folder)) return;
  const std::string text = rpc::Json{{"height", height.value()}}.dump() + "\n";
  // It only helps; the next proof writes it again.
  static_cast<void>(crypto::replace_private_file(seen_file(folder, chain_id), as_bytes(text)));
}

}  // namespace quorate::wallet
