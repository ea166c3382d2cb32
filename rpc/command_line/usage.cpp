#include "rpc/command_line/usage.hpp"

#include <algorithm>

#include "crypto/base/nearest.hpp"
#include "rpc/command_line/visible.hpp"

namespace quorate::rpc {

namespace {

// "send FROM TO AMOUNT", as somebody types it who forgot one of them.
std::string form_of(const CLI::App& command, const std::string& path) {
  std::string out = path;
  for (const CLI::Option* option : command.get_options()) {
    if (option->nonpositional()) continue;
    std::string name = option->get_name(true);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    out += " " + (option->get_required() ? name : "[" + name + "]");
  }
  return out == path ? "" : out;
}

}  // namespace

// CLI11 reports a mistyped command as a missing one; the words it could not place tell the truth.
CommandFailure usage_failure(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* deepest = &app;
  std::string path = app.get_name();
  while (!deepest->get_subcommands().empty()) {
    deepest = deepest->get_subcommands().front();
    path += " " + deepest->get_name();
  }
  const std::string help = "see " + path + " --help";
  std::vector<std::string> flags;
  for (const CLI::App* level = deepest; level != nullptr; level = level->get_parent()) {
    for (const CLI::Option* option : level->get_options()) {
      for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    }
  }
  std::vector<std::string> commands;
  for (const CLI::App* child : visible_commands(*deepest)) commands.push_back(child->get_name());

  for (std::string word : app.remaining(true)) {
    const bool is_flag = word.starts_with("-");
    if (is_flag) word = word.substr(0, word.find('='));
    if (!is_flag && commands.empty()) {
      return {ExitCode::usage, "'" + word + "' is one word too many", help};
    }
    const auto meant = suggestion(word, is_flag ? flags : commands);
    return {ExitCode::usage,
            "unknown " + std::string(is_flag ? "flag" : "command") + " '" + word + "'" +
                (meant ? "; did you mean '" + *meant + "'?" : ""),
            help};
  }
  const std::string form = form_of(*deepest, path);
  return {ExitCode::usage, error.what(), form.empty() ? help : "it is: " + form + "; " + help};
}

bool wants_json(int argc, const char* const* argv) {
  return std::any_of(argv, argv + argc,
                     [](const char* word) { return word == std::string("--json"); });
}

}  // namespace quorate::rpc
