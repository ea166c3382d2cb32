// One WebSocket connection: JSON-RPC both ways, and notifications. Messages wait in one queue; the
// subscriptions behind it are cursors (subscription_set.hpp), so memory is bounded whatever the
// client does. Everything runs on the connection's strand.
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <deque>

#include "rpc/server/upgrade.hpp"
#include "rpc/subscriptions/subscription_set.hpp"

namespace net = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;

namespace quorate::rpc {

namespace {

// Requests of one connection that may be under way at once; beyond that its input waits.
constexpr std::size_t kCallsMax = 256;
// A replay keeps no more than this ahead of the client, and input waits while more is unread.
constexpr std::size_t kAheadMessages = 64;
constexpr std::size_t kAheadBytes = 1U << 20U;
// How long a client may take to answer a close when the node is shutting down.
constexpr auto kDrainCloseTime = std::chrono::milliseconds(1000);

class WsSession final : public Session, public std::enable_shared_from_this<WsSession> {
 public:
  WsSession(std::unique_ptr<Upgrade> upgrade, std::shared_ptr<Core> core,
            std::shared_ptr<Admission> admission)
      : core_(std::move(core)),
        admission_(std::move(admission)),
        request_(std::move(upgrade->request)),
        stream_(std::move(upgrade->stream)),
        buffer_(std::move(upgrade->buffer)),
        timer_(stream_.get_executor()),
        slow_timer_(stream_.get_executor()),
        subscriptions_(core_->feed) {}

  ~WsSession() override {
    core_->websockets.remove(this);
    core_->registry.remove(this);
    if (open_) --core_->metrics->ws_connections;
  }

  void start() {
    busy_.hold(core_->busy);
    alive_ = shared_from_this();
    core_->registry.add(shared_from_this());
    if (core_->killed) kill();
    websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout = core_->options.read_timeout;
    // Beast pings after half of this without a message, and gives up after all of it.
    timeout.idle_timeout = 2 * core_->options.ping_interval;
    timeout.keep_alive_pings = true;
    stream_.set_option(timeout);
    stream_.read_message_max(core_->options.body_bytes_max);
    stream_.text(true);
    stream_.async_accept(
        request_, [self = shared_from_this()](beast::error_code ec) { self->on_accept(ec); });
  }

  void on_final() override {
    if (!has_subscriptions_ || woken_.exchange(true)) return;
    net::post(stream_.get_executor(), [self = shared_from_this()] {
      self->woken_ = false;
      self->subscriptions_.on_progress();
      self->pump();
    });
  }

  void drain() override {
    net::post(stream_.get_executor(), [self = shared_from_this()] {
      self->draining_ = true;
      self->close_if_drained();
    });
  }

  void kill() override {
    net::post(stream_.get_executor(), [self = shared_from_this()] { self->abort(); });
  }

 private:
  // The subscriptions one message makes. They stay silent until its answer is queued, so that no
  // notification arrives before the client knows its identifier.
  class Invocation final : public Connection {
   public:
    explicit Invocation(WsSession& session) : session_(session) {}
    MethodResult<std::string> subscribe(const SubscriptionRequest& request) override {
      auto id = session_.subscriptions_.add(request);
      if (id) made->push_back(*id);
      return id;
    }
    bool unsubscribe(const std::string& id) override { return session_.subscriptions_.remove(id); }

    std::shared_ptr<std::vector<std::string>> made = std::make_shared<std::vector<std::string>>();

   private:
    WsSession& session_;
  };

  void on_accept(beast::error_code ec) {
    if (ec) return abort();
    request_ = {};
    open_ = true;
    ++core_->metrics->ws_connections;
    core_->websockets.add(shared_from_this());
    if (core_->draining) draining_ = true;
    read();
    close_if_drained();
  }

  bool input_waits() const {
    return calls_ >= kCallsMax || queued_bytes_ > kAheadBytes || draining_ || closing_;
  }

  void read() {
    if (reading_ || input_waits()) return;
    reading_ = true;
    stream_.async_read(buffer_, [self = shared_from_this()](beast::error_code ec, std::size_t) {
      self->on_read(ec);
    });
  }

  void on_read(beast::error_code ec) {
    if (ec) return abort();  // closed by the client, too large (Beast has sent 1009), or silent
    if (!stream_.got_text()) {
      return close({websocket::close_code::unknown_data, "send JSON text, not binary"});
    }
    take_when_allowed();
  }

  // Over the rate limit the connection is simply not read for as long as it takes.
  void take_when_allowed() {
    const auto wait = core_->limiter.take(admission_->address(), std::chrono::steady_clock::now());
    if (wait.count() == 0) return take();
    timer_.expires_after(wait);
    timer_.async_wait([self = shared_from_this()](beast::error_code ec) {
      if (!ec) self->take_when_allowed();
    });
  }

  void take() {
    reading_ = false;
    if (closing_) return;
    const std::string_view text(static_cast<const char*>(buffer_.data().data()), buffer_.size());
    Invocation invocation(*this);
    ++calls_;
    auto reply = [gate = core_->gate, weak = weak_from_this(),
                  made = invocation.made](std::string answer) {
      gate->run([&] {
        auto self = weak.lock();
        if (!self) return;
        const auto executor = self->stream_.get_executor();
        net::post(executor, [self = std::move(self), answer = std::move(answer), made]() mutable {
          self->on_answer(std::move(answer), *made);
        });
      });
    };
    const std::size_t calls = core_->dispatcher.handle(text, &invocation, std::move(reply));
    has_subscriptions_ = !subscriptions_.empty();
    core_->limiter.charge(admission_->address(), calls - 1, std::chrono::steady_clock::now());
    buffer_.clear();
    read();
  }

