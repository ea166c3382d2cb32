// Suggestions for mistyped words: keys, commands, flags. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quorate {

// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate nearest to `word`, the first of equals; nothing when there are no candidates.
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);
// The same, but only when it is near enough to be what was meant.
std::optional<std::string> suggestion(std::string_view word,
                                      const std::vector<std::string>& candidates);

}  // namespace quorate
