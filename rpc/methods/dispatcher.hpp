// JSON-RPC 2.0: from a text to the text that answers it. Parses behind the gate, checks the
// envelope, finds the method, binds its parameters, and joins the answers of a batch in the order
// of the requests. Knows nothing of HTTP. Thread-safe; never blocks.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "rpc/backend.hpp"
#include "rpc/methods/method.hpp"

namespace quorate::rpc {

inline constexpr std::size_t kBatchMax = 100;
// Once the answers of a batch exceed this, its remaining requests are not run: a few kilobytes of
// requests for whole blocks would otherwise make the node hold hundreds of megabytes. Together the
// answers exceed it by one answer at most, plus those that were already under way elsewhere.
inline constexpr std::size_t kBatchReplyBytesMax = std::size_t{16} << 20U;

// Hears about every call that was answered; `method` is "unknown" for names not in the table.
// Called on any thread.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  virtual void called(std::string_view method, int code, std::chrono::nanoseconds took) = 0;
};

class Dispatcher {
 public:
  // Both must outlive every call's answer; `observer` may be null.
  Dispatcher(Backend& backend, std::shared_ptr<CallObserver> observer);

  // The answer's text; empty when there is nothing to answer (only notifications).
  using Reply = std::function<void(std::string text)>;
  // Calls `reply` exactly once, perhaps before it returns, perhaps later on any thread.
  // Returns the number of calls in `text`.
  std::size_t handle(std::string_view text, Connection* connection, Reply reply) const;

 private:
  Backend& backend_;
  std::shared_ptr<CallObserver> observer_;
};

// The text of an error answer with id null, for what fails before there is a request.
std::string error_reply(const MethodError& error);

}  // namespace quorate::rpc