  void on_answer(std::string answer, const std::vector<std::string>& made) {
    --calls_;
    if (!answer.empty()) enqueue(std::move(answer));
    for (const std::string& id : made) subscriptions_.activate(id);
    pump();
    read();
    close_if_drained();
  }

  void enqueue(std::string text) {
    queued_bytes_ += text.size();
    queue_.push_back(std::move(text));
    write();
  }

  void write() {
    if (writing_ || queue_.empty() || closing_) return;
    writing_ = true;
    stream_.async_write(
        net::buffer(queue_.front()),
        [self = shared_from_this()](beast::error_code ec, std::size_t) { self->on_written(ec); });
  }

  void on_written(beast::error_code ec) {
    writing_ = false;
    if (ec) return abort();
    queued_bytes_ -= queue_.front().size();
    queue_.pop_front();
    pump();
    write();
    read();
    close_if_drained();
  }

  bool full() const {
    return queue_.size() >= core_->options.queue_messages_max ||
           queued_bytes_ >= core_->options.queue_bytes_max;
  }

  // Queues what is due. A replay fills the queue only a little; what is live fills it to the limit,
  // and beyond that the client is slow.
  void pump() {
    while (!closing_ && !draining_ && !full()) {
      const bool ahead = queue_.size() >= kAheadMessages || queued_bytes_ >= kAheadBytes;
      auto step =
          subscriptions_.next(ahead ? SubscriptionSet::Which::live : SubscriptionSet::Which::all);
      if (!step) {
        return close({websocket::close_code::internal_error, shortened(step.error().detail)});
      }
      if (step->message) {
        enqueue(std::move(*step->message));
      } else if (step->more) {
        // A long search: let the others of this thread have their turn.
        return net::post(stream_.get_executor(), [self = shared_from_this()] { self->pump(); });
      } else {
        break;
      }
    }
    watch_slowness();
  }

  bool slow() const { return full() && subscriptions_.live_behind(); }

  void watch_slowness() {
    if (!slow()) {
      if (slow_timer_armed_) slow_timer_.cancel();
      slow_timer_armed_ = false;
      return;
    }
    if (slow_timer_armed_ || closing_) return;
    slow_timer_armed_ = true;
    slow_timer_.expires_after(core_->options.slow_grace);
    slow_timer_.async_wait([self = shared_from_this()](beast::error_code ec) {
      if (ec || self->closing_ || !self->slow()) return;
      ++self->core_->metrics->slow_consumers;
      self->close({websocket::close_code::try_again_later, "slow consumer"});
    });
  }

  static std::string shortened(std::string text) {
    constexpr std::size_t kReasonMax = 120;  // a close frame holds 123 bytes
    if (text.size() > kReasonMax) text.resize(kReasonMax);
    return text;
  }

  void close_if_drained() {
    if (!draining_ || closing_ || !open_ || calls_ > 0 || writing_) return;
    close({websocket::close_code::going_away, "the node is shutting down"});
  }

  // The close frame waits for the message that is being written; a client that does not read will
  // not let it out, so the socket is closed after a while in any case.
  void close(const websocket::close_reason& reason) {
    if (closing_) return;
    closing_ = true;
    slow_timer_.cancel();
    timer_.expires_after(draining_ ? kDrainCloseTime : core_->options.write_timeout);
    timer_.async_wait([self = shared_from_this()](beast::error_code ec) {
      if (!ec) self->abort();
    });
    stream_.async_close(reason, [self = shared_from_this()](beast::error_code) { self->abort(); });
  }

  void abort() {
    closing_ = true;
    timer_.cancel();
    slow_timer_.cancel();
    beast::get_lowest_layer(stream_).close();
    core_->websockets.remove(this);
    busy_.release();
    alive_.reset();
  }

  const std::shared_ptr<Core> core_;
  const std::shared_ptr<Admission> admission_;
  beast::http::request<beast::http::string_body> request_;
  websocket::stream<beast::tcp_stream> stream_;
  beast::flat_buffer buffer_;
  net::steady_timer timer_;
  net::steady_timer slow_timer_;
  SubscriptionSet subscriptions_;
  std::shared_ptr<WsSession> alive_;  // this session, until abort()
  std::deque<std::string> queue_;     // the first is being written
  std::size_t queued_bytes_ = 0;
  std::size_t calls_ = 0;
  std::atomic<bool> has_subscriptions_{false};
  std::atomic<bool> woken_{false};
  BusyMark busy_;
  bool open_ = false;
  bool reading_ = false;
  bool writing_ = false;
  bool draining_ = false;
  bool closing_ = false;
  bool slow_timer_armed_ = false;
};

}  // namespace

void start_ws_session(std::unique_ptr<Upgrade> upgrade, std::shared_ptr<Core> core,
                      std::shared_ptr<Admission> admission) {
  std::make_shared<WsSession>(std::move(upgrade), std::move(core), std::move(admission))->start();
}

}  // namespace quorate::rpc
