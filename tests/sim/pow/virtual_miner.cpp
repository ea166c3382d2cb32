#include "tests/sim/pow/virtual_miner.hpp"

#include "crypto/base/assert.hpp"
#include "crypto/work/bits.hpp"

namespace quorate::sim::pow {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;
// No chain of a simulation waits longer for one block than a year.
constexpr double kLongest = 3.2e16;

}  // namespace

VirtualMiner::VirtualMiner(Timeline& timeline, Lottery& lottery, Prng prng,
                           std::uint64_t hashes_per_second, Found found)
    : timeline_(timeline),
      lottery_(lottery),
      prng_(prng),
      hashes_per_second_(hashes_per_second),
      found_(std::move(found)) {}

void VirtualMiner::start(consensus::WorkToken token, Bytes puzzle) {
  auto header = crypto::work::decode_header(puzzle);
  QUORATE_ASSERT(header.has_value());
  work_ = Work{token, *header};
  draw();
}

void VirtualMiner::take_over(std::function<void(Header&)> shape, std::function<void()> found) {
  shape_ = std::move(shape);
  taken_ = std::move(found);
  draw();
}

void VirtualMiner::cancel(consensus::WorkToken token) {
  if (work_ && work_->token == token) stop();
}

void VirtualMiner::stop() {
  work_.reset();
  ++draws_;
}

void VirtualMiner::set_hashes_per_second(std::uint64_t rate) {
  hashes_per_second_ = rate;
  draw();
}

void VirtualMiner::draw() {
  ++draws_;
  if (!work_ || hashes_per_second_ == 0) return;
  Header header = work_->header;
  if (shape_) shape_(header);
  const auto expected = static_cast<double>(crypto::work::expected_hashes(header.bits));
  const double mean = expected / static_cast<double>(hashes_per_second_) * kNanosecondsPerSecond;
  const double time = std::min(mean * prng_.exponential(), kLongest);
  timeline_.after(Duration(static_cast<Duration::rep>(time)), [this, draw = draws_] {
    if (draw == draws_) win();
  });
}

void VirtualMiner::win() {
  Work won = *std::exchange(work_, std::nullopt);
  won.header.nonce = prng_.next();
  if (taken_) {
    shape_(won.header);
    return taken_();
  }
  const MinedBlock block = lottery_.win(won.header, timeline_.now());
  found_(won.token, block);
}

}  // namespace quorate::sim::pow
