// A miner in virtual time: draws how long its hash rate takes for the puzzle's target, and wins in
// the lottery when that time is over. Mining has no memory, so every new puzzle and every change of
// the hash rate is a new draw. One run owns it; one thread.
#pragma once

#include <functional>
#include <optional>

#include "node/ports.hpp"
#include "tests/sim/pow/lottery.hpp"
#include "tests/sim/prng.hpp"
#include "tests/sim/timeline.hpp"

namespace quorate::sim::pow {

class VirtualMiner final : public node::Miner {
 public:
  // The block is in the lottery; its own node is still to be told.
  using Found = std::function<void(consensus::WorkToken, const MinedBlock&)>;
  VirtualMiner(Timeline& timeline, Lottery& lottery, Prng prng, std::uint64_t hashes_per_second,
               Found found);

  void start(consensus::WorkToken token, Bytes puzzle) override;
  void cancel(consensus::WorkToken token) override;
  void pending(bool) override {}  // it mines empty blocks too
  // From now on somebody else says what is worked on, and takes what is found: `shape` sees each
  // header when work on it begins, for its bits, and when it is found, right before `found`.
  void take_over(std::function<void(Header&)> shape, std::function<void()> found);
  // Its machine crashed: it knows of no puzzle any more.
  void stop();

  std::uint64_t hashes_per_second() const { return hashes_per_second_; }
  // Zero: it finds nothing.
  void set_hashes_per_second(std::uint64_t rate);

 private:
  struct Work {
    consensus::WorkToken token;
    Header header;
  };
  void draw();
  void win();

  Timeline& timeline_;
  Lottery& lottery_;
  Prng prng_;
  std::uint64_t hashes_per_second_;
  Found found_;
  std::function<void(Header&)> shape_;
  std::function<void()> taken_;
  std::optional<Work> work_;
  std::uint64_t draws_ = 0;  // a later draw replaces those before
};

}  // namespace quorate::sim::pow
