// Parses the command line, runs one command and turns its outcome into an exit code.
#pragma once

namespace quorate::testnet {

int run_cli(int argc, char** argv);

}  // namespace quorate::testnet
