// A wallet's home in a folder of its own.
#pragma once

#include "tests/support/temporary_folder.hpp"
#include "wallet-cli/profile.hpp"

namespace quorate::wallet::test {

struct TempHome : TemporaryFolder {
  WalletHome home() const { return *find_wallet_home(path().string()); }
};

}  // namespace quorate::wallet::test
