// What this wallet remembers of the payments it signed, so that it never takes one for another. A
// small file per chain and account in its home, without a secret in it:
//
//   {"newest":{"height":7,"nonce":3,"block_id":"0x…"},
//    "undecided":[{"nonce":4,"transaction_id":"0x…","valid_until_height":812}]}
//
// A payment stands in it, synced, before any node sees it. While a book is open, other wallets on
// the same home wait for it: they choose their nonces after this one's is known. The lock ends with
// the book or the process, whatever ends that; the file is replaced whole. One thread at a time.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <vector>

#include "crypto/address.hpp"
#include "crypto/base/bytes.hpp"
#include "crypto/base/strong_int.hpp"
#include "wallet-cli/failure.hpp"

namespace quorate::wallet {

class PaymentBook {
 public:
  // That the account had used this nonce in this block, as was proved.
  struct Mark {
    Height height;
    std::uint64_t nonce = 0;
    Digest block_id;
  };
  // Signed here, and not known to be decided.
  struct Entry {
    std::uint64_t nonce = 0;
    Digest transaction_id;
    std::uint64_t valid_until_height = 0;
  };

  // Waits for other wallets until the deadline. Failures: locked_or_busy, io_or_corrupt.
  static Outcome<PaymentBook> open(const std::filesystem::path& folder, const Digest& chain_id,
                                   const crypto::Address& account,
                                   std::chrono::steady_clock::time_point deadline);
  // As it stands: waits for nobody, makes nothing, and cannot be saved.
  static Outcome<PaymentBook> peek(const std::filesystem::path& folder, const Digest& chain_id,
                                   const crypto::Address& account);
  PaymentBook(PaymentBook&& other) noexcept;
  PaymentBook& operator=(PaymentBook&&) = delete;
  ~PaymentBook();

  const std::optional<Mark>& newest() const { return newest_; }
  const std::vector<Entry>& undecided() const { return undecided_; }
  // The highest nonce known to be used; 0 for none.
  std::uint64_t used() const { return newest_ ? newest_->nonce : 0; }

  // Takes a newer mark, and strikes out what it decides: nonces up to it, and what has expired.
  void mark(const Mark& mark);
  // The marked block is not on the chain any more, as happens under proof of work.
  void unmark() { newest_.reset(); }
  void add(const Entry& entry);
  void strike(const Digest& transaction_id);
  // Synced when it returns. Failure io_or_corrupt.
  Outcome<void> save() const;

 private:
  PaymentBook(std::filesystem::path file, int lock) : file_(std::move(file)), lock_(lock) {}
  Outcome<void> load();
  Result<void> read(const std::string& text);

  std::filesystem::path file_;
  int lock_ = -1;  // a descriptor; -1 for a book that was only peeked into
  std::optional<Mark> newest_;
  std::vector<Entry> undecided_;
};

// The newest block of a chain that this wallet has seen proved, kept between runs beside the books,
// so that an older answer does not pass for a newer one. Both only help: what cannot be read is
// nothing, and what cannot be written is left.
std::optional<Height> newest_seen(const std::filesystem::path& folder, const Digest& chain_id);
void remember_seen(const std::filesystem::path& folder, const Digest& chain_id, Height height);

}  // namespace quorate::wallet
