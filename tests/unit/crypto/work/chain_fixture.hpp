// Headers that keep every rule but the proof of work, one after the other.
#pragma once

#include "crypto/hash.hpp"
#include "crypto/work/header_rules.hpp"

namespace quorate::crypto::work::test {

// Every id is good enough.
class NoWork final : public WorkFunction {
 public:
  bool meets(const Header&, const Digest&) const override { return true; }
};

inline PublicKey miner(std::uint8_t number) {
  PublicKey out;
  out.bytes[0] = number;
  return out;
}

constexpr std::uint64_t kGenesisS = 1'800'000'000;

inline HeaderRules rules(const Parameters& parameters = {}) {
  return HeaderRules(parameters, sha256(as_bytes("chain")), WallMs(kGenesisS * 1000 + 250),
                     {miner(4), miner(1), miner(3), miner(2)});
}

inline Header child(const HeaderRules& rules, const Context& parent, std::uint64_t time_s,
                    std::uint64_t nonce = 0) {
  Header out;
  out.chain_id = rules.chain_id();
  out.parent = parent.id;
  out.height = parent.height.next();
  out.time_s = time_s;
  out.bits = rules.next_bits(parent);
  out.nonce = nonce;
  out.miner = miner(1);
  return out;
}

// A chain whose next block comes `gap_s` after the last.
struct Chain {
  explicit Chain(const HeaderRules& its_rules) : rules(its_rules), tip(its_rules.genesis()) {}

  Result<Context> extend(const Header& header) const {
    return rules.extend(tip, header, id_of(header));
  }
  const Context& grow(std::uint64_t gap_s, std::uint64_t nonce = 0) {
    headers.push_back(child(rules, tip, tip.time_s + gap_s, nonce));
    tip = extend(headers.back()).value();
    return tip;
  }

  const HeaderRules& rules;
  Context tip;
  std::vector<Header> headers;
};

}  // namespace quorate::crypto::work::test
