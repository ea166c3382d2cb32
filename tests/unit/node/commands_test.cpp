// The program as a user meets it: exit codes, files and what it prints. Runs the real binary.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>

#include "node/config/home.hpp"
#include "tests/support/temporary_folder.hpp"

using quorate::TemporaryFolder;
using namespace quorate::node;

namespace {

struct Ran {
  int exit = -1;
  std::string out;
  std::string err;
};

// `arguments` are given to a shell; the environment is empty but for `environment`.
Ran run(const TemporaryFolder& folder, const std::string& arguments,
        const std::string& environment = "") {
  const std::string command = "cd '" + folder.path().string() + "' && env -i HOME='" +
                              folder.path().string() + "' " + environment +
                              " timeout 60 " QUORATE_NODE_BINARY " " + arguments + " 2>stderr";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Ran out;
  std::array<char, 4096> chunk{};
  for (std::size_t got = 0; (got = std::fread(chunk.data(), 1, chunk.size(), pipe)) > 0;) {
    out.out.append(chunk.data(), got);
  }
  const int status = ::pclose(pipe);
  out.exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  out.err = folder.read("stderr");
  return out;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A home `solo` with a chain of its own.
void make_solo(const TemporaryFolder& folder, const std::string& chain_name = "local-solo") {
  REQUIRE(run(folder, "init --home solo --name solo > solo.json").exit == 0);
  REQUIRE(run(folder,
              "genesis build solo.json --no-bft --dev-accounts 100 --output "
              "solo/config/genesis.json --chain-name " +
                  chain_name)
              .exit == 0);
}

constexpr const char* kRunSolo =
    "run --home solo --no-bft --log-format plain --p2p-listen 127.0.0.1:0 --rpc-listen ";

// Runs the node until its log says `until` and sends `signal`; the exit code, and the log as err.
Ran run_until(const TemporaryFolder& folder, const std::string& until, int signal) {
  folder.write("start.sh", "cd '" + folder.path().string() + "'\n" QUORATE_NODE_BINARY " " +
                               kRunSolo +
                               "127.0.0.1:0 2>&1 &\necho pid $!\nwait $!\n"
                               "echo exit $?\n");
  std::FILE* pipe =
      ::popen(("timeout 60 sh '" + (folder / "start.sh").string() + "'").c_str(), "r");
  REQUIRE(pipe != nullptr);
  Ran out;
  std::string pid;
  std::array<char, 4096> line{};
  while (std::fgets(line.data(), static_cast<int>(line.size()), pipe) != nullptr) {
    const std::string text = line.data();
    out.err += text;
    if (text.rfind("pid ", 0) == 0) pid = text.substr(4);
    if (text.rfind("exit ", 0) == 0) out.exit = std::stoi(text.substr(5));
    if (contains(text, until)) ::kill(std::stoi(pid), signal);
  }
  ::pclose(pipe);
  return out;
}

// Four homes a, b, c, d with their entries, and a genesis in a.
void make_homes(const TemporaryFolder& folder, const std::string& chain_name = "local-test") {
  for (const std::string name : {"a", "b", "c", "d"}) {
    REQUIRE(run(folder, "init --home " + name + " --name " + name + " > " + name + ".json").exit ==
            0);
  }
  const Ran built = run(folder,
                        "genesis build a.json b.json c.json d.json --dev-accounts 100 "
                        "--output a/config/genesis.json --chain-name " +
                            chain_name);
  REQUIRE(built.exit == 0);
}

}  // namespace

TEST_CASE("help gives examples first, and the version names the libraries") {
  const TemporaryFolder folder;
  const Ran help = run(folder, "--help");
  CHECK(help.exit == 0);
  CHECK(help.out.rfind("Examples:", 0) == 0);
  const Ran version = run(folder, "-V");
  CHECK(version.exit == 0);
  CHECK(contains(version.out, "quorate-node 0."));
  CHECK(contains(version.out, "libsodium 1."));
}

TEST_CASE("a usage error is exit 2 and a typo gets a suggestion") {
  const TemporaryFolder folder;
  CHECK(run(folder, "").exit == 2);
  const Ran command = run(folder, "rnu");
  CHECK(command.exit == 2);
  CHECK(contains(command.err, "unknown command 'rnu'; did you mean 'run'?"));
  const Ran flag = run(folder, "config show --orign");
  CHECK(flag.exit == 2);
  CHECK(contains(flag.err, "unknown flag '--orign'; did you mean '--origin'?"));
  CHECK(run(folder, "init").exit == 2);
  CHECK(run(folder, "init --name Upper").exit == 2);
  CHECK(run(folder, "config check --set rpc.listen").exit == 2);
}

TEST_CASE("init makes a private home, prints an entry without a secret, and never overwrites") {
  const TemporaryFolder folder;
  const Ran made = run(folder, "init --home h --name node0 --p2p example.org:31000");
  CHECK(made.exit == 0);
  CHECK(contains(made.out, "\"name\": \"node0\""));
  CHECK(contains(made.out, "\"p2p\": \"example.org:31000\""));
  CHECK_FALSE(contains(made.out, "secret"));
  CHECK(contains(made.err, "Next:"));
  CHECK(contains(folder.read("h/config/config.toml"), "\nlisten = \"0.0.0.0:31000\"\n"));
  const std::string key = folder.read("h/keys/validator_key.json");

  const Ran again = run(folder, "init --home h --name node0");
  CHECK(again.exit == 73);
  CHECK(contains(again.err, "exists already"));
  CHECK(folder.read("h/keys/validator_key.json") == key);

  const Ran keys = run(folder, "keys --home h --json");
  CHECK(keys.exit == 0);
  CHECK(contains(keys.out, "\"validator_key\": \"0x"));
  CHECK(run(folder, "keys --home nowhere").exit == 3);
}

TEST_CASE("key files that others can read are exit 77") {
  const TemporaryFolder folder;
  REQUIRE(run(folder, "init --home h --name node0").exit == 0);
  std::filesystem::permissions(folder / "h/keys/node_key.json", std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  CHECK(run(folder, "keys --home h").exit == 77);
}

TEST_CASE("config shows where each value comes from, and a bad one is exit 78") {
  const TemporaryFolder folder;
  REQUIRE(run(folder, "init --home h --name node0").exit == 0);
  CHECK(run(folder, "config check --home h").exit == 0);
  const Ran shown = run(folder, "config show --origin --home h --log-level debug",
                        "QUORATE_RPC__LISTEN=127.0.0.1:1");
  CHECK(shown.exit == 0);
  CHECK(contains(shown.out, "rpc.listen = \"127.0.0.1:1\"  # environment QUORATE_RPC__LISTEN"));
  CHECK(contains(shown.out, "log.level = \"debug\"  # flag --log-level"));
  CHECK(contains(shown.out, "mempool.bytes_max = 67108864  # default"));
  CHECK(run(folder, "config show --home h", "QUORATE_RPC__LISEN=1").exit == 78);

  folder.write("h/config/config.toml", "[rpc]\nlisen = 1\n");
  const Ran checked = run(folder, "config check --home h --json");
  CHECK(checked.exit == 78);
  CHECK(contains(checked.err, "config.toml:2:1: unknown key 'rpc.lisen'; did you mean"));
  CHECK(contains(checked.out, "\"code\": 78"));
  CHECK(contains(checked.out, "\"name\": \"configuration\""));
}

TEST_CASE("the genesis is the same whatever the order of the entries") {
  const TemporaryFolder folder;
  make_homes(folder);
  const Ran other = run(folder,
                        "genesis build d.json c.json b.json a.json --dev-accounts 100 "
                        "--chain-name local-test");
  CHECK(other.exit == 0);
  CHECK(other.out == folder.read("a/config/genesis.json"));
  const Ran hash = run(folder, "genesis hash --home a");
  CHECK(hash.exit == 0);
  CHECK(hash.out.size() == 67);
  CHECK(contains(other.err, hash.out.substr(0, 66)));
  CHECK(run(folder, "genesis validate a/config/genesis.json").exit == 0);
  CHECK(run(folder, "genesis validate nowhere.json").exit == 3);
  CHECK(run(folder,
            "genesis build a.json b.json --chain-name local-x --output "
            "a/config/genesis.json --no-bft")
            .exit == 73);
}

TEST_CASE("a genesis of three, or with development accounts on a real chain, is exit 78") {
  const TemporaryFolder folder;
  make_homes(folder);
  const Ran three = run(folder, "genesis build a.json b.json c.json --chain-name local-x");
  CHECK(three.exit == 78);
  CHECK(contains(three.err, "--no-bft"));
  CHECK(run(folder, "genesis build a.json b.json c.json --chain-name local-x --no-bft").exit == 0);
  const Ran funded = run(folder,
                         "genesis build a.json b.json c.json d.json --chain-name real "
                         "--dev-accounts 5");
  CHECK(funded.exit == 78);
  folder.write("bad.json", "{");
  CHECK(run(folder, "genesis build bad.json --chain-name local-x").exit == 78);
}

TEST_CASE("an engine that does not exist, or refuses a parameter, is exit 78 with what there is") {
  const TemporaryFolder folder;
  make_homes(folder);
  const std::string build = "genesis build a.json b.json c.json d.json --chain-name local-x ";
  const Ran unknown = run(folder, build + "--engine raft");
  CHECK(unknown.exit == 78);
  CHECK(contains(unknown.err, "unknown engine \"raft\"; there are: "));
  const Ran refused = run(folder, build + "--engine-parameter intervall_ms=5");
  CHECK(refused.exit == 78);
  CHECK(contains(refused.err, "intervall_ms"));
  CHECK(run(folder, build + "--engine-parameter interval_ms").exit == 2);
  CHECK(run(folder, build + "--engine-parameter interval_ms=1s").exit == 2);
  const Ran twice =
      run(folder, build + "--engine-parameter interval_ms=1 --engine-parameter interval_ms=2");
  CHECK(twice.exit == 2);
  CHECK(contains(twice.err, "given twice"));

  const Ran mined =
      run(folder, build + "--engine pow --engine-parameter depth=3 --output mined.json");
  CHECK(mined.exit == 0);
  const Ran valid = run(folder, "genesis validate mined.json --json");
  CHECK(valid.exit == 0);
  CHECK(contains(valid.out, "\"engine\": \"pow\""));
  CHECK(contains(valid.out, "\"commit_depth\": 3"));
  CHECK_FALSE(contains(valid.out, "quorum"));
  const Ran misspelt = run(folder, build + "--engine pow --engine-parameter intervall_ms=5");
  CHECK(misspelt.exit == 78);
  CHECK(contains(misspelt.err, "did you mean \"interval_ms\"?"));
}

TEST_CASE("run refuses a home without genesis, a foreign genesis and a home in use") {
  const TemporaryFolder folder;
  make_homes(folder);
  const Ran none = run(folder, "run --home b");
  CHECK(none.exit == 78);
  CHECK(contains(none.err, "genesis.json does not exist"));

  REQUIRE(run(folder, "init --home e --name e").exit == 0);
  folder.write("e/config/genesis.json", folder.read("a/config/genesis.json"));
  const Ran foreign = run(folder, "run --home e");
  CHECK(foreign.exit == 78);
  CHECK(contains(foreign.err, "the genesis has no validator with the node key"));

  const auto lock = HomeLock::acquire(Home{folder / "a"});
  REQUIRE(lock);
  for (const char* command : {"run --home a", "verify --home a"}) {
    const Ran busy = run(folder, command);
    CHECK(busy.exit == 75);
    CHECK(contains(busy.err, "in use by process " + std::to_string(::getpid())));
  }
  CHECK(run(folder, "run --home nowhere").exit == 3);
}

TEST_CASE("SIGTERM and SIGINT are a clean stop, after which the chain verifies") {
  const TemporaryFolder folder;
  make_solo(folder);
  for (const int signal : {SIGTERM, SIGINT}) {
    const Ran ran = run_until(folder, "INFO node started name=solo", signal);
    CAPTURE(ran.err);
    CHECK(ran.exit == 0);
    CHECK(contains(ran.err, "INFO node stopped height=0"));
  }
  const Ran verified = run(folder, "verify --home solo --json");
  CHECK(verified.exit == 0);
  CHECK(contains(verified.out, "\"total_balance\": \"1000\""));
}

TEST_CASE("a busy port is exit 75 and named") {
  const TemporaryFolder folder;
  make_solo(folder);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(fd, 1) == 0);
  REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const std::string port = std::to_string(::ntohs(address.sin_port));
  const Ran ran = run(folder, kRunSolo + ("127.0.0.1:" + port));
  ::close(fd);
  CHECK(ran.exit == 75);
  CHECK(contains(ran.err, "port " + port + " is busy"));
  CHECK(contains(ran.err, "rpc.listen"));
}

TEST_CASE("the data of another chain is refused by run and by verify, naming both") {
  const TemporaryFolder folder;
  make_solo(folder);
  REQUIRE(run_until(folder, "INFO node started", SIGTERM).exit == 0);
  const std::string first = run(folder, "genesis hash --home solo").out.substr(0, 66);
  std::filesystem::remove(folder / "solo/config/genesis.json");
  REQUIRE(run(folder,
              "genesis build solo.json --no-bft --chain-name local-other --output "
              "solo/config/genesis.json")
              .exit == 0);
  const std::string second = run(folder, "genesis hash --home solo").out.substr(0, 66);
  const Ran ran = run(folder, kRunSolo + std::string("127.0.0.1:0"));
  CHECK(ran.exit == 78);
  CHECK(contains(ran.err, first));
  CHECK(contains(ran.err, second));
  CHECK(run(folder, "verify --home solo").exit == 74);
}

TEST_CASE("a damaged database is exit 74") {
  const TemporaryFolder folder;
  make_solo(folder);
  REQUIRE(run_until(folder, "INFO node started", SIGTERM).exit == 0);
  for (const auto& file : std::filesystem::directory_iterator(folder / "solo/data/db")) {
    const std::string name = file.path().filename().string();
    if (name.rfind("MANIFEST", 0) == 0) folder.write("solo/data/db/" + name, "damaged");
  }
  CHECK(run(folder, "verify --home solo").exit == 74);
  CHECK(run(folder, kRunSolo + std::string("127.0.0.1:0")).exit == 74);
}

TEST_CASE("verify without a database is exit 3") {
  const TemporaryFolder folder;
  make_homes(folder);
  CHECK(run(folder, "verify --home a").exit == 3);
}
