#include "rpc/command_line/man_page.hpp"

#include <algorithm>
#include <sstream>

#include "crypto/base/exit_code.hpp"
#include "rpc/command_line/visible.hpp"

namespace quorate::rpc {
namespace {

// Backslashes and hyphens as they are, and no line that roff takes for a request.
std::string escaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool line_start = i == 0 || text[i - 1] == '\n';
    if (line_start && (text[i] == '.' || text[i] == '\'')) out += "\\&";
    if (text[i] == '\\') {
      out += "\\e";
    } else if (text[i] == '-') {
      out += "\\-";
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string entry(const std::string& term, const std::string& text) {
  return ".TP\n" + term + "\n" + escaped(text) + "\n";
}

std::string paragraphs(const std::string& text) {
  std::string out = escaped(text);
  for (std::size_t at = 0; (at = out.find("\n\n", at)) != std::string::npos; ++at) {
    out.replace(at, 2, "\n.PP\n");
  }
  return out + "\n";
}

std::string capitals(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string bold(const std::string& text) { return "\\fB" + escaped(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + escaped(text) + "\\fR"; }

// "-q, --quiet", "--home TEXT" or, for a positional, "ACCOUNT".
std::string term_of(const CLI::Option& option) {
  if (!option.nonpositional()) return italic(option.get_name(true));
  std::string out;
  for (const std::string& name : option.get_snames()) out += bold("-" + name) + ", ";
  for (const std::string& name : option.get_lnames()) out += bold("--" + name) + ", ";
  out.resize(out.size() - 2);
  const std::string type = option.get_type_size() == 0 ? "" : option.get_type_name();
  return out + (type.empty() ? "" : " " + italic(type.substr(0, type.find(':'))));
}

std::string options_of(const CLI::App& app) {
  std::string out;
  for (const CLI::Option* option : app.get_options()) {
    const bool help = option->check_lname("help") && app.get_parent() != nullptr;
    if (!help) out += entry(term_of(*option), option->get_description());
  }
  return out;
}

void append_commands(const CLI::App& app, const std::string& path, std::string& out) {
  for (const CLI::App* command : visible_commands(app)) {
    const std::string name = path + (path.empty() ? "" : " ") + command->get_name();
    std::string positionals;
    for (const CLI::Option* option : command->get_options()) {
      if (!option->nonpositional()) positionals += " " + italic(option->get_name(true));
    }
    out += ".SS " + bold(name) + positionals + "\n" + escaped(command->get_description()) + "\n";
    out += options_of(*command);
    append_commands(*command, name, out);
  }
}

// The indented lines of the description.
std::string examples_of(const CLI::App& app) {
  std::istringstream lines(app.get_description());
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  ")) out += escaped(line.substr(2)) + "\n";
  }
  return out;
}

constexpr std::pair<ExitCode, const char*> kExitCodes[] = {
    {ExitCode::success, "done"},
    {ExitCode::failed, "failed, for a reason without a code of its own"},
    {ExitCode::usage, "the command line is wrong"},
    {ExitCode::not_found, "what was asked for does not exist"},
    {ExitCode::rejected, "the transaction was refused, or is final without effect"},
    {ExitCode::timed_out, "timed out; the outcome is not known"},
    {ExitCode::unreachable, "no node can be reached"},
    {ExitCode::bug, "a bug"},
    {ExitCode::will_not_overwrite, "will not overwrite what is there"},
    {ExitCode::io_or_corrupt, "a disk failed, or the database contradicts itself"},
    {ExitCode::locked_or_busy, "locked by another process, or the port is busy"},
    {ExitCode::permission, "wrong passphrase, or no permission"},
    {ExitCode::configuration, "the configuration is wrong"},
    {ExitCode::interrupted, "interrupted with Ctrl-C"},
};

}  // namespace

std::string man_page(const CLI::App& app, const ManualText& text) {
  const std::string name = app.get_name();
  std::string out = ".TH " + escaped(capitals(name)) + " 1 \"\" Quorate\n";
  out += ".SH NAME\n" + escaped(name) + " \\- " + escaped(text.summary) + "\n";
  out += ".SH SYNOPSIS\n" + bold(name) + " [" + italic("options") + "] " + italic("command") +
         " [" + italic("arguments") + "]\n";
  out += ".SH DESCRIPTION\n" + paragraphs(text.description);
  out += ".SH OPTIONS\nThey may stand before or after the command.\n" + options_of(app);
  out += ".SH COMMANDS\n";
  append_commands(app, "", out);
  for (const auto& [title, entries] : text.sections) {
    out += ".SH " + title + "\n";
    for (const auto& [term, what] : entries) out += entry(bold(term), what);
  }
  out += ".SH EXIT STATUS\nThe same in all programs of Quorate.\n";
  for (const auto& [code, what] : kExitCodes) {
    out += entry(bold(std::to_string(static_cast<int>(code))), what);
  }
  out += ".SH EXAMPLES\n.nf\n" + examples_of(app) + ".fi\n.SH SEE ALSO\n";
  std::string others;
  for (const std::string other : {"quorate-node", "quorate-testnet", "quorate-wallet"}) {
    if (other != name) others += (others.empty() ? "" : ",\n") + (".BR " + escaped(other) + " (1)");
  }
  return out + others + "\n";
}

}  // namespace quorate::rpc
