#include "testnet/files.hpp"

#include <unistd.h>

#include "node/config/files.hpp"

namespace quorate::testnet {

Result<void> replace_file(const std::filesystem::path& file, std::string_view text, mode_t mode) {
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error) {
    return fail(Errc::io, "cannot create " + file.parent_path().string() + ": " + error.message());
  }
  const std::filesystem::path temporary = file.string() + ".new-" + std::to_string(::getpid());
  std::filesystem::remove(temporary, error);
  QUORATE_CHECK(node::write_new_file(temporary, text, mode));
  std::filesystem::rename(temporary, file, error);
  if (error) return fail(Errc::io, "cannot write " + file.string() + ": " + error.message());
  return {};
}

}  // namespace quorate::testnet
