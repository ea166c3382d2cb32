// What QUORATE_MUTANT(name) means in the mutation build: whether the bug `name` is selected. A name
// that is not in the catalogue does not compile. One selection per process.
#pragma once

#include <cstdint>

namespace quorate::mutation {

enum class Mutant : std::uint16_t {
  none,
#define MUTANT(name, trial, source, bug) name,
#include "tests/mutation/catalogue.inc"
#undef MUTANT
};

inline constinit Mutant selected = Mutant::none;

}  // namespace quorate::mutation

#define QUORATE_MUTANT(name) (::quorate::mutation::selected == ::quorate::mutation::Mutant::name)
