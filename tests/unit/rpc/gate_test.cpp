#include <string>

#include "rpc/json/ledger_json.hpp"

using namespace quorate;
using quorate::rpc::Json;
using quorate::rpc::parse_json;

namespace {

std::string refused(std::string_view text) {
  const auto parsed = parse_json(text);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == Errc::bad_encoding);
  return parsed.error().detail;
}

std::string nested(std::size_t depth, char open, char close) {
  std::string text(depth, open);
  text.append(depth, close);
  return text;
}

}  // namespace

TEST_CASE("the gate passes ordinary JSON unchanged") {
  const std::string text =
      R"({"a":[1,-2,3.5,true,false,null,"x\u00e9\n",{}],"b":{"c":[[],[{}]],"d":""},"e":18446744073709551615})";
  const auto parsed = parse_json(text);
  REQUIRE(parsed);
  CHECK(*parsed == Json::parse(text));
  CHECK((*parsed)["e"] == UINT64_MAX);
  CHECK(parse_json(" 7 ").value() == 7);
}

TEST_CASE("the gate lets 32 levels through and refuses the 33rd") {
  CHECK(parse_json(nested(32, '[', ']')));
  CHECK(refused(nested(33, '[', ']')).find("32 levels") != std::string::npos);
}

TEST_CASE("200,000 nested arrays are refused without touching the stack") {
  CHECK(refused(std::string(200'000, '[')).find("32 levels") != std::string::npos);
  std::string objects;
  for (int i = 0; i < 200'000; ++i) objects += R"({"a":)";
  CHECK(refused(objects).find("32 levels") != std::string::npos);
}

TEST_CASE("a key that appears twice is refused by name, at any depth") {
  CHECK(refused(R"({"id":1,"id":2})").find("\"id\"") != std::string::npos);
  CHECK(refused(R"([{"a":{"k":[],"k":1}}])").find("\"k\"") != std::string::npos);
  // The same key after an escape is still the same key.
  CHECK(refused(R"({"id":1,"\u0069d":2})").find("\"id\"") != std::string::npos);
  CHECK(parse_json(R"({"a":{"k":1},"b":{"k":1}})"));
}

TEST_CASE("integers that do not fit are refused instead of rounded") {
  CHECK(refused("18446744073709551616").find("18446744073709551616") != std::string::npos);
  CHECK(refused("-9223372036854775809").find("does not fit") != std::string::npos);
  CHECK(refused("[1e999]") != "");
  CHECK(parse_json("-9223372036854775808").value() == INT64_MIN);
  CHECK(parse_json("1e3").value() == 1000.0);
}

TEST_CASE("invalid UTF-8 and broken JSON are refused with a printable reason") {
  for (const std::string& text :
       {std::string("\"\xff\""), std::string("\"\xc0\x80\""), std::string("\"\xed\xa0\x80\""),
        std::string("{\"\xf5\":1}"), std::string("\xff"), std::string(), std::string("{"),
        std::string("[1,]"), std::string("{} {}"), std::string("nul"), std::string("'a'"),
        std::string("\"a\tb\""), std::string("[1] // why"), std::string("NaN"), std::string("01"),
        std::string("\"\\ud800\""), std::string(5000, '\xff')}) {
    const std::string why = refused(text);
    INFO(why);
    CHECK_FALSE(why.empty());
    CHECK(why.size() < 250);
    CHECK(std::all_of(why.begin(), why.end(), [](char c) { return c >= 0x20 && c <= 0x7e; }));
  }
}
