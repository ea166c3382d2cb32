#include "crypto/mnemonic.hpp"

#include <openssl/evp.h>
#include <sodium.h>

#include "crypto/base/assert.hpp"
#include "crypto/base/nearest.hpp"
#include "crypto/hash.hpp"
#include "crypto/sodium.hpp"
#include "crypto/wordlist.hpp"

namespace quorate::crypto {
namespace {

constexpr unsigned kBitsPerWord = 11;
constexpr int kSeedRounds = 2048;
constexpr std::size_t kSeedSize = 64;
constexpr std::size_t kLongestWord = 8;  // letters

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_word_count(std::size_t words) { return words >= 12 && words <= 24 && words % 3 == 0; }

tl::unexpected<Error> bad_count(std::size_t words) {
  return fail(Errc::invalid_argument,
              "a mnemonic has 12, 15, 18, 21 or 24 words, not " + std::to_string(words));
}

std::vector<std::string> split_lower(std::string_view text) {
  std::vector<std::string> words;
  bool in_word = false;
  for (const char c : text) {
    if (is_space(c)) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    words.back().push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return words;
}

std::string_view nearest_word(std::string_view word) {
  std::string_view nearest;
  std::size_t least = word.size() + kLongestWord + 1;
  for (const std::string_view candidate : kWords) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

tl::unexpected<Error> unknown_word(std::size_t position, const std::string& word) {
  constexpr std::size_t kShownMax = 2 * kLongestWord;
  std::string shown = word.substr(0, kShownMax);
  if (word.size() > kShownMax) shown += "...";
  return fail(Errc::bad_encoding,
              "word " + std::to_string(position) + ", \"" + shown +
                  "\", is not in the list of mnemonic words; the nearest is \"" +
                  std::string(nearest_word(shown)) + "\"");
}

// The number `kBitsPerWord` bits wide that starts at bit `first`, most significant bit first.
std::uint32_t word_index(ByteView bits, std::size_t first) {
  std::uint32_t out = 0;
  for (std::size_t i = first; i < first + kBitsPerWord; ++i) {
    out = (out << 1U) | ((std::uint32_t{bits[i / 8]} >> (7 - i % 8)) & 1U);
  }
  return out;
}

// The entropy that the words encode; their own checksum is not looked at.
Bytes entropy_of(const std::vector<std::uint32_t>& indices) {
  const std::size_t entropy_bits = indices.size() * kBitsPerWord * 32 / 33;
  Bytes out(entropy_bits / 8);
  for (std::size_t bit = 0; bit < entropy_bits; ++bit) {
    const std::uint32_t index = indices[bit / kBitsPerWord];
    const std::uint32_t value = (index >> (kBitsPerWord - 1 - bit % kBitsPerWord)) & 1U;
    out[bit / 8] = static_cast<std::uint8_t>(out[bit / 8] | (value << (7 - bit % 8)));
  }
  return out;
}

// A SLIP-0010 node: the secret in the first half, the chain code in the second.
struct Node {
  std::array<std::uint8_t, crypto_auth_hmacsha512_BYTES> bytes;

  Node(ByteView key, ByteView data) {
    crypto_auth_hmacsha512_state state;
    crypto_auth_hmacsha512_init(&state, key.data(), key.size());
    crypto_auth_hmacsha512_update(&state, data.data(), data.size());
    crypto_auth_hmacsha512_final(&state, bytes.data());
    sodium_memzero(&state, sizeof(state));
  }
  Node(const Node&) = default;
  Node& operator=(const Node&) = default;
  ~Node() { sodium_memzero(bytes.data(), bytes.size()); }

  ByteView secret() const { return ByteView(bytes).first(SecretSeed::kSize); }
  ByteView chain_code() const { return ByteView(bytes).last(SecretSeed::kSize); }

  Node child(std::uint32_t hardened_index) const {
    std::array<std::uint8_t, 1 + SecretSeed::kSize + 4> data{};
    std::copy(secret().begin(), secret().end(), data.begin() + 1);
    for (std::size_t i = 0; i < 4; ++i) {
      data[1 + SecretSeed::kSize + i] = static_cast<std::uint8_t>(hardened_index >> (24 - 8 * i));
    }
    Node out(chain_code(), data);
    sodium_memzero(data.data(), data.size());
    return out;
  }
};

// "44'" gives 2^31 + 44.
Result<std::uint32_t> parse_step(std::string_view step) {
  constexpr std::uint32_t kHardened = 0x80000000U;
  const std::string shown = "the step \"" + std::string(step) + "\" of the derivation path ";
  if (!step.ends_with('\'')) {
    return fail(Errc::invalid_argument,
                shown + "is not hardened; Ed25519 keys need every step to end in \"'\"");
  }
  step.remove_suffix(1);
  const bool digits =
      std::all_of(step.begin(), step.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (step.empty() || step.size() > 10 || !digits) {
    return fail(Errc::invalid_argument, shown + "is not a number followed by \"'\"");
  }
  std::uint64_t value = 0;
  for (const char c : step) value = value * 10 + static_cast<std::uint64_t>(c - '0');
  if (value >= kHardened) return fail(Errc::invalid_argument, shown + "is above 2147483647");
  return static_cast<std::uint32_t>(value) | kHardened;
}

Result<std::vector<std::uint32_t>> parse_path(std::string_view path) {
  std::vector<std::uint32_t> steps;
  if (!path.starts_with('m')) {
    return fail(Errc::invalid_argument, "a derivation path starts with \"m\"");
  }
  path.remove_prefix(1);
  while (!path.empty()) {
    if (path.front() != '/') {
      return fail(Errc::invalid_argument, "the steps of a derivation path are separated by \"/\"");
    }
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    QUORATE_TRY(const std::uint32_t step, parse_step(path.substr(0, end)));
    steps.push_back(step);
    path.remove_prefix(end);
  }
  return steps;
}

}  // namespace

Result<std::string> generate_mnemonic(unsigned words) {
  if (!is_word_count(words)) return bad_count(words);
  ensure_sodium();
  Bytes entropy(words * kBitsPerWord * 32 / 33 / 8);
  randombytes_buf(entropy.data(), entropy.size());
  auto out = mnemonic_from_entropy(entropy);
  wipe(entropy);
  return out;
}

Result<std::string> mnemonic_from_entropy(ByteView entropy) {
  const std::size_t words = entropy.size() * 8 * 33 / 32 / kBitsPerWord;
  if (entropy.size() % 4 != 0 || !is_word_count(words)) {
    return fail(Errc::invalid_argument, "a mnemonic encodes 16, 20, 24, 28 or 32 bytes, not " +
                                            std::to_string(entropy.size()));
  }
  Bytes bits = to_bytes(entropy);
  bits.push_back(sha256(entropy).bytes[0]);  // the checksum is its first 4 to 8 bits
  std::string out;
  for (std::size_t i = 0; i < words; ++i) {
    if (i > 0) out += ' ';
    out += kWords[word_index(bits, i * kBitsPerWord)];
  }
  wipe(bits);
  return out;
}

Result<std::string> normalize_mnemonic(std::string_view text) {
  std::vector<std::string> words = split_lower(text);
  if (!is_word_count(words.size())) return bad_count(words.size());
  std::vector<std::uint32_t> indices;
  for (const std::string& word : words) {
    const auto found = std::lower_bound(kWords.begin(), kWords.end(), word);
    if (found == kWords.end() || *found != word) return unknown_word(indices.size() + 1, word);
    indices.push_back(static_cast<std::uint32_t>(found - kWords.begin()));
  }
  Bytes entropy = entropy_of(indices);
  QUORATE_TRY(std::string checked, mnemonic_from_entropy(entropy));
  wipe(entropy);
  const bool same = checked.ends_with(" " + words.back());
  for (std::string& word : words) wipe(word);
  if (!same) {
    return fail(Errc::bad_encoding,
                "every word is known, but the checksum does not match: a word is wrong or two are "
                "in the wrong order");
  }
  return checked;
}

Bytes mnemonic_seed(std::string_view mnemonic, std::string_view passphrase) {
  std::string salt = "mnemonic" + std::string(passphrase);
  Bytes seed(kSeedSize);
  const int done =
      PKCS5_PBKDF2_HMAC(mnemonic.data(), static_cast<int>(mnemonic.size()), as_bytes(salt).data(),
                        static_cast<int>(salt.size()), kSeedRounds, EVP_sha512(),
                        static_cast<int>(seed.size()), seed.data());
  QUORATE_ASSERT(done == 1);
  wipe(salt);
  return seed;
}

Result<SecretSeed> derive(ByteView seed, std::string_view path) {
  QUORATE_TRY(const std::vector<std::uint32_t> steps, parse_path(path));
  Node node(as_bytes("ed25519 seed"), seed);
  for (const std::uint32_t step : steps) node = node.child(step);
  return SecretSeed::from(node.secret());
}

AccountKey derive_account(ByteView seed, std::uint32_t index) {
  auto secret = derive(seed, "m/44'/1'/0'/0'/" + std::to_string(index) + "'");
  QUORATE_ASSERT(secret.has_value());  // an index above 2^31 - 1 is a bug of the caller
  return AccountKey(std::move(*secret));
}

}  // namespace quorate::crypto
