#include "crypto/keystore.hpp"

#include <sodium.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "crypto/base/assert.hpp"
#include "crypto/secure_file.hpp"
#include "crypto/sodium.hpp"

namespace quorate::crypto {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "quorate-keystore";
constexpr std::string_view kCipher = "xchacha20-poly1305-ietf";
constexpr std::string_view kKdf = "argon2id";
constexpr std::uint64_t kVersion = 1;
constexpr std::uint64_t kArgon2Version = 19;
constexpr std::uint64_t kKeySize = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::uint32_t kMemoryKibMin = 8;
constexpr std::uint32_t kMemoryKibMax = 2 * 1024 * 1024;
constexpr std::uint32_t kPassesMax = 16;
constexpr std::size_t kTextSizeMax = 16 * 1024;
constexpr int kDepthMax = 4;

using Salt = FixedBytes<crypto_pwhash_argon2id_SALTBYTES, struct SaltTag>;
using Nonce = FixedBytes<crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, struct NonceTag>;
using Sealed =
    FixedBytes<SecretSeed::kSize + crypto_aead_xchacha20poly1305_ietf_ABYTES, struct SealedTag>;

// The parsed file.
struct Envelope {
  Address address;
  KdfCost cost;
  Salt salt;
  Nonce nonce;
  Sealed sealed;
};

// Thirty-two secret bytes on the stack, wiped at the end of their scope.
struct Secret {
  std::array<std::uint8_t, kKeySize> bytes{};
  Secret() = default;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { sodium_memzero(bytes.data(), bytes.size()); }
};

std::string associated_data(const Address& address) {
  return "quorate-keystore-v1|" + to_text(address);
}

bool is_within_bounds(std::uint64_t memory_kib, std::uint64_t passes) {
  return memory_kib >= kMemoryKibMin && memory_kib <= kMemoryKibMax && passes >= 1 &&
         passes <= kPassesMax;
}

Result<void> stretch(std::string_view passphrase, const Salt& salt, KdfCost cost, Secret& key) {
  ensure_sodium();
  const std::size_t memory = static_cast<std::size_t>(cost.memory_kib) * 1024;
  if (crypto_pwhash_argon2id(key.bytes.data(), key.bytes.size(), passphrase.data(),
                             passphrase.size(), salt.data(), cost.passes, memory,
                             crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
    return fail(Errc::unavailable, "not enough memory to derive the key: it takes " +
                                       std::to_string(cost.memory_kib / 1024) +
                                       " MiB; free some and try again");
  }
  return {};
}

// Reading.

tl::unexpected<Error> not_a_keystore(const std::string& why) {
  return fail(Errc::bad_encoding, "not a keystore: " + why);
}

// Refuses deep nesting while it parses (copying a deeply nested value would overflow the stack) and
// objects that name a member twice (readers would disagree on which one counts).
Result<Json> parse_json(std::string_view text) {
  if (text.size() > kTextSizeMax) return not_a_keystore("the file is too large");
  bool too_deep = false;
  bool repeated = false;
  std::vector<std::set<std::string>> names(kDepthMax + 2);
  const Json::parser_callback_t gate = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kDepthMax) {
      too_deep = true;
      return false;
    }
    const auto level = static_cast<std::size_t>(depth);
    if (event == Json::parse_event_t::object_start) names[level + 1].clear();
    if (event == Json::parse_event_t::key) {
      repeated = !names[level].insert(parsed.get<std::string>()).second || repeated;
    }
    return true;
  };
  Json out = Json::parse(text, gate, /*allow_exceptions=*/false);
  if (too_deep) return not_a_keystore("the JSON is nested too deeply");
  if (out.is_discarded() || !out.is_object()) return not_a_keystore("it is not a JSON object");
  if (repeated) return not_a_keystore("a member of the JSON occurs twice");
  return out;
}

Result<const Json*> member(const Json& object, const std::string& name) {
  const auto found = object.find(name);
  if (found == object.end()) return not_a_keystore("\"" + name + "\" is missing");
  return &*found;
}

Result<const Json*> object_at(const Json& object, const std::string& name) {
  QUORATE_TRY(const Json* const value, member(object, name));
  if (!value->is_object()) return not_a_keystore("\"" + name + "\" is not an object");
  return value;
}

