// The simulator's own random numbers (splitmix64): the same on every compiler and library, which
// the distributions of the standard library are not.
#pragma once

#include <cstdint>

#include "crypto/base/instant.hpp"

namespace quorate::sim {

class Prng {
 public:
  explicit Prng(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  // 0 .. bound - 1; the bias of the remainder is far below anything a fault plan notices.
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  bool per_mille(std::uint64_t n) { return below(1000) < n; }
  Duration duration(Duration low, Duration high) {
    const auto span = static_cast<std::uint64_t>((high - low).count());
    return low + Duration(static_cast<Duration::rep>(below(span + 1)));
  }
  // A waiting time of mean 1 for something that comes at random. The logarithm is taken bit by bit,
  // so that it is the same everywhere.
  double exponential() {
    constexpr double kLn2 = 0.693147180559945309417;
    constexpr int kFractionBits = 40;
    const std::uint64_t drawn = next() | 1U;  // never zero
    int whole = 63;
    while ((drawn >> static_cast<unsigned>(whole)) == 0) --whole;
    // The mantissa in 1 .. 2; each squaring gives the next binary digit of its logarithm.
    double mantissa = static_cast<double>(drawn) /
                      static_cast<double>(std::uint64_t{1} << static_cast<unsigned>(whole));
    double log2 = whole;
    double digit = 1;
    for (int i = 0; i < kFractionBits; ++i) {
      mantissa *= mantissa;
      digit /= 2;
      if (mantissa < 2) continue;
      mantissa /= 2;
      log2 += digit;
    }
    return (64 - log2) * kLn2;
  }
  // An independent stream, so that one part of a run does not shift the numbers of another.
  Prng fork() { return Prng(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace quorate::sim
