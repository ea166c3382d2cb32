// A ledger that went wrong is moved aside and the chain is fetched again into an empty one. The
// vote log stays where it is: it must not forget.
//
// data/replaced_ledger.json remembers the newest replacement across crashes: it is announced there,
// then done by the next start (rename, then `moved`), so the wrong ledger is never opened again,
// whatever happens in between. The folder it was moved to is the operator's to examine and delete.
// The lock of the home must be held.
#pragma once

#include <optional>
#include <string>

#include "crypto/base/strong_int.hpp"
#include "node/config/home.hpp"

namespace quorate::node {

struct ReplacedLedger {
  std::uint64_t count = 0;  // of replacements in this home so far, this one included
  Height height;            // where it went wrong; 0 = it contradicted itself when it was opened
  Height executed_to;       // heights up to here are executed again; 0 = the vote log knows
  std::string reason;
  bool moved = false;

  std::filesystem::path folder(const Home& home) const;
};

// The newest replacement, or nothing. Errors: corrupt, permission, io.
Result<std::optional<ReplacedLedger>> read_replaced_ledger(const Home& home);
// Durable when it returns. Errors as above.
Result<void> announce_replacement(const Home& home, Height height, Height executed_to,
                                  const std::string& reason);
// Before the database is opened: moves it aside if that was announced. Returns what
// read_replaced_ledger does.
Result<std::optional<ReplacedLedger>> move_replaced_ledger(const Home& home);

}  // namespace quorate::node
