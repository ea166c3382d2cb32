#include "rpc/command_line/self_description.hpp"

#include <CLI/CLI.hpp>

#include "rpc/command_line/usage.hpp"

namespace quorate::rpc {

SelfDescription::SelfDescription(CLI::App& app, ManualText text)
    : app_(app), text_(std::move(text)) {
  CLI::App* completion =
      app.add_subcommand("completion", "Print a script that completes this program's commands.");
  completion->footer("Example: source <(" + app.get_name() + " completion bash)");
  completion->add_option("shell", shell_, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember(completion_shells()));
  CLI::App* man = app.add_subcommand("man", "Print the manual page.");
  man->footer("Example: " + app.get_name() + " man | man -l -");
  man->callback([this] { man_ = true; });
}

std::optional<std::string> SelfDescription::asked_for() const {
  if (man_) return man_page(app_, text_);
  if (!shell_.empty()) return completion_script(app_, shell_);
  return std::nullopt;
}

}  // namespace quorate::rpc
