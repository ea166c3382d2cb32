// What a replica remembers, and how much of it.
#include "consensus/pbft/durable_state.hpp"

#include <catch2/catch.hpp>

namespace quorate::consensus::test {

namespace {

constexpr std::size_t kMebibyte = 1U << 20U;

pbft::AcceptedRecord accepted(std::uint64_t height, std::uint64_t view, std::size_t size) {
  pbft::AcceptedRecord out{};
  out.core.ballot.height = Height(height);
  out.core.ballot.view = View(view);
  out.core.ballot.id.bytes[0] = static_cast<std::uint8_t>(height);
  out.core.ballot.id.bytes[1] = static_cast<std::uint8_t>(view);
  out.payload = std::make_shared<const Bytes>(size);
  return out;
}

Digest id_of(std::uint64_t height, std::uint64_t view) {
  return accepted(height, view, 0).core.ballot.id;
}

}  // namespace

TEST_CASE("payloads that nobody else holds count, and what lost at executed heights is bounded") {
  constexpr std::size_t kSize = 4 * kMebibyte;
  constexpr std::uint64_t kHeights = 20;
  pbft::DurableState state;
  for (std::uint64_t height = 1; height <= kHeights; ++height) {
    state.apply(accepted(height, 0, kSize));
    state.apply(accepted(height, 1, kSize));
  }
  CHECK(state.memory_bytes() > 2 * kHeights * kSize);
  const pbft::Payload shared = state.accepted.begin()->second.payload;
  CHECK(state.memory_bytes() < 2 * kHeights * kSize);
  // What view 1 brought is executed; what view 0 proposed lost, and may still be asked for.
  for (std::uint64_t height = 1; height < kHeights; ++height) {
    state.release_payload(Height(height), id_of(height, 1));
  }
  std::size_t lost = 0;
  for (const auto& [key, record] : state.accepted) {
    if (key.height == Height(kHeights)) {
      CHECK(record.payload);  // not executed
    } else if (key.view == View(1)) {
      CHECK_FALSE(record.payload);
    } else {
      const bool kept = key.height.value() + 16 >= kHeights;
      CHECK(bool(record.payload) == kept);
      if (record.payload) lost += record.payload->size();
    }
  }
  CHECK(lost == pbft::DurableState::kLosersBytesMax);
}

}  // namespace quorate::consensus::test
