// A wallet's home in a folder of its own, removed at the end of the test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "wallet-cli/profile.hpp"

namespace quorate::wallet::test {

class TempHome {
 public:
  TempHome() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "quorate-wallet-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
  }
  ~TempHome() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  TempHome(const TempHome&) = delete;
  TempHome& operator=(const TempHome&) = delete;

  WalletHome home() const { return *find_wallet_home(root_.string()); }
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = root_ / name;
    std::ofstream(path) << text;
    return path;
  }

 private:
  std::filesystem::path root_;
};

}  // namespace quorate::wallet::test
