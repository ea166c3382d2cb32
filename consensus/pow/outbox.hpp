// Collects the outputs of one step and hands out persist tokens. Owned by the engine's thread.
#pragma once

#include <algorithm>
#include <utility>

#include "consensus/engine.hpp"
#include "consensus/pow/messages.hpp"

namespace quorate::consensus::pow {

class Outbox {
 public:
  // Outputs of the step that begins now go to `out`.
  void open(std::vector<Output>& out) { out_ = &out; }

  template <class Out>
  void emit(Out output) {
    out_->push_back(std::move(output));
  }

  PersistToken persist(Bytes record, bool snapshot) {
    last_issued_ = last_issued_.next();
    logged_bytes_ += record.size();
    emit(Persist{last_issued_, std::move(record), snapshot});
    return last_issued_;
  }
  // The log is FIFO: everything up to `token` is durable.
  void on_persisted(PersistToken token) { last_durable_ = std::max(last_durable_, token); }
  bool is_durable(PersistToken token) const { return token <= last_durable_; }

  // Bytes handed to the log since the last call.
  std::size_t take_logged_bytes() { return std::exchange(logged_bytes_, 0); }

  // `to` empty = every other replica. `after`: held back until that record is durable.
  void send(std::optional<ReplicaId> to, const Message& message,
            std::optional<PersistToken> after = std::nullopt) {
    if (after && is_durable(*after)) after.reset();
    emit(Send{to, encode(message), after, type_name(message)});
  }

 private:
  std::vector<Output>* out_ = nullptr;
  PersistToken last_issued_;
  PersistToken last_durable_;
  std::size_t logged_bytes_ = 0;
};

}  // namespace quorate::consensus::pow
