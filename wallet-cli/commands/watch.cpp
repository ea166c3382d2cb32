#include "ledger/types/block.hpp"
#include "wallet-cli/commands/commands.hpp"

namespace quorate::wallet {
namespace {

constexpr std::chrono::seconds kQuiet{30};  // no news for so long is normal on an idle chain

// The subscription of the first node that accepts it.
Outcome<rpc::RpcSubscription> subscribe(Network& network, const std::string& topic,
                                        const Document& filter) {
  std::optional<rpc::RpcError> last;
  for (std::size_t tried = 0; tried < network.urls().size(); ++tried) {
    auto subscription = rpc::RpcSubscription::open(network.url(), topic, filter);
    if (subscription) return std::move(*subscription);
    last = subscription.error();
    network.rotate();
  }
  return tl::unexpected(from_rpc(*last));
}

std::string summary(const std::string& topic, const Document& news) {
  const auto field = [&news](const char* key) {
    const auto it = news.find(key);
    if (it == news.end() || it->is_null()) return std::string("-");
    return it->is_string() ? it->get<std::string>() : it->dump();
  };
  if (topic == "newBlocks") return "block " + field("height") + "  " + field("hash");
  std::string outcome = "-";
  if (const auto receipt = news.find("receipt"); receipt != news.end() && receipt->is_object()) {
    outcome = receipt->value("outcome", "-");
  }
  return "block " + field("height") + "  tx " + field("transaction_id") + "  " + outcome;
}

}  // namespace

// Follows final blocks, or one account's transactions, until interrupted or `count` were shown.
// With
// --json every notification is one line.
Outcome<Document> run_watch(const Wallet& wallet, const WatchOptions& options) {
  WALLET_TRY(Network network, wallet.network());
  std::string topic = "newBlocks";
  Document filter = Document::object();
  if (options.from) filter["from_height"] = *options.from;
  if (!options.account.empty()) {
    WALLET_TRY(const crypto::Address address,
               wallet.keyring.resolve(options.account, network.profile().dev));
    topic = "transactions";
    filter["address"] = crypto::to_text(address);
  }
  WALLET_TRY(rpc::RpcSubscription subscription, subscribe(network, topic, filter));
  wallet.terminal.note("watching " + network.url() + " (Ctrl-C ends it)");
  std::uint64_t next_height = options.from.value_or(0);
  for (std::uint64_t shown = 0; options.count == 0 || shown < options.count;) {
    auto news = subscription.next(kQuiet);
    if (!news && news.error().kind == rpc::RpcError::Kind::timeout) continue;
    if (!news) {
      wallet.terminal.note("lost " + network.url() + ": " + news.error().message +
                           "; trying the next node");
      network.rotate();
      if (next_height != 0) filter["from_height"] = next_height;
      WALLET_TRY(subscription, subscribe(network, topic, filter));
      continue;
    }
    if (const auto height = news->find("height");
        height != news->end() && height->is_number_unsigned() && topic == "newBlocks") {
      next_height = height->get<std::uint64_t>() + 1;
    }
    wallet.terminal.stream(*news, summary(topic, *news));
    ++shown;
  }
  return Document(nullptr);
}

}  // namespace quorate::wallet
