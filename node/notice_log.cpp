#include "node/notice_log.hpp"

#include "node/replica.hpp"

namespace quorate::node {
namespace {

using Phase = consensus::Progress::Phase;

std::string_view phase_text(Phase phase) {
  switch (phase) {
    case Phase::proposed: return "proposed";
    case Phase::pre_prepared: return "accepted proposal";
    case Phase::prepared: return "prepared";
    case Phase::committed: return "committed";
    case Phase::executed: return "executed";
    case Phase::sealed: return "sealed";
    case Phase::checkpoint_stable: return "checkpoint is stable";
    case Phase::view_left: return "asks for a view";
    case Phase::view_entered: return "entered a view";
    case Phase::suspected: return "suspects the primary";
    case Phase::mined: return "mined a block";
    case Phase::branch_switched: return "switched to a branch with more work";
    case Phase::parted: return "on another chain than its peers, theirs has more work";
    case Phase::reunited: return "no peer shows another chain with more work any more";
  }
  return "progress";
}

std::string text(Height height) { return std::to_string(height.value()); }
std::string text(View view) { return std::to_string(view.value()); }

}  // namespace

void NoticeLog::refused(const Notice& notice) {
  const std::string peer = notice.peer ? std::to_string(notice.peer->value()) : "";
  LogBudget& budget = refused_.try_emplace(notice.peer, kRefusedMax).first->second;
  const LogBudget::Verdict lines = budget.take(LogBudget::Clock::now());
  if (lines.unlogged > 0) {
    log_.warning("consensus", "further refused messages were not logged",
                 {{"peer", peer}, {"count", std::to_string(lines.unlogged)}});
  }
  if (!lines.log) return;
  log_.warning("consensus", "refused a message", {{"peer", peer}, {"reason", notice.text}});
}

void NoticeLog::notice(const Notice& notice) {
  const std::string peer = notice.peer ? std::to_string(notice.peer->value()) : "";
  switch (notice.kind) {
    case Notice::Kind::progress:
      if (!notice.phase) return;
      if (*notice.phase == Phase::view_entered) {
        return log_.info("consensus", phase_text(*notice.phase), {{"view", text(notice.view)}});
      }
      if (*notice.phase == Phase::view_left || *notice.phase == Phase::suspected) {
        return log_.info("consensus", phase_text(*notice.phase),
                         {{"view", text(notice.view)}, {"cause", notice.text}});
      }
      if (*notice.phase == Phase::mined) {
        return log_.info("consensus", phase_text(*notice.phase), {{"height", text(notice.height)}});
      }
      if (*notice.phase == Phase::branch_switched && notice.blocks > 0) {
        return log_.info("consensus", phase_text(*notice.phase),
                         {{"common_height", text(notice.height)},
                          {"blocks_left", std::to_string(notice.blocks)}});
      }
      if (*notice.phase == Phase::parted) {
        return log_.error("consensus", phase_text(*notice.phase),
                          {{"since_height", text(notice.height)}, {"remedy", kPartedRemedy}});
      }
      if (*notice.phase == Phase::reunited) {
        return log_.info("consensus", phase_text(*notice.phase));
      }
      return log_.debug("consensus", phase_text(*notice.phase),
                        {{"height", text(notice.height)}, {"view", text(notice.view)}});
    case Notice::Kind::block_executed: {
      if (!notice.block) return;
      const ledger::ExecutedBlock& block = *notice.block;
      const std::string transactions = std::to_string(block.transactions.size());
      if (!notice.agreed_in) {
        return log_.info("consensus", "committed block",
                         {{"height", text(block.header.height)},
                          {"txs", transactions},
                          {"hash", to_0x(block.block_hash)}});
      }
      return log_.info("consensus", "committed block",
                       {{"height", text(block.header.height)},
                        {"view", text(*notice.agreed_in)},
                        {"txs", transactions},
                        {"hash", to_0x(block.block_hash)}});
    }
    case Notice::Kind::blocks_withdrawn: {
      return log_.warning("consensus", "blocks were withdrawn: another branch has more work",
                          {{"height", text(notice.height)},
                           {"blocks", std::to_string(notice.blocks)},
                           {"txs", std::to_string(notice.transactions)},
                           {"no_room", std::to_string(notice.dropped)}});
    }
    case Notice::Kind::message_rejected: return refused(notice);
    case Notice::Kind::equivocation:
      return log_.error("consensus", "a replica signed two contents; the proof follows",
                        {{"replica", peer}, {"what", notice.text}, {"proof", to_0x(notice.proof)}});
    case Notice::Kind::sync_started:
      return log_.info("sync", "fetching blocks from peers", {{"height", text(notice.height)}});
    case Notice::Kind::sync_finished:
      return log_.info("sync", "finished fetching blocks", {{"height", text(notice.height)}});
    case Notice::Kind::halted:
      return log_.error("consensus", "halted: this node votes no more", {{"reason", notice.text}});
    case Notice::Kind::diverged:
      return log_.error("consensus", "the ledger of this node went wrong and is replaced",
                        {{"height", text(notice.height)}, {"reason", notice.text}});
    case Notice::Kind::block_sealed:
    case Notice::Kind::certificate_stored:
    case Notice::Kind::transaction_pooled: return;
  }
}

}  // namespace quorate::node
