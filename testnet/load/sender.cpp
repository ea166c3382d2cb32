#include "testnet/load/sender.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <deque>
#include <optional>
#include <thread>

#include "rpc/json/ledger_json.hpp"

namespace quorate::testnet {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr std::chrono::seconds kRequestTimeout{30};
constexpr std::chrono::milliseconds kRetryDelay{20};
constexpr std::chrono::milliseconds kRedialDelay{50};
constexpr std::size_t kResponseBytesMax = 16U << 20U;

struct Counters {
  std::atomic<std::uint64_t> sent{0}, admitted{0}, refusals{0}, connection_errors{0};
  std::map<std::string, std::uint64_t> reasons;  // the sending thread's own
};

// One connection and the transactions pinned to it: first, first + step, first + 2 * step, ...
class Lane {
 public:
  Lane(asio::io_context& io, const SenderOptions& options, const Workload& work,
       const Schedule& schedule, Counters& counters, std::size_t index, std::size_t step)
      : options_(options),
        work_(work),
        schedule_(schedule),
        counters_(counters),
        stream_(io),
        timer_(io),
        node_(index % options.ports.size()),
        next_(index),
        step_(step) {}

  void begin() { connect(); }
  void resend(std::size_t k) {
    if (k >= next_) return;  // not sent yet
    again_.push_back(k);
    if (idle_) wait_until_due();
  }
  void stop() {
    stopped_ = true;
    timer_.cancel();
    stream_.cancel();
  }

 private:
  void connect() {
    if (stopped_) return;
    stream_.expires_after(kRequestTimeout);
    const asio::ip::tcp::endpoint node(asio::ip::address_v4::loopback(), options_.ports[node_]);
    stream_.async_connect(node, [this](const error_code& error) {
      if (error) return lost();
      error_code ignored;
      stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
      buffer_.clear();
      wait_until_due();
    });
  }

  // The node went away: what it has not answered is sent again, to the next node. The same signed
  // bytes may be submitted any number of times.
  void lost() {
    if (stopped_) return;
    ++counters_.connection_errors;
    for (auto it = in_flight_.rbegin(); it != in_flight_.rend(); ++it) again_.push_front(*it);
    in_flight_.clear();
    stream_.close();
    node_ = (node_ + 1) % options_.ports.size();
    after(kRedialDelay, [this] { connect(); });
  }

  template <class Function>
  void after(std::chrono::milliseconds delay, Function then) {
    timer_.expires_after(delay);
    timer_.async_wait([this, then](const error_code& error) {
      if (!error && !stopped_) then();
    });
  }

  void wait_until_due() {
    if (stopped_) return;
    if (!again_.empty()) {
      idle_ = false;
      return after(kRetryDelay, [this] { send_due(); });
    }
    idle_ = next_ >= work_.size();
    if (idle_) return;  // everything is sent
    timer_.expires_at(schedule_.due(next_) + options_.batch_delay);
    timer_.async_wait([this](const error_code& error) {
      if (!error && !stopped_) send_due();
    });
  }

  void send_due() {
    const auto now = LoadClock::now();
    while (!again_.empty() && in_flight_.size() < options_.batch_max) {
      in_flight_.push_back(again_.front());
      again_.pop_front();
    }
    while (next_ < work_.size() && in_flight_.size() < options_.batch_max &&
           schedule_.due(next_) <= now) {
      in_flight_.push_back(next_);
      next_ += step_;
      ++counters_.sent;
    }
    if (in_flight_.empty()) return wait_until_due();
    write_request();
  }

  void write_request() {
    request_ = {http::verb::post, "/", 11};
    request_.set(http::field::host, "127.0.0.1");
    request_.set(http::field::content_type, "application/json");
    auto& body = request_.body();
    body.reserve(in_flight_.size() * (work_.hex(0).size() + 3) + 100);
    body = R"({"jsonrpc":"2.0","id":1,"method":"tx_submitBatch","params":{"txs":[)";
    for (const std::size_t k : in_flight_) {
      body += '"';
      body += work_.hex(k);
      body += "\",";
    }
    body.back() = ']';
    body += "}}";
    request_.prepare_payload();
    stream_.expires_after(kRequestTimeout);
    http::async_write(stream_, request_, [this](const error_code& error, std::size_t) {
      if (error) return lost();
      read_response();
    });
  }

