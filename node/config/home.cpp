#include "node/config/home.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "node/config/files.hpp"

namespace quorate::node {
namespace {

std::optional<std::string> lookup(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  if (found == environment.end() || found->second.empty()) return {};
  return found->second;
}

Result<void> make_private_folder(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return fail(Errc::io, "cannot create folder " + folder.string() + ": " + std::strerror(errno));
}

}  // namespace

Environment process_environment() {
  Environment out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

Result<Home> find_home(const std::optional<std::string>& flag, const Environment& environment) {
  std::filesystem::path root;
  if (flag && !flag->empty()) {
    root = *flag;
  } else if (auto home = lookup(environment, "QUORATE_HOME")) {
    root = *home;
  } else if (auto data = lookup(environment, "XDG_DATA_HOME")) {
    root = std::filesystem::path(*data) / "quorate";
  } else if (auto user = lookup(environment, "HOME")) {
    root = std::filesystem::path(*user) / ".local" / "share" / "quorate";
  } else {
    return fail(Errc::invalid_argument,
                "no home folder: give --home DIR or set QUORATE_HOME (HOME is not set either)");
  }
  std::error_code error;
  auto absolute = std::filesystem::absolute(root, error).lexically_normal();
  if (error) return fail(Errc::io, "cannot resolve " + root.string() + ": " + error.message());
  if (!absolute.has_filename()) absolute = absolute.parent_path();  // a trailing slash
  return Home{absolute};
}

Result<void> create_home(const Home& home) {
  std::error_code error;
  std::filesystem::create_directories(home.root.parent_path(), error);
  if (error) {
    return fail(Errc::io,
                "cannot create " + home.root.parent_path().string() + ": " + error.message());
  }
  for (const char* part :
       {"", "config", "keys", "data", "data/db", "data/votes", "data/snapshots", "run"}) {
    const bool is_root = *part == '\0';
    QUORATE_CHECK(make_private_folder(is_root ? home.root : home.root / part));
  }
  return {};
}

Result<HomeLock> HomeLock::acquire(const Home& home) {
  const auto path = home.lock_file();
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0 && errno == ENOENT) {
    return fail(Errc::not_found,
                home.root.string() + " does not exist. Create it with: quorate-node init");
  }
  if (fd < 0) {
    return fail(Errc::io, "cannot open " + path.string() + ": " + std::strerror(errno));
  }
  HomeLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const auto holder = read_text_file(path, 64);
    const std::string pid = holder && !holder->empty() ? holder->substr(0, holder->find('\n')) : "";
    return fail(Errc::unavailable, home.root.string() + " is in use by " +
                                       (pid.empty() ? "another process" : "process " + pid) +
                                       ". Stop it first, or give another --home");
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  // The number is for people; the lock itself is what counts.
  if (::ftruncate(fd, 0) != 0 ||
      ::pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return fail(Errc::io, "cannot write " + path.string() + ": " + std::strerror(errno));
  }
  return lock;
}

HomeLock::~HomeLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace quorate::node
