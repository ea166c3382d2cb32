// Times the real code that a timed run executes, for whoever wants to know what it costs on this
// machine. It never changes the run.
#pragma once

#include <cstddef>
#include <cstdint>

namespace quorate::sim::timed {

enum class Stage : std::uint8_t {
  message,   // per frame of consensus; its token signatures cost next to nothing
  step,      // per event without transactions
  take_tx,   // per transaction submitted or relayed
  order_tx,  // per transaction executed
  count_
};
inline constexpr std::size_t kStages = static_cast<std::size_t>(Stage::count_);

class Stopwatch {
 public:
  virtual ~Stopwatch() = default;
  virtual void begin() = 0;
  // What ran since begin() was one call of this stage over so many units.
  virtual void end(Stage stage, std::size_t units) = 0;
};

}  // namespace quorate::sim::timed
