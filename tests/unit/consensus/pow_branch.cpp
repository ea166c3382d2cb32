#include <catch2/catch.hpp>

#include "tests/unit/consensus/pow_cluster.hpp"

namespace quorate::consensus::test {

pow::FullBlock Branch::next(const Bytes& payload,
                            const std::function<void(crypto::work::Header&)>& shape) {
  const crypto::work::HeaderRules& rules = cluster_.rules();
  crypto::work::Header header;
  header.chain_id = rules.chain_id();
  header.parent = context_.id;
  header.height = context_.height.next();
  header.payload_digest = cluster_.verifier().payload_digest(payload);
  const std::uint64_t known = context_.height.value();
  const std::uint64_t depth = rules.parameters().depth;
  header.exec_ref = hashes_.at(known > depth ? known - depth : 0);
  header.time_s = std::max(rules.earliest_time(context_), context_.time_s + seconds_between);
  header.bits = rules.next_bits(context_);
  header.miner = test_key(miner);
  if (shape) shape(header);
  header.nonce = cluster_.lottery().draw(header);
  const pow::Identified identified = pow::identify(header);
  if (const auto extended = rules.extend(context_, header, identified.id)) {
    context_ = *extended;
    hashes_.push_back(pow_block_hash(hashes_.back(), payload));
  }
  return {identified, std::make_shared<const Bytes>(payload)};
}

void Branch::follow(const pow::FullBlock& block) {
  const auto extended = cluster_.rules().extend(context_, block.header.header, block.header.id);
  REQUIRE(extended);
  context_ = *extended;
  hashes_.push_back(pow_block_hash(hashes_.back(), *block.payload));
}

pow::Headers HeaderServer::answer(const pow::AskHeaders& question) const {
  std::uint64_t from = 0;
  for (const pow::Waypoint& point : question.locator) {
    const std::uint64_t height = point.height.value();
    if (height == 0 || (height <= headers.size() && headers[height - 1].id == point.id)) {
      from = height;
      break;
    }
  }
  pow::Headers out;
  for (; from < headers.size() && out.headers.size() < pow::kHeadersMax; ++from) {
    out.headers.push_back(headers[from]);
  }
  out.more = !out.headers.empty() && from < headers.size();
  return out;
}

}  // namespace quorate::consensus::test
