// quorate-testnet: the command line. Each command's work is in testnet/commands and testnet/load.
#include <csignal>

#include "testnet/cli.hpp"

int main(int argc, char** argv) {
  // A reader that goes away (`quorate-testnet logs node0 | head`) shows as a failed write.
  std::signal(SIGPIPE, SIG_IGN);
  return quorate::testnet::run_cli(argc, argv);
}
