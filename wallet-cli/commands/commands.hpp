// The wallet's commands, as plain functions: main.cpp parses the command line into these structs,
// and every command returns its --json document or a Failure. No command prints an error itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wallet-cli/keyring.hpp"
#include "wallet-cli/network.hpp"
#include "wallet-cli/terminal.hpp"
#include "wallet-cli/work_submission.hpp"

namespace quorate::wallet {

struct GlobalOptions {
  OutputOptions output;
  std::string home;
  std::string profile;
  std::string passphrase_file;
  std::vector<std::string> rpc_urls;
  std::chrono::milliseconds timeout{30'000};
  bool timeout_given = false;
  bool dry_run = false;
  bool yes = false;
};

// What every command gets.
struct Wallet {
  GlobalOptions options;
  WalletHome home;
  Terminal terminal;
  Keyring keyring;

  // The profile in use and a connection to its nodes.
  Outcome<Network> network() const;
  // True where alice, bob, … may be used; false without a configured network.
  bool dev() const;
};

using Document = nlohmann::json;

// After something was called proved by work: a line when the node that was asked is not ready, as
// when it hears nobody, for then it may be on a branch that the others outweigh.
void warn_unless_ready(const Wallet& wallet, Network& network);

struct NewOptions {
  std::string name;
  unsigned words = 24;
};
Outcome<Document> run_new(const Wallet& wallet, const NewOptions& options);
struct RecoverOptions {
  std::string name;
  std::uint32_t index = 0;
};
Outcome<Document> run_recover(const Wallet& wallet, const RecoverOptions& options);
Outcome<Document> run_list(const Wallet& wallet);
Outcome<Document> run_address(const Wallet& wallet, const std::string& account);

Outcome<Document> run_balance(const Wallet& wallet, const std::vector<std::string>& accounts);

struct SendOptions {
  std::string from, to, amount, memo;
  std::uint64_t valid_for = 1000;  // blocks; 0 = for ever
  std::optional<std::uint64_t> nonce;
  WorkWish wish;
};
Outcome<Document> run_send(const Wallet& wallet, const SendOptions& options);

struct TxOptions {
  std::string id;
  bool prove = false;
  WorkWish wish;
};
Outcome<Document> run_tx(const Wallet& wallet, const TxOptions& options);

struct BlockOptions {
  std::string which = "certified";
  WorkWish wish;
};
Outcome<Document> run_block(const Wallet& wallet, const BlockOptions& options);
Outcome<Document> run_status(const Wallet& wallet);

struct WatchOptions {
  std::string account;
  std::uint64_t count = 0;
  std::optional<std::uint64_t> from;
};
Outcome<Document> run_watch(const Wallet& wallet, const WatchOptions& options);

}  // namespace quorate::wallet
