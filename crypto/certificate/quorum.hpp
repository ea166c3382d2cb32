// Quorum arithmetic for n replicas. Never written as 2f+1: with n = 6 that would give quorums of
// three, which need not intersect in a correct replica.
#pragma once

#include <cstdint>

namespace quorate::crypto {

// The number of faulty replicas that n tolerate: floor((n-1)/3).
constexpr std::uint32_t faults_tolerated(std::uint32_t n) { return n == 0 ? 0 : (n - 1) / 3; }

// ceil((n+f+1)/2): two quorums share at least f+1 replicas, and n-f correct ones can form one.
constexpr std::uint32_t quorum_size(std::uint32_t n) { return (n + faults_tolerated(n) + 2) / 2; }

// f+1: at least one of them is correct.
constexpr std::uint32_t weak_quorum_size(std::uint32_t n) { return faults_tolerated(n) + 1; }

}  // namespace quorate::crypto
