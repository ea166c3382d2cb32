// Nodes on the loopback for tests of the transport and the runtime: keys, a log that keeps its
// lines, and waiting for something to become true without sleeping.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "crypto/keys.hpp"
#include "node/runtime/log.hpp"

namespace quorate::node::test {

class MemoryLog final : public Log {
 public:
  void write(LogLevel level, std::string_view component, std::string_view message,
             std::initializer_list<LogField> fields) override {
    std::string line(level == LogLevel::warning ? "WARN " : "");
    line.append(component);
    line.append(": ").append(message);
    for (const LogField& field : fields) {
      line.append(" ").append(field.key).append("=").append(field.value);
    }
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  // Waits until a line contains all of `words`; the line, or nothing after ten seconds.
  std::string wait_for(const std::vector<std::string>& words) {
    std::unique_lock lock(mutex_);
    std::string found;
    changed_.wait_for(lock, std::chrono::seconds(10), [&] {
      for (const std::string& line : lines_) {
        const bool all = std::all_of(words.begin(), words.end(), [&](const std::string& word) {
          return line.find(word) != std::string::npos;
        });
        if (all) found = line;
      }
      return !found.empty();
    });
    return found;
  }
  std::string all() const {
    const std::lock_guard lock(mutex_);
    std::string out;
    for (const std::string& line : lines_) out += line + "\n";
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

// A value that threads change under a lock and a test waits for.
template <class T>
class Watched {
 public:
  template <class Change>
  void update(Change change) {
    const std::lock_guard lock(mutex_);
    change(value_);
    changed_.notify_all();
  }
  template <class Condition>
  bool wait(Condition condition, std::chrono::seconds at_most = std::chrono::seconds(20)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, at_most, [&] { return condition(value_); });
  }
  T get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  T value_{};
};

inline crypto::NodeKey node_key(std::uint8_t number) {
  return crypto::NodeKey(crypto::SecretSeed::from(Bytes(32, number)).value());
}

}  // namespace quorate::node::test
