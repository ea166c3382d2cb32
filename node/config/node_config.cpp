#include "node/config/node_config.hpp"

#include <toml++/toml.h>

#include "node/config/config_keys.hpp"
#include "node/config/files.hpp"

namespace quorate::node {
namespace {

constexpr std::size_t kConfigBytesMax = 1U << 20U;

struct Place {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

Place place_of(const std::filesystem::path& file, const toml::source_region& source) {
  return {file.string(), source.begin.line, source.begin.column};
}

tl::unexpected<Error> bad_at(const Place& place, std::string_view what) {
  return fail(Errc::invalid_argument, place.file + ":" + std::to_string(place.line) + ":" +
                                          std::to_string(place.column) + ": " + std::string(what));
}

void assign(LoadedConfig& config, const ConfigKey& key, Origin origin, std::string where) {
  for (Setting& setting : config.settings) {
    if (setting.key != key.name) continue;
    setting.value = to_toml(key.get(config.values));
    setting.origin = origin;
    setting.where = std::move(where);
  }
}

Result<ConfigValue> value_of(const toml::node& node) {
  if (const auto* flag = node.as_boolean()) return ConfigValue(flag->get());
  if (const auto* number = node.as_integer()) {
    if (number->get() < 0) return fail(Errc::invalid_argument, "must not be negative");
    return ConfigValue(static_cast<std::uint64_t>(number->get()));
  }
  if (const auto* text = node.as_string()) return ConfigValue(text->get());
  const auto* list = node.as_array();
  if (list == nullptr) return fail(Errc::invalid_argument, "has a type that no key has");
  std::vector<std::string> texts;
  for (const toml::node& entry : *list) {
    const auto* text = entry.as_string();
    if (text == nullptr) {
      return fail(Errc::invalid_argument, "expected a list of texts in quotes");
    }
    texts.push_back(text->get());
  }
  return ConfigValue(std::move(texts));
}

bool is_table_name(std::string_view name) {
  for (const ConfigKey& key : config_keys()) {
    if (key.name.substr(0, key.name.find('.')) == name) return true;
  }
  return false;
}

Result<void> apply_key(LoadedConfig& config, const std::filesystem::path& file,
                       const std::string& name, const toml::key& written, const toml::node& node) {
  const ConfigKey* key = find_config_key(name);
  if (key == nullptr) return bad_at(place_of(file, written.source()), unknown_key_message(name));
  auto value = value_of(node);
  const Result<void> done = value ? key->set(config.values, *value) : tl::unexpected(value.error());
  if (!done) {
    return bad_at(place_of(file, node.source()), "key '" + name + "': " + done.error().detail);
  }
  assign(config, *key, Origin::file,
         file.filename().string() + ":" + std::to_string(written.source().begin.line));
  return {};
}

Result<void> apply_table(LoadedConfig& config, const std::filesystem::path& file,
                         const toml::table& root) {
  for (const auto& [outer, node] : root) {
    const std::string table(outer.str());
    if (!node.is_table() || !is_table_name(table)) {
      QUORATE_CHECK(apply_key(config, file, table, outer, node));
      continue;
    }
    for (const auto& [inner, value] : *node.as_table()) {
      QUORATE_CHECK(apply_key(config, file, table + "." + std::string(inner.str()), inner, value));
    }
  }
  return {};
}

Result<void> apply_file(LoadedConfig& config, const std::filesystem::path& file) {
  const auto text = read_text_file(file, kConfigBytesMax);
  if (!text && text.error().code == Errc::not_found) return {};
  if (!text) return tl::unexpected(text.error());
  try {
    const toml::table root = toml::parse(*text, file.string());
    return apply_table(config, file, root);
  } catch (const toml::parse_error& error) {
    return bad_at(place_of(file, error.source()), error.description());
  }
}

Result<void> apply_text(LoadedConfig& config, const TextSetting& setting, Origin origin) {
  const ConfigKey* key = find_config_key(setting.key);
  if (key == nullptr) {
    return fail(Errc::invalid_argument, setting.where + ": " + unknown_key_message(setting.key));
  }
  auto value = key->parse_text(setting.text);
  const Result<void> done = value ? key->set(config.values, *value) : tl::unexpected(value.error());
  if (!done) return fail(Errc::invalid_argument, setting.where + ": " + done.error().detail);
  assign(config, *key, origin, setting.where);
  return {};
}

// A variable with the double underscore of a key can only be meant for us.
Result<void> apply_environment(LoadedConfig& config, const Environment& environment) {
  for (const auto& [name, text] : environment) {
    if (name.rfind("QUORATE_", 0) != 0 || name.find("__") == std::string::npos) continue;
    std::string key;
    for (std::size_t i = std::string_view("QUORATE_").size(); i < name.size(); ++i) {
      if (name.compare(i, 2, "__") == 0) {
        key += '.';
        ++i;
      } else {
        key += name[i] >= 'A' && name[i] <= 'Z' ? static_cast<char>(name[i] - 'A' + 'a') : name[i];
      }
    }
    QUORATE_CHECK(apply_text(config, {key, text, name}, Origin::environment));
  }
  return {};
}

LoadedConfig defaults() {
  LoadedConfig out;
  for (const ConfigKey& key : config_keys()) {
    out.settings.push_back(
        {std::string(key.name), to_toml(key.get(out.values)), Origin::by_default, ""});
  }
  return out;
}

}  // namespace

std::string_view to_string(Origin origin) {
  static constexpr std::array<std::string_view, 4> kNames = {"default", "file", "environment",
                                                             "flag"};
  return kNames[static_cast<std::size_t>(origin)];
}

Origin LoadedConfig::origin(std::string_view key) const {
  for (const Setting& setting : settings) {
    if (setting.key == key) return setting.origin;
  }
  return Origin::by_default;
}

Result<LoadedConfig> load_config(const std::filesystem::path& file, const Environment& environment,
                                 const std::vector<TextSetting>& flags) {
  LoadedConfig out = defaults();
  QUORATE_CHECK(apply_file(out, file));
  QUORATE_CHECK(apply_environment(out, environment));
  for (const TextSetting& flag : flags) QUORATE_CHECK(apply_text(out, flag, Origin::flag));
  return out;
}

Result<std::string> render_config(const std::vector<TextSetting>& set) {
  LoadedConfig config = defaults();
  for (const TextSetting& setting : set) {
    QUORATE_CHECK(apply_text(config, setting, Origin::file));
  }
  std::string out =
      "# Settings of one Quorate node. Every key is shown at its default; remove the # to change "
      "it.\n"
      "# A flag wins over the environment (QUORATE_RPC__LISTEN), which wins over this file.\n"
      "# Check it with: quorate-node config check\n";
  std::string_view table;
  for (std::size_t i = 0; i < config.settings.size(); ++i) {
    const ConfigKey& key = config_keys()[i];
    const Setting& setting = config.settings[i];
    const std::size_t dot = key.name.find('.');
    if (key.name.substr(0, dot) != table) {
      table = key.name.substr(0, dot);
      out += "\n[" + std::string(table) + "]\n";
    }
    out += "# " + std::string(key.help) + "\n";
    out += setting.origin == Origin::by_default ? "#" : "";
    out += std::string(key.name.substr(dot + 1)) + " = " + setting.value + "\n";
  }
  return out;
}

}  // namespace quorate::node
