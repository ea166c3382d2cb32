// How our programs print help: examples first. The examples of a command are its footer.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace quorate::rpc {

class ExamplesFirst : public CLI::Formatter {
 public:
  std::string make_description(const CLI::App* app) const override {
    const std::string examples = app->get_footer();
    return examples.empty() ? CLI::Formatter::make_description(app)
                            : examples + "\n\n" + CLI::Formatter::make_description(app);
  }
  std::string make_footer(const CLI::App*) const override { return ""; }
};

// To be called before commands are added, which take it over.
inline void show_examples_first(CLI::App& app) {
  app.formatter(std::make_shared<ExamplesFirst>());
  app.get_formatter()->column_width(34);
}

// The examples of commands that are there: one line each, without the program's name.
inline void give_examples(
    CLI::App& app, const std::vector<std::pair<std::string, std::vector<std::string>>>& all) {
  for (const auto& [command, lines] : all) {
    std::string text = lines.size() == 1 ? "Example:" : "Examples:";
    for (const std::string& line : lines) text += "\n  " + app.get_name() + " " + line;
    app.get_subcommand(command)->footer(text);
  }
}

}  // namespace quorate::rpc
