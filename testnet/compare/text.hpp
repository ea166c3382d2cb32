// Numbers and sentences as both reports write them. Pure.
#pragma once

#include <string>
#include <vector>

#include "testnet/compare/model.hpp"

namespace quorate::testnet::comparison {

// "12,300", "48", "4.7", "0.0006"
std::string short_number(double value);
// "48 µs", "0.48 ms", "48 ms", "14.1 s", "2.3 min"
std::string duration_text(double ms);
// "8.7 s, 4.0 s to 14.6 s", and in short "4 to 15 s"
std::string gap_text(const LongestGap& gap);
std::string gap_range(const LongestGap& gap);
// "500 µs", "20 ms", "100 s": for axes
std::string brief_time(double ms);
// "880 B", "3.1 KiB", "7.9 MiB"
std::string bytes_text(double bytes);
// "6.9 %", "0.06 %"
std::string percent_text(double share);
// "8.2 mJ", "33 J", "0.91 kWh"
inline constexpr double kJoulesPerKwh = 3.6e6;
std::string energy_text(double joules);
// "300 W", "30 kW", "3 MW"
std::string power_text(double watts);
// "500 tx/s", or "one at a time" for none
std::string rate_text(double rate);
// The median, with the interval behind it when there were several runs: "48 ms [45 ms to 52 ms]".
std::string figure_text(const Figure& figure, std::string (*write)(double));
// "4 nodes, real" or "31 nodes, 50 ms, simulated"
std::string setting_text(const Setting& setting);
// "This machine: 2 cores, verify 48 us, ..."
std::string machine_text(const Model& model);
// Lines of at most `width` columns, each behind `indent` blanks.
std::string wrapped(const std::string& text, std::size_t width, std::size_t indent);

}  // namespace quorate::testnet::comparison
