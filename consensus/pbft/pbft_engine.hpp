// The PBFT engine.
#pragma once

#include "consensus/engine.hpp"
#include "consensus/pbft/settings.hpp"
#include "crypto/signer.hpp"

namespace quorate::consensus::pbft {

class PbftEngine final : public Engine {
 public:
  PbftEngine(Settings settings, const crypto::Signer* signer)
      : settings_(std::move(settings)), signer_(signer) {}
  void step(const Event& event, std::vector<Output>& out) override;
  std::optional<Instant> next_deadline() const override { return std::nullopt; }
  Status status() const override { return {}; }
  std::size_t memory_bytes() const override { return 0; }

 private:
  Settings settings_;
  const crypto::Signer* signer_;
};

}  // namespace quorate::consensus::pbft
