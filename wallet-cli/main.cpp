// quorate-wallet: the command line. Parses into plain structs (commands/commands.hpp), runs one
// command, prints its failure and gives its exit code.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <optional>

#include "rpc/command_line/help.hpp"
#include "rpc/command_line/self_description.hpp"
#include "rpc/command_line/usage.hpp"
#include "rpc/command_line/version.hpp"
#include "wallet-cli/commands/commands.hpp"

namespace quorate::wallet {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  quorate-wallet send alice bob 25            pay, wait until final, verify the proof\n"
    "  quorate-wallet balance alice                proved by the state root that validators "
    "sealed\n"
    "  quorate-wallet tx 0x9c1e... --prove         what became of a transaction\n"
    "  quorate-wallet new --name savings           an account of your own\n";

// Counts and heights travel as JSON numbers, which are exact up to 2^53 - 1.
constexpr std::int64_t kBlocksMax = (std::int64_t{1} << 53) - 1;

std::vector<std::pair<std::string, std::vector<std::string>>> command_examples() {
  return {{"new", {"new", "new --name savings --passphrase-file secret.txt"}},
          {"recover", {"recover --name savings", "recover --index 1 < words.txt"}},
          {"list", {"list", "list --json"}},
          {"address", {"address savings"}},
          {"balance", {"balance alice", "balance alice bob --json"}},
          {"send",
           {"send alice bob 25", "send savings qrt1qz3g... 25 --memo rent",
            "send alice bob 25 --dry-run",
            "send alice bob 25 --depth 12        proof of work, more at stake"}},
          {"tx", {"tx 0x9c1e...", "tx 0x9c1e... --prove"}},
          {"block", {"block", "block 12", "block latest --json"}},
          {"status", {"status", "status --rpc-url http://127.0.0.1:8646"}},
          {"watch", {"watch", "watch alice --from 1", "watch --json --count 3"}}};
}

rpc::ManualText manual_text() {
  return {
      "accounts, payments and proofs on a Quorate ledger",
      "The wallet does not trust the node it asks. It knows the chain by its genesis file or by a "
      "pinned chain_id, counts the seals of the validators and checks the proof of the receipt "
      "itself, and says that a payment is final only then. Under proof of work it downloads the "
      "work headers of every node, checks each, takes the branch with the most work, and says how "
      "probable it is that an attacker reverses a payment at its depth.\n\n"
      "When a node cannot be reached it goes on with the next one of the profile. A timeout does "
      "not say that a payment failed: ask tx with its id before paying again. The same signed "
      "bytes never pay twice.\n\n"
      "Every payment is noted in the wallet's home before it is sent, so that a later one never "
      "passes for it, whatever nodes say: not with an equal payment, not from several commands at "
      "once.",
      {{"FILES",
        {{"wallet.json",
          "The networks (profiles), their nodes and pinned chains; in $XDG_CONFIG_HOME/quorate or "
          "~/.config/quorate. 'quorate-testnet up' writes the profile local."},
         {"keystore/",
          "One file per account, sealed with its passphrase; in $XDG_DATA_HOME/quorate/wallet or "
          "~/.local/share/quorate/wallet."},
         {"names.json", "The names given to accounts; beside keystore/."},
         {"payments/",
          "What was signed last: for each chain and account the newest nonce known to be used and "
          "the payments that are not decided yet, without secrets; for each chain the newest block "
          "seen proved. Beside keystore/. Commands that send from one account take turns with it. "
          "Remove it only while no payment is under way."},
         {"headers/",
          "Checked work headers of chains under proof of work; beside keystore/. It may be "
          "removed: "
          "they are downloaded again."}}},
       {"ENVIRONMENT",
        {{"QUORATE_WALLET_HOME", "One folder for all of the files, where --home is not given."},
         {"NO_COLOR, FORCE_COLOR", "Never colour, or colour also off a terminal."}}}}};
}

using Command = std::function<Outcome<Document>(const Wallet&)>;

struct CommandLine {
  CLI::App app{std::string(kExamples) + "\nThe wallet of a Quorate network", "quorate-wallet"};
  GlobalOptions global;
  double timeout_seconds = 30;
  CLI::Option* timeout = nullptr;
  Command chosen;

