// Golden transcripts of the engine: each .scn file is a short play whose lines beginning with ">"
// are commands; below each stands what the engines then put out. The program plays every file and
// compares; with QUORATE_REWRITE=1 in the environment it writes down what happened instead, to be
// read as a diff.
//
// Commands:
//   > cluster members=4 checkpoint=4     a new cluster (must come first)
//   > start 0 1 2 3 | crash 2            lives begin and end
//   > submit 3                           work for everybody
//   > lose prepare 0 3                   from now on, such messages from 0 to 3 are lost
//   > heal                               nothing is lost any more
//   > run 500                            milliseconds of virtual time
//   > show 0 1 2 3                       whose outputs are written down (all at first; none without
//   numbers) > status 1                           where a replica stands
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include <catch2/catch.hpp>

#include "tests/unit/consensus/cluster.hpp"

namespace quorate::consensus::test {
namespace {

std::string short_id(const Digest& id) { return to_hex(id).substr(0, 8); }

std::string describe(const pbft::Ballot& ballot) {
  return " h" + std::to_string(ballot.height.value()) + " v" + std::to_string(ballot.view.value()) +
         " " + short_id(ballot.id);
}

struct DescribeMessage {
  std::string operator()(const pbft::PrePrepare& m) const {
    return "PRE-PREPARE" + describe(m.core.ballot);
  }
  std::string operator()(const pbft::Vote& m) const {
    return (m.kind == pbft::VoteKind::prepare ? "PREPARE" : "COMMIT") + describe(m.ballot);
  }
  std::string operator()(const pbft::Seal& m) const {
    return "SEAL h" + std::to_string(m.height.value());
  }
  std::string operator()(const pbft::CheckpointVote& m) const {
    return "CHECKPOINT h" + std::to_string(m.claim.height.value());
  }
  std::string operator()(const pbft::StatusReport& m) const {
    return "STATUS h=" + std::to_string(m.low_watermark.value()) +
           " executed=" + std::to_string(m.last_executed.value()) +
           " sealed=" + std::to_string(m.sealed_to.value()) + (m.starting ? " starting" : "") +
           (m.witnesses ? " witnesses=" + std::to_string(m.witnesses->size()) : "");
  }
  std::string operator()(const pbft::Fetch& m) const { return "FETCH " + short_id(m.id); }
  std::string operator()(const pbft::Data& m) const {
    return "DATA h" + std::to_string(m.body.header.height.value());
  }
  std::string operator()(const pbft::CommitCertificate& m) const {
    return "commit certificate h" + std::to_string(m.height.value());
  }
  std::string operator()(const pbft::CheckpointProof& m) const {
    return "checkpoint proof h" + std::to_string(m.claim.height.value());
  }
  std::string operator()(const pbft::Suspect& m) const {
    return "SUSPECT v" + std::to_string(m.view.value());
  }
  std::string operator()(const pbft::ViewChangePtr& m) const {
    return "VIEW-CHANGE v" + std::to_string(m->view.value()) +
           " s=" + std::to_string(m->low_watermark().value()) +
           " prepared=" + std::to_string(m->prepared.size());
  }
  std::string operator()(const pbft::NewViewPtr& m) const {
    std::string out = "NEW-VIEW v" + std::to_string(m->view.value()) + " by";
    for (const auto& entry : m->view_changes) out += " " + std::to_string(entry->replica.value());
    for (const pbft::Core& core : m->proposals) {
      out += ", h" + std::to_string(core.ballot.height.value()) + " " + short_id(core.ballot.id);
    }
    return out;
  }
};

struct DescribeOutput {
  std::uint32_t members;

  std::string operator()(const Persist& o) const {
    return (o.snapshot ? "log snapshot #" : "log record #") + std::to_string(o.token.value());
  }
  std::string operator()(const Send& o) const {
    const auto decoded = pbft::decode(o.message, {members, 1U << 16U});
    REQUIRE(decoded);
    return "send " + std::visit(DescribeMessage{}, decoded->message) +
           (o.to ? " to " + std::to_string(o.to->value()) : "") +
           (o.after ? " after #" + std::to_string(o.after->value()) : "");
  }
  std::string operator()(const RequestProposal& o) const {
    return "request proposal h" + std::to_string(o.height.value()) + " ahead " +
           std::to_string(o.ahead.size());
  }
  std::string operator()(const CancelProposal&) const { return "cancel proposal"; }
  std::string operator()(const Validate& o) const {
    return "validate h" + std::to_string(o.height.value()) + " " + short_id(o.id);
  }
  std::string operator()(const Commit& o) const {
    return "commit h" + std::to_string(o.height.value()) + " " + short_id(o.id);
  }
  std::string operator()(const Rewind& o) const {
    return "rewind to h" + std::to_string(o.height.value());
  }
  std::string operator()(const TentativeOrder& o) const {
    return "tentative order of " + std::to_string(o.ids.size());
  }
  std::string operator()(const StartWork& o) const {
    return "start work #" + std::to_string(o.token.value());
  }
  std::string operator()(const CancelWork& o) const {
    return "cancel work #" + std::to_string(o.token.value());
  }
  std::string operator()(const Sealed& o) const {
    return "sealed h" + std::to_string(o.height.value()) + " by " + std::to_string(o.seals.size());
  }
  std::string operator()(const LoadPayload& o) const { return "load payload " + short_id(o.id); }
  std::string operator()(const LoadCertificates& o) const {
    return "load certificates from " + std::to_string(o.first.value());
  }
  std::string operator()(const RequestSync& o) const {
    return "request sync above " + std::to_string(o.above.value()) + " evidence " +
           std::to_string(o.evidence.value());
  }
  std::string operator()(const Rejected& o) const { return "rejected: " + o.reason; }
  std::string operator()(const Evidence& o) const { return "evidence: " + o.what; }
  std::string operator()(const Halt& o) const { return "halt: " + o.reason; }
  std::string operator()(const Diverged& o) const { return "diverged: " + o.reason; }
  std::string operator()(const RelayPending&) const { return "relay pending"; }
  std::string operator()(const Progress&) const { return ""; }  // says what other lines say
};

// Plays one file.
class Play {
 public:
  std::string perform(const std::string& script) {
    std::istringstream in(script);
    std::string line;
    while (std::getline(in, line)) {
      if (line.rfind("> ", 0) == 0) {
        out_ << line << "\n";
        command(line.substr(2));
      } else if (line.empty() || line[0] == '#') {
        out_ << line << "\n";
      }
    }
    return out_.str();
  }

