#include "tests/unit/rpc/scripted_node.hpp"

#include "rpc/json/ledger_json.hpp"

namespace quorate::rpc::test {

ScriptedNode::ScriptedNode(FakeBackend& backend)
    : dispatcher_(backend, nullptr),
      impostor_([this](const std::string& request) { return answer(request); }) {}

void ScriptedNode::on(const std::string& method, Line line) {
  const std::lock_guard lock(mutex_);
  lines_[method] = std::move(line);
}

void ScriptedNode::always(const std::string& method, const Json& answer) {
  on(method, [answer](const Json&, const auto&) { return answer; });
}

std::size_t ScriptedNode::calls(const std::string& method) const {
  const std::lock_guard lock(mutex_);
  const auto at = calls_.find(method);
  return at == calls_.end() ? 0 : at->second;
}

std::string ScriptedNode::answer(const std::string& request) {
  const std::string body = request.substr(request.find("\r\n\r\n") + 4);
  const Json json = parse_json(body).value();
  const std::string method = json["method"];
  Line line;
  {
    const std::lock_guard lock(mutex_);
    ++calls_[method];
    if (const auto at = lines_.find(method); at != lines_.end()) line = at->second;
  }
  const auto honest = [&] {
    std::string text;
    dispatcher_.handle(body, nullptr, [&](std::string reply) { text = std::move(reply); });
    return parse_json(text).value();
  };
  Json said = line ? line(json["params"], honest) : honest();
  said["jsonrpc"] = "2.0";
  said["id"] = json["id"];
  return http_ok(said.dump());
}

Json error_answer(int code, const std::string& reason) {
  return {{"error", {{"code", code}, {"message", reason}, {"data", {{"reason", reason}}}}}};
}

}  // namespace quorate::rpc::test
