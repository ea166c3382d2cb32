#include "testnet/compare/counters.hpp"

#include <array>
#include <sstream>

namespace quorate::testnet::comparison {

namespace {

struct Prefix {
  const char* name;
  std::size_t kind;
};
// The names that the node gives its threads (node/runtime, node/net), and those of RocksDB.
constexpr std::array<Prefix, 8> kPrefixes = {{{"quorate-mine", 0},
                                              {"quorate-vrfy", 1},
                                              {"quorate-exec", 2},
                                              {"quorate-read", 2},
                                              {"quorate-votes", 3},
                                              {"rocksdb", 3},
                                              {"quorate-cons", 4},
                                              {"quorate-net", 5}}};

}  // namespace

const std::vector<std::string>& kinds_of_work() {
  static const std::vector<std::string> kinds = {"mining",
                                                 "signatures",
                                                 "execution and storage",
                                                 "vote log",
                                                 "ordering",
                                                 "network between nodes",
                                                 "clients and the rest"};
  return kinds;
}

const std::string& work_of_thread(const std::string& name) {
  for (const Prefix& prefix : kPrefixes) {
    if (name.rfind(prefix.name, 0) == 0) return kinds_of_work()[prefix.kind];
  }
  return kinds_of_work().back();
}

double metric_sum(const std::string& text, const std::string& name, const std::string& label) {
  std::istringstream in(text);
  double sum = 0;
  for (std::string line; std::getline(in, line);) {
    const std::size_t end = line.find_first_of("{ ");
    if (line.compare(0, end, name) != 0 || line.find(label) == std::string::npos) continue;
    std::istringstream value(line.substr(line.rfind(' ') + 1));
    double number = 0;
    if (value >> number) sum += number;
  }
  return sum;
}

}  // namespace quorate::testnet::comparison
