// The two commands of every program that only print what the program is: `completion SHELL` and
// `man`.
#pragma once

#include <optional>
#include <string>

#include "rpc/command_line/man_page.hpp"

namespace quorate::rpc {

class SelfDescription {
 public:
  // Adds both commands to `app`, which must outlive this. Add them last: they show what is there.
  SelfDescription(CLI::App& app, ManualText text);
  SelfDescription(const SelfDescription&) = delete;
  SelfDescription& operator=(const SelfDescription&) = delete;

  // After parsing: what to print, if one of the two was asked for.
  std::optional<std::string> asked_for() const;

 private:
  CLI::App& app_;
  ManualText text_;
  std::string shell_;
  bool man_ = false;
};

}  // namespace quorate::rpc
