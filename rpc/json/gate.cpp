// The gate every JSON text from outside passes. nlohmann/json parses 200,000 nested arrays without
// complaint and overflows the stack when the result is copied or dumped, keeps the last of several
// equal keys, and turns integers beyond 64 bits into rounded doubles. The gate refuses all three
// while the text is being read, before anything is built from it.
#include <limits>

#include "rpc/json/ledger_json.hpp"

namespace quorate::rpc {

namespace {

constexpr std::size_t kDepthMax = 32;

class Gate final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t& token) override {
    if (token.find_first_of(".eE") == string_t::npos) {
      return refuse("the integer " + shortened(token) + " does not fit in 64 bits");
    }
    return add(value);
  }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return refuse("binary values are not JSON"); }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    // The parser calls this inside an object only.
    const auto [slot, fresh] =
        open_.back()->get_ref<Json::object_t&>().emplace(std::move(name), nullptr);
    if (!fresh) return refuse("the key \"" + shortened(slot->first) + "\" appears twice");
    slot_ = &slot->second;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    // what() repeats the offending token, which may be long and need not be UTF-8.
    std::string text = error.what();
    if (const auto prefix = text.find("] "); prefix != std::string::npos) text.erase(0, prefix + 2);
    return refuse(shortened(text) + " (byte " + std::to_string(position) + ")");
  }

  std::string why;
  Json root;

 private:
  bool refuse(std::string reason) {
    why = std::move(reason);
    return false;
  }

  static std::string shortened(std::string text) {
    if (text.size() > 160) text.replace(157, std::string::npos, "...");
    for (char& c : text) {
      if (c < 0x20 || c > 0x7e) c = '?';
    }
    return text;
  }

  // Where the next value goes: the root, the slot of the last key, or the end of an array.
  Json* place(Json&& value) {
    if (open_.empty()) return &(root = std::move(value));
    if (!open_.back()->is_array()) return &(*slot_ = std::move(value));
    auto& array = open_.back()->get_ref<Json::array_t&>();
    array.push_back(std::move(value));
    return &array.back();
  }
  bool add(Json&& value) {
    place(std::move(value));
    return true;
  }
  bool open(Json&& container) {
    if (open_.size() >= kDepthMax) {
      return refuse("nested deeper than " + std::to_string(kDepthMax) + " levels");
    }
    // An open container is not moved: its parent only grows after it was closed.
    open_.push_back(place(std::move(container)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::vector<Json*> open_;
  Json* slot_ = nullptr;
};

}  // namespace

Result<Json> parse_json(std::string_view text) {
  Gate gate;
  const bool whole = Json::sax_parse(text.begin(), text.end(), &gate);
  if (!whole) return fail(Errc::bad_encoding, gate.why);
  return std::move(gate.root);
}

}  // namespace quorate::rpc
