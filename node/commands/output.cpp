#include "node/commands/output.hpp"

#include <unistd.h>

#include <cstdio>

namespace quorate::node {
namespace {

void write(std::FILE* file, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
}

}  // namespace

void Output::report(const Report& report) const {
  write(stdout, options_.json ? report.json() : report.text());
}

void Output::raw(std::string_view text) const { write(stdout, text); }

void Output::done(std::string_view what) const {
  message((options_.plain ? "ok " : "✔ ") + std::string(what));
}

void Output::message(std::string_view text) const {
  if (!options_.quiet) write(stderr, std::string(text) + "\n");
}

void Output::next(std::string_view suggestion) const {
  message("Next: " + std::string(suggestion));
}

void Output::progress(std::string_view line) const {
  if (options_.quiet || options_.plain || ::isatty(STDERR_FILENO) == 0) return;
  write(stderr, "\r\033[K" + std::string(line));
}

int Output::fail(const CommandError& error) const {
  return rpc::report_failure(error, options_.json);
}

}  // namespace quorate::node
