#include "node/logging.hpp"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "rpc/json/ledger_json.hpp"

namespace quorate::node {
namespace {

constexpr std::size_t kLinesWaitingMax = 8192;

std::string_view level_name(LogLevel level) {
  static constexpr std::array<std::string_view, 4> kNames = {"debug", "info", "warn", "error"};
  return kNames[static_cast<std::size_t>(level)];
}

std::string_view level_label(LogLevel level) {
  static constexpr std::array<std::string_view, 4> kLabels = {"DEBUG", "INFO", "WARN", "ERROR"};
  return kLabels[static_cast<std::size_t>(level)];
}

LogThreshold threshold_of(LogLevel level) {
  static constexpr std::array<LogThreshold, 4> kThresholds = {
      LogThreshold::debug, LogThreshold::info, LogThreshold::warn, LogThreshold::error};
  return kThresholds[static_cast<std::size_t>(level)];
}

// The length of the UTF-8 sequence at the start of `text`; 0 when there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0U) == 0x80U; };
  const unsigned char lead = byte(0);
  if (lead < 0x80U) return 1;
  if (lead >= 0xC2U && lead <= 0xDFU) return follows(1) ? 2 : 0;
  if (lead >= 0xE0U && lead <= 0xEFU && follows(1) && follows(2)) {
    const bool overlong = lead == 0xE0U && byte(1) < 0xA0U;
    const bool surrogate = lead == 0xEDU && byte(1) >= 0xA0U;
    return overlong || surrogate ? 0 : 3;
  }
  if (lead >= 0xF0U && lead <= 0xF4U && follows(1) && follows(2) && follows(3)) {
    const bool overlong = lead == 0xF0U && byte(1) < 0x90U;
    const bool too_high = lead == 0xF4U && byte(1) >= 0x90U;
    return overlong || too_high ? 0 : 4;
  }
  return 0;
}

// As inside a JSON string; the plain format uses the same escapes, so that one rule is to be known.
void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto byte = static_cast<unsigned char>(text.front());
    if (length == 0) {
      out += "\\ufffd";
    } else if (length > 1) {
      out += text.substr(0, length);
    } else if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text.front();
    } else if (byte == '\n') {
      out += "\\n";
    } else if (byte < 0x20U || byte == 0x7FU) {
      out += "\\u00";
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    } else {
      out += text.front();
    }
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

// A value that could be read as two is put into quotes.
void append_plain_value(std::string& out, std::string_view value) {
  if (value.empty() || value.find_first_of(" =\"\\") != std::string_view::npos) {
    append_json_string(out, value);
  } else {
    append_escaped(out, value);
  }
}

std::uint64_t unix_time_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace

LogFormat log_format(std::string_view setting) {
  if (setting == "json") return LogFormat::json;
  if (setting == "plain") return LogFormat::plain;
  struct stat status {};
  const bool pipe = ::fstat(STDERR_FILENO, &status) == 0 && S_ISFIFO(status.st_mode);
  return pipe ? LogFormat::json : LogFormat::plain;
}

std::string format_log_line(LogFormat format, std::uint64_t time_ms, LogLevel level,
                            std::string_view component, std::string_view message,
                            std::initializer_list<LogField> fields) {
  const std::string time = rpc::rfc3339(WallMs(time_ms));
  std::string out;
  if (format == LogFormat::plain) {
    out = time + " " + std::string(level_label(level)) + " " + std::string(component) + " ";
    append_escaped(out, message);
    for (const LogField& field : fields) {
      out += " " + std::string(field.key) + "=";
      append_plain_value(out, field.value);
    }
    return out;
  }
  out = "{\"time\":\"" + time + "\",\"level\":\"" + std::string(level_name(level)) +
        "\",\"component\":";
  append_json_string(out, component);
  out += ",\"message\":";
  append_json_string(out, message);
  for (const LogField& field : fields) {
    out += ',';
    append_json_string(out, field.key);
    out += ':';
    append_json_string(out, field.value);
  }
  return out + "}";
}

namespace {

// Knows how many lines it has written, so that flush() can wait for them.
class CountingSink final : public spdlog::sinks::stderr_sink_mt {
 public:
  void log(const spdlog::details::log_msg& line) override {
    spdlog::sinks::stderr_sink_mt::log(line);
    written_.fetch_add(1);
  }
  std::size_t written() const { return written_.load(); }

 private:
  std::atomic<std::size_t> written_{0};
};

}  // namespace

struct NodeLog::Impl {
  LogLevels levels;
  LogFormat format = LogFormat::plain;
  std::shared_ptr<spdlog::details::thread_pool> pool =
      std::make_shared<spdlog::details::thread_pool>(kLinesWaitingMax, 1);
  std::shared_ptr<CountingSink> sink = std::make_shared<CountingSink>();
  // Shared, because waiting lines keep their logger alive.
  std::shared_ptr<spdlog::async_logger> logger = std::make_shared<spdlog::async_logger>(
      "node", sink, pool, spdlog::async_overflow_policy::overrun_oldest);
  std::atomic<std::size_t> posted{0};
  std::atomic<std::size_t> lost_reported{0};

  void post(const std::string& line) {
    posted.fetch_add(1);  // before, so that flush() never takes another thread's line for this one
    logger->log(spdlog::level::info, line);
  }

  void report_lost() {
    const std::size_t lost = pool->overrun_counter();
    std::size_t reported = lost_reported.load();
    if (lost == reported || !lost_reported.compare_exchange_strong(reported, lost)) return;
    post(format_log_line(format, unix_time_ms(), LogLevel::warning, "log",
                         "lines were lost because writing them is too slow",
                         {{"lines", std::to_string(lost - reported)}}));
  }
};

NodeLog::NodeLog(LogLevels levels, LogFormat format) : impl_(std::make_unique<Impl>()) {
  impl_->levels = std::move(levels);
  impl_->format = format;
  impl_->logger->set_pattern("%v");
  impl_->logger->set_level(spdlog::level::trace);
  impl_->logger->flush_on(spdlog::level::trace);
}

NodeLog::~NodeLog() = default;

void NodeLog::write(LogLevel level, std::string_view component, std::string_view message,
                    std::initializer_list<LogField> fields) {
  if (threshold_of(level) < impl_->levels.of(component)) return;
  impl_->report_lost();
  impl_->post(format_log_line(impl_->format, unix_time_ms(), level, component, message, fields));
}

void NodeLog::flush() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  const std::size_t wanted = impl_->posted.load();
  while (impl_->sink->written() + impl_->pool->overrun_counter() < wanted &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace quorate::node
