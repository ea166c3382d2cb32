#include "crypto/hash.hpp"

#include <catch2/catch.hpp>
#include <thread>

namespace quorate::crypto {

TEST_CASE("SHA-256 gives the published digests") {
  CHECK(to_hex(sha256({})) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(to_hex(sha256(as_bytes("abc"))) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_hex(sha256(Bytes(1000000, 'a'))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("a tagged hash is SHA-256 over the tag, a zero byte and the parts") {
  const std::string_view whole("quorate/test/1\0onetwo", 21);
  CHECK(hash("quorate/test/1", {as_bytes("one"), as_bytes("two")}) == sha256(as_bytes(whole)));
  CHECK(hash("quorate/test/1", {}) == sha256(as_bytes(whole.substr(0, 15))));
}

TEST_CASE("the same bytes under another tag have another hash") {
  const ByteView bytes = as_bytes("the same bytes");
  CHECK(hash("quorate/tx/1", {bytes}) != hash("quorate/txid/1", {bytes}));
  // Not even a tag that is a prefix of another, with the rest moved into the bytes.
  CHECK(hash("quorate/tx", {as_bytes("/1")}) != hash("quorate/tx/1", {}));
}

TEST_CASE("hashing on several threads at once gives each its own result") {
  std::vector<std::thread> threads;
  std::array<bool, 4> same{};
  for (std::size_t t = 0; t < same.size(); ++t) {
    threads.emplace_back([&same, t] {
      const Bytes input(100 + t, static_cast<std::uint8_t>(t));
      const Digest expected = sha256(input);
      same[t] = true;
      for (int i = 0; i < 2000; ++i) same[t] = same[t] && sha256(input) == expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(same == std::array<bool, 4>{true, true, true, true});
}

TEST_CASE("BLAKE2b-160 is its own function, not a shortened BLAKE2b-256") {
  CHECK(to_hex(blake2b_160({})) == "3345524abf6bbe1809449224b5972c41790b6cf2");
  CHECK(to_hex(blake2b_160(as_bytes("abc"))) == "384264f676f39536840523f284921cdc68b6846b");
  // BLAKE2b-256 of "abc" starts with bddd813c634239723171.
  CHECK(to_hex(blake2b_160(as_bytes("abc"))).substr(0, 8) != "bddd813c");
}

}  // namespace quorate::crypto
