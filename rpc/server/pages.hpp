// The plain GET pages: what each path answers. No Boost, no socket. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rpc/server/core.hpp"

namespace quorate::rpc {

struct Page {
  unsigned status = 200;
  std::string content_type;
  std::string body;
};

bool is_page(std::string_view path);
// `path` is_page.
Page make_page(std::string_view path, Core& core);

}  // namespace quorate::rpc
