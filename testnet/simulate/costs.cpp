#include "testnet/simulate/costs.hpp"

#include <charconv>
#include <fstream>

#include "crypto/base/nearest.hpp"

namespace quorate::testnet {

namespace {

using sim::timed::CostField;
using sim::timed::Costs;
using sim::timed::kCostFields;

constexpr std::int64_t kCostMax = 3'600'000'000'000;  // an hour

Result<const CostField*> find_field(std::string_view name) {
  const auto found = std::find_if(kCostFields.begin(), kCostFields.end(),
                                  [name](const CostField& field) { return field.name == name; });
  if (found != kCostFields.end()) return &*found;
  std::vector<std::string> names;
  for (const CostField& field : kCostFields) names.emplace_back(field.name);
  std::string detail = "there is no cost '" + std::string(name) + "'";
  if (const auto meant = suggestion(std::string(name), names)) {
    detail += "; did you mean " + *meant + "?";
  }
  return fail(Errc::invalid_argument, detail);
}

Result<void> set(Costs& costs, std::string_view name, std::int64_t value) {
  QUORATE_TRY(const CostField* field, find_field(name));
  if (value < 0 || value > kCostMax) {
    return fail(Errc::invalid_argument, "the cost " + std::string(name) +
                                            " must lie between 0 and " + std::to_string(kCostMax) +
                                            " ns");
  }
  costs.*field->value = value;
  return {};
}

Result<Costs> parse_pairs(const std::string& text) {
  Costs out;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    const std::string pair = text.substr(begin, comma - begin);
    const std::size_t equals = pair.find('=');
    std::int64_t value = 0;
    const char* end = pair.data() + pair.size();
    const bool number = equals != std::string::npos &&
                        std::from_chars(pair.data() + equals + 1, end, value).ptr == end &&
                        equals + 1 < pair.size();
    if (!number) {
      return fail(Errc::invalid_argument,
                  "--costs: '" + pair + "' is not name=nanoseconds, as in verify=48000");
    }
    QUORATE_CHECK(set(out, pair.substr(0, equals), value));
    begin = comma + 1;
  }
  return out;
}

Result<Costs> read_file(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) {
    return fail(Errc::not_found, "--costs " + file.string() +
                                     ": no such file; give probe, reference, a file written by "
                                     "--save-costs, or name=nanoseconds,...");
  }
  const auto json = nlohmann::json::parse(in, nullptr, false);
  if (!json.is_object()) {
    return fail(Errc::bad_encoding, file.string() + " is not a JSON object of costs");
  }
  Costs out;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_number_integer()) {
      return fail(Errc::bad_encoding, file.string() + ": " + name + " is no whole number");
    }
    QUORATE_CHECK(set(out, name, value.get<std::int64_t>()));
  }
  return out;
}

}  // namespace

std::string to_text(const Costs& costs) {
  const Costs reference;
  std::string out;
  for (const CostField& field : kCostFields) {
    if (costs.*field.value == reference.*field.value) continue;
    out += (out.empty() ? "" : ",") + std::string(field.name) + "=" +
           std::to_string(costs.*field.value);
  }
  return out.empty() ? "reference" : out;
}

nlohmann::json to_json(const Costs& costs) {
  nlohmann::json out = nlohmann::json::object();
  for (const CostField& field : kCostFields) out[std::string(field.name)] = costs.*field.value;
  return out;
}

Result<Costs> read_costs(const std::string& text) {
  if (text == "reference") return Costs{};
  if (text.find('=') != std::string::npos) return parse_pairs(text);
  return read_file(text);
}

Result<void> save_costs(const std::filesystem::path& file, const Costs& costs) {
  std::ofstream out(file);
  out << to_json(costs).dump(2) << "\n";
  out.flush();
  if (!out) return fail(Errc::io, "cannot write " + file.string());
  return {};
}

}  // namespace quorate::testnet
