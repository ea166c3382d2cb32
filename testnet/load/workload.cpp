#include "testnet/load/workload.hpp"

#include <thread>

namespace quorate::testnet {

namespace {

ledger::SignedTransaction transfer(const Digest& chain_id, const LoadAccount& from,
                                   const LoadAccount& to, std::uint64_t nonce) {
  ledger::Transaction transaction;
  transaction.sender = from.key.public_key();
  transaction.nonce = nonce;
  transaction.operations.emplace_back(ledger::Transfer{to.address, 1});
  return ledger::sign(chain_id, std::move(transaction), from.key);
}

}  // namespace

Workload Workload::sign(const Digest& chain_id, std::vector<LoadAccount>& accounts,
                        std::size_t count) {
  Workload work;
  const std::size_t size = accounts.size();
  const auto encode_one = [&](std::size_t k) {
    const LoadAccount& from = accounts[k % size];
    const auto signed_transaction =
        transfer(chain_id, from, accounts[(k + 1) % size], from.next_nonce + k / size);
    work.ids_[k] = ledger::transaction_id(chain_id, signed_transaction.transaction);
    return to_0x(ledger::encode(signed_transaction));
  };
  if (count == 0) return work;
  work.ids_.resize(count);
  work.stride_ = encode_one(0).size();
  work.text_.resize(work.stride_ * count);
  const auto sign_every_other = [&](std::size_t first) {
    for (std::size_t k = first; k < count; k += 2) {
      const auto hex = encode_one(k);
      hex.copy(work.text_.data() + k * work.stride_, work.stride_);
    }
  };
  std::thread other(sign_every_other, 1);
  sign_every_other(0);
  other.join();

  work.index_.reserve(count);
  for (std::size_t k = 0; k < count; ++k) work.index_.emplace(work.ids_[k], k);
  for (std::size_t a = 0; a < size && a < count; ++a) {
    accounts[a].next_nonce += (count - a - 1) / size + 1;
  }
  return work;
}

std::optional<std::size_t> Workload::find(const Digest& id) const {
  const auto found = index_.find(id);
  if (found == index_.end()) return std::nullopt;
  return found->second;
}

}  // namespace quorate::testnet
