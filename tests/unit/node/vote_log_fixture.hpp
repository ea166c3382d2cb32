// A vote log's files in a folder of a test's own.
#pragma once

#include <catch2/catch.hpp>
#include <fstream>

#include "node/runtime/vote_log_store.hpp"
#include "tests/support/temporary_folder.hpp"

namespace quorate::node::test {

inline Bytes text(std::string_view words) { return to_bytes(as_bytes(words)); }
inline VoteLogEntry vote(std::string_view words) { return {text(words), false}; }

struct VoteDisk {
  TemporaryFolder folder;
  // Without preallocation, so that a file ends where its records end.
  VoteLogPaths paths{folder.path() / "votes", folder.path() / "validator_state.json", {0, nullptr}};
  Digest chain{{1}};
  PublicKey key{{2}};

  OpenedVoteLog open() {
    auto opened = VoteLogStore::open(paths, chain, key);
    if (!opened) FAIL(opened.error().detail);
    return std::move(*opened);
  }
  void append(const std::vector<std::vector<VoteLogEntry>>& groups) {
    const auto opened = open();
    REQUIRE(opened.store);
    for (const auto& group : groups) REQUIRE(opened.store->append_group(group).has_value());
  }
  std::filesystem::path file() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(paths.votes_dir))
      found.push_back(entry.path());
    REQUIRE(found.size() == 1);
    return found.front();
  }
  Bytes read(const std::filesystem::path& path) const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::filesystem::path& path, ByteView bytes) const {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
  }
};

}  // namespace quorate::node::test
