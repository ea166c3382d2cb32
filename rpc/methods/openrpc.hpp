// The OpenRPC 1.2.6 document of the API, generated from the method table. Pure function.
#pragma once

#include <string>

#include "rpc/json/ledger_json.hpp"

namespace quorate::rpc {

Json openrpc_document(const std::string& version);

}  // namespace quorate::rpc
