// What chance alone gives where blocks are mined: the times between them are about exponential, so
// the longest of some is several times their mean. Without this beside it, a longest gap that was
// seen once says nothing. Pure.
#pragma once

#include "testnet/compare/model.hpp"

namespace quorate::testnet::comparison {

// Of blocks `mean_gap_s` apart on average, watched for so long. Nothing for times that are not
// above zero.
std::optional<LongestGap> longest_gap_by_chance(double mean_gap_s, double watched_s);

}  // namespace quorate::testnet::comparison
