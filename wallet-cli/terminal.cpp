#include "wallet-cli/terminal.hpp"

#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace quorate::wallet {
namespace {

bool wants_color(int fd, bool plain) {
  const char* no_color = std::getenv("NO_COLOR");
  if (plain || (no_color != nullptr && *no_color != '\0')) return false;
  const char* force = std::getenv("FORCE_COLOR");
  if (force != nullptr && *force != '\0') return true;
  return isatty(fd) == 1;
}

// Switches the terminal's echo off while it lives.
class EchoOff {
 public:
  EchoOff() : active_(tcgetattr(STDIN_FILENO, &saved_) == 0) {
    if (!active_) return;
    termios silent = saved_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  ~EchoOff() {
    if (active_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved_);
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;

 private:
  termios saved_{};
  bool active_;
};

Outcome<std::string> read_line() {
  std::string text;
  if (!std::getline(std::cin, text)) {
    return failure(ExitCode::permission, "the input ended before an answer was given");
  }
  return text;
}

}  // namespace

Terminal::Terminal(OutputOptions options)
    : options_(options),
      color_out_(wants_color(STDOUT_FILENO, options.plain)),
      color_err_(wants_color(STDERR_FILENO, options.plain)) {}

std::string Terminal::paint(const char* code, const std::string& text, bool err) const {
  if (!(err ? color_err_ : color_out_)) return text;
  return std::string("\x1b[") + code + "m" + text + "\x1b[0m";
}

void Terminal::line(const std::string& text) const {
  if (!options_.json) std::cout << text << '\n';
}

void Terminal::success(const std::string& text) const {
  line(paint("32", options_.plain ? "ok:" : "✔", false) + " " + text);
}

void Terminal::next(const std::string& text) const {
  if (!options_.json && !options_.quiet) std::cout << paint("2", "Next: " + text, false) << '\n';
}

void Terminal::note(const std::string& text) const {
  if (!options_.quiet) std::cerr << text << '\n';
}

void Terminal::detail(const std::string& text) const {
  if (options_.verbose) std::cerr << paint("2", text, true) << '\n';
}

bool Terminal::stream(const nlohmann::json& json, const std::string& text) const {
  return static_cast<bool>(std::cout << (options_.json ? json.dump() : text) << std::endl);
}

void Terminal::document(const nlohmann::json& json) const {
  if (options_.json) std::cout << json.dump(2) << '\n';
}

int Terminal::report(const Failure& failure) const {
  return rpc::report_failure(failure, options_.json, paint("31", "error:", true));
}

Outcome<std::string> Terminal::ask_secret(const std::string& prompt) const {
  if (options_.no_input || isatty(STDIN_FILENO) != 1) {
    return failure(ExitCode::permission,
                   "a secret is needed (" + prompt + "), and nobody can be asked",
                   "give --passphrase-file FILE, or '-' to read it from standard input");
  }
  std::cerr << prompt << ": " << std::flush;
  const EchoOff silent;
  auto answer = read_line();
  std::cerr << '\n';
  return answer;
}

Outcome<std::string> Terminal::read_secret(const std::string& prompt) const {
  if (isatty(STDIN_FILENO) == 1) return ask_secret(prompt);
  return read_line();
}

}  // namespace quorate::wallet
