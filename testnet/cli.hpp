// Parses the command line, runs one command and turns its outcome into an exit code: 0 done,
// 1 failed, 2 usage, 3 not found, 5 timed out, 73 will not overwrite, 74 I/O, 75 locked or port
// busy, 77 permission.
#pragma once

namespace quorate::testnet {

int run_cli(int argc, char** argv);

}  // namespace quorate::testnet
