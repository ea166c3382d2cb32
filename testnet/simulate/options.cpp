#include "testnet/simulate/options.hpp"

#include <array>
#include <charconv>

#include "consensus/engine_list.hpp"
#include "testnet/simulate/costs.hpp"
#include "testnet/simulate/work_options.hpp"

namespace quorate::testnet {

namespace {

using sim::timed::Fault;
using sim::timed::FaultKind;
using sim::timed::Links;
using sim::timed::Scene;

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr Duration kLanDelay = std::chrono::microseconds(100);
constexpr Duration kLanJitter = std::chrono::microseconds(50);
constexpr std::uint64_t kGigabit = 1'000'000'000;
constexpr Duration kSlowPace = std::chrono::milliseconds(900);
constexpr std::size_t kFaultsMax = 1000;
constexpr Duration kLengthMax = std::chrono::hours(24);

// Data centres on four continents, and typical one-way delays between them in milliseconds.
constexpr std::array<const char*, 5> kPlaces = {"Frankfurt", "Virginia", "Singapore", "Oregon",
                                                "Sao Paulo"};
constexpr std::array<std::array<std::int64_t, 5>, 5> kPlaceDelays = {{{1, 45, 80, 72, 102},
                                                                      {45, 1, 110, 33, 58},
                                                                      {80, 110, 1, 82, 160},
                                                                      {72, 33, 82, 1, 88},
                                                                      {102, 58, 160, 88, 1}}};
constexpr std::int64_t kWanJitterDivisor = 20;  // of the longest delay

tl::unexpected<Error> bad(const std::string& detail) {
  return tl::unexpected(Error{Errc::invalid_argument, detail});
}

// "12.5" as thousandths; nothing when it is no number of at most nine digits before the point.
std::optional<std::int64_t> parse_thousandths(std::string_view text) {
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  std::string_view part = point == std::string_view::npos ? "" : text.substr(point + 1);
  const auto digits = [](std::string_view digits_only) {
    return std::all_of(digits_only.begin(), digits_only.end(),
                       [](char c) { return c >= '0' && c <= '9'; });
  };
  const bool sound = !whole.empty() && whole.size() <= 9 && part.size() <= 3 && digits(whole) &&
                     digits(part) && (point == std::string_view::npos || !part.empty());
  if (!sound) return std::nullopt;
  std::int64_t value = 0;
  std::from_chars(whole.data(), whole.data() + whole.size(), value);
  value *= 1000;
  std::int64_t unit = 100;
  for (const char c : part) {
    value += (c - '0') * unit;
    unit /= 10;
  }
  return value;
}

std::optional<std::uint32_t> parse_number(std::string_view text) {
  std::uint32_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

Result<std::uint64_t> parse_bandwidth(const std::string& text) {
  if (text == "0") return std::uint64_t{0};
  std::uint64_t unit = 0;
  switch (text.empty() ? ' ' : text.back()) {
    case 'k': unit = 1'000; break;
    case 'M': unit = 1'000'000; break;
    case 'G': unit = kGigabit; break;
    default: break;
  }
  const auto number = unit == 0
                          ? std::nullopt
                          : parse_thousandths(std::string_view(text).substr(0, text.size() - 1));
  if (!number || *number == 0) {
    return bad("--bandwidth " + text + ": write it as 100M, 2.5G or 500k bits per second, or 0");
  }
  return static_cast<std::uint64_t>(*number) * unit / 1000;
}

Result<std::vector<ReplicaId>> parse_replicas(const std::string& who, std::uint32_t nodes) {
  std::vector<ReplicaId> out;
  if (who == "primary" || who == "largest") return out;
  std::size_t begin = 0;
  while (begin <= who.size()) {
    const std::size_t comma = std::min(who.find(',', begin), who.size());
    const std::string item = who.substr(begin, comma - begin);
    const std::size_t dash = item.find('-');
    const auto first = parse_number(std::string_view(item).substr(0, dash));
    const auto last =
        dash == std::string::npos ? first : parse_number(std::string_view(item).substr(dash + 1));
    if (!first || !last || *first > *last) {
      return bad("'" + who +
                 "' names no replicas; write 0 or 0,3 or 0-9, primary (PBFT) or largest (the "
                 "largest miner)");
    }
    if (*last >= nodes) {
      return bad("there is no node" + std::to_string(*last) + "; the last of " +
                 std::to_string(nodes) + " is node" + std::to_string(nodes - 1));
    }
    for (std::uint32_t i = *first; i <= *last; ++i) out.emplace_back(i);
    begin = comma + 1;
  }
  return out;
}

Result<FaultKind> parse_kind(const std::string& text) {
  if (text == "crash") return FaultKind::crash;
  if (text == "partition") return FaultKind::partition;
  if (text == "equivocate") return FaultKind::equivocate;
  if (text == "slow") return FaultKind::slow;
  if (text == "private") return FaultKind::hide;
  return bad("unknown kind of fault '" + text +
             "'; there are crash, partition, equivocate, slow, private");
}

// Takes what follows `mark` off the end of the text.
std::optional<std::string> cut_after(std::string& text, char mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string::npos) return std::nullopt;
  std::string out = text.substr(at + 1);
  text.resize(at);
  return out;
}

Result<std::vector<Fault>> parse_fault_parts(std::string rest, std::uint32_t nodes) {
  Fault fault;
  const auto after_kind = cut_after(rest, ':');
  if (!after_kind) return bad("a fault is written KIND:WHO@TIME");
  QUORATE_TRY(fault.kind, parse_kind(rest));
  std::string who = *after_kind;
  auto when = cut_after(who, '@');
  if (!when) return bad("it does not say when; add @2s, or @1s-3s");
  const auto every = cut_after(*when, '/');
  const auto until = cut_after(*when, '-');
  const auto count_text = cut_after(who, '*');
  const auto pace = cut_after(who, '=');
  QUORATE_TRY(fault.replicas, parse_replicas(who, nodes));
  QUORATE_TRY(fault.at, parse_duration(*when));
  if (until) {
    QUORATE_TRY(fault.until, parse_duration(*until));
    if (*fault.until <= fault.at) return bad("it ends before it begins");
  }
  if (fault.kind == FaultKind::slow) fault.pace = kSlowPace;
  if (pace) {
    if (fault.kind != FaultKind::slow) return bad("only slow has a pace (=200ms)");
    QUORATE_TRY(fault.pace, parse_duration(*pace));
  }
  if (fault.kind == FaultKind::partition && fault.replicas.size() == nodes) {
    return bad("all replicas are on one side; name those to cut off");
  }
  std::uint32_t count = 1;
  Duration step{0};
  if (count_text || every) {
    const auto number = count_text ? parse_number(*count_text) : std::nullopt;
    if (!number || *number == 0 || *number > kFaultsMax || !every) {
      return bad("a repeated fault is written *COUNT and /EVERY, as in crash:primary*10@2s/3s");
    }
    count = *number;
    QUORATE_TRY(step, parse_duration(*every));
  }
  std::vector<Fault> out;
  for (std::uint32_t i = 0; i < count; ++i) {
    out.push_back(fault);
    fault.at += step;
    if (fault.until) *fault.until += step;
  }
  return out;
}

Result<Links> make_links(const SimulateOptions& options) {
  Links out;
  const std::uint32_t n = options.nodes;
  Duration jitter = kLanJitter;
  out.bits_per_second = kGigabit;
  const auto uniform = [&](Duration delay) {
    out.delay.assign(n, std::vector<Duration>(n, delay));
  };
  if (options.network == "lan") {
    uniform(kLanDelay);
  } else if (options.network == "local") {
    uniform(Duration(0));  // only what the cost `hop` adds
    jitter = Duration(0);
    out.bits_per_second = 0;
  } else if (options.network == "wan") {
    std::int64_t longest = 0;
    out.delay.assign(n, std::vector<Duration>(n));
    for (std::uint32_t i = 0; i < n; ++i) {
      for (std::uint32_t j = 0; j < n; ++j) {
        const std::int64_t ms = kPlaceDelays.at(i % kPlaces.size()).at(j % kPlaces.size());
        out.delay[i][j] = Duration(ms * kMillisecond);
        longest = std::max(longest, ms);
      }
    }
    jitter = Duration(longest * kMillisecond / kWanJitterDivisor);
  } else {
    return bad("--network " + options.network + ": there are lan, wan and local");
  }
  if (options.delay) {
    QUORATE_TRY(const Duration delay, parse_duration(*options.delay));
    uniform(delay);
    jitter = delay / kWanJitterDivisor;
  }
  if (options.jitter) {
    QUORATE_TRY(jitter, parse_duration(*options.jitter));
  }
  out.jitter = jitter;
  if (options.bandwidth) {
    QUORATE_TRY(out.bits_per_second, parse_bandwidth(*options.bandwidth));
  }
  const auto loss = parse_thousandths(options.loss);
  if (!loss || *loss > 100'000) return bad("--loss " + options.loss + ": a percentage, as in 0.5");
  out.loss_ppm = static_cast<std::uint32_t>(*loss * 10);
  return out;
}

std::string quoted(const std::string& text) {
  const bool plain = text.find_first_of(" '\"$*&|;<>()") == std::string::npos;
  return plain ? text : "'" + text + "'";
}

}  // namespace

const char* const kFaultHelp =
    "KIND:WHO@FROM[-UNTIL], several times. crash:0@2s, crash:primary@2s-4s (starts again), "
    "crash:primary*10@2s/3s (ten times, every 3 s), partition:0,1@1s-3s (cut off from the rest), "
    "equivocate:0@1s-2s (two proposals for each slot), slow:0=900ms@1s (one proposal in so long); "
    "where blocks are mined private:0@20s-60s (shows nobody what it mines), and largest for the "
    "largest miner";

Result<Duration> parse_duration(const std::string& text) {
  const auto ends_with = [&text](std::string_view unit) {
    return text.size() > unit.size() &&
           std::string_view(text).substr(text.size() - unit.size()) == unit;
  };
  const auto value = [&text](std::size_t unit_size, std::int64_t unit) -> std::optional<Duration> {
    const auto number =
        parse_thousandths(std::string_view(text).substr(0, text.size() - unit_size));
    if (!number) return std::nullopt;
    return Duration(*number * unit / 1000);
  };
  std::optional<Duration> out;
  if (ends_with("ms")) {
    out = value(2, kMillisecond);
  } else if (ends_with("us")) {
    out = value(2, 1'000);
  } else if (ends_with("s")) {
    out = value(1, 1000 * kMillisecond);
  }
  if (!out) return bad("'" + text + "' is no duration; write it as 2s, 1.5s, 200ms or 50us");
  return *out;
}

std::string format_duration(Duration duration) {
  const std::int64_t ns = duration.count();
  const auto with_unit = [ns](std::int64_t unit, const char* name) {
    std::string out = std::to_string(ns / unit);
    std::int64_t part = ns % unit * 1000 / unit;
    if (part == 0) return out + name;
    std::string digits = std::to_string(1000 + part).substr(1);
    while (digits.back() == '0') digits.pop_back();
    return out + "." + digits + name;
  };
  if (ns == 0 || ns >= 1000 * kMillisecond) return with_unit(1000 * kMillisecond, "s");
  return ns >= kMillisecond ? with_unit(kMillisecond, "ms") : with_unit(1000, "us");
}

Result<std::vector<Fault>> parse_fault(const std::string& text, std::uint32_t nodes) {
  auto out = parse_fault_parts(text, nodes);
  if (!out) return bad("--fault " + text + ": " + out.error().detail);
  return out;
}

UsualRun usual_run(const std::string& engine) {
  if (consensus::proved_by(engine) == consensus::ProvedBy::work) return {"120s", 20, "120s"};
  return {"5s", 1000, "10s"};
}

Result<Scene> make_scene(const SimulateOptions& options) {
  if (options.nodes < kSimulatedNodesMin || options.nodes > kSimulatedNodesMax) {
    return bad("--nodes " + std::to_string(options.nodes) + ": from " +
               std::to_string(kSimulatedNodesMin) + " to " + std::to_string(kSimulatedNodesMax));
  }
  Scene out;
  out.replicas = options.nodes;
  out.seed = options.seed;
  const UsualRun usual = usual_run(options.engine);
  out.rate = options.rate.value_or(usual.rate);
  out.cores = options.cores;
  out.one_machine = options.one_machine;
  out.neighbours = options.neighbours;
  out.checkpoint_interval = options.checkpoint_interval;
  QUORATE_TRY(out.work, make_work(options));
  const std::string length = options.seconds.value_or(usual.seconds);
  QUORATE_TRY(out.length, parse_duration(length));
  if (out.length == Duration(0) || out.length > kLengthMax) {
    return bad("--seconds " + length + ": more than nothing, and at most a day");
  }
  QUORATE_TRY(out.drain, parse_duration(options.drain.value_or(usual.drain)));
  QUORATE_TRY(out.links, make_links(options));
  for (const std::string& text : options.faults) {
    QUORATE_TRY(const auto faults, parse_fault(text, options.nodes));
    if (out.work && text.find(":primary") != std::string::npos) {
      return bad("--fault " + text +
                 ": nobody is primary where blocks are mined; name replicas, or largest for the "
                 "largest miner");
    }
    out.faults.insert(out.faults.end(), faults.begin(), faults.end());
  }
  for (const Fault& fault : out.faults) {
    QUORATE_CHECK(check_kind(fault.kind, out.work.has_value()));
    if (fault.at >= out.length) {
      return bad("a fault at " + format_duration(fault.at) +
                 " comes after the end; give --seconds " + "more than " + length);
    }
  }
  return out;
}

Result<std::optional<Window>> svg_window(const SimulateOptions& options) {
  std::optional<Window> out;
  if (!options.svg_window) return out;
  std::string begin = *options.svg_window;
  const auto end = cut_after(begin, '-');
  if (!end) return bad("--svg-window " + *options.svg_window + ": write it as 1.9s-3.2s");
  out.emplace();
  QUORATE_TRY(out->begin, parse_duration(begin));
  QUORATE_TRY(out->end, parse_duration(*end));
  if (out->end <= out->begin) return bad("--svg-window " + *options.svg_window + ": it is empty");
  return out;
}

std::string replay_command(const SimulateOptions& options, const sim::timed::Costs& costs) {
  const SimulateOptions usual;
  const UsualRun run = usual_run(options.engine);
  std::string out = "quorate-testnet simulate";
  const auto add = [&out](const std::string& name, const std::string& value) {
    out += " --" + name + " " + quoted(value);
  };
  if (options.engine != usual.engine) add("engine", options.engine);
  add("nodes", std::to_string(options.nodes));
  add("seed", std::to_string(options.seed));
  add("seconds", options.seconds.value_or(run.seconds));
  add("rate", std::to_string(options.rate.value_or(run.rate)));
  add("network", options.network);
  if (options.delay) add("delay", *options.delay);
  if (options.jitter) add("jitter", *options.jitter);
  if (options.bandwidth) add("bandwidth", *options.bandwidth);
  if (options.loss != usual.loss) add("loss", options.loss);
  for (const std::string& fault : options.faults) add("fault", fault);
  add("cores", std::to_string(options.cores));
  if (options.one_machine) out += " --one-machine";
  if (options.neighbours != 0) add("neighbours", std::to_string(options.neighbours));
  if (options.checkpoint_interval != usual.checkpoint_interval) {
    add("checkpoint-interval", std::to_string(options.checkpoint_interval));
  }
  if (options.drain) add("drain", *options.drain);
  if (options.interval) add("interval", *options.interval);
  if (options.depth) add("depth", std::to_string(*options.depth));
  if (options.half_life) add("half-life", *options.half_life);
  if (!options.hash_shares.empty()) add("hash-share", joined(options.hash_shares));
  add("costs", to_text(costs));
  if (options.svg_window) add("svg-window", *options.svg_window);
  return out;
}

std::string place_of(const SimulateOptions& options, std::uint32_t replica) {
  if (options.network != "wan" || options.delay) return {};
  return kPlaces.at(replica % kPlaces.size());
}

}  // namespace quorate::testnet
