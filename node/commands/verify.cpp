#include "consensus/factory.hpp"
#include "ledger/audit.hpp"
#include "ledger/erase_above.hpp"
#include "ledger/rocksdb/rocksdb_store.hpp"
#include "node/commands/commands.hpp"
#include "node/config/genesis_file.hpp"
#include "node/engine_config.hpp"

namespace quorate::node {
namespace {

using consensus::MessageVerifier;

Result<ledger::ProvedOrder> check_order(const consensus::EngineParts& parts, Height height,
                                        ByteView payload, ByteView certificate) {
  const MessageVerifier& messages = *parts.message_verifier;
  QUORATE_TRY(const consensus::CommittedPayload proved,
              messages.verify_commit_certificate(certificate));
  // Called once for each height from 1 on, in order.
  if (parts.order_audit) QUORATE_CHECK(parts.order_audit->next(certificate));
  if (proved.height != height) {
    return fail(Errc::corrupt,
                "the commit certificate is for height " + std::to_string(proved.height.value()));
  }
  if (proved.payload_digest != messages.payload_digest(payload)) {
    return fail(Errc::corrupt, "the commit certificate is for another payload");
  }
  return ledger::ProvedOrder{proved.id, proved.proposed_time, proved.proposer};
}

void show_progress(const Output& output, Height done, Height head) {
  constexpr std::uint64_t kStep = 64;
  if (done.value() % kStep != 0 && done != head) return;
  const std::uint64_t percent = head.value() == 0 ? 100 : done.value() * 100 / head.value();
  output.progress("verified " + std::to_string(done.value()) + " of " +
                  std::to_string(head.value()) + " blocks (" + std::to_string(percent) + " %)");
  if (done == head) output.progress("");
}

// A node that was killed while it took blocks back does so at its next start.
CommandResult<> erase_withdrawn(ledger::KvStore& store, const Output& output) {
  const auto erased = ledger::finish_rewind(store);
  if (!erased && erased.error().code == Errc::not_found)
    return {};  // the audit names what is wrong
  QUORATE_TRY(const std::uint64_t blocks, or_stop(erased, ExitCode::io_or_corrupt));
  if (blocks == 0) return {};
  output.done("erased " + std::to_string(blocks) +
              " withdrawn blocks, which an interrupted rewind had left");
  return {};
}

Report report_of(const ledger::AuditReport& audited, const ledger::Genesis& genesis) {
  Report out;
  out.add("chain_id", to_0x(ledger::chain_id(genesis)));
  out.add("height", audited.head.value()).add("block_hash", to_0x(audited.block_hash));
  out.add("state_root", to_0x(audited.state_root));
  out.add("transactions", audited.transactions).add("executed", audited.executed);
  out.add("block_certificates", audited.block_certificates);
  out.add("accounts", audited.accounts);
  out.add("total_balance", std::to_string(audited.total_balance));
  out.add("verified", true);
  return out;
}

}  // namespace

CommandResult<> verify(const CommandContext& context) {
  QUORATE_TRY(const Home home, context.home());
  QUORATE_TRY(const ledger::Genesis genesis,
              or_stop_configuration(read_genesis_file(home.genesis_file())));
  QUORATE_TRY(const HomeLock lock, or_stop(HomeLock::acquire(home)));
  QUORATE_TRY(const auto store,
              or_stop(ledger::RocksdbStore::open(home.database_folder(),
                                                 ledger::RocksdbStore::Missing::refuse)));
  QUORATE_CHECK(erase_withdrawn(*store, context.output));
  const crypto::Ed25519Verifier signatures;
  QUORATE_TRY(const consensus::EngineParts parts,
              or_stop(consensus::make_engine(engine_config(genesis, {}), nullptr, signatures),
                      ExitCode::configuration));

  ledger::AuditOptions options;
  options.check_commit_certificate = [&parts](Height height, ByteView payload,
                                              ByteView certificate) {
    return check_order(parts, height, payload, certificate);
  };
  options.progress = [&context](Height done, Height head) {
    show_progress(context.output, done, head);
  };
  // Whatever is wrong with the stored chain, another chain's data included, is a bad database.
  QUORATE_TRY(
      const ledger::AuditReport audited,
      or_stop(ledger::audit(*store, genesis, signatures, options), ExitCode::io_or_corrupt));
  context.output.report(report_of(audited, genesis));
  context.output.done("every root, receipt and certificate of " +
                      std::to_string(audited.head.value()) + " blocks holds");
  return {};
}

}  // namespace quorate::node
