#include "testnet/load/probes.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include "crypto/hash.hpp"
#include "crypto/verifier.hpp"
#include "testnet/load/statistics.hpp"

namespace quorate::testnet {

namespace {

double thread_cpu_us() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double wall_us() {
  return std::chrono::duration<double, std::micro>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Median over `rounds` of the mean of `each` calls, in the time that `clock` reads.
template <class Clock, class Work>
double median_of(int rounds, int each, Clock clock, Work work) {
  std::vector<double> samples;
  for (int round = 0; round < rounds; ++round) {
    const double begin = clock();
    for (int i = 0; i < each; ++i) work();
    samples.push_back((clock() - begin) / each);
  }
  return median(std::move(samples));
}

Result<double> probe_verify(const Digest& chain_id, const LoadAccount& account) {
  ledger::Transaction transaction;
  transaction.sender = account.key.public_key();
  transaction.nonce = 1;
  transaction.operations.emplace_back(ledger::Transfer{account.address, 1});
  const Bytes message = ledger::transaction_signing_bytes(chain_id, transaction);
  const Signature signature = account.key.sign(message);
  const crypto::Ed25519Verifier verifier;
  bool all_good = true;
  const double took = median_of(40, 20, thread_cpu_us, [&] {
    all_good = verifier.verify(transaction.sender, message, signature) && all_good;
  });
  if (!all_good) return fail(Errc::bad_signature, "the verify probe's own signature is refused");
  return took;
}

double probe_sha256() {
  const Bytes data(256, 0x5A);
  return median_of(40, 200, thread_cpu_us, [&] { static_cast<void>(crypto::sha256(data)); });
}

struct Connection {
  int client = -1;
  int server = -1;
};

Result<Connection> loopback_pair() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof(address);
  Connection pair;
  const bool connected = ::bind(listener, raw, size) == 0 && ::listen(listener, 1) == 0 &&
                         ::getsockname(listener, raw, &size) == 0 &&
                         (pair.client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0 &&
                         ::connect(pair.client, raw, size) == 0 &&
                         (pair.server = ::accept(listener, nullptr, nullptr)) >= 0;
  ::close(listener);
  if (!connected) {
    return fail(Errc::io, std::string("the loopback probe cannot connect: ") + strerror(errno));
  }
  const int yes = 1;
  ::setsockopt(pair.client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  ::setsockopt(pair.server, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  return pair;
}

Result<double> probe_hop() {
  QUORATE_TRY(const Connection pair, loopback_pair());
  constexpr int kRounds = 500;
  std::thread echo([pair] {
    char byte = 0;
    while (::read(pair.server, &byte, 1) == 1) {
      if (::write(pair.server, &byte, 1) != 1) break;
    }
  });
  bool good = true;
  const double round_trip = median_of(kRounds, 1, wall_us, [&] {
    char byte = 1;
    good = good && ::write(pair.client, &byte, 1) == 1 && ::read(pair.client, &byte, 1) == 1;
  });
  ::shutdown(pair.client, SHUT_RDWR);
  echo.join();
  ::close(pair.client);
  ::close(pair.server);
  if (!good) return fail(Errc::io, "the loopback probe lost its connection");
  return round_trip / 2;
}

Result<double> probe_fdatasync(const std::filesystem::path& folder) {
  const auto path = folder / "probe.tmp";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Errc::io, "cannot create " + path.string() + ": " + strerror(errno));
  const std::string block(4096, 'x');
  bool good = true;
  const double took = median_of(100, 1, wall_us, [&] {
    good = good && ::write(fd, block.data(), block.size()) == static_cast<ssize_t>(block.size()) &&
           ::fdatasync(fd) == 0;
  });
  ::close(fd);
  ::unlink(path.c_str());
  if (!good) return fail(Errc::io, "cannot write " + path.string());
  return took;
}

}  // namespace

Result<Probes> run_probes(const Digest& chain_id, const LoadAccount& account,
                          const std::filesystem::path& folder) {
  Probes probes;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) != 0) {
    return fail(Errc::io, "cannot read the affinity mask");
  }
  probes.cores = static_cast<unsigned>(CPU_COUNT(&set));
  QUORATE_TRY(probes.verify_us, probe_verify(chain_id, account));
  probes.sha256_us = probe_sha256();
  QUORATE_TRY(probes.hop_us, probe_hop());
  QUORATE_TRY(probes.fdatasync_us, probe_fdatasync(folder));
  return probes;
}

StealSample sample_steal() {
  std::ifstream in("/proc/stat");
  std::string line;
  std::getline(in, line);
  std::istringstream fields(line);
  std::string name;
  fields >> name;
  StealSample sample;
  constexpr int kSteal = 7;
  constexpr int kGuest = 8;  // guest time is part of user time already
  std::uint64_t ticks = 0;
  for (int i = 0; i < kGuest && fields >> ticks; ++i) {
    sample.total += ticks;
    if (i == kSteal) sample.steal = ticks;
  }
  return sample;
}

}  // namespace quorate::testnet
