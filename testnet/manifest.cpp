#include "testnet/manifest.hpp"

#include "crypto/certificate/quorum.hpp"
#include "node/config/files.hpp"
#include "rpc/json/fields.hpp"
#include "rpc/json/ledger_json.hpp"

namespace quorate::testnet {

namespace {

constexpr std::size_t kManifestBytesMax = 1U << 20U;
constexpr std::uint64_t kManifestVersion = 1;

constexpr std::uint64_t kPortMax = 65535;

Result<NodeEntry> node_from(const rpc::Json& json, const std::string& path) {
  QUORATE_TRY(const auto fields, rpc::Fields::of(json, path));
  NodeEntry node;
  QUORATE_TRY(node.name, fields.text("name"));
  QUORATE_TRY(const auto rpc_port, fields.integer("rpc_port", kPortMax));
  QUORATE_TRY(const auto p2p_port, fields.integer("p2p_port", kPortMax));
  node.rpc_port = static_cast<std::uint16_t>(rpc_port);
  node.p2p_port = static_cast<std::uint16_t>(p2p_port);
  return node;
}

rpc::Json traits_json(const consensus::EngineTraits& traits) {
  return {{"seals", traits.seals},
          {"connected_min", traits.connected_min},
          {"commit_depth", traits.commit_depth},
          {"mines", traits.mines}};
}

// A manifest without them is from a version whose only engine voted.
Result<consensus::EngineTraits> traits_from(const rpc::Json& manifest, std::size_t nodes) {
  consensus::EngineTraits out;
  out.connected_min = crypto::quorum_size(static_cast<std::uint32_t>(nodes));
  const auto found = manifest.find("engine_traits");
  if (found == manifest.end()) return out;
  QUORATE_TRY(const auto fields, rpc::Fields::of(*found, "testnet.engine_traits"));
  QUORATE_TRY(const rpc::Json* seals, fields.get("seals"));
  QUORATE_TRY(const rpc::Json* mines, fields.get("mines"));
  out.seals = *seals == true;
  out.mines = *mines == true;
  QUORATE_TRY(const auto connected_min, fields.integer("connected_min", UINT32_MAX));
  QUORATE_TRY(const auto commit_depth, fields.integer("commit_depth", UINT32_MAX));
  out.connected_min = static_cast<std::uint32_t>(connected_min);
  out.commit_depth = static_cast<std::uint32_t>(commit_depth);
  return out;
}

Result<Manifest> manifest_from(const rpc::Json& json) {
  QUORATE_TRY(const auto fields, rpc::Fields::of(json, "testnet"));
  QUORATE_TRY(const auto version, fields.integer("testnet_version"));
  if (version != kManifestVersion) {
    return fail(Errc::conflict, "it has version " + std::to_string(version) +
                                    ", and this program knows version " +
                                    std::to_string(kManifestVersion));
  }
  Manifest manifest;
  QUORATE_TRY(manifest.engine, fields.text("engine"));
  QUORATE_TRY(manifest.chain_name, fields.text("chain_name"));
  QUORATE_TRY(manifest.chain_id, fields.fixed<Digest>("chain_id"));
  QUORATE_TRY(const auto accounts, fields.integer("load_accounts", UINT32_MAX));
  manifest.load_accounts = static_cast<std::uint32_t>(accounts);
  QUORATE_TRY(const rpc::Json* nodes, fields.array("nodes", kNodesMax));
  for (const auto& entry : *nodes) {
    QUORATE_TRY(auto node, node_from(entry, "testnet.nodes"));
    manifest.nodes.push_back(std::move(node));
  }
  if (manifest.nodes.empty()) return fail(Errc::corrupt, "it names no node");
  QUORATE_TRY(manifest.traits, traits_from(json, manifest.nodes.size()));
  return manifest;
}

}  // namespace

Result<std::size_t> Manifest::find(const std::string& name) const {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].name == name || std::to_string(i) == name) return i;
  }
  return fail(Errc::not_found, "there is no node '" + name + "' here; the nodes are " +
                                   nodes.front().name + " to " + nodes.back().name);
}

Result<void> store(const Layout& layout, const Manifest& manifest) {
  rpc::Json nodes = rpc::Json::array();
  for (const auto& node : manifest.nodes) {
    nodes.push_back(
        {{"name", node.name}, {"rpc_port", node.rpc_port}, {"p2p_port", node.p2p_port}});
  }
  const rpc::Json json = {{"testnet_version", kManifestVersion},
                          {"engine", manifest.engine},
                          {"engine_traits", traits_json(manifest.traits)},
                          {"chain_name", manifest.chain_name},
                          {"chain_id", to_0x(manifest.chain_id)},
                          {"load_accounts", manifest.load_accounts},
                          {"nodes", std::move(nodes)}};
  return node::write_new_file(layout.manifest_file(), json.dump(2) + "\n", 0644);
}

Result<Manifest> load_manifest(const Layout& layout) {
  auto text = node::read_text_file(layout.manifest_file(), kManifestBytesMax);
  if (!text && text.error().code == Errc::not_found) {
    return fail(Errc::not_found, "there is no testnet in " + layout.data.string() +
                                     "; start one with: quorate-testnet up --data " +
                                     layout.data.string());
  }
  if (!text) return tl::unexpected(text.error());
  const auto json = rpc::parse_json(*text);
  auto manifest = json ? manifest_from(*json) : tl::unexpected(json.error());
  if (!manifest) {
    return fail(manifest.error().code == Errc::conflict ? Errc::conflict : Errc::corrupt,
                layout.manifest_file().string() + " cannot be used: " + manifest.error().detail);
  }
  return manifest;
}

}  // namespace quorate::testnet
