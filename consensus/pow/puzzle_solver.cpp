#include "consensus/pow/puzzle_solver.hpp"

#include "crypto/work/bits.hpp"
#include "crypto/work/nonce_search.hpp"

namespace quorate::consensus::pow {

std::optional<std::uint64_t> HeaderSolver::search(ByteView puzzle, std::uint64_t first,
                                                  std::uint64_t count) const {
  auto header = crypto::work::decode_header(puzzle);
  if (!header) return std::nullopt;
  if (&work_ == &crypto::work::double_sha256()) {
    const auto target = crypto::work::target_of_bits(header->bits);
    if (!target) return std::nullopt;
    return crypto::work::search_nonce(puzzle, crypto::work::to_little_endian(*target), first,
                                      count);
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    header->nonce = first + i;
    if (work_.meets(*header, crypto::work::id_of(*header))) return header->nonce;
  }
  return std::nullopt;
}

}  // namespace quorate::consensus::pow
