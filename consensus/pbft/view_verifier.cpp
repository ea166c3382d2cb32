// Deep checks of SUSPECT, VIEW-CHANGE and NEW-VIEW: one bad entry refuses the whole message.
#include "consensus/pbft/message_verifier.hpp"
#include "consensus/pbft/new_view.hpp"
#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pbft {

Result<void> PbftMessageVerifier::check(const Suspect& m) const {
  return check_signature(m.replica, suspect_signing_digest(membership_, m.view, m.reason),
                         m.signature, "SUSPECT");
}

Result<void> PbftMessageVerifier::check(const ViewChangeStub& stub) const {
  if (QUORATE_MUTANT(view_change_signature_unchecked)) return {};
  return check_signature(stub.replica, view_change_signing_digest(membership_, stub),
                         stub.signature, "VIEW-CHANGE");
}

Result<void> PbftMessageVerifier::check(const NewViewStub& stub) const {
  const ReplicaId primary(static_cast<std::uint32_t>(stub.view.value() % membership_.size()));
  return check_signature(primary, new_view_signing_digest(membership_, stub), stub.signature,
                         "NEW-VIEW");
}

// A core signed by its view's primary, and PREPAREs of exactly q-1 others.
Result<void> PbftMessageVerifier::check(const PreparedCertificate& certificate) const {
  const Ballot& ballot = certificate.core.ballot;
  const auto primary = static_cast<std::uint32_t>(ballot.view.value() % membership_.size());
  if (certificate.prepares.size() + 1 != membership_.quorum()) {
    return fail(Errc::bad_signature, "a prepared certificate of another size than q-1");
  }
  QUORATE_CHECK(check(certificate.core));
  const Digest digest = vote_signing_digest(membership_, VoteKind::prepare, ballot);
  for (const crypto::ReplicaSignature& prepare : certificate.prepares) {
    if (prepare.replica == ReplicaId(primary) && !QUORATE_MUTANT(prepare_of_primary_counts)) {
      return fail(Errc::bad_signature, "a prepared certificate counts a PREPARE of the primary");
    }
    if (QUORATE_MUTANT(prepares_unchecked)) continue;
    QUORATE_CHECK(check_signature(prepare.replica, digest, prepare.signature, "PREPARE"));
  }
  return {};
}

Result<void> PbftMessageVerifier::check(const ViewChangePtr& m) const {
  if (m->view == View(0)) return fail(Errc::bad_signature, "a VIEW-CHANGE for view 0");
  Height last = m->low_watermark();
  const Height top = last.saturating_add(limits_.window);
  for (const PreparedCertificate& certificate : m->prepared) {
    const Ballot& ballot = certificate.core.ballot;
    const bool late = ballot.view >= m->view && !QUORATE_MUTANT(certificate_view_unchecked);
    const bool outside = (ballot.height <= last || ballot.height > top) &&
                         !QUORATE_MUTANT(certificate_height_unchecked);
    if (outside || late) {
      return fail(Errc::bad_signature, "a certificate that does not belong into its VIEW-CHANGE");
    }
    last = ballot.height;
  }
  QUORATE_CHECK(check(stub_of(*m)));
  if (m->stable) {
    if (m->stable->claim.height == Height(0)) {
      return fail(Errc::bad_signature, "a VIEW-CHANGE proves a checkpoint at height 0");
    }
    if (!QUORATE_MUTANT(view_change_checkpoint_unchecked)) QUORATE_CHECK(check(*m->stable));
  }
  for (const PreparedCertificate& certificate : m->prepared) QUORATE_CHECK(check(certificate));
  return {};
}

Result<void> PbftMessageVerifier::check(const NewViewPtr& m) const {
  const std::uint32_t needed =
      membership_.quorum() - (QUORATE_MUTANT(new_view_one_short) ? 1U : 0U);
  if (m->view == View(0) || m->view_changes.size() != needed) {
    return fail(Errc::bad_signature, "a NEW-VIEW without exactly q VIEW-CHANGEs");
  }
  for (std::size_t i = 0; i < m->view_changes.size(); ++i) {
    const ViewChange& entry = *m->view_changes[i];
    const bool other = entry.view != m->view && !QUORATE_MUTANT(new_view_of_other_views);
    const bool twice = i > 0 && entry.replica <= m->view_changes[i - 1]->replica &&
                       !QUORATE_MUTANT(new_view_counts_twice);
    if (other || twice) {
      return fail(Errc::bad_signature,
                  "a NEW-VIEW whose VIEW-CHANGEs are for another view, "
                  "of one replica twice, or out of order");
    }
  }
  QUORATE_CHECK(check(stub_of(*m)));
  for (const ViewChangePtr& entry : m->view_changes) QUORATE_CHECK(check(entry));
  QUORATE_TRY(const NewViewPlan plan, compute_new_view(membership_, m->view, m->view_changes));
  const bool equal =
      std::equal(plan.ballots.begin(), plan.ballots.end(), m->proposals.begin(), m->proposals.end(),
                 [](const Ballot& ballot, const Core& core) { return ballot == core.ballot; });
  if (!equal && !QUORATE_MUTANT(new_view_proposals_unchecked)) {
    return fail(Errc::bad_signature, "a NEW-VIEW that proposes other than its VIEW-CHANGEs demand");
  }
  for (const Core& core : m->proposals) QUORATE_CHECK(check(core));
  return {};
}

}  // namespace quorate::consensus::pbft
