// consensus_*: this replica's place in the protocol, and what it can prove against others.
#include "rpc/methods/method.hpp"
#include "rpc/methods/views_json.hpp"

namespace quorate::rpc {

namespace {

MethodResult<Json> get_evidence(const Params& params, const Context& context) {
  QUORATE_TRY(const std::optional<Height> cursor, params.height("cursor"));
  QUORATE_TRY(const std::uint64_t limit, params.number("limit", kListDefault, kListMax));
  if (limit == 0) return tl::unexpected(bad_param("limit", "expected at least 1"));
  const std::vector<EvidenceView> all = context.backend.evidence();
  const std::uint64_t begin = cursor ? cursor->value() : 0;
  Json out = {{"items", Json::array()}, {"next_cursor", nullptr}};
  for (std::uint64_t at = begin; at < all.size(); ++at) {
    if (at - begin == limit) {
      out["next_cursor"] = integer_json(at);
      break;
    }
    out["items"].push_back(to_json(all[at]));
  }
  return out;
}

}  // namespace

std::vector<Method> consensus_methods() {
  return {
      {"consensus_getState",
       "This replica's place in the protocol.",
       {},
       "view, primary and quorum; heights executed, committed, sealed and known, lag and "
       "watermarks; suspects (who would leave the view, and why), view_changes (who asked for "
       "which "
       "higher view), timers with what is left of them, progress_not_timed (why the primary owes "
       "nothing now); starting, halted and observer, with the reason. Under proof of work there "
       "are no views, seals and watermarks, but branch, as in chain_getStatus",
       "{}",
       answer_now([](const Params&, const Context& context) -> MethodResult<Json> {
         return to_json(context.backend.replica_view());
       })},
      {"consensus_getEvidence",
       "Proofs that replicas signed two contents where a correct one signs a single one.",
       {{"cursor", ParamKind::height, false, "how many to leave out; next_cursor of the last page"},
        {"limit", ParamKind::number, false, "1 to 100, default 20"}},
       "items, oldest first: the replica and its key, what was signed twice (type, view, height), "
       "both contents with the digest that each signature covers, and the whole proof as bytes. A "
       "signature that holds under validator_key over signed_digest needs no trust in this node. "
       "stored is false when the disk did not take the proof",
       "{}",
       answer_now(get_evidence)},
  };
}

}  // namespace quorate::rpc