 private:
  std::vector<std::uint32_t> numbers(std::istringstream& words) {
    std::vector<std::uint32_t> out;
    for (std::uint32_t number = 0; words >> number;) out.push_back(number);
    return out;
  }

  void command(const std::string& text) {
    std::istringstream words(text);
    std::string verb;
    words >> verb;
    if (verb == "cluster") return make(words);
    REQUIRE(cluster_);
    if (verb == "lose") return lose(words);
    if (verb == "heal") {
      cluster_->filter = nullptr;
      return;
    }
    if (verb == "show") shown_.clear();
    for (const std::uint32_t number : numbers(words)) {
      if (verb == "start") {
        cluster_->start(number);
      } else if (verb == "crash") {
        cluster_->crash(number);
      } else if (verb == "submit") {
        cluster_->submit_many(number);
      } else if (verb == "run") {
        cluster_->run_for(std::chrono::milliseconds(number));
      } else if (verb == "show") {
        shown_.insert(number);
      } else if (verb == "status") {
        status(number);
      } else {
        FAIL("unknown command: " << text);
      }
    }
  }

  void make(std::istringstream& words) {
    ClusterOptions options;
    for (std::string word; words >> word;) {
      const std::size_t equals = word.find('=');
      const auto value = static_cast<std::uint32_t>(std::stoul(word.substr(equals + 1)));
      if (word.rfind("members", 0) == 0) options.members = value;
      if (word.rfind("checkpoint", 0) == 0) options.checkpoint_interval = value;
    }
    cluster_ = std::make_unique<Cluster>(options);
    for (std::uint32_t i = 0; i < options.members; ++i) shown_.insert(i);
    cluster_->on_output = [this, members = options.members](std::uint32_t replica,
                                                            const Output& output) {
      if (shown_.count(replica) == 0) return;
      const std::string described = std::visit(DescribeOutput{members}, output);
      if (described.empty()) return;
      const auto at =
          std::chrono::duration_cast<std::chrono::microseconds>(cluster_->now().since_origin)
              .count();
      char stamp[32];
      std::snprintf(stamp, sizeof stamp, "%6lld.%03lld", static_cast<long long>(at / 1000),
                    static_cast<long long>(at % 1000));
      out_ << stamp << "  " << replica << "  " << described << "\n";
    };
  }

  void lose(std::istringstream& words) {
    std::string type;
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    words >> type >> from >> to;
    auto before = cluster_->filter;
    cluster_->filter = [=, this](std::uint32_t a, std::uint32_t b, const pbft::Message& message) {
      if (before && !before(a, b, message)) return false;
      if (a != from || b != to) return true;
      auto verified = cluster_->verifier().verify(ReplicaId(a), pbft::encode(Epoch(0), message));
      return type != "all" && (!verified || (*verified)->type_name() != type);
    };
  }

  void status(std::uint32_t replica) {
    const Status s = cluster_->engine(replica).status();
    out_ << "           " << replica << "  executed " << s.last_executed.value() << ", sealed to "
         << s.sealed_to.value() << ", votes in (" << s.low_watermark.value() << ", "
         << s.high_watermark.value() << "]" << (s.observer ? ", observer" : "") << "\n";
  }

  std::unique_ptr<Cluster> cluster_;
  std::set<std::uint32_t> shown_;
  std::ostringstream out_;
};

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("the engine acts as its golden transcripts say") {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(QUORATE_SOURCE_DIR "/tests/scenarios")) {
    if (entry.path().extension() == ".scn") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  REQUIRE_FALSE(files.empty());
  const bool rewrite = std::getenv("QUORATE_REWRITE") != nullptr;
  for (const auto& path : files) {
    const std::string expected = read(path);
    const std::string actual = Play().perform(expected);
    if (rewrite) {
      std::ofstream(path, std::ios::binary) << actual;
      continue;
    }
    INFO(path << " differs; if the change is meant, run this program with QUORATE_REWRITE=1 in "
                 "the environment and read the diff");
    CHECK(actual == expected);
  }
}

}  // namespace quorate::consensus::test
