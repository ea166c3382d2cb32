// How commands talk: data on stdout, messages on stderr. One thread.
#pragma once

#include <string>
#include <string_view>

#include "node/commands/command_result.hpp"
#include "node/config/report.hpp"

namespace quorate::node {

class Output {
 public:
  struct Options {
    bool json = false;
    bool plain = false;  // no symbols, no colour
    bool quiet = false;  // errors only on stderr
  };
  explicit Output(Options options) : options_(options) {}

  bool json() const { return options_.json; }
  void report(const Report& report) const;       // stdout: text, or JSON with --json
  void raw(std::string_view text) const;         // stdout, as it is
  void done(std::string_view what) const;        // "✔ what"
  void message(std::string_view text) const;     // plain line
  void next(std::string_view suggestion) const;  // "Next: suggestion"
  void progress(std::string_view line) const;    // overwritten on a terminal, else nothing
  // Prints the failure, with --json also as a document on stdout, and returns its exit code.
  int fail(const CommandError& error) const;

 private:
  Options options_;
};

}  // namespace quorate::node
