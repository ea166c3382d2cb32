// A node on a port of its own that answers as the backend behind it does, but for what a test has
// it say instead. Several may share a backend. Any thread.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "rpc/methods/dispatcher.hpp"
#include "tests/unit/rpc/fake_backend.hpp"
#include "tests/unit/rpc/impostor.hpp"

namespace quorate::rpc::test {

class ScriptedNode {
 public:
  // What it says to a call: {"result": …} or {"error": …}. `honest` asks the backend.
  using Line = std::function<Json(const Json& params, const std::function<Json()>& honest)>;

  // `backend` must answer before its calls return.
  explicit ScriptedNode(FakeBackend& backend);

  void on(const std::string& method, Line line);
  void always(const std::string& method, const Json& answer);
  const std::string& url() const { return impostor_.url(); }
  std::size_t calls(const std::string& method) const;

 private:
  std::string answer(const std::string& request);

  Dispatcher dispatcher_;
  mutable std::mutex mutex_;  // the next two
  std::map<std::string, Line> lines_;
  std::map<std::string, std::size_t> calls_;
  Impostor impostor_;  // last: its thread uses the rest
};

Json error_answer(int code, const std::string& reason);

}  // namespace quorate::rpc::test