  NewOptions create;
  RecoverOptions recover;
  SendOptions send;
  TxOptions tx;
  WatchOptions watch;
  BlockOptions block;
  std::string account;
  std::optional<rpc::SelfDescription> self_description;
  std::vector<std::string> accounts;

  CommandLine() {
    app.set_version_flag(
        "-V,--version",
        rpc::version_text("quorate-wallet", rpc::library_versions({"boost", "openssl", "libsodium",
                                                                   "nlohmann-json", "cli11"})));
    app.require_subcommand(1);
    app.fallthrough();
    rpc::show_examples_first(app);
    add_globals();
    add_key_commands();
    add_network_commands();
    rpc::give_examples(app, command_examples());
    self_description.emplace(app, manual_text());
  }

  void add_globals() {
    app.add_flag("--json", global.output.json, "One JSON document on standard output");
    app.add_flag("--plain", global.output.plain, "No colour and no symbols");
    app.add_flag("-q,--quiet", global.output.quiet, "Results only");
    app.add_flag("-v,--verbose", global.output.verbose, "Say what every node is asked");
    app.add_flag("--no-input", global.output.no_input, "Never ask; fail instead");
    app.add_flag("--yes", global.yes, "Answer yes to every question");
    app.add_flag("--dry-run", global.dry_run, "Say what would happen and change nothing");
    app.add_option("--home", global.home, "Folder of the wallet's files");
    app.add_option("--profile", global.profile,
                   "Network to use (default: the one wallet.json selects)");
    app.add_option("--rpc-url", global.rpc_urls,
                   "Node to use instead of the profile's; may be repeated")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--passphrase-file", global.passphrase_file,
                   "Passphrase of the key file; - for standard input");
    timeout = app.add_option("--timeout", timeout_seconds,
                             "Seconds to wait for finality (default 30; for send under proof of "
                             "work, four times what the depth takes)")
                  ->check(CLI::Range(0.1, 3600.0));
  }

  CLI::App* add(const char* name, const char* help, Command command) {
    CLI::App* sub = app.add_subcommand(name, help);
    sub->callback([this, command = std::move(command)] { chosen = command; });
    return sub;
  }

  void add_key_commands() {
    CLI::App* sub = add("new", "Make an account with a new mnemonic",
                        [this](const Wallet& wallet) { return run_new(wallet, create); });
    sub->add_option("--name", create.name, "A name to use instead of the address");
    sub->add_option("--words", create.words, "Length of the mnemonic")
        ->check(CLI::IsMember({12, 15, 18, 21, 24}));
    sub = add("recover",
              "Make the key file again from a mnemonic: asks for the words, or reads them as one "
              "line from standard input where that is no terminal",
              [this](const Wallet& wallet) { return run_recover(wallet, recover); });
    sub->add_option("--name", recover.name, "A name to use instead of the address");
    sub->add_option("--index", recover.index, "Which account of the mnemonic")
        ->check(CLI::Range(0U, 0x7FFFFFFFU));
    add("list", "The accounts of this wallet",
        [](const Wallet& wallet) { return run_list(wallet); });
    sub = add("address", "The address of an account",
              [this](const Wallet& wallet) { return run_address(wallet, account); });
    sub->add_option("account", account, "Name or address")->required();
  }

  // What somebody wants to be safe from, where work is all that protects.
  static void add_share(CLI::App* sub, WorkWish& wish) {
    sub->add_option("--attacker-share", wish.attacker_share,
                    "Under proof of work: the share of the hash rate to be safe from (default 0.1)")
        ->check(CLI::Range(0.0, 0.5));
  }

