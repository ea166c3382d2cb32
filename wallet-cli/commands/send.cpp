#include <charconv>

#include "wallet-cli/commands/commands.hpp"
#include "wallet-cli/submission.hpp"

namespace quorate::wallet {
namespace {

// How long a payment that is decided waits for its turn to be noted as such.
constexpr std::chrono::milliseconds kNotePatience{3'000};

Outcome<std::uint64_t> parse_amount(const std::string& text) {
  std::uint64_t amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (error != std::errc() || end != text.data() + text.size() || amount == 0) {
    return failure(ExitCode::usage, "'" + text + "' is not an amount",
                   "an amount is a whole number from 1 to 18446744073709551615");
  }
  return amount;
}

// A dry run asks the node what it would answer and changes nothing.
Outcome<Document> check_only(const Wallet& wallet, Network& network, const crypto::AccountKey& key,
                             const PaymentOrder& order, const rpc::TrustedChain& chain) {
  WALLET_TRY(PaymentBook book, PaymentBook::peek(wallet.home.payments, chain.chain_id(),
                                                 crypto::address_of(key.public_key())));
  WALLET_TRY(const Payment payment,
             sign_payment(network, book, key, order,
                          [&](const std::string& line) { wallet.terminal.note(line); }));
  const std::string encoded = to_0x(ledger::encode(payment.transaction));
  WALLET_TRY(Document answer,
             network.call("tx_check", {{"tx", encoded}, {"chain_id", to_0x(chain.chain_id())}}));
  if (!answer.contains("valid") || answer["valid"] != true) {
    const Document error = answer.value("error", Document::object());
    rpc::RpcError refused;
    refused.code = error.value("code", -32003);
    refused.message = error.value("message", "would be refused");
    refused.data = error.value("data", Document::object());
    return tl::unexpected(from_rpc(refused));
  }
  wallet.terminal.success("would be accepted; nothing was sent");
  wallet.terminal.line("  signed transaction " + encoded);
  return Document{{"status", "checked"},
                  {"signed_transaction", encoded},
                  {"transaction_id", to_0x(payment.id)},
                  {"answer", std::move(answer)}};
}

// Writes down what was proved of a payment, before anybody is told: then no later payment can be
// taken for this one. Should that fail, the payment is made nevertheless.
void note_outcome(const Wallet& wallet, Network& network, const Payment& payment,
                  const crypto::Address& account, const Outcome<FinalTransaction>& final) {
  const bool not_made = !final && (final.error().exit == ExitCode::rejected ||
                                   final.error().exit == ExitCode::unreachable);
  if (!final && !not_made) return;
  const auto written = [&]() -> Outcome<void> {
    WALLET_TRY(const rpc::TrustedChain* chain, network.chain());
    WALLET_TRY(PaymentBook book,
               PaymentBook::open(wallet.home.payments, chain->chain_id(), account,
                                 std::chrono::steady_clock::now() + kNotePatience));
    book.strike(payment.id);
    if (final) {
      WALLET_TRY(const PaymentBook::Mark mark, mark_of(network, payment, final->proved));
      book.mark(mark);
      if (!final->proved.work) {
        remember_seen(wallet.home.payments, chain->chain_id(), final->proved.sealed.header.height);
      }
    }
    return book.save();
  }();
  if (!written) wallet.terminal.note("warning: " + written.error().message);
}

// Signs the payment and hands it to a node, while other wallets on the same home wait: the nonce of
// the next one counts on this one being known.
Outcome<Payment> sign_and_offer(const Wallet& wallet, Network& network,
                                const crypto::AccountKey& key, const PaymentOrder& order) {
  WALLET_TRY(const rpc::TrustedChain* chain, network.chain());
  WALLET_TRY(PaymentBook book,
             PaymentBook::open(wallet.home.payments, chain->chain_id(),
                               crypto::address_of(key.public_key()),
                               std::chrono::steady_clock::now() + wallet.options.timeout));
  WALLET_TRY(Payment payment, sign_payment(network, book, key, order, [&](const std::string& line) {
               wallet.terminal.note(line);
             }));
  WALLET_CHECK(book.save());
  payment.offered = std::chrono::steady_clock::now();
  payment.maybe_taken = offer(network, *chain, payment);
  return payment;
}

Document document_of(const FinalTransaction& final) {
  return {{"status", "final"},
          {"transaction_id", to_0x(final.proved.receipt.transaction_id)},
          {"height", final.proved.height.value()},
          {"block_hash", to_0x(final.proved.block_hash)},
          {"elapsed_ms", final.elapsed.count()},
          {"node", final.url}};
}

// The view the answering node is in: for people only, since nothing proves it.
std::string view_text(Network& network) {
  const auto state = network.try_call("consensus_getState", nlohmann::json::object());
  if (!state || !state->contains("view") || !(*state)["view"].is_number_unsigned()) return "";
  return "view " + (*state)["view"].dump() + ", ";
}

void say_final(const Wallet& wallet, const FinalTransaction& final, const std::string& how) {
  wallet.terminal.success("final in block " + std::to_string(final.proved.height.value()) + how +
                          " after " + std::to_string(final.elapsed.count()) + " ms");
}

void say_what_next(const Wallet& wallet, const FinalTransaction& final) {
  const std::string id = to_0x(final.proved.receipt.transaction_id);
  wallet.terminal.line("  tx " + id);
  wallet.terminal.next("quorate-wallet tx " + id + " --prove");
}

// Waits until the payment is as deep as wished on the branch with the most work.
Outcome<Document> send_by_work(const Wallet& wallet, Network& network,
                               const crypto::AccountKey& key, const SendOptions& options,
                               const PaymentOrder& order, rpc::WorkChain& chain) {
  const std::chrono::milliseconds timeout =
      wallet.options.timeout_given ? wallet.options.timeout : patience_for(chain, options.wish);
  network.extend_to(timeout);
  WALLET_CHECK(network.follow_work());
  WALLET_TRY(const Payment payment, sign_and_offer(wallet, network, key, order));
  const auto sent = submit_until_deep(network, payment, options.wish, timeout,
                                      [&](const std::string& line) { wallet.terminal.note(line); });
  note_outcome(wallet, network, payment, crypto::address_of(key.public_key()), sent);
  WALLET_TRY(const FinalTransaction final, sent);
  say_final(wallet, final, ": " + describe(*final.proved.work, options.wish.attacker_share) + ";");
  warn_unless_ready(wallet, network);
  say_what_next(wallet, final);
  Document out = to_json(*final.proved.work, options.wish.attacker_share);
  out.update(document_of(final));
  return out;
}

// Waits until a quorum of validators has sealed the block.
Outcome<Document> send_by_seals(const Wallet& wallet, Network& network,
                                const crypto::AccountKey& key, const PaymentOrder& order,
                                const rpc::TrustedChain& chain) {
  WALLET_TRY(const Payment payment, sign_and_offer(wallet, network, key, order));
  const auto sent = submit_until_final(network, chain, payment, wallet.options.timeout);
  note_outcome(wallet, network, payment, crypto::address_of(key.public_key()), sent);
  WALLET_TRY(const FinalTransaction final, sent);
  const rpc::ProvedHeader& sealed = final.proved.sealed;
  say_final(wallet, final,
            " (" + view_text(network) + std::to_string(sealed.seals) + " of " +
                std::to_string(sealed.validators) + " seals, receipt proved)");
  say_what_next(wallet, final);
  Document out = document_of(final);
  out.update({{"seals", sealed.seals},
              {"validators", sealed.validators},
              {"certified_height", sealed.header.height.value()}});
  return out;
}

}  // namespace

Outcome<Document> run_send(const Wallet& wallet, const SendOptions& options) {
  PaymentOrder order;
  WALLET_TRY(order.amount, parse_amount(options.amount));
  if (options.memo.size() > ledger::kMemoBytesMax) {
    return failure(ExitCode::usage, "the memo has " + std::to_string(options.memo.size()) +
                                        " bytes; at most " + std::to_string(ledger::kMemoBytesMax));
  }
  order.memo = options.memo;
  order.valid_for = options.valid_for;
  order.nonce = options.nonce;
  WALLET_TRY(Network network, wallet.network());
  const bool dev = network.profile().dev;
  WALLET_TRY(order.to, wallet.keyring.resolve(options.to, dev));
  WALLET_TRY(const crypto::AccountKey key, wallet.keyring.unlock(options.from, dev));
  WALLET_TRY(const rpc::TrustedChain* chain, network.chain());
  if (wallet.options.dry_run) return check_only(wallet, network, key, order, *chain);
  WALLET_TRY(rpc::WorkChain * work, network.work());
  return work != nullptr ? send_by_work(wallet, network, key, options, order, *work)
                         : send_by_seals(wallet, network, key, order, *chain);
}

}  // namespace quorate::wallet
