// account_*: balances and their proofs.
#include "rpc/json/fields.hpp"
#include "rpc/methods/method.hpp"
#include "rpc/methods/views_json.hpp"

namespace quorate::rpc {

namespace {

constexpr ParamSpec kAddressParam = {"address", ParamKind::address, true, "bech32m, qrt1..."};
constexpr std::uint64_t kCarriersDefault = 16;
constexpr std::uint64_t kCarriersMax = 64;
constexpr ParamSpec kCarriersParam = {
    "carriers", ParamKind::number, false,
    "under proof of work: how many work headers are to carry it, at most 64, default 16; the more, "
    "the older it is"};
// alice, the first development account.
constexpr std::string_view kExample =
    R"({"address": "qrt1qz3g4ymwhlaavcfr45a9x7egun0vpj9rus6rep49"})";

void get(const Params& params, const Context& context, const Done& done) {
  const auto address = params.address("address");
  if (!address) return done(tl::unexpected(address.error()));
  context.backend.account(*address, [done](const AccountView& view) { done(to_json(view)); });
}

MethodResult<Json> get_proof(const Params& params, const Context& context) {
  QUORATE_TRY(const crypto::Address address, params.address("address"));
  QUORATE_TRY(const std::uint64_t carriers,
              params.number("carriers", kCarriersDefault, kCarriersMax));
  QUORATE_CHECK(demand_proofs(context));
  const auto proof = context.backend.account_proof(address, static_cast<std::uint32_t>(carriers));
  if (!proof) return tl::unexpected(from_error(proof.error()));
  return to_json(*proof);
}

}  // namespace

std::vector<Method> account_methods() {
  return {
      {"account_get",
       "An account at this node's newest state.",
       {kAddressParam},
       "balance as a decimal string, the nonce of its last executed transaction, and next_nonce: "
       "the one to sign with next, counting what waits in this node's mempool",
       kExample,
       get},
      {"account_getProof",
       "The account at the newest certified height, with the proof that it has this value, or "
       "does not exist, under the certificate's state root. Under proof of work at the newest "
       "height that so many work headers carry, or fewer after a start, under the state root of "
       "the "
       "first header.",
       {kAddressParam, kCarriersParam},
       "proof (siblings from the root downwards, leaf or null) and certificate; under proof of "
       "work headers and work instead, as in tx_getProof",
       kExample,
       answer_now(get_proof)},
  };
}

}  // namespace quorate::rpc
