// Which engines there are, and what proves a block of each to somebody who knows only the genesis:
// all that clients may know of an engine, and may not take from a node. Needs nothing else of this
// folder and links without it, so that a wallet can have it. Constant; any thread.
//
// A new engine has its line in engine_list.cpp, and factory.cpp makes it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace quorate::consensus {

enum class ProvedBy : std::uint8_t {
  none,   // nothing: whoever asks has to believe a node
  seals,  // a quorum's signatures over its hash: the block certificate
  work    // headers whose work stands on it, each of them the commit certificate of its height
};
constexpr const char* to_string(ProvedBy proof) {
  switch (proof) {
    case ProvedBy::none: return "none";
    case ProvedBy::seals: return "seals";
    case ProvedBy::work: return "work";
  }
  return "";
}

struct EngineKind {
  std::string_view name;  // as a genesis has it
  ProvedBy proved_by = ProvedBy::none;
};

// The first is what a new chain has when nobody says.
std::span<const EngineKind> engine_kinds();

inline std::string default_engine() { return std::string(engine_kinds().front().name); }

inline bool is_engine(std::string_view name) {
  const auto kinds = engine_kinds();
  return std::any_of(kinds.begin(), kinds.end(),
                     [name](const EngineKind& kind) { return kind.name == name; });
}

// `none` also for an engine that is not known here.
inline ProvedBy proved_by(std::string_view engine) {
  for (const EngineKind& kind : engine_kinds()) {
    if (kind.name == engine) return kind.proved_by;
  }
  return ProvedBy::none;
}

// Their names for people, as in "this or that".
inline std::string engine_names(const char* between = " or ") {
  std::string out;
  for (const EngineKind& kind : engine_kinds()) {
    if (!out.empty()) out += between;
    out += kind.name;
  }
  return out;
}

// Those whose blocks are proved so.
inline std::string engines_proved_by(ProvedBy proof) {
  std::string out;
  for (const EngineKind& kind : engine_kinds()) {
    if (kind.proved_by != proof) continue;
    if (!out.empty()) out += " or ";
    out += kind.name;
  }
  return out;
}

}  // namespace quorate::consensus
