#include "rpc/server/pages.hpp"

#include "rpc/methods/openrpc.hpp"

namespace quorate::rpc {

namespace {

constexpr std::string_view kJsonType = "application/json";

Page json_page(unsigned status, const Json& json) {
  return {status, std::string(kJsonType),
          json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

Page livez(Core&) { return json_page(200, {{"alive", true}}); }

// Ready means: this node can commit. Every check is listed, so that the answer says what to fix.
Page readyz(Core& core) {
  const ChainStatus status = core.backend.chain_status();
  const bool draining = core.draining.load();
  const auto check = [](const char* name, bool ok, std::string detail) {
    return Json{{"name", name}, {"ok", ok}, {"detail", ok ? "" : std::move(detail)}};
  };
  const std::string behind = "at height " + std::to_string(status.height.value()) + " of " +
                             std::to_string(status.target.value());
  const Json checks = {
      check("synced", !status.syncing, behind),
      check("can_commit", status.ready,
            status.not_ready_reason.empty() ? "not ready" : status.not_ready_reason),
      check("serving", !draining, "the node is shutting down"),
  };
  const bool ready = !status.syncing && status.ready && !draining;
  return json_page(ready ? 200 : 503, {{"ready", ready}, {"checks", checks}});
}

Page version(Core& core) {
  const NodeInfo info = core.backend.node_info();
  return json_page(200, {{"name", "quorate-node"},
                         {"version", info.version},
                         {"git_commit", info.git_commit},
                         {"wire_version", info.wire_version},
                         {"storage_version", info.storage_version}});
}

Page metrics(Core& core) {
  std::string text = core.backend.metrics_text();
  if (!text.empty() && text.back() != '\n') text += '\n';
  return {200, "text/plain; version=0.0.4; charset=utf-8", text + core.metrics->text()};
}

Page openrpc(Core& core) {
  return json_page(200, openrpc_document(core.backend.node_info().version));
}

using Maker = Page (*)(Core&);
const std::map<std::string_view, Maker>& pages() {
  static const std::map<std::string_view, Maker> kPages = {{"/livez", livez},
                                                           {"/readyz", readyz},
                                                           {"/version", version},
                                                           {"/metrics", metrics},
                                                           {"/openrpc.json", openrpc}};
  return kPages;
}

}  // namespace

bool is_page(std::string_view path) { return pages().contains(path); }

Page make_page(std::string_view path, Core& core) { return pages().at(path)(core); }

}  // namespace quorate::rpc