  static void add_wish(CLI::App* sub, WorkWish& wish, const char* depth_help) {
    add_share(sub, wish);
    sub->add_option("--depth", wish.depth, depth_help)->check(CLI::Range(1, 100'000));
  }

  void add_network_commands() {
    CLI::App* sub = add("balance", "Balances, proved under a sealed state root",
                        [this](const Wallet& wallet) { return run_balance(wallet, accounts); });
    sub->add_option("accounts", accounts, "Names or addresses")->required();
    sub = add("send", "Pay, wait until the payment is final, and verify the proof",
              [this](const Wallet& wallet) { return run_send(wallet, send); });
    sub->add_option("from", send.from, "Who pays")->required();
    sub->add_option("to", send.to, "Who is paid")->required();
    sub->add_option("amount", send.amount, "How much, a whole number")->required();
    sub->add_option("--memo", send.memo, "Up to 64 bytes, public");
    sub->add_option(
           "--valid-for", send.valid_for,
           "Blocks until it expires, or up to half of them less, by chance, so that no two "
           "payments are the same (default 1000; 0 = never)")
        ->check(CLI::Range(std::int64_t{0}, kBlocksMax));
    sub->add_option("--nonce", send.nonce,
                    "Use this nonce instead of the next one that is free: of payments with one "
                    "nonce at most one is made")
        ->check(CLI::Range(std::int64_t{1}, kBlocksMax));
    add_wish(sub, send.wish,
             "Under proof of work: wait until so many blocks stand on the payment, its own "
             "included (default: the depth of the chain); never less than its proof takes");
    sub = add("tx", "What became of a transaction",
              [this](const Wallet& wallet) { return run_tx(wallet, tx); });
    sub->add_option("id", tx.id, "Transaction id, 0x and 64 digits")->required();
    sub->add_flag("--prove", tx.prove, "Verify the receipt, and the block certificate or the work");
    add_wish(sub, tx.wish, "Under proof of work, with --prove: fail (5) when it is less deep");
    sub = add("block", "A block, with its certificate or its work verified",
              [this](const Wallet& wallet) { return run_block(wallet, block); });
    sub->add_option("block", block.which, "Height, hash, 'latest' or 'certified' (default)");
    add_share(sub, block.wish);
    add("status", "The network as its nodes report it",
        [](const Wallet& wallet) { return run_status(wallet); });
    sub = add("watch", "Follow final blocks, or one account's transactions",
              [this](const Wallet& wallet) { return run_watch(wallet, watch); });
    sub->add_option("account", watch.account, "Name or address; all blocks without it");
    sub->add_option("--count", watch.count, "Stop after so many");
    sub->add_option("--from", watch.from, "Start with this height")
        ->check(CLI::Range(std::int64_t{0}, kBlocksMax));
  }
};

// CLI11 exits with codes of its own; a usage error is 2 here, and help is 0.
int usage(const CommandLine& line, const CLI::ParseError& error, int argc, char** argv) {
  if (error.get_exit_code() == 0) return line.app.exit(error);
  return rpc::report_failure(rpc::usage_failure(line.app, error), rpc::wants_json(argc, argv));
}

// A node may answer with JSON of any form; what a command did not expect is the node's failure.
Outcome<Document> answered(const Command& command, const Wallet& wallet) {
  try {
    return command(wallet);
  } catch (const nlohmann::json::exception& error) {
    return failure(ExitCode::failed, std::string("a node gave a malformed answer: ") + error.what(),
                   "ask another node with --rpc-url");
  }
}

int run(int argc, char** argv) {
  CommandLine line;
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return usage(line, error, argc, argv);
  }
  if (const auto text = line.self_description->asked_for()) {
    std::cout << *text;
    return 0;
  }
  line.global.timeout =
      std::chrono::milliseconds(static_cast<std::int64_t>(line.timeout_seconds * 1000));
  line.global.timeout_given = line.timeout->count() > 0;
  const Terminal terminal(line.global.output);
  auto home = find_wallet_home(line.global.home);
  if (!home) return terminal.report(home.error());
  const Wallet wallet{line.global, *home, terminal,
                      Keyring(*home, terminal, {line.global.passphrase_file})};
  const Outcome<Document> result = answered(line.chosen, wallet);
  if (!result) return terminal.report(result.error());
  if (!result->is_null()) terminal.document(*result);
  return 0;
}

extern "C" void on_interrupt(int) { std::_Exit(static_cast<int>(ExitCode::interrupted)); }

}  // namespace
}  // namespace quorate::wallet

int main(int argc, char** argv) {
  std::signal(SIGINT, quorate::wallet::on_interrupt);
  std::signal(SIGPIPE, SIG_IGN);
  return quorate::wallet::run(argc, argv);
}
