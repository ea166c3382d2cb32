// What the three programs' command lines share: failures, suggestions, completions.
#include <CLI/CLI.hpp>
#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "rpc/command_line/failure.hpp"
#include "rpc/command_line/help.hpp"
#include "rpc/command_line/man_page.hpp"
#include "rpc/command_line/usage.hpp"
#include "rpc/command_line/version.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace quorate;
using rpc::CommandFailure;

namespace {

// A program with commands two levels deep.
struct Program {
  bool json = false, origin = false;
  CLI::App app{"A program", "quorate-thing"};

  Program() {
    app.fallthrough();
    app.require_subcommand(1);
    app.add_flag("--json", json, "One document; nothing else");
    CLI::App* send = app.add_subcommand("send", "Pay somebody's bill. And wait");
    send->add_option("to", "Who")->required();
    send->add_option("--memo", "Said with it");
    CLI::App* config = app.add_subcommand("config", "The configuration");
    config->require_subcommand(1);
    app.add_subcommand("inner", "For the program itself")->group("");
    config->add_subcommand("show", "Print it")->add_flag("--origin", origin, "Where from");
  }
  CommandFailure wrong(const std::string& line) {
    try {
      app.parse(line);
    } catch (const CLI::ParseError& error) {
      return rpc::usage_failure(app, error);
    }
    FAIL("parsed: " << line);
    return {};
  }
};

// What bash completes after these words; the last one is under the cursor.
std::string bash_completes(const std::string& script, const std::string& words) {
  const TemporaryFolder folder;
  folder.write("completion", script);
  folder.write("ask", "source '" + (folder / "completion").string() + "'\nCOMP_WORDS=(" + words +
                          ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_quorate_thing\n"
                          "echo \"${COMPREPLY[*]}\"\n");
  std::FILE* pipe = ::popen(("bash --norc '" + (folder / "ask").string() + "' 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> chunk{};
  std::string out(chunk.data(), std::fread(chunk.data(), 1, chunk.size(), pipe));
  CHECK(::pclose(pipe) == 0);
  return out;
}

}  // namespace

TEST_CASE("a failure has one JSON form, with only what there is to say") {
  const auto json = [](const CommandFailure& failure) {
    return nlohmann::json::parse(rpc::failure_json(failure)).dump();
  };
  CHECK(json({ExitCode::locked_or_busy, "port 8645 is busy"}) ==
        "{\"error\":{\"code\":75,\"message\":\"port 8645 is busy\",\"name\":\"locked_or_busy\"}}");
  CommandFailure refused{ExitCode::rejected, "insufficient funds (have 1, need 2)", "fund it"};
  refused.rpc_code = -32003;
  refused.reason = "insufficient_funds";
  refused.data = "{\"got\":2}";
  CHECK(json(refused) ==
        "{\"error\":{\"code\":4,\"data\":{\"got\":2},\"hint\":\"fund it\","
        "\"message\":\"insufficient funds (have 1, need 2)\",\"name\":\"rejected\","
        "\"reason\":\"insufficient_funds\",\"rpc_code\":-32003}}");
  CHECK(rpc::failure_text(refused) ==
        "error: insufficient funds (have 1, need 2) [-32003 insufficient_funds]\n  fund it\n");
  // A file name need not be UTF-8.
  CHECK_NOTHROW(json({ExitCode::failed, "no file \xff"}));
}

TEST_CASE("a mistyped word is named with the one that was meant") {
  CHECK(Program().wrong("snd bob").message == "unknown command 'snd'; did you mean 'send'?");
  CHECK(Program().wrong("config shwo").message == "unknown command 'shwo'; did you mean 'show'?");
  CHECK(Program().wrong("send bob --mem=x").message ==
        "unknown flag '--mem'; did you mean '--memo'?");
  CHECK(Program().wrong("config show --jsn").message ==
        "unknown flag '--jsn'; did you mean '--json'?");
  CHECK(Program().wrong("frobnicate").message == "unknown command 'frobnicate'");
  CHECK(Program().wrong("inne").message == "unknown command 'inne'");  // not for people
  CHECK(Program().wrong("send bob 25").message == "'25' is one word too many");
  const CommandFailure missing = Program().wrong("send");
  CHECK(missing.message == "to is required");
  CHECK(missing.hint == "it is: quorate-thing send TO; see quorate-thing send --help");
  CHECK(missing.exit == ExitCode::usage);
}

TEST_CASE("bash completes commands, then the flags of the command under the cursor") {
  const Program program;
  const std::string script = rpc::completion_script(program.app, "bash");
  CHECK(bash_completes(script, "quorate-thing ''") == "send config\n");
  CHECK(bash_completes(script, "quorate-thing co") == "config\n");
  CHECK(bash_completes(script, "quorate-thing config ''") == "show\n");
  CHECK(bash_completes(script, "quorate-thing --json config show --o") == "--origin\n");
  CHECK(bash_completes(script, "quorate-thing send bob --m") == "--memo\n");
  CHECK(bash_completes(script, "quorate-thing send bob --js") == "--json\n");
}

TEST_CASE("the scripts of the other shells name every command and quote its help") {
  const Program program;
  CHECK_THAT(rpc::completion_script(program.app, "zsh"),
             Catch::StartsWith("#compdef quorate-thing\n"));
  const std::string fish = rpc::completion_script(program.app, "fish");
  CHECK_THAT(fish, Catch::Contains("-a send -d 'Pay somebody'\\''s bill'"));
  CHECK_THAT(fish, Catch::Contains("__fish_seen_subcommand_from config; and "
                                   "__fish_seen_subcommand_from show' -l origin"));
}

TEST_CASE(
    "the manual page has every command and flag, and nothing that roff would take for its own") {
  const Program program;
  const std::string page =
      rpc::man_page(program.app, {"be an example",
                                  "First.\n\n.Second \\ third",
                                  {{"FILES", {{"LOCK", "Held while it runs."}}}}});
  for (const char* part :
       {".TH QUORATE\\-THING 1", "quorate\\-thing \\- be an example", "\\fB\\-\\-json\\fR",
        ".SS \\fBsend\\fR \\fIto\\fR\n", "\\fB\\-\\-memo\\fR", ".SS \\fBconfig show\\fR",
        "First.\n.PP\n\\&.Second \\e third\n", ".SH FILES\n.TP\n\\fBLOCK\\fR\n",
        ".SH EXIT STATUS"}) {
    INFO(part << "\n" << page);
    CHECK(page.find(part) != std::string::npos);
  }
}

TEST_CASE("help begins with the examples of the command") {
  CLI::App app{"A program", "quorate-thing"};
  rpc::show_examples_first(app);
  app.add_subcommand("send", "Pay somebody");
  app.add_subcommand("list", "Everybody");
  rpc::give_examples(app, {{"send", {"send bob 25", "send bob 25 --memo rent"}}});
  CHECK_THAT(
      app.get_subcommand("send")->help(),
      Catch::StartsWith("Examples:\n  quorate-thing send bob 25\n  quorate-thing send bob 25 "
                        "--memo rent\n\nPay somebody\n"));
  CHECK_THAT(app.get_subcommand("list")->help(), Catch::StartsWith("Everybody\n"));
}

TEST_CASE("the version names the libraries that were asked for") {
  const auto libraries = rpc::library_versions({"libsodium", "no-such-library"});
  REQUIRE(libraries.size() == 1);
  CHECK(libraries.front().first == "libsodium");
  CHECK_THAT(
      rpc::version_text("quorate-thing", libraries),
      Catch::StartsWith("quorate-thing " + rpc::version()) && Catch::Contains("\n  libsodium 1."));
}
