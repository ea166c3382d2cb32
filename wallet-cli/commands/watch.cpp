#include <thread>

#include "ledger/types/block.hpp"
#include "wallet-cli/commands/commands.hpp"
#include "wallet-cli/shown_blocks.hpp"

namespace quorate::wallet {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kQuiet{30};     // no news for so long is normal on an idle chain
constexpr std::chrono::seconds kPatience{60};  // for nodes that do not answer
constexpr std::chrono::milliseconds kPause{500};

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

// As a node tells of blocks that it took back itself.
Document reversed_document(const std::vector<ShownBlocks::Block>& blocks, bool complete) {
  Document items = Document::array();
  for (const ShownBlocks::Block& block : blocks) {
    for (const std::string& id : block.transactions) {
      items.push_back({{"transaction_id", id}, {"height", block.height}});
    }
  }
  return {{"reversed",
           {{"from_height", blocks.front().height},
            {"to_height", blocks.back().height},
            {"items", std::move(items)},
            {"complete", complete}}}};
}

// One watch over all nodes: what was shown, and where to go on at whichever node is next.
class Watch {
 public:
  Watch(const Wallet& wallet, Network& network, std::string topic, Document filter,
        std::uint64_t next_height, std::uint64_t count)
      : wallet_(wallet),
        network_(network),
        topic_(std::move(topic)),
        filter_(std::move(filter)),
        next_height_(next_height),
        count_(count) {}

  Outcome<Document> run() {
    WALLET_TRY(rpc::RpcSubscription subscription, connect(std::chrono::seconds(0)));
    wallet_.terminal.note("watching " + network_.url() +
                          ": what it says, not proved (Ctrl-C ends it)");
    while (!done()) {
      auto news = subscription.next(kQuiet);
      if (news) {
        take(*news);
      } else if (news.error().kind != rpc::RpcError::Kind::timeout) {
        wallet_.terminal.note("lost " + network_.url() + ": " + news.error().message +
                              "; trying the next node");
        network_.rotate();
        WALLET_TRY(subscription, connect(kPatience));
      }
    }
    return Document(nullptr);
  }

 private:
  bool done() const { return unread_ || (count_ != 0 && shown_count_ >= count_); }

  void show(const Document& news) {
    unread_ = !wallet_.terminal.stream(news, summary(topic_, news));
    ++shown_count_;
  }
  void take(const Document& news) {
    if (const auto height = height_in(news, "height")) {
      ShownBlocks::Block block{*height, field(news, "hash"), {}};
      const auto items = news.find("items");
      if (items != news.end() && items->is_array()) {
        for (const Document& item : *items) {
          block.transactions.push_back(field(item, "transaction_id"));
        }
      }
      shown_.add(std::move(block));
      next_height_ = *height + 1;
    }
    if (news.contains("reversed")) {
      next_height_ = height_in(news["reversed"], "from_height").value_or(next_height_);
      shown_.drop_from(next_height_);
    }
    show(news);
  }

  // The subscription of the first node that accepts it and is not behind what was shown. One that
  // is behind is waited for; one that does not answer only for as long as `patience`.
  Outcome<rpc::RpcSubscription> connect(std::chrono::seconds patience) {
    const Clock::time_point give_up = Clock::now() + patience;
    Clock::time_point say_so = Clock::now() + kNodePatience;
    for (;;) {
      bool behind = false;
      std::optional<Failure> last;
      for (std::size_t tried = 0; tried < network_.urls().size(); ++tried) {
        auto subscription = connect_here();
        if (subscription && *subscription) return std::move(**subscription);
        behind = behind || subscription.has_value();
        if (!subscription) last = subscription.error();
        network_.rotate();
      }
      if (!behind && Clock::now() >= give_up) return tl::unexpected(*last);
      if (behind && Clock::now() >= say_so) {
        wallet_.terminal.note("waiting: no node that answers has block " +
                              std::to_string(next_height_ - 1) + ", which was shown");
        say_so = Clock::now() + kQuiet;
      }
      std::this_thread::sleep_for(kPause);
    }
  }

  // Subscribes first and compares then, so that whatever the node takes back in between is either
  // found by the comparison or told by the subscription. None: the node is behind.
  Outcome<std::optional<rpc::RpcSubscription>> connect_here() {
    for (;;) {
      network_.extend_to(kNodePatience);
      filter_["from_height"] = next_height_;
      WALLET_TRY(rpc::RpcSubscription subscription,
                 rpc::RpcSubscription::open(network_.url(), topic_, filter_));
      if (shown_.empty()) return std::optional(std::move(subscription));
      WALLET_TRY(const ShownBlocks::Comparison compared,
                 shown_.compare([this](std::uint64_t height) { return hash_at(height); }));
      if (compared.behind) return std::optional<rpc::RpcSubscription>();
      if (compared.reversed.empty()) return std::optional(std::move(subscription));
      next_height_ = compared.next;
      show(reversed_document(compared.reversed, topic_ == "transactions"));
    }
  }

  Outcome<std::optional<std::string>> hash_at(std::uint64_t height) {
    constexpr int kNotFound = -32001;
    const auto& urls = network_.urls();
    const auto node = std::find(urls.begin(), urls.end(), network_.url()) - urls.begin();
    const auto answer = network_.call_at(static_cast<std::size_t>(node), "chain_getBlock",
                                         {{"block", height}, {"full", false}});
    if (answer) return std::optional(field(*answer, "hash"));
    if (answer.error().code == kNotFound) return std::optional<std::string>();
    return tl::unexpected(from_rpc(answer.error()));
  }

  const Wallet& wallet_;
  Network& network_;
  std::string topic_;
  Document filter_;
  std::uint64_t next_height_;
  std::uint64_t count_;
  std::uint64_t shown_count_ = 0;
  bool unread_ = false;
  ShownBlocks shown_;
};

}  // namespace

// Follows final blocks, or one account's transactions, until interrupted, until `count` were shown
// or until nobody reads on (`| head`). With --json every notification is one line. Where to go on
// at the next node is known from the start, so that losing one leaves no gap; and when that node is
// on another branch, what it does not have is reversed first.
Outcome<Document> run_watch(const Wallet& wallet, const WatchOptions& options) {
  WALLET_TRY(Network network, wallet.network());
  std::string topic = "newBlocks";
  Document filter = Document::object();
  std::uint64_t next_height = options.from.value_or(0);
  if (!options.from) {
    WALLET_TRY(const Document status, network.call("chain_getStatus", Document::object()));
    next_height = height_in(status, "certified_height").value_or(0) + 1;
  }
  if (!options.account.empty()) {
    WALLET_TRY(const crypto::Address address,
               wallet.keyring.resolve(options.account, network.profile().dev));
    topic = "transactions";
    filter["address"] = crypto::to_text(address);
  }
  return Watch(wallet, network, std::move(topic), std::move(filter), next_height, options.count)
      .run();
}

}  // namespace quorate::wallet
