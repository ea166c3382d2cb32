#include "node/config/report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace quorate::node {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::string label_of(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::string indented(const std::string& text) {
  std::string out = "  ";
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '\n' && i + 1 < text.size()) out += "  ";
  }
  return out;
}

std::string text_of(const Report::Value& value) {
  struct Print {
    std::string operator()(const std::string& text) const { return text + "\n"; }
    std::string operator()(std::uint64_t number) const { return std::to_string(number) + "\n"; }
    std::string operator()(bool flag) const { return flag ? "yes\n" : "no\n"; }
    std::string operator()(const std::vector<std::string>& list) const {
      std::string out;
      for (const std::string& entry : list) out += (out.empty() ? "" : ", ") + entry;
      return out + "\n";
    }
    std::string operator()(const std::vector<Report>& rows) const {
      std::string out = "\n";
      for (const Report& row : rows) out += indented(row.text());
      return out;
    }
  };
  return std::visit(Print{}, value);
}

}  // namespace

Report& Report::add(std::string name, Value value) {
  values_.emplace_back(std::move(name), std::move(value));
  return *this;
}

std::string Report::text() const {
  std::size_t width = 0;
  for (const auto& entry : values_) width = std::max(width, entry.first.size());
  std::string out;
  for (const auto& [name, value] : values_) {
    out += label_of(name) + std::string(width - name.size() + 2, ' ') + text_of(value);
  }
  return out;
}

std::string Report::json() const {
  struct ToJson {
    static OrderedJson object(const Report& report) {
      OrderedJson out = OrderedJson::object();
      for (const auto& entry : report.values_)
        out[entry.first] = std::visit(ToJson{}, entry.second);
      return out;
    }
    OrderedJson operator()(const std::string& text) const { return text; }
    OrderedJson operator()(std::uint64_t number) const { return number; }
    OrderedJson operator()(bool flag) const { return flag; }
    OrderedJson operator()(const std::vector<std::string>& list) const { return list; }
    OrderedJson operator()(const std::vector<Report>& rows) const {
      OrderedJson out = OrderedJson::array();
      for (const Report& row : rows) out.push_back(object(row));
      return out;
    }
  };
  // Bytes that are not UTF-8 (a file name, say) are replaced instead of refused.
  return ToJson::object(*this).dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

}  // namespace quorate::node