Result<std::string> text_at(const Json& object, const std::string& name) {
  QUORATE_TRY(const Json* const value, member(object, name));
  if (!value->is_string()) return not_a_keystore("\"" + name + "\" is not a string");
  return value->get<std::string>();
}

Result<std::uint64_t> number_at(const Json& object, const std::string& name) {
  QUORATE_TRY(const Json* const value, member(object, name));
  if (!value->is_number_unsigned()) return not_a_keystore("\"" + name + "\" is not a whole number");
  return value->get<std::uint64_t>();
}

template <class Fixed>
Result<Fixed> fixed_at(const Json& object, const std::string& name) {
  QUORATE_TRY(const std::string text, text_at(object, name));
  auto value = Fixed::from_hex(text);
  if (!value) {
    return not_a_keystore("\"" + name + "\" is not " + std::to_string(Fixed::kSize) +
                          " bytes of hex");
  }
  return *value;
}

Result<void> expect_text(const Json& object, const std::string& name, std::string_view expected) {
  QUORATE_TRY(const std::string text, text_at(object, name));
  if (text != expected) {
    return not_a_keystore("\"" + name + "\" is \"" + text.substr(0, 40) + "\"; only \"" +
                          std::string(expected) + "\" is known here");
  }
  return {};
}

Result<void> expect_number(const Json& object, const std::string& name, std::uint64_t expected) {
  QUORATE_TRY(const std::uint64_t value, number_at(object, name));
  if (value != expected) {
    return not_a_keystore("\"" + name + "\" is " + std::to_string(value) + "; only " +
                          std::to_string(expected) + " is known here");
  }
  return {};
}

Result<void> read_kdf(const Json& parameters, Envelope& out) {
  QUORATE_CHECK(expect_number(parameters, "version", kArgon2Version));
  QUORATE_CHECK(expect_number(parameters, "p", 1));
  QUORATE_CHECK(expect_number(parameters, "dklen", kKeySize));
  QUORATE_TRY(const std::uint64_t memory_kib, number_at(parameters, "m"));
  QUORATE_TRY(const std::uint64_t passes, number_at(parameters, "t"));
  if (!is_within_bounds(memory_kib, passes)) {
    return not_a_keystore("its key derivation (m=" + std::to_string(memory_kib) +
                          " KiB, t=" + std::to_string(passes) +
                          ") is outside 8 KiB to 2 GiB and 1 to 16 passes");
  }
  out.cost = {static_cast<std::uint32_t>(memory_kib), static_cast<std::uint32_t>(passes)};
  QUORATE_TRY(out.salt, fixed_at<Salt>(parameters, "salt"));
  return {};
}

Result<Envelope> parse_envelope(std::string_view text) {
  QUORATE_TRY(const Json json, parse_json(text));
  QUORATE_CHECK(expect_text(json, "format", kFormat));
  QUORATE_CHECK(expect_number(json, "version", kVersion));
  Envelope out;
  QUORATE_TRY(const std::string address, text_at(json, "address"));
  QUORATE_TRY(out.address, parse_address(address));
  QUORATE_TRY(const Json* const crypto, object_at(json, "crypto"));
  QUORATE_CHECK(expect_text(*crypto, "cipher", kCipher));
  QUORATE_TRY(const Json* const cipher_parameters, object_at(*crypto, "cipherparams"));
  QUORATE_TRY(out.nonce, fixed_at<Nonce>(*cipher_parameters, "nonce"));
  QUORATE_TRY(out.sealed, fixed_at<Sealed>(*crypto, "ciphertext"));
  QUORATE_CHECK(expect_text(*crypto, "kdf", kKdf));
  QUORATE_TRY(const Json* const kdf_parameters, object_at(*crypto, "kdfparams"));
  QUORATE_CHECK(read_kdf(*kdf_parameters, out));
  return out;
}

// Writing.

// RFC 3339 in UTC with milliseconds; `time_separator` stands between hours, minutes and seconds.
std::string format_time(WallMs at, char time_separator) {
  using std::chrono::days;
  using std::chrono::floor;
  constexpr std::uint64_t kLatest = 253402300799999;  // the end of the year 9999
  const std::chrono::sys_time<std::chrono::milliseconds> time{
      std::chrono::milliseconds(std::min(at.value(), kLatest))};
  const auto midnight = floor<days>(time);
  const std::chrono::year_month_day date(midnight);
  const std::chrono::hh_mm_ss clock(time - midnight);
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%04d-%02u-%02uT%02d%c%02d%c%02d.%03dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                time_separator, static_cast<int>(clock.minutes().count()), time_separator,
                static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  return out.data();
}

