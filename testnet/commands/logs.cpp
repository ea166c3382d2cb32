#include <deque>
#include <fstream>
#include <iostream>
#include <thread>

#include "rpc/json/ledger_json.hpp"
#include "testnet/cluster.hpp"
#include "testnet/commands/commands.hpp"

namespace quorate::testnet {

namespace {

void print_line(const LogsOptions& options, const std::string& line) {
  if (options.common.json) {
    const auto safe = rpc::Json{{"node", options.node}, {"line", line}};
    // A log may hold bytes that are not UTF-8; they become replacement characters.
    std::cout << safe.dump(-1, ' ', false, rpc::Json::error_handler_t::replace) << "\n";
  } else {
    std::cout << line << "\n";
  }
}

// Prints what is appended until the reader of our output goes away or the user stops us.
void follow(const LogsOptions& options, std::ifstream& in) {
  std::string partial;
  while (std::cout.good()) {
    std::string chunk;
    if (std::getline(in, chunk)) {
      partial += chunk;
      if (in.eof()) continue;
      print_line(options, partial);
      partial.clear();
      continue;
    }
    std::cout.flush();
    in.clear();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

}  // namespace

Result<int> run_logs(const LogsOptions& options) {
  QUORATE_TRY(const auto cluster, Cluster::open(options.common.data));
  QUORATE_CHECK(cluster.manifest().find(options.node));
  const auto path = cluster.layout().log_file(options.node);
  std::ifstream in(path);
  if (!in) {
    return fail(Errc::not_found,
                options.node + " has no log yet (" + path.string() + "); it was never started");
  }
  std::deque<std::string> last;
  for (std::string line; std::getline(in, line);) {
    last.push_back(std::move(line));
    if (last.size() > options.lines) last.pop_front();
  }
  for (const auto& line : last) print_line(options, line);
  if (options.follow) {
    in.clear();
    follow(options, in);
  }
  return 0;
}

}  // namespace quorate::testnet
