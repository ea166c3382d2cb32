// Whether the newest work headers cost what this chain's headers cost. A depth says what a branch
// is worth only while its blocks are as hard to make as those of the network: whoever mines in
// secret has a retarget of its own, and after a few minutes a tenth of the hash rate makes eleven
// blocks as fast as all miners together made them before. A client that asks one node, and that
// node lies, sees nothing but this branch; but its headers tell, by bits, stated times and the
// client's own clock, how much work a second went into it.
//
// So the work of the newest headers over the time they took, for every stretch that ends now and is
// at most kPaceHalfLives half-lives long, is compared with the best stretch of as many headers as a
// day has intervals. (Not of a day by the clock: whoever branches off below an old header would
// have nothing to be compared with.) Nothing counts as faster than the interval that the chain aims
// at, so stating short times gains nothing. With a share q of the hash rate below kPaceOfBest a
// branch that passes takes about half_life * kPaceOfBest * kPaceHalfLives / q to make: with the
// usual half-life of two minutes 20 minutes for a tenth of the hash rate, 40 for a twentieth, and
// more than three hours for a hundredth.
//
// An honest network is told from it in all but this: after a pause the first half-life or so looks
// slow; and when more than four fifths of the hash rate leave at once, everything does until there
// is a day of headers without them. A rate that halves never does. Reads the work chain; the thread
// that owns it.
#pragma once

#include "rpc/client/work_chain.hpp"

namespace quorate::rpc {

inline constexpr double kPaceOfBest = 0.2;
inline constexpr std::uint64_t kPaceHalfLives = 5;
inline constexpr std::uint64_t kPaceRememberedS = 86'400;  // in intervals
// A stretch may be so much longer than its blocks explain: clocks, and machines that stand still.
inline constexpr double kPacePatienceS = 30;
// Below so many hashes a second any single machine outdoes the whole network, whatever this says.
inline constexpr double kPaceWorthwhile = 1'000;

struct WorkPace {
  double newest = 0;          // hashes a second, of the slowest of those stretches
  double best = 0;            // of the best stretch that is remembered
  std::uint64_t headers = 0;  // in the stretch that `newest` is of
  double seconds = 0;         // that it took, up to now
  bool slow = false;          // too little to rely on a depth
};

// `now` is this machine's clock. Not slow while the chain has too few headers to tell. Errors: io,
// corrupt.
Result<WorkPace> measure_pace(const WorkChain& chain, WallMs now);

// What to tell people of a slow one: "the newest 14 headers carry 9 % of the work per second ...".
std::string describe(const WorkPace& pace);

}  // namespace quorate::rpc
