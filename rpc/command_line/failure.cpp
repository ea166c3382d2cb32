#include "rpc/command_line/failure.hpp"

#include <iostream>
#include <nlohmann/json.hpp>

namespace quorate::rpc {

std::string failure_text(const CommandFailure& failure, const std::string& label) {
  std::string out = label + " " + failure.message;
  if (failure.rpc_code) {
    out += " [" + std::to_string(*failure.rpc_code) +
           (failure.reason.empty() ? "" : " " + failure.reason) + "]";
  }
  out += "\n";
  if (!failure.hint.empty()) out += "  " + failure.hint + "\n";
  return out;
}

std::string failure_json(const CommandFailure& failure) {
  using OrderedJson = nlohmann::ordered_json;
  OrderedJson error = OrderedJson::object();
  error["code"] = static_cast<int>(failure.exit);
  error["name"] = to_string(failure.exit);
  error["message"] = failure.message;
  if (!failure.hint.empty()) error["hint"] = failure.hint;
  if (failure.rpc_code) error["rpc_code"] = *failure.rpc_code;
  if (!failure.reason.empty()) error["reason"] = failure.reason;
  if (!failure.data.empty()) error["data"] = OrderedJson::parse(failure.data);
  // Bytes that are not UTF-8 (a file name, say) are replaced instead of refused.
  return OrderedJson{{"error", std::move(error)}}.dump(2, ' ', false,
                                                       OrderedJson::error_handler_t::replace) +
         "\n";
}

int report_failure(const CommandFailure& failure, bool json, const std::string& label) {
  if (json) std::cout << failure_json(failure) << std::flush;
  std::cerr << failure_text(failure, label) << std::flush;
  return static_cast<int>(failure.exit);
}

}  // namespace quorate::rpc
