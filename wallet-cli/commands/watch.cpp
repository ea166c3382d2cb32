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

std::string field(const Document& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || it->is_null()) return "-";
  return it->is_string() ? it->get<std::string>() : it->dump();
}

std::optional<std::uint64_t> height_in(const Document& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_number_unsigned()) return std::nullopt;
  return it->get<std::uint64_t>();
}

// What was shown before and is not final any more.
std::string reversal_text(const Document& reversed) {
  std::string text = "reversed: blocks " + field(reversed, "from_height") + " to " +
                     field(reversed, "to_height") + " left the branch with the most work";
  const auto items = reversed.find("items");
  if (items == reversed.end() || !items->is_array()) return text;
  for (const Document& item : *items) {
    text += "\nreversed  tx " + field(item, "transaction_id") + "  block " + field(item, "height");
  }
  return text;
}

// One notification: a block, or the transactions of one block that concern the account.
std::string summary(const std::string& topic, const Document& news) {
  if (news.contains("reversed")) return reversal_text(news["reversed"]);
  const std::string block = "block " + field(news, "height");
  if (topic == "newBlocks") return block + "  " + field(news, "hash");
  std::string text;
  const auto items = news.find("items");
  if (items == news.end() || !items->is_array()) return block;
  for (const Document& item : *items) {
    if (!item.is_object()) continue;
    const Document receipt = item.value("receipt", Document::object());
    text += (text.empty() ? "" : "\n") + block + "  tx " + field(item, "transaction_id") + "  " +
            (receipt.is_object() ? field(receipt, "outcome") : "-");
  }
  return text;
}

}  // namespace

// Follows final blocks, or one account's transactions, until interrupted, until `count` were shown
// or until nobody reads on (`| head`). With --json every notification is one line. Where to go on
// at the next node is known from the start, so that losing one leaves no gap.
Outcome<Document> run_watch(const Wallet& wallet, const WatchOptions& options) {
  WALLET_TRY(Network network, wallet.network());
  std::string topic = "newBlocks";
  Document filter = Document::object();
  std::uint64_t next_height = options.from.value_or(0);
  if (!options.from) {
    WALLET_TRY(const Document status, network.call("chain_getStatus", Document::object()));
    next_height = height_in(status, "certified_height").value_or(0) + 1;
  }
  filter["from_height"] = next_height;
  if (!options.account.empty()) {
    WALLET_TRY(const crypto::Address address,
               wallet.keyring.resolve(options.account, network.profile().dev));
    topic = "transactions";
    filter["address"] = crypto::to_text(address);
  }
  WALLET_TRY(rpc::RpcSubscription subscription, subscribe(network, topic, filter));
  wallet.terminal.note("watching " + network.url() + ": what it says, not proved (Ctrl-C ends it)");
  for (std::uint64_t shown = 0; options.count == 0 || shown < options.count;) {
    auto news = subscription.next(kQuiet);
    if (!news && news.error().kind == rpc::RpcError::Kind::timeout) continue;
    if (!news) {
      wallet.terminal.note("lost " + network.url() + ": " + news.error().message +
                           "; trying the next node");
      network.rotate();
      filter["from_height"] = next_height;
      WALLET_TRY(subscription, subscribe(network, topic, filter));
      continue;
    }
    if (const auto height = height_in(*news, "height")) next_height = *height + 1;
    if (news->contains("reversed")) {
      next_height = height_in((*news)["reversed"], "from_height").value_or(next_height);
    }
    if (!wallet.terminal.stream(*news, summary(topic, *news))) break;
    ++shown;
  }
  return Document(nullptr);
}

}  // namespace quorate::wallet
