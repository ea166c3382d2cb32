#include "testnet/perturb/links.hpp"

#include <csignal>
#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>

#include "node/config/files.hpp"
#include "rpc/json/fields.hpp"
#include "testnet/files.hpp"

namespace quorate::testnet {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kFileBytesMax = 1U << 20U;
constexpr milliseconds kAnswerMax{10'000};
constexpr std::string_view kPeersSetting = "p2p.peers=";

struct Wanted {
  std::uint64_t version = 0;
  LinkRules rules;
};

Result<rpc::Json> read_json(const std::filesystem::path& file) {
  QUORATE_TRY(const auto text, node::read_text_file(file, kFileBytesMax));
  auto json = rpc::parse_json(text);
  if (!json) return fail(Errc::corrupt, file.string() + ": " + json.error().detail);
  return json;
}

Result<Wanted> read_wanted(const Layout& layout) {
  QUORATE_TRY(const auto json, read_json(layout.links_file()));
  QUORATE_TRY(const auto fields, rpc::Fields::of(json, "links"));
  Wanted wanted;
  QUORATE_TRY(wanted.version, fields.integer("version"));
  QUORATE_TRY(wanted.rules, rules_from(json));
  return wanted;
}

Result<void> write_wanted(const Layout& layout, const Wanted& wanted) {
  rpc::Json json = to_json(wanted.rules);
  json["version"] = wanted.version;
  return replace_file(layout.links_file(), json.dump(2) + "\n", 0644);
}

Result<void> write_state(const Layout& layout, std::uint64_t version, const LinkProxy& proxy) {
  rpc::Json ports = rpc::Json::array();
  for (const auto& [link, port] : proxy.ports()) {
    ports.push_back({{"from", link.first}, {"to", link.second}, {"port", port}});
  }
  rpc::Json traffic = rpc::Json::array();
  for (const auto& [direction, passed] : proxy.traffic()) {
    traffic.push_back({{"from", direction.first},
                       {"to", direction.second},
                       {"bytes", passed.bytes},
                       {"connections", passed.connections},
                       {"resets", passed.resets},
                       {"held_back", passed.held_back}});
  }
  const rpc::Json json = {{"version", version}, {"ports", ports}, {"traffic", traffic}};
  return replace_file(layout.links_state_file(), json.dump(2) + "\n", 0644);
}

Result<Direction> direction_of(const rpc::Fields& fields) {
  QUORATE_TRY(const auto from, fields.integer("from", kNodesMax));
  QUORATE_TRY(const auto to, fields.integer("to", kNodesMax));
  return Direction{from, to};
}

Result<LinkState> state_from(const rpc::Json& json) {
  QUORATE_TRY(const auto fields, rpc::Fields::of(json, "links.state"));
  LinkState state;
  QUORATE_TRY(state.version, fields.integer("version"));
  QUORATE_TRY(const rpc::Json* ports, fields.array("ports", kNodesMax * kNodesMax));
  for (const auto& entry : *ports) {
    QUORATE_TRY(const auto each, rpc::Fields::of(entry, "links.state.ports"));
    QUORATE_TRY(const auto direction, direction_of(each));
    QUORATE_TRY(const auto port, each.integer("port", UINT16_MAX));
    state.ports[direction] = static_cast<std::uint16_t>(port);
  }
  QUORATE_TRY(const rpc::Json* traffic, fields.array("traffic", kNodesMax * kNodesMax));
  for (const auto& entry : *traffic) {
    QUORATE_TRY(const auto each, rpc::Fields::of(entry, "links.state.traffic"));
    QUORATE_TRY(const auto direction, direction_of(each));
    LinkTraffic& passed = state.traffic[direction];
    QUORATE_TRY(passed.bytes, each.integer("bytes"));
    QUORATE_TRY(passed.connections, each.integer("connections"));
    QUORATE_TRY(passed.resets, each.integer("resets"));
    QUORATE_TRY(passed.held_back, each.integer("held_back"));
  }
  return state;
}

std::vector<std::uint16_t> p2p_ports(const Manifest& manifest) {
  std::vector<std::uint16_t> out;
  for (const auto& node : manifest.nodes) out.push_back(node.p2p_port);
  return out;
}

}  // namespace

bool Links::exist() const {
  std::error_code error;
  return std::filesystem::exists(layout_.links_file(), error);
}

RunState Links::process() const { return state_of(find_process(layout_.pid_file("links"))); }

Result<LinkRules> Links::rules() const {
  QUORATE_TRY(auto wanted, read_wanted(layout_));
  return std::move(wanted.rules);
}

Result<LinkState> Links::state() const {
  QUORATE_TRY(const auto json, read_json(layout_.links_state_file()));
  return state_from(json);
}

Result<LinkState> Links::wait_for(std::uint64_t version) const {
  const auto deadline = std::chrono::steady_clock::now() + kAnswerMax;
  while (true) {
    auto now = state();
    if (now && now->version >= version) return now;
    if (process() != RunState::alive || std::chrono::steady_clock::now() > deadline) {
      return fail(Errc::io, "the process of the fault links does not answer; see " +
                                layout_.log_file("links").string() +
                                ", and start it again with: quorate-testnet up --faults");
    }
    std::this_thread::sleep_for(milliseconds(5));
  }
}

Result<void> Links::start() const {
  if (!exist()) QUORATE_CHECK(write_wanted(layout_, {1, LinkRules(manifest_.nodes.size())}));
  QUORATE_TRY(auto wanted, read_wanted(layout_));
  if (process() != RunState::dead) return {};
  // A higher version, so that what an earlier process wrote is not taken for its answer.
  ++wanted.version;
  QUORATE_CHECK(write_wanted(layout_, wanted));
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return fail(Errc::io, "cannot find this program: " + error.message());
  const std::vector<std::string> command = {self.string(), "fault-links", "--data",
                                            std::filesystem::absolute(layout_.data).string()};
  QUORATE_CHECK(spawn_detached(command, layout_.log_file("links"), layout_.pid_file("links")));
  QUORATE_CHECK(wait_for(wanted.version));
  return {};
}

Result<LinkState> Links::apply(const LinkRules& rules) const {
  QUORATE_TRY(const auto before, read_wanted(layout_));
  const Wanted wanted{before.version + 1, rules};
  QUORATE_CHECK(write_wanted(layout_, wanted));
  const auto running = find_process(layout_.pid_file("links"));
  if (!running) {
    QUORATE_CHECK(start());
    return state();
  }
  QUORATE_CHECK(send_signal(*running, SIGHUP));
  return wait_for(wanted.version);
}

Result<void> Links::rest() const {
  if (const auto running = find_process(layout_.pid_file("links"))) {
    QUORATE_CHECK(send_signal(*running, SIGTERM));
    QUORATE_CHECK(send_signal(*running, SIGCONT));
    QUORATE_TRY(const bool ended, wait_for_end(*running, std::chrono::seconds(5)));
    if (!ended) QUORATE_CHECK(send_signal(*running, SIGKILL));
  }
  std::error_code ignored;
  std::filesystem::remove(layout_.links_state_file(), ignored);
  if (!exist()) return {};
  QUORATE_TRY(const auto wanted, read_wanted(layout_));
  return write_wanted(layout_, {wanted.version + 1, LinkRules(manifest_.nodes.size())});
}

Result<void> Links::stop() const {
  QUORATE_CHECK(rest());
  std::error_code ignored;
  std::filesystem::remove(layout_.links_file(), ignored);
  return {};
}

Result<std::string> Links::peers_setting(NodeIndex node) const {
  QUORATE_TRY(const auto now, state());
  std::string peers;
  for (const auto& [link, port] : now.ports) {
    if (link.first != node) continue;
    peers += (peers.empty() ? "" : ",") + manifest_.nodes.at(link.second).name +
             "=127.0.0.1:" + std::to_string(port);
  }
  return peers.empty() ? peers : std::string(kPeersSetting) + peers;
}

bool Links::dials_through_links(const ProcessId& process) {
  std::ifstream in("/proc/" + std::to_string(process.pid) + "/cmdline", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return text.find(kPeersSetting) != std::string::npos;
}

Result<int> Links::serve(const std::filesystem::path& data) {
  const Layout layout{data};
  QUORATE_TRY(const auto manifest, load_manifest(layout));
  const Links links(layout, manifest);
  // After a crash the nodes still dial the old ports.
  const auto before = links.state();
  QUORATE_TRY(const auto proxy,
              LinkProxy::listen(p2p_ports(manifest), before ? before->ports : LinkState{}.ports));
  const auto reload = [&] {
    auto wanted = read_wanted(layout);
    if (!wanted) {
      std::cerr << "the rules stay as they were: " << wanted.error().detail << std::endl;
      return;
    }
    for (const auto& [direction, rule] : wanted->rules.all()) {
      std::cout << "rules " << wanted->version << ": node" << direction.first << " to node"
                << direction.second << ": " << describe(rule) << "\n";
    }
    if (wanted->rules.empty()) std::cout << "rules " << wanted->version << ": none\n";
    std::cout.flush();
    proxy->set_rules(std::move(wanted->rules));
    if (const auto written = write_state(layout, wanted->version, *proxy); !written) {
      std::cerr << written.error().detail << std::endl;
    }
  };
  reload();
  proxy->run(reload);
  return 0;
}

}  // namespace quorate::testnet