  void read_response() {
    parser_.emplace();
    parser_->body_limit(kResponseBytesMax);
    http::async_read(stream_, buffer_, *parser_, [this](const error_code& error, std::size_t) {
      if (error || parser_->get().result() != http::status::ok) return lost();
      settle(parser_->get().body());
      if (!parser_->get().keep_alive()) return lost();
      // Whatever became due meanwhile has waited long enough.
      if (again_.empty() && next_ < work_.size() && schedule_.due(next_) <= LoadClock::now()) {
        return send_due();
      }
      wait_until_due();
    });
  }

  // Most answers admit everything: those are recognised without parsing thousands of hashes.
  void settle(const std::string& body) {
    const auto all = "\"admitted\":" + std::to_string(in_flight_.size()) + ",";
    if (body.find(all) != std::string::npos) {
      counters_.admitted += in_flight_.size();
    } else {
      settle_each(body);
    }
    in_flight_.clear();
  }

  void settle_each(const std::string& body) {
    const auto json = rpc::parse_json(body);
    const bool usable = json && json->is_object() && json->contains("result") &&
                        (*json)["result"].is_object() && (*json)["result"].contains("items") &&
                        (*json)["result"]["items"].size() == in_flight_.size();
    if (!usable) {
      ++counters_.reasons["unreadable answer"];
      counters_.refusals += in_flight_.size();
      again_.insert(again_.end(), in_flight_.begin(), in_flight_.end());
      return;
    }
    const auto& items = (*json)["result"]["items"];
    for (std::size_t i = 0; i < in_flight_.size(); ++i) {
      const std::string reason = refusal(items[i]);
      // Executed already: sent twice around a lost connection.
      if (reason.empty() || reason == "nonce_too_low" || reason == "duplicate") {
        ++counters_.admitted;
        continue;
      }
      ++counters_.refusals;
      ++counters_.reasons[reason];
      again_.push_back(in_flight_[i]);
    }
  }

  static std::string refusal(const rpc::Json& item) {
    if (!item.is_object() || !item.contains("error") || item["error"].is_null()) return {};
    const auto& error = item["error"];
    if (error.is_object() && error.contains("data") && error["data"].is_object() &&
        error["data"].contains("reason") && error["data"]["reason"].is_string()) {
      return error["data"]["reason"].get<std::string>();
    }
    return "unknown";
  }

  const SenderOptions& options_;
  const Workload& work_;
  const Schedule& schedule_;
  Counters& counters_;
  beast::tcp_stream stream_;
  asio::steady_timer timer_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  std::optional<http::response_parser<http::string_body>> parser_;
  std::size_t node_;
  std::size_t next_;
  std::size_t step_;
  std::vector<std::size_t> in_flight_;
  std::deque<std::size_t> again_;
  bool idle_ = false;  // nothing to send and nothing under way
  bool stopped_ = false;
};

}  // namespace

struct Sender::Impl {
  Impl(SenderOptions given, const Workload& work, Schedule when)
      : options(std::move(given)), schedule(when), timer_free(io.get_executor()) {
    const std::size_t count = options.ports.size() * options.connections_per_node;
    for (std::size_t i = 0; i < count; ++i) {
      lanes.push_back(std::make_unique<Lane>(io, options, work, schedule, counters, i, count));
    }
  }

  SenderOptions options;
  Schedule schedule;
  Counters counters;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> timer_free;
  std::vector<std::unique_ptr<Lane>> lanes;
  std::thread thread;
};

Sender::Sender(SenderOptions options, const Workload& work, Schedule schedule)
    : impl_(std::make_unique<Impl>(std::move(options), work, schedule)) {}

Sender::~Sender() { stop(); }

void Sender::start() {
  for (auto& lane : impl_->lanes) lane->begin();
  impl_->thread = std::thread([this] { impl_->io.run(); });
}

void Sender::resend(std::vector<std::size_t> transactions) {
  asio::post(impl_->io, [this, again = std::move(transactions)] {
    for (const std::size_t k : again) impl_->lanes[k % impl_->lanes.size()]->resend(k);
  });
}

void Sender::stop() {
  if (!impl_->thread.joinable()) return;
  asio::post(impl_->io, [this] {
    for (auto& lane : impl_->lanes) lane->stop();
    impl_->timer_free.reset();
  });
  impl_->thread.join();
}

Sender::Totals Sender::totals() const {
  const auto& counters = impl_->counters;
  return {counters.sent, counters.admitted, counters.refusals, counters.connection_errors};
}

std::map<std::string, std::uint64_t> Sender::reasons() const { return impl_->counters.reasons; }

}  // namespace quorate::testnet
