#include "crypto/work/parameters.hpp"

#include <vector>

#include "crypto/base/nearest.hpp"
#include "crypto/work/bits.hpp"

namespace quorate::crypto::work {
namespace {

constexpr std::uint64_t kIntervalMsMin = 100;
constexpr std::uint64_t kIntervalMsMax = 3'600'000;
constexpr std::uint64_t kDepthMax = 1000;
constexpr std::uint64_t kHalfLifeSMax = 30 * 86'400;
// With less than that the difficulty would follow the luck of single blocks.
constexpr std::uint64_t kHalfLifeIntervals = 8;

using Named = std::map<std::string, std::uint64_t>;

Result<void> check_known(const Named& named) {
  const Named defaults = to_named({});
  std::vector<std::string> known;
  for (const auto& [name, value] : defaults) known.push_back(name);
  for (const auto& [name, value] : named) {
    if (defaults.contains(name)) continue;
    std::string detail = "there is no engine parameter \"" + name + "\"";
    const auto meant = suggestion(name, known);
    detail += meant ? "; did you mean \"" + *meant + "\"?" : ".";
    detail += " There are:";
    for (const std::string& each : known) detail += " " + each;
    return fail(Errc::invalid_argument, detail);
  }
  return {};
}

Result<void> check_range(const Named& values, const std::string& name, std::uint64_t low,
                         std::uint64_t high) {
  const std::uint64_t value = values.at(name);
  if (value >= low && value <= high) return {};
  return fail(Errc::invalid_argument, "the engine parameter " + name + " is " +
                                          std::to_string(value) + "; it must be " +
                                          std::to_string(low) + " to " + std::to_string(high));
}

Result<Uint256> check_bits(const Named& values, const std::string& name) {
  const std::uint64_t value = values.at(name);
  if (value <= 0xffffffffU) {
    if (auto target = target_of_bits(static_cast<std::uint32_t>(value))) return target;
  }
  return fail(Errc::invalid_argument,
              "the engine parameter " + name + " is " + std::to_string(value) +
                  ", which is no canonical target; one of 2^20 hashes per block is " +
                  std::to_string(bits_for(1U << 20U)));
}

Result<void> check_targets(const Named& values) {
  QUORATE_TRY(const Uint256 initial, check_bits(values, "initial_bits"));
  QUORATE_TRY(const Uint256 limit, check_bits(values, "limit_bits"));
  if (initial <= limit) return {};
  return fail(Errc::invalid_argument,
              "the engine parameter initial_bits is an easier target than limit_bits allows; raise "
              "limit_bits to at least " +
                  std::to_string(values.at("initial_bits")));
}

Result<void> check_half_life(const Named& values) {
  const std::uint64_t least_ms = kHalfLifeIntervals * values.at("interval_ms");
  return check_range(values, "half_life_s", (least_ms + 999) / 1000, kHalfLifeSMax);
}

}  // namespace

Result<Parameters> parse_parameters(const Named& named) {
  QUORATE_CHECK(check_known(named));
  Named values = named;
  values.merge(to_named({}));
  QUORATE_CHECK(check_range(values, "interval_ms", kIntervalMsMin, kIntervalMsMax));
  QUORATE_CHECK(check_range(values, "depth", 1, kDepthMax));
  QUORATE_CHECK(check_half_life(values));
  QUORATE_CHECK(check_targets(values));
  Parameters out;
  out.interval_ms = values.at("interval_ms");
  out.depth = static_cast<std::uint32_t>(values.at("depth"));
  out.half_life_s = values.at("half_life_s");
  out.initial_bits = static_cast<std::uint32_t>(values.at("initial_bits"));
  out.limit_bits = static_cast<std::uint32_t>(values.at("limit_bits"));
  return out;
}

Named to_named(const Parameters& parameters) {
  return {{"interval_ms", parameters.interval_ms},
          {"depth", parameters.depth},
          {"half_life_s", parameters.half_life_s},
          {"initial_bits", parameters.initial_bits},
          {"limit_bits", parameters.limit_bits}};
}

}  // namespace quorate::crypto::work
