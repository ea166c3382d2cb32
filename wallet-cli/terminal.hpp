// What the wallet shows and asks: results on stdout, messages on stderr, secrets without echo. With
// --json stdout carries one JSON document and nothing else.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "wallet-cli/failure.hpp"

namespace quorate::wallet {

struct OutputOptions {
  bool json = false;
  bool plain = false;  // no colour, no symbols that need UTF-8
  bool quiet = false;  // results only, no hints
  bool verbose = false;
  bool no_input = false;
};

class Terminal {
 public:
  explicit Terminal(OutputOptions options);

  bool json() const { return options_.json; }
  // One line of result; nothing with --json.
  void line(const std::string& text) const;
  // A line that marks success ("✔ …").
  void success(const std::string& text) const;
  // What to do next; nothing with --json or --quiet.
  void next(const std::string& text) const;
  // A message on stderr; nothing with --quiet.
  void note(const std::string& text) const;
  // A message on stderr; only with --verbose.
  void detail(const std::string& text) const;
  // One item of a stream: a line of JSON with --json, else the text. Flushed at once. False when
  // nobody reads it any more.
  bool stream(const nlohmann::json& json, const std::string& text) const;
  // The --json document of a command.
  void document(const nlohmann::json& json) const;
  // "error: …" on stderr, with --json the document on stdout too. Returns the exit code.
  int report(const Failure& failure) const;

  // Asks without echo on the terminal. Error permission when there is no terminal or --no-input.
  Outcome<std::string> ask_secret(const std::string& prompt) const;
  // The same, but takes the next line of standard input where that is not a terminal.
  Outcome<std::string> read_secret(const std::string& prompt) const;

 private:
  std::string paint(const char* code, const std::string& text, bool err) const;
  OutputOptions options_;
  bool color_out_, color_err_;
};

}  // namespace quorate::wallet
