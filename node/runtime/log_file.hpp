// One file of the vote log: written at its end only, preallocated a step at a time, so that a full
// disk is noticed before a record is half written, and synced when asked to. What lies behind the
// end is zero. After any error what is on the disk is unknown: end the process, never try again.
// One thread at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <utility>

#include "crypto/base/bytes.hpp"
#include "crypto/base/result.hpp"

namespace quorate::node {

enum class FileStep : std::uint8_t { create, allocate, write, sync, rename, sync_folder };

struct LogFileOptions {
  std::size_t preallocate_bytes = 1U << 20U;  // 0 = none
  // For tests: the errno that a step fails with; 0 or no function = it is done.
  std::function<int(FileStep)> fault = nullptr;
};

class LogFile {
 public:
  // An existing file, for this process alone. Errors: conflict (another process has it), io.
  static Result<LogFile> open(const std::filesystem::path& path, LogFileOptions options);
  // A new file that begins with `content`, synced before it gets its name. Error io.
  static Result<LogFile> create(const std::filesystem::path& path, ByteView content,
                                LogFileOptions options);
  LogFile(LogFile&& other) noexcept;
  LogFile& operator=(LogFile&& other) noexcept;
  ~LogFile();

  // The whole file, preallocated zeros included; valid as long as the mapping.
  class Mapping;
  Result<std::unique_ptr<Mapping>> map() const;
  // Where the next record goes; open() leaves it at the end of the file.
  void set_end(std::size_t end) { end_ = end; }
  // Cuts off what lies behind the end, and syncs. Error io.
  Result<void> cut();
  // Not synced. Error io.
  Result<void> append(ByteView bytes);
  Result<void> sync();
  const std::filesystem::path& path() const { return path_; }

 private:
  LogFile(int fd, std::filesystem::path path, LogFileOptions options)
      : fd_(fd), path_(std::move(path)), options_(std::move(options)) {}
  Result<void> lock();
  Result<void> allocate(std::size_t end);
  Result<void> publish(const std::filesystem::path& path);
  // Errno of a step: the injected one, or that of `call` when it returns less than 0.
  template <class Call>
  int run(FileStep step, const Call& call) const;

  int fd_ = -1;
  std::filesystem::path path_;
  LogFileOptions options_;
  std::size_t end_ = 0;
  std::size_t allocated_ = 0;
};

class LogFile::Mapping {
 public:
  Mapping(void* at, std::size_t size) : at_(at), size_(size) {}
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ByteView view() const { return {static_cast<const std::uint8_t*>(at_), size_}; }

 private:
  void* at_;
  std::size_t size_;
};

}  // namespace quorate::node
