#include "node/commands/commands.hpp"

namespace quorate::node {

CommandResult<> config_check(const CommandContext& context) {
  QUORATE_TRY(const Home home, context.home());
  QUORATE_TRY(const LoadedConfig config, context.config(home));
  std::uint64_t changed = 0;
  for (const Setting& setting : config.settings) {
    if (setting.origin != Origin::by_default) ++changed;
  }
  Report report;
  report.add("file", home.config_file().string());
  report.add("file_exists", std::filesystem::exists(home.config_file()));
  report.add("valid", true).add("not_default", changed);
  context.output.report(report);
  return {};
}

CommandResult<> config_show(const CommandContext& context, const ConfigShowOptions& options) {
  QUORATE_TRY(const Home home, context.home());
  QUORATE_TRY(const LoadedConfig config, context.config(home));
  if (!context.output.json()) {
    for (const Setting& setting : config.settings) {
      const std::string origin = std::string(to_string(setting.origin)) +
                                 (setting.where.empty() ? "" : " " + setting.where);
      context.output.raw(setting.key + " = " + setting.value +
                         (options.origin ? "  # " + origin : "") + "\n");
    }
    return {};
  }
  std::vector<Report> rows;
  for (const Setting& setting : config.settings) {
    Report row;
    row.add("key", setting.key).add("value", setting.value);
    if (options.origin) {
      row.add("origin", std::string(to_string(setting.origin))).add("where", setting.where);
    }
    rows.push_back(std::move(row));
  }
  Report report;
  report.add("settings", std::move(rows));
  context.output.report(report);
  return {};
}

}  // namespace quorate::node
