// Work headers that this client has checked, of one branch from height 1 on, with the work of the
// branch up to each: in a file that lives between runs, or in a temporary one. Records have one
// size, so nothing is read but what is asked for. A file whose end does not hang together (a crash,
// a full disk) starts over empty. While another process has the file, a private copy takes its
// place. One thread at a time.
#pragma once

#include <filesystem>
#include <optional>

#include "crypto/base/result.hpp"
#include "crypto/base/strong_int.hpp"
#include "crypto/work/header.hpp"
#include "crypto/work/uint256.hpp"

namespace quorate::rpc {

class HeaderFile {
 public:
  struct Record {
    crypto::work::Header header;
    crypto::work::Uint256 total_work;  // of the branch, this block included
  };

  // Errors: io.
  static Result<HeaderFile> open(const std::filesystem::path& path);
  // Of the heights above `base`.
  static Result<HeaderFile> temporary(Height base = Height(0));
  HeaderFile(HeaderFile&& other) noexcept;
  HeaderFile& operator=(HeaderFile&& other) noexcept;
  ~HeaderFile();

  Height tip() const { return tip_; }  // the base: none
  // base < height <= tip(). Errors: io, corrupt.
  Result<Record> read(Height height) const;
  Result<void> append(const Record& record);
  // Keeps heights up to this one.
  Result<void> truncate(Height tip);

 private:
  HeaderFile(int file, Height base) : file_(file), base_(base), tip_(base) {}
  Result<void> copy_from(int other);
  Result<void> count();
  bool end_is_sound() const;

  std::int64_t offset_of(Height height) const;

  int file_ = -1;
  Height base_;
  Height tip_;
};

}  // namespace quorate::rpc
