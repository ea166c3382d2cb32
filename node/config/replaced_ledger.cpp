#include "node/config/replaced_ledger.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>

#include "crypto/secure_file.hpp"
#include "rpc/json/ledger_json.hpp"

namespace quorate::node {
namespace {

namespace fs = std::filesystem;

fs::path record_file(const Home& home) { return home.data_folder() / "replaced_ledger.json"; }

Result<void> write(const Home& home, const ReplacedLedger& ledger) {
  const nlohmann::ordered_json json = {{"version", 1},
                                       {"count", ledger.count},
                                       {"height", ledger.height.value()},
                                       {"executed_to", ledger.executed_to.value()},
                                       {"reason", ledger.reason},
                                       {"moved", ledger.moved}};
  const std::string text = json.dump(2) + "\n";
  return crypto::replace_private_file(record_file(home), as_bytes(text));
}

Result<ReplacedLedger> parse(std::string_view text) {
  QUORATE_TRY(const rpc::Json json, rpc::parse_json(text));
  const auto number = [&json](const char* name) -> std::optional<std::uint64_t> {
    if (!json.is_object() || !json.contains(name) || !json[name].is_number_unsigned()) return {};
    return json[name].get<std::uint64_t>();
  };
  const auto count = number("count");
  const auto height = number("height");
  const auto executed_to = number("executed_to");
  if (number("version") != 1 || !count || !height || !executed_to || !json.contains("reason") ||
      !json["reason"].is_string() || !json.contains("moved") || !json["moved"].is_boolean()) {
    return fail(Errc::corrupt, "it is not of the form that quorate-node writes");
  }
  return ReplacedLedger{*count, Height(*height), Height(*executed_to),
                        json["reason"].get<std::string>(), json["moved"].get<bool>()};
}

Result<void> rename_durably(const fs::path& from, const fs::path& to) {
  const auto io_error = [&](const fs::path& path) {
    return fail(Errc::io, "cannot move the ledger " + from.string() + " to " + to.string() + " (" +
                              path.string() + "): " + std::generic_category().message(errno));
  };
  if (::rename(from.c_str(), to.c_str()) != 0) return io_error(from);
  const int folder = ::open(to.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = folder >= 0 && ::fsync(folder) == 0;
  const auto error = io_error(to.parent_path());
  if (folder >= 0) ::close(folder);
  if (!synced) return error;
  return {};
}

}  // namespace

fs::path ReplacedLedger::folder(const Home& home) const {
  return home.data_folder() / ("db-wrong-" + std::to_string(count));
}

Result<std::optional<ReplacedLedger>> read_replaced_ledger(const Home& home) {
  const auto bytes = crypto::read_private_file(record_file(home));
  if (!bytes) {
    if (bytes.error().code == Errc::not_found) return std::nullopt;
    return tl::unexpected(bytes.error());
  }
  auto parsed = parse({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
  if (!parsed) {
    return fail(Errc::corrupt,
                record_file(home).string() + " is damaged (" + parsed.error().detail + "). If " +
                    home.database_folder().string() +
                    " is the ledger that this node last used, delete the file; if in doubt, move "
                    "that folder aside as well: the node fetches the chain again from its peers");
  }
  return std::optional<ReplacedLedger>(std::move(*parsed));
}

Result<void> announce_replacement(const Home& home, Height height, Height executed_to,
                                  const std::string& reason) {
  QUORATE_TRY(const auto before, read_replaced_ledger(home));
  ReplacedLedger next{before ? before->count + 1 : 1, height, executed_to, reason, false};
  std::error_code ignored;
  while (fs::exists(next.folder(home), ignored)) ++next.count;
  return write(home, next);
}

Result<std::optional<ReplacedLedger>> move_replaced_ledger(const Home& home) {
  QUORATE_TRY(auto ledger, read_replaced_ledger(home));
  if (!ledger || ledger->moved) return ledger;
  const fs::path target = ledger->folder(home);
  std::error_code error;
  // A crash between the rename and the mark leaves the target in place.
  if (!fs::exists(target, error) && fs::exists(home.database_folder(), error)) {
    QUORATE_CHECK(rename_durably(home.database_folder(), target));
  }
  ledger->moved = true;
  QUORATE_CHECK(write(home, *ledger));
  return ledger;
}

}  // namespace quorate::node
