#include "node/evidence_store.hpp"

#include <algorithm>

#include "crypto/codec/reader.hpp"
#include "crypto/codec/writer.hpp"
#include "crypto/secure_file.hpp"
#include "crypto/verifier.hpp"
#include "node/engine_config.hpp"

namespace quorate::node {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint32_t kProofBytesMax = 4096;

bool same_place(const consensus::ProvedOffence& a, const consensus::ProvedOffence& b) {
  return a.culprit == b.culprit && a.view == b.view && a.height == b.height &&
         a.contents[0].type == b.contents[0].type;
}

}  // namespace

EvidenceStore::EvidenceStore(std::filesystem::path file, std::size_t per_replica_max,
                             std::shared_ptr<const consensus::MessageVerifier> verifier)
    : file_(std::move(file)), per_replica_max_(per_replica_max), verifier_(std::move(verifier)) {}

Result<std::unique_ptr<EvidenceStore>> EvidenceStore::open(std::filesystem::path file,
                                                           const ledger::Genesis& genesis) {
  static const crypto::Ed25519Verifier kSignatures;
  QUORATE_TRY(auto parts,
              consensus::make_engine(engine_config(genesis, std::nullopt), nullptr, kSignatures));
  const std::size_t share = kEntriesMax / genesis.validators.size();
  std::unique_ptr<EvidenceStore> out(new EvidenceStore(
      std::move(file), std::max<std::size_t>(1, share), std::move(parts.message_verifier)));
  QUORATE_CHECK(out->load());
  return out;
}

Result<void> EvidenceStore::load() {
  const auto bytes = crypto::read_private_file(file_);
  if (!bytes && bytes.error().code == Errc::not_found) return {};
  if (!bytes) return tl::unexpected(bytes.error());
  const std::string what = "the evidence file " + file_.string() + " ";
  const std::string remedy = "; move it aside and start again";
  crypto::Reader in(*bytes);
  const bool known = in.u8() == kVersion;
  for (std::uint32_t left = in.count(0, kEntriesMax, 12); left > 0 && in.ok(); --left) {
    Entry entry;
    entry.found_at = in.integer_of<WallMs>();
    entry.proof = to_bytes(in.bytes(kProofBytesMax));
    auto offence = verifier_->verify_evidence(entry.proof);
    if (!offence) {
      return fail(Errc::corrupt, what + "holds a proof that does not hold on this chain" + remedy);
    }
    entry.offence = std::move(*offence);
    entries_.push_back(std::move(entry));
  }
  if (!known || !in.finish()) return fail(Errc::corrupt, what + "is damaged" + remedy);
  return {};
}

bool EvidenceStore::wanted(const consensus::ProvedOffence& offence) const {
  const auto against = std::count_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.offence.culprit == offence.culprit;
  });
  return static_cast<std::size_t>(against) < per_replica_max_ &&
         std::none_of(entries_.begin(), entries_.end(),
                      [&](const Entry& entry) { return same_place(entry.offence, offence); });
}

Result<void> EvidenceStore::add(WallMs found_at, ByteView proof) {
  QUORATE_TRY(consensus::ProvedOffence offence, verifier_->verify_evidence(proof));
  const std::lock_guard lock(mutex_);
  if (!wanted(offence)) return {};
  entries_.push_back({found_at, to_bytes(proof), std::move(offence), true});
  auto written = write();
  if (!written) {
    entries_.back().stored = false;
    return written;
  }
  for (Entry& entry : entries_) entry.stored = true;  // the whole file is new
  return {};
}

Result<void> EvidenceStore::write() const {
  crypto::Writer out;
  out.u8(kVersion);
  out.u32(static_cast<std::uint32_t>(entries_.size()));
  for (const Entry& entry : entries_) {
    out.integer_of(entry.found_at);
    out.bytes(entry.proof);
  }
  return crypto::replace_private_file(file_, out.view());
}

std::vector<EvidenceStore::Entry> EvidenceStore::all() const {
  const std::lock_guard lock(mutex_);
  return entries_;
}

}  // namespace quorate::node
