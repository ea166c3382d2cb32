// Searches nonces of encoded work headers. Stateless; any thread.
#pragma once

#include "consensus/engine.hpp"
#include "crypto/work/work_function.hpp"

namespace quorate::consensus::pow {

class HeaderSolver final : public PuzzleSolver {
 public:
  // `work` must outlive this.
  explicit HeaderSolver(const crypto::work::WorkFunction& work) : work_(work) {}
  // A puzzle that is no header has no solution.
  std::optional<std::uint64_t> search(ByteView puzzle, std::uint64_t first,
                                      std::uint64_t count) const override;

 private:
  const crypto::work::WorkFunction& work_;
};

}  // namespace quorate::consensus::pow
