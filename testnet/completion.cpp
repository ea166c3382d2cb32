#include "testnet/completion.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <vector>

namespace quorate::testnet {

namespace {

using Words = std::vector<std::string>;

Words flags_of(const CLI::App& app) {
  Words out;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) out.push_back("--" + name);
  }
  return out;
}

std::string joined(const Words& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

// What may follow each command; the key "" is for before a command.
std::map<std::string, Words> words_by_command(const CLI::App& app) {
  std::map<std::string, Words> out;
  const Words globals = flags_of(app);
  out[""] = globals;
  for (const auto* command : app.get_subcommands(nullptr)) {
    if (command->get_group().empty()) continue;
    out[""].push_back(command->get_name());
    Words words = flags_of(*command);
    words.insert(words.end(), globals.begin(), globals.end());
    out[command->get_name()] = words;
  }
  return out;
}

// Node names come from the pid files of the default folder.
std::string bash(const CLI::App& app) {
  const auto program = app.get_name();
  std::string cases;
  for (const auto& [command, words] : words_by_command(app)) {
    if (command.empty()) continue;
    cases += "    " + command + ") words=\"" + joined(words) + "\" ;;\n";
  }
  return "_quorate_testnet() {\n"
         "  local command= word words\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case $word in -*) ;; *) command=$word; break ;; esac\n"
         "  done\n"
         "  case $command in\n"
         "    '') words=\"" +
         joined(words_by_command(app).at("")) + "\" ;;\n" + cases +
         "  esac\n"
         "  case $command in kill | start | pause | resume | logs)\n"
         "    words+=\" $(cd testnet-data/run 2>/dev/null && ls node*.pid 2>/dev/null | "
         "sed 's/[.]pid$//')\" ;;\n"
         "  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
         "}\n"
         "complete -o default -F _quorate_testnet " +
         program + "\n";
}

std::string fish(const CLI::App& app) {
  const auto begin = "complete -c " + app.get_name();
  std::string out;
  for (const auto* command : app.get_subcommands(nullptr)) {
    if (command->get_group().empty()) continue;
    out += begin + " -n __fish_use_subcommand -a " + command->get_name() + "\n";
    for (const auto& flag : flags_of(*command)) {
      out += begin + " -n '__fish_seen_subcommand_from " + command->get_name() + "' -l " +
             flag.substr(2) + "\n";
    }
  }
  for (const auto& flag : flags_of(app)) out += begin + " -l " + flag.substr(2) + "\n";
  return out;
}

}  // namespace

Result<int> run_completion(const CLI::App& app, const std::string& shell) {
  if (shell == "bash") {
    std::cout << bash(app);
  } else if (shell == "zsh") {
    std::cout << "autoload -Uz bashcompinit && bashcompinit\n" << bash(app);
  } else if (shell == "fish") {
    std::cout << fish(app);
  } else {
    return fail(Errc::invalid_argument,
                "there are completions for bash, zsh and fish, not for '" + shell + "'");
  }
  return 0;
}

}  // namespace quorate::testnet