Json to_json(const Envelope& envelope, WallMs created) {
  const Json kdf_parameters = {{"version", kArgon2Version}, {"m", envelope.cost.memory_kib},
                               {"t", envelope.cost.passes}, {"p", 1},
                               {"dklen", kKeySize},         {"salt", to_hex(envelope.salt)}};
  return {{"format", kFormat},
          {"version", kVersion},
          {"address", to_text(envelope.address)},
          {"created", format_time(created, ':')},
          {"crypto",
           {{"cipher", kCipher},
            {"cipherparams", {{"nonce", to_hex(envelope.nonce)}}},
            {"ciphertext", to_hex(envelope.sealed)},
            {"kdf", kKdf},
            {"kdfparams", kdf_parameters}}}};
}

}  // namespace

Result<std::string> seal_keystore(const AccountKey& key, std::string_view passphrase,
                                  WallMs created, KdfCost cost) {
  if (!is_within_bounds(cost.memory_kib, cost.passes)) {
    return fail(Errc::invalid_argument,
                "a keystore is derived with 8 KiB to 2 GiB of memory and 1 to 16 passes");
  }
  ensure_sodium();
  Envelope envelope;
  envelope.address = address_of(key.public_key());
  envelope.cost = cost;
  randombytes_buf(envelope.salt.data(), Salt::kSize);
  randombytes_buf(envelope.nonce.data(), Nonce::kSize);
  Secret sealing_key;
  QUORATE_CHECK(stretch(passphrase, envelope.salt, cost, sealing_key));
  const std::string associated = associated_data(envelope.address);
  const ByteView seed = key.expose_seed();
  const int sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(
      envelope.sealed.data(), nullptr, seed.data(), seed.size(), as_bytes(associated).data(),
      associated.size(), nullptr, envelope.nonce.data(), sealing_key.bytes.data());
  QUORATE_ASSERT(sealed == 0);
  return to_json(envelope, created).dump(2) + "\n";
}

Result<AccountKey> open_keystore(std::string_view text, std::string_view passphrase) {
  QUORATE_TRY(const Envelope envelope, parse_envelope(text));
  Secret sealing_key;
  QUORATE_CHECK(stretch(passphrase, envelope.salt, envelope.cost, sealing_key));
  const std::string associated = associated_data(envelope.address);
  Secret seed;
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          seed.bytes.data(), nullptr, nullptr, envelope.sealed.data(), Sealed::kSize,
          as_bytes(associated).data(), associated.size(), envelope.nonce.data(),
          sealing_key.bytes.data()) != 0) {
    return fail(Errc::permission, "wrong passphrase for " + to_text(envelope.address) +
                                      " (or the keystore was altered); try again");
  }
  QUORATE_TRY(SecretSeed secret, SecretSeed::from(seed.bytes));
  AccountKey key(std::move(secret));
  if (address_of(key.public_key()) != envelope.address) {
    return fail(Errc::corrupt, "the keystore of " + to_text(envelope.address) +
                                   " holds the key of another account");
  }
  return key;
}

Result<KeystoreInfo> read_keystore_info(std::string_view text) {
  QUORATE_TRY(const Envelope envelope, parse_envelope(text));
  return KeystoreInfo{envelope.address, envelope.cost};
}

std::string keystore_file_name(const Address& address, WallMs created) {
  return "UTC--" + format_time(created, '-') + "--" + to_text(address) + ".json";
}

Result<std::filesystem::path> save_keystore(const std::filesystem::path& directory,
                                            const AccountKey& key, std::string_view passphrase,
                                            WallMs created, KdfCost cost) {
  QUORATE_TRY(const std::string text, seal_keystore(key, passphrase, created, cost));
  const auto file = directory / keystore_file_name(address_of(key.public_key()), created);
  QUORATE_CHECK(write_private_file(file, as_bytes(text)));
  return file;
}

Result<AccountKey> load_keystore(const std::filesystem::path& file, std::string_view passphrase) {
  QUORATE_TRY(const Bytes bytes, read_private_file(file));
  auto key = open_keystore({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, passphrase);
  if (!key) return fail(key.error().code, file.string() + ": " + key.error().detail);
  return key;
}

}  // namespace quorate::crypto
