// What work costs on the machines of a timed run. Whole nanoseconds, so that equal costs give equal
// runs to the last byte on any machine. Plain values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "crypto/base/instant.hpp"

namespace quorate::sim::timed {

// The defaults are the reference costs: a machine of 2026 with two cores, rounded. CPU time of one
// core, except `hop` and `sync`, which are time spent waiting.
struct Costs {
  std::int64_t verify = 50'000;         // one Ed25519 verification
  std::int64_t sign = 22'000;           // one signature
  std::int64_t hash = 280;              // SHA-256 of 256 bytes
  std::int64_t hop = 35'000;            // waiting: one way over loopback, thread to thread
  std::int64_t sync = 200'000;          // waiting: one fdatasync
  std::int64_t wake = 4'000;            // a thread that slept begins to work
  std::int64_t sync_cpu = 45'000;       // writing and syncing one group
  std::int64_t frame_out = 5'000;       // one frame to one peer: encrypt and write
  std::int64_t frame_in = 5'000;        // one frame from one peer: read and decrypt
  std::int64_t frame_kib = 900;         // and for every KiB of it, on each side
  std::int64_t message = 1'500;         // decoding one consensus message
  std::int64_t step = 4'000;            // one event in the replica
  std::int64_t take_tx = 2'500;         // admitting one transaction to the mempool
  std::int64_t order_tx = 1'500;        // proposing one, and forgetting it when it is executed
  std::int64_t decode_tx = 3'000;       // decoding and hashing a transaction that is new here
  std::int64_t known_tx = 800;          // recognising one that is not
  std::int64_t execute_tx = 6'000;      // executing and storing one
  std::int64_t execute_block = 80'000;  // one block besides
  std::int64_t request = 45'000;        // one request of a client
  std::int64_t request_tx = 7'500;      // each transaction in it
  std::int64_t answer_tx = 1'500;       // reporting a transaction as final
  std::int64_t client_tx = 20'000;      // the load generator's own work for one transaction
  bool operator==(const Costs&) const = default;
};

struct CostField {
  std::string_view name;
  std::int64_t Costs::*value;
  std::string_view meaning;
};
// Every field, in the order in which it is written.
inline constexpr std::array<CostField, 22> kCostFields = {{
    {"verify", &Costs::verify, "one Ed25519 verification"},
    {"sign", &Costs::sign, "one Ed25519 signature"},
    {"hash", &Costs::hash, "SHA-256 of 256 bytes"},
    {"hop", &Costs::hop, "waiting: one way over loopback"},
    {"sync", &Costs::sync, "waiting: one fdatasync"},
    {"wake", &Costs::wake, "a thread that slept begins to work"},
    {"sync_cpu", &Costs::sync_cpu, "writing and syncing one group of records"},
    {"frame_out", &Costs::frame_out, "encrypting and writing one frame to one peer"},
    {"frame_in", &Costs::frame_in, "reading and decrypting one frame"},
    {"frame_kib", &Costs::frame_kib, "each KiB of a frame, on each side"},
    {"message", &Costs::message, "decoding one consensus message"},
    {"step", &Costs::step, "one event in the replica"},
    {"take_tx", &Costs::take_tx, "admitting one transaction"},
    {"order_tx", &Costs::order_tx, "proposing and forgetting one transaction"},
    {"decode_tx", &Costs::decode_tx, "decoding one new transaction"},
    {"known_tx", &Costs::known_tx, "recognising one transaction"},
    {"execute_tx", &Costs::execute_tx, "executing and storing one transaction"},
    {"execute_block", &Costs::execute_block, "executing and storing one block besides"},
    {"request", &Costs::request, "one request of a client"},
    {"request_tx", &Costs::request_tx, "each transaction in a request"},
    {"answer_tx", &Costs::answer_tx, "reporting one transaction as final"},
    {"client_tx", &Costs::client_tx, "the load generator's work for one transaction"},
}};

inline Duration nanoseconds(std::int64_t count) { return Duration(count); }
// For data of this size, at a price per KiB or per 256 bytes.
inline Duration per_kib(std::int64_t price, std::size_t bytes) {
  return Duration(price * static_cast<std::int64_t>(bytes) / 1024);
}
inline Duration per_256(std::int64_t price, std::size_t bytes) {
  return Duration(price * static_cast<std::int64_t>(bytes) / 256);
}

}  // namespace quorate::sim::timed
