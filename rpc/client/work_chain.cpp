#include "rpc/client/work_chain.hpp"

#include <algorithm>

#include "consensus/engine_list.hpp"

namespace quorate::rpc {

namespace work = crypto::work;

namespace {

constexpr std::uint32_t kPage = 1000;

Result<std::vector<work::Header>> ask(const WorkChain::Source& source, Height from,
                                      std::uint32_t limit) {
  QUORATE_TRY(const std::vector<Bytes> encoded, source(from, limit));
  if (encoded.size() > limit) {
    return fail(Errc::bad_encoding, "more work headers than were asked for");
  }
  std::vector<work::Header> out;
  for (const Bytes& bytes : encoded) {
    QUORATE_TRY(const work::Header header, work::decode_header(bytes));
    const Height wanted = from.saturating_add(out.size());
    if (header.height != wanted) {
      return fail(Errc::bad_encoding,
                  "a work header of height " + std::to_string(header.height.value()) +
                      " in the place of height " + std::to_string(wanted.value()));
    }
    out.push_back(header);
  }
  return out;
}

}  // namespace

bool proved_by_work(const ledger::Genesis& genesis) {
  return consensus::proved_by(genesis.consensus.engine) == consensus::ProvedBy::work;
}

bool proved_by_nothing(const ledger::Genesis& genesis) {
  return consensus::proved_by(genesis.consensus.engine) == consensus::ProvedBy::none;
}

Result<WorkChain> WorkChain::open(const ledger::Genesis& genesis,
                                  const std::optional<std::filesystem::path>& file,
                                  const work::WorkFunction& work_function) {
  QUORATE_TRY(const work::Parameters parameters,
              work::parse_parameters(genesis.consensus.engine_parameters));
  QUORATE_TRY(HeaderFile headers, file ? HeaderFile::open(*file) : HeaderFile::temporary());
  const crypto::Membership members = ledger::membership(genesis);
  WorkChain out(
      work::HeaderRules(parameters, members.chain_id, genesis.genesis_time, members.validators),
      std::move(headers), work_function);
  auto tip = out.context_at(out.file_.tip());
  if (!tip) {  // not what this program wrote
    QUORATE_CHECK(out.file_.truncate(Height(0)));
    tip = out.rules_.genesis();
  }
  out.tip_ = *tip;
  return out;
}

std::uint64_t WorkChain::depth(Height height) const {
  return height > tip() ? 0 : tip().value() - height.value() + 1;
}

Result<HeaderFile::Record> WorkChain::record(Height height) const {
  if (height == Height(0) || height > tip()) {
    return fail(Errc::not_found, "no work header of height " + std::to_string(height.value()) +
                                     " is known; the tip is " + std::to_string(tip().value()));
  }
  return file_.read(height);
}

Result<work::Header> WorkChain::header(Height height) const {
  QUORATE_TRY(const HeaderFile::Record known, record(height));
  return known.header;
}

Result<Digest> WorkChain::id(Height height) const {
  QUORATE_TRY(const work::Header known, header(height));
  return work::id_of(known);
}

Result<work::Context> WorkChain::context_at(Height height) const {
  if (height == Height(0)) return rules_.genesis();
  const std::uint64_t count = std::min<std::uint64_t>(height.value(), work::kHeadersToResume);
  std::vector<work::Header> newest;
  work::Uint256 total_work;
  for (std::uint64_t at = height.value() - count + 1; at <= height.value(); ++at) {
    QUORATE_TRY(const HeaderFile::Record record, file_.read(Height(at)));
    newest.push_back(record.header);
    total_work = record.total_work;
  }
  QUORATE_TRY(work::HeaderRules::Resumed resumed, rules_.resume(newest));
  for (std::size_t i = resumed.next; i < newest.size(); ++i) {
    QUORATE_TRY(resumed.context, rules_.extend(resumed.context, newest[i], work::id_of(newest[i])));
  }
  resumed.context.total_work = total_work;
  return resumed.context;
}

Result<bool> WorkChain::shows(const Source& source, Height height, const Digest& id) const {
  QUORATE_TRY(const std::vector<work::Header> theirs, ask(source, height, 1));
  return !theirs.empty() && work::id_of(theirs.front()) == id;
}

Result<Height> WorkChain::shared_with(const Source& source) const {
  std::uint64_t back = 0;
  for (std::uint64_t step = 1; back < tip().value(); step *= 2) {
    const Height at(tip().value() - back);
    QUORATE_TRY(const Digest own, id(at));
    QUORATE_TRY(const bool shared, shows(source, at, own));
    if (shared) return at;
    back += step;
  }
  return Height(0);
}

Result<bool> WorkChain::follow(const Source& source, WallMs now) {
  QUORATE_TRY(const Height fork, shared_with(source));
  const work::Uint256 known = tip_.total_work;
  if (fork < tip()) {
    // Kept apart until it weighs more.
    QUORATE_TRY(work::Context context, context_at(fork));
    QUORATE_TRY(HeaderFile other, HeaderFile::temporary(fork));
    QUORATE_CHECK(read(source, now, context, other, known));
    if (context.total_work <= known) return false;
    QUORATE_CHECK(replace_above(fork, other));
    tip_ = context;
  }
  QUORATE_CHECK(read(source, now, tip_, file_, work::Uint256::max()));
  return tip_.total_work > known;
}

Result<void> WorkChain::read(const Source& source, WallMs now, work::Context& context,
                             HeaderFile& file, const work::Uint256& enough) const {
  while (context.total_work <= enough) {
    QUORATE_TRY(const std::vector<work::Header> page, ask(source, context.height.next(), kPage));
    if (!page.empty() && page.front().parent != context.id) {
      return fail(Errc::unavailable, "it went on to another branch while it was read");
    }
    for (const work::Header& header : page) {
      if (rules_.too_early(header, now)) return {};
      QUORATE_TRY(const work::Context child, rules_.check(context, header, *work_));
      QUORATE_CHECK(file.append({header, child.total_work}));
      context = child;
    }
    if (page.size() < kPage) return {};
  }
  return {};
}

Result<void> WorkChain::replace_above(Height fork, const HeaderFile& other) {
  QUORATE_CHECK(file_.truncate(fork));
  for (Height at = fork.next(); at <= other.tip(); at = at.next()) {
    QUORATE_TRY(const HeaderFile::Record record, other.read(at));
    QUORATE_CHECK(file_.append(record));
  }
  return {};
}

}  // namespace quorate::rpc
