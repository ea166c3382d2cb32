// The seven points of the comparison as tables of text, in their order, and the machine: what both
// reports show besides the plots. Pure.
#pragma once

#include <string>
#include <vector>

#include "testnet/compare/model.hpp"

namespace quorate::testnet::comparison {

struct Section {
  std::string id;     // "throughput", "latency", ...: of the plots that belong to it
  std::string title;  // "1. Throughput"
  std::string about;  // what the figures are and how to read them
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};
std::vector<Section> sections_of(const Model& model);

}  // namespace quorate::testnet::comparison
