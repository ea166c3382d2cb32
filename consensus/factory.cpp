#include "consensus/factory.hpp"

#include "consensus/engine_list.hpp"
#include "consensus/pbft/message_verifier.hpp"
#include "consensus/pbft/pbft_engine.hpp"
#include "consensus/pow/message_verifier.hpp"
#include "consensus/pow/pow_engine.hpp"
#include "consensus/pow/puzzle_solver.hpp"

namespace quorate::consensus {

namespace {

// A vote log record holds one, and the network carries it as one frame.
constexpr std::size_t kMessageBytesMax = std::size_t{128} << 20U;

Result<void> check_identity(const EngineConfig& config, const crypto::Signer* signer) {
  const crypto::Membership& membership = config.membership;
  if (membership.size() == 0) {
    return fail(Errc::invalid_argument, "the membership is empty; name at least one validator");
  }
  const bool wrong_key = config.self && membership.contains(*config.self) && signer != nullptr &&
                         signer->public_key() != membership.key(*config.self);
  if (config.self && (wrong_key || !membership.contains(*config.self))) {
    return fail(Errc::invalid_argument,
                "the validator key is not the one the genesis lists for "
                "replica " +
                    std::to_string(config.self->value()));
  }
  return {};
}

Result<pbft::Settings> pbft_settings(const EngineConfig& config, const crypto::Signer* signer) {
  QUORATE_CHECK(check_identity(config, signer));
  if (config.checkpoint_interval == 0 || config.checkpoint_interval > (1U << 20U)) {
    return fail(Errc::invalid_argument, "checkpoint_interval must be 1..1048576");
  }
  if (config.proposals_in_flight == 0 ||
      config.proposals_in_flight > 2 * config.checkpoint_interval) {
    return fail(Errc::invalid_argument,
                "proposals_in_flight must be 1.." + std::to_string(2 * config.checkpoint_interval));
  }
  if (config.view_timeout <= Duration(0) || config.view_timeout_max < config.view_timeout) {
    return fail(Errc::invalid_argument,
                "view_timeout must be above zero and at most view_timeout_max");
  }
  pbft::Settings out;
  out.membership = config.membership;
  out.self = config.self;
  out.checkpoint_interval = config.checkpoint_interval;
  out.proposals_in_flight = config.proposals_in_flight;
  out.payload_bytes_max = config.payload_bytes_max;
  out.status_interval_busy = config.status_interval_busy;
  out.status_interval_idle = config.status_interval_idle;
  out.proposal_ahead_max = config.proposal_ahead_max;
  out.view_timeout = config.view_timeout;
  out.view_timeout_max = config.view_timeout_max;
  return out;
}

Result<EngineParts> make_pbft(const EngineConfig& config, const crypto::Signer* signer,
                              const crypto::Verifier& verifier) {
  if (!config.parameters.empty()) {
    return fail(Errc::invalid_argument, "the engine \"pbft\" has no parameter \"" +
                                            config.parameters.begin()->first + "\"; remove it");
  }
  QUORATE_TRY(pbft::Settings settings, pbft_settings(config, signer));
  EngineParts parts;
  parts.traits.connected_min = config.membership.quorum();
  parts.traits.silence_max = settings.status_interval_idle * 5 / 2;
  // Two intervals, each longer by an eighth, pass on the best of lines.
  parts.traits.answer_max = settings.status_interval_idle * 4;
  // A later view may speak of as many heights.
  parts.traits.history = 2 * config.checkpoint_interval;
  parts.message_verifier = std::make_shared<const pbft::PbftMessageVerifier>(
      config.membership, config.payload_bytes_max, 2 * config.checkpoint_interval, verifier);
  if (parts.message_verifier->message_bytes_max() > kMessageBytesMax) {
    return fail(Errc::invalid_argument,
                "with " + std::to_string(config.membership.size()) +
                    " validators and checkpoint_interval " +
                    std::to_string(config.checkpoint_interval) + " a NEW-VIEW may take " +
                    std::to_string(parts.message_verifier->message_bytes_max()) +
                    " bytes; lower checkpoint_interval until it is at most " +
                    std::to_string(kMessageBytesMax));
  }
  parts.engine = std::make_unique<pbft::PbftEngine>(std::move(settings), signer);
  return parts;
}

Result<EngineParts> make_pow(const EngineConfig& config, const crypto::Signer* signer,
                             const crypto::work::WorkFunction* work) {
  QUORATE_CHECK(check_identity(config, signer));
  QUORATE_TRY(const crypto::work::Parameters parameters,
              crypto::work::parse_parameters(config.parameters));
  if (work == nullptr) work = &crypto::work::double_sha256();
  pow::Settings settings{
      .membership = config.membership,
      .rules = crypto::work::HeaderRules(parameters, config.membership.chain_id,
                                         config.genesis_time, config.membership.validators),
      .work = work,
      .self = config.self,
      .key = {},
      .payload_bytes_max = config.payload_bytes_max,
      .mine = config.mine,
      .limits = {},
      .status_interval = config.status_interval_idle};
  if (signer != nullptr && config.self) settings.key = signer->public_key();
  if (config.rewind_max != 0) settings.limits.below = config.rewind_max;
  if (config.ahead_max != 0) settings.limits.ahead = config.ahead_max;
  EngineParts parts;
  parts.traits.seals = false;
  // Everybody asks each of the others in turn, whether there is news or not, and answers them.
  const auto others = static_cast<int>(std::max(config.membership.size(), 2U)) - 1;
  parts.traits.silence_max = config.status_interval_idle * (pow::kIntervalsBusy * others);
  parts.traits.commit_depth = parameters.depth;
  parts.traits.history = settings.limits.below + crypto::work::kHeadersToResume;
  parts.traits.mines = true;
  parts.traits.log_binds = false;
  parts.message_verifier = std::make_shared<const pow::PowMessageVerifier>(settings);
  parts.puzzle_solver = std::make_shared<const pow::HeaderSolver>(*work);
  parts.order_audit = std::make_unique<pow::PowOrderAudit>(settings);
  parts.engine = std::make_unique<pow::PowEngine>(std::move(settings));
  return parts;
}

}  // namespace

Result<EngineParts> make_engine(const EngineConfig& config, const crypto::Signer* signer,
                                const crypto::Verifier& verifier,
                                const crypto::work::WorkFunction* work) {
  if (config.engine == "pbft") return make_pbft(config, signer, verifier);
  if (config.engine == "pow") return make_pow(config, signer, work);
  return fail(Errc::invalid_argument,
              "unknown engine \"" + config.engine + "\"; there are: " + engine_names(", "));
}

}  // namespace quorate::consensus
