// A wallet in a folder of its own with the nodes that a test scripts, and payments of its own
// making.
#pragma once

#include "tests/unit/rpc/scripted_node.hpp"
#include "tests/unit/wallet-cli/temp_home.hpp"
#include "wallet-cli/commands/commands.hpp"
#include "wallet-cli/payment.hpp"

namespace quorate::wallet::test {

using rpc::Json;
using rpc::test::FakeBackend;
using rpc::test::ScriptedNode;

// A backend that makes a block of every submission, and one that waits to be told.
inline constexpr rpc::test::FakeOptions kAtOnce = {.threaded = false, .commit_at_once = true};
inline constexpr rpc::test::FakeOptions kByHand = {.threaded = false};

// What alice signs for bob.
inline Payment payment(const FakeBackend& backend, std::uint64_t nonce, std::uint64_t amount,
                       Height known = Height(0)) {
  Payment out;
  const Bytes encoded = backend.transfer(0, nonce, 1, amount);
  out.transaction = ledger::decode_signed_transaction(encoded).value();
  out.id = backend.id_of(encoded);
  out.known = {{known}};
  return out;
}

struct PayingWallet {
  // Knows the chain of `backend`, and the nodes by their URLs.
  PayingWallet(const FakeBackend& backend, const std::vector<std::string>& urls,
               std::chrono::milliseconds timeout = std::chrono::seconds(20))
      : genesis(home.write("genesis.json", rpc::to_json(backend.genesis()).dump()).string()),
        wallet(make(timeout)),
        alice(crypto::dev_account_key(0)),
        chain_id(backend.chain_id()) {
    use(urls);
  }

  // Goes on with other nodes.
  void use(const std::vector<std::string>& urls) const {
    const Json profile = {{"chain_name", "local-fake"},
                          {"chain_id", to_0x(chain_id)},
                          {"genesis_file", genesis},
                          {"rpc_urls", urls},
                          {"dev", true}};
    home.write("wallet.json", Json{{"profile", "p"}, {"profiles", {{"p", profile}}}}.dump());
  }

  Outcome<Document> send(const std::string& amount, SendOptions options = {}) const {
    options.from = "alice";
    options.to = "bob";
    options.amount = amount;
    return run_send(wallet, options);
  }
  Network network() const { return wallet.network().value(); }
  PaymentBook book() const {
    return PaymentBook::open(wallet.home.payments, chain_id, crypto::dev_account_address(0),
                             std::chrono::steady_clock::now())
        .value();
  }

  TempHome home;
  std::string genesis;
  Wallet wallet;
  crypto::AccountKey alice;
  Digest chain_id;

 private:
  Wallet make(std::chrono::milliseconds timeout) const {
    GlobalOptions options;
    options.output = {.json = true, .plain = true, .quiet = true, .no_input = true};
    options.timeout = timeout;
    options.timeout_given = true;
    const Terminal terminal(options.output);
    return {options, home.home(), terminal, Keyring(home.home(), terminal, {})};
  }
};

inline std::uint64_t balance_of(const FakeBackend& backend, std::uint32_t account) {
  std::uint64_t out = 0;
  backend.account(crypto::dev_account_address(account),
                  [&](const rpc::AccountView& view) { out = view.balance; });
  return out;
}

}  // namespace quorate::wallet::test
