#include <algorithm>

#include "crypto/base/assert.hpp"
#include "rpc/command_line/usage.hpp"
#include "rpc/command_line/visible.hpp"

namespace quorate::rpc {
namespace {

// One command of the program: the words that lead to it, and what may come after them.
struct Level {
  std::vector<std::string> path;  // without the program's name
  struct Word {
    std::string text;
    std::string help;
  };
  std::vector<Word> commands;
  std::vector<Word> flags;  // own ones and those of the levels above
};

std::string first_sentence(const std::string& help) {
  const std::size_t end = help.find_first_of("\n;.");
  return help.substr(0, end);
}

std::vector<Level::Word> flags_of(const CLI::App& app) {
  std::vector<Level::Word> out;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      out.push_back({"--" + name, first_sentence(option->get_description())});
    }
  }
  return out;
}

void collect(const CLI::App& app, const std::vector<std::string>& path,
             std::vector<Level::Word> inherited, std::vector<Level>& out) {
  for (Level::Word& flag : flags_of(app)) {
    const bool known = std::any_of(inherited.begin(), inherited.end(),
                                   [&flag](const auto& word) { return word.text == flag.text; });
    if (!known) inherited.push_back(std::move(flag));
  }
  Level level{path, {}, inherited};
  const auto children = visible_commands(app);
  for (const CLI::App* child : children) {
    level.commands.push_back({child->get_name(), first_sentence(child->get_description())});
  }
  out.push_back(std::move(level));
  for (const CLI::App* child : children) {
    std::vector<std::string> below = path;
    below.push_back(child->get_name());
    collect(*child, below, inherited, out);
  }
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string texts(const std::vector<Level::Word>& words) {
  std::string out;
  for (const Level::Word& word : words) out += (out.empty() ? "" : " ") + word.text;
  return out;
}

std::string identifier(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// In single quotes, for any of the shells.
std::string quoted(std::string text) {
  for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 4) {
    text.replace(at, 1, "'\\''");
  }
  return "'" + text + "'";
}

// Sets `commands` and `flags` to what may come after the words in `at`; for bash and zsh.
std::string level_function(const std::string& name, const std::vector<Level>& levels) {
  std::string out = name + "_level() {\n  case \"$at\" in\n";
  for (const Level& level : levels) {
    out += "    " + quoted(joined(level.path)) + ") commands=" + quoted(texts(level.commands)) +
           " flags=" + quoted(texts(level.flags)) + ";;\n";
  }
  return out + "  esac\n}\n";
}

// In all shells the command under the cursor is found by walking the words: a word that names a
// command of the present level leads down, every other one (a flag, a value) is passed over.
constexpr const char* kBash = R"(NAME() {
  local at="" commands="" flags="" word
  NAME_level
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ " $commands " == *" $word "* ]]; then
      at="${at:+$at }$word"
      NAME_level
    fi
  done
  word="${COMP_WORDS[COMP_CWORD]}"
  if [[ "$word" == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$word")
  elif [[ -n "$commands" ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -F NAME PROGRAM
)";

constexpr const char* kZsh = R"(NAME() {
  local at="" commands="" flags="" word
  NAME_level
  for word in "${words[@]:1:$((CURRENT - 2))}"; do
    if [[ " $commands " == *" $word "* ]]; then
      at="${at:+$at }$word"
      NAME_level
    fi
  done
  if [[ "${words[CURRENT]}" == -* ]]; then
    compadd -- ${=flags}
  elif [[ -n "$commands" ]]; then
    compadd -- ${=commands}
  else
    _files
  fi
}
if [[ "${funcstack[1]}" == NAME ]]; then NAME "$@"; else compdef NAME PROGRAM; fi
)";

std::string filled(std::string text, const std::string& mark, const std::string& value) {
  for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += value.size()) {
    text.replace(at, mark.size(), value);
  }
  return text;
}

std::string walker(const char* text, const std::string& program, const std::vector<Level>& levels) {
  const std::string name = "_" + identifier(program);
  return level_function(name, levels) + filled(filled(text, "NAME", name), "PROGRAM", program);
}

std::string fish_script(const std::string& program, const std::vector<Level>& levels) {
  const std::string at = "complete -c " + program;
  std::string out;
  for (const Level& level : levels) {
    std::string condition;
    for (const std::string& word : level.path) {
      condition += (condition.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + word);
    }
    if (!level.commands.empty()) {
      const std::string none = (condition.empty() ? "" : condition + "; and ") +
                               ("not __fish_seen_subcommand_from " + texts(level.commands));
      for (const Level::Word& command : level.commands) {
        out += at + " -f -n " + quoted(none) + " -a " + command.text + " -d " +
               quoted(command.help) + "\n";
      }
    }
    for (const Level::Word& flag : level.flags) {
      const bool inherited =
          !level.path.empty() &&
          std::any_of(levels.front().flags.begin(), levels.front().flags.end(),
                      [&flag](const auto& word) { return word.text == flag.text; });
      if (inherited) continue;
      out += at + (condition.empty() ? "" : " -n " + quoted(condition)) + " -l " +
             flag.text.substr(2) + " -d " + quoted(flag.help) + "\n";
    }
  }
  return out;
}

}  // namespace

const std::vector<std::string>& completion_shells() {
  static const std::vector<std::string> shells = {"bash", "zsh", "fish"};
  return shells;
}

std::string completion_script(const CLI::App& app, const std::string& shell) {
  std::vector<Level> levels;
  collect(app, {}, {}, levels);
  if (shell == "bash") return walker(kBash, app.get_name(), levels);
  if (shell == "zsh")
    return "#compdef " + app.get_name() + "\n" + walker(kZsh, app.get_name(), levels);
  QUORATE_ASSERT(shell == "fish");
  return fish_script(app.get_name(), levels);
}

}  // namespace quorate::rpc
