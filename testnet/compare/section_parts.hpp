// What the files that make sections share. Pure.
#pragma once

#include "testnet/compare/sections.hpp"
#include "testnet/compare/text.hpp"

namespace quorate::testnet::comparison {

inline std::string count(std::uint64_t value) { return short_number(static_cast<double>(value)); }
inline std::string microseconds(double us) { return duration_text(us / 1e3); }
inline std::string seconds(double s) { return duration_text(1e3 * s); }

// Points 5 to 7.
std::vector<Section> sections_of_faults(const Model& model);
Section section_of_machine(const Model& model);

}  // namespace quorate::testnet::comparison
