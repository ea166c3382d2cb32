// Whether a header's id proves the work that its bits claim. An interface, so that a simulated
// network can draw lots instead of hashing. Stateless; any thread.
#pragma once

#include "crypto/work/header.hpp"

namespace quorate::crypto::work {

class WorkFunction {
 public:
  virtual ~WorkFunction() = default;
  // `id` is the header's own id.
  virtual bool meets(const Header& header, const Digest& id) const = 0;
};

// The real one: the id, as a number, is at most the target.
const WorkFunction& double_sha256();

}  // namespace quorate::crypto::work
