// The comparison's plan, search and reports, with a fixed model: nothing is measured here.
#include <catch2/catch.hpp>
#include <cmath>
#include <regex>
#include <sstream>

#include "testnet/compare/axis.hpp"
#include "testnet/compare/chance.hpp"
#include "testnet/compare/counters.hpp"
#include "testnet/compare/ladder.hpp"
#include "testnet/compare/plan.hpp"
#include "testnet/compare/plots.hpp"
#include "testnet/compare/progress.hpp"
#include "testnet/compare/report_html.hpp"
#include "testnet/compare/report_json.hpp"
#include "testnet/compare/report_terminal.hpp"
#include "testnet/compare/sections.hpp"
#include "testnet/compare/text.hpp"
#include "testnet/compare/verdict.hpp"

namespace quorate::testnet::comparison {

namespace {

constexpr Setting kRealVotes{Engine::pbft, Origin::measured, 4, 0};
constexpr Setting kRealWork{Engine::pow, Origin::measured, 4, 0};

Figure one(double value) { return figure_of({value}); }

void add_real(Model& model) {
  model.throughput = {{kRealVotes,
                       {{800, 800, 8, 20, true}, {6400, 6450, 900, 2100, false, 38'400, 38'400}},
                       figure_of({3100, 3200, 3300, 3400, 3500}),
                       false,
                       6},
                      {kRealWork, {{800, 790, 14'000, 26'000, true}}, one(800), true, 30}};
  model.latency = {{kRealVotes, 0, 0, one(3.1), one(4), one(5)},
                   {kRealVotes, 0, 800, one(4.8), one(6), one(9)},
                   {kRealWork, 6, 800, one(14'100), one(22'000), one(26'000)}};
  model.costs = {
      {kRealVotes,
       800,
       510,
       {{"signatures", 300}, {"ordering", 210}},
       0,
       0.0051,
       std::nullopt,
       4200,
       9.5},
      {kRealWork, 800, 900, {{"mining", 500}, {"signatures", 400}}, 650, 0.009, 0.05, 2100, 4}};
  model.partitions = {{kRealVotes, "2 | 2", 15, {0, 0}, 0, 0, 0, 0.4},
                      {kRealWork, "2 | 2", 50, {9, 13}, 1172, 15, 0, 6.5}};
  model.recovery = {{kRealVotes, kLeaderKilled, one(0.9), 0.02, 1, 0, 0, 6.0},
                    {kRealWork, kLeaderKilled, one(18.1), 7.0, 1, 0, 0, 30.1,
                     LongestGap{8.7, 4.0, 14.6}, LongestGap{7.0, 3.5, 11.5}},
                    {kRealVotes, kNewNode, one(1.4), 0, 1, 170, 1000}};
  model.proofs = {{kRealVotes, 1800, 0, "signatures"}, {kRealWork, 2400, 8'294'400, "work"}};
}

void add_simulated(Model& model) {
  for (const std::uint32_t nodes : {4U, 31U}) {
    for (const double delay : {1.0, 200.0}) {
      const Setting votes{Engine::pbft, Origin::simulated, nodes, delay};
      const Setting work{Engine::pow, Origin::simulated, nodes, delay};
      const double n = nodes;
      model.latency.push_back({votes, 0, 20, one(6 + 4 * delay), one(1), one(2)});
      model.latency.push_back({work, 6, 20, one(13'000 + delay), one(1), one(2)});
      model.latency.push_back({work, 20, 20, one(41'000 + delay), one(1), one(2)});
      model.traffic.push_back({votes,
                               20,
                               100,
                               4.1 * n * n,
                               9000,
                               n - 1,
                               4.1 * n * n + n - 1,
                               800,
                               4 * n * n,
                               0,
                               {{"prepare", 12, 3000}}});
      model.traffic.push_back(
          {work, 20, 60, 3 * n, 5000, 30, 31, 700, 0, delay / 4000, {{"block", 3, 4000}}});
    }
  }
  model.throughput.push_back(
      {{Engine::pbft, Origin::simulated, 31, 1}, {{500, 500.2, 9, 12, true}}, one(4000), false, 1});
  model.partitions.push_back(
      {{Engine::pow, Origin::simulated, 4, 1}, "2 | 2", 120, {20, 22}, 2100, 24, 3, 2.0});
  model.faults = {{{Engine::pbft, Origin::simulated, 4, 1}, "2 of 4 crashed", 2, 0, 3.1, 0, false},
                  {{Engine::pow, Origin::simulated, 4, 1}, "2 of 4 crashed", 2, 14, 9, 0, true}};
  model.liars = {{{Engine::pbft, Origin::simulated, 4, 1}, 1, 1, false, 3, 1, 0, true},
                 {{Engine::pbft, Origin::simulated, 4, 1}, 2, 1, true, 2, 2, 0, false}};
}

Model a_model() {
  Model out;
  out.version = "quorate-testnet 0.1.0";
  out.started = "2031-02-03T04:05:06Z";
  out.kind = "shortened";
  out.again = "quorate-testnet compare --seed 1";
  out.machine = {{2, 48, 0.95, 30, 180}, 2.5e6, 0.01, {}, "a <fast> processor & more", "Linux 6"};
  out.shortened = {"one run instead of five"};
  out.left_out = {{"PBFT, 100 simulated nodes, 200 ms", "the time for simulations was over"}};
  out.safe_depths = {{0.25, 1e-3, 20, 15}, {0.25, 1e-6, 44, 35}};
  out.budgets = {{"a rented rack", 10'000, 0.25, 30'000, 0.00001}};
  out.attack = {{0, 6, 0, 0, 200, 0},
                {0.25, 6, 0.0686550, 0.0499426, 200, 13},
                {0.45, 6, 0.73, 0.70, 200, 150}};
  out.selfish = {{0.25, 0, 0.1951, 5000, 0.1944, 0.0063, 0.178},
                 {0.4, 0.5, 0.5256, 5000, 0.5255, 0.0093, 0.293}};
  add_real(out);
  add_simulated(out);
  return out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t out = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++out;
  }
  return out;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The first tag that is closed by another or never; empty when the page is well formed.
std::string unbalanced(const std::string& html) {
  const std::regex tag("<(/?)([a-zA-Z0-9]+)([^<>]*)>");
  std::vector<std::string> open;
  for (auto it = std::sregex_iterator(html.begin(), html.end(), tag); it != std::sregex_iterator();
       ++it) {
    const std::string name = (*it)[2];
    const std::string rest = (*it)[3];
    const bool alone = name == "meta" || (!rest.empty() && rest.back() == '/');
    if ((*it)[1].length() == 0) {
      if (!alone) open.push_back(name);
      continue;
    }
    if (open.empty() || open.back() != name) return name;
    open.pop_back();
  }
  return open.empty() ? "" : open.back();
}

}  // namespace

TEST_CASE("compare: the first screen fits a terminal and answers every question") {
  const std::string screen = first_screen(a_model());
  const auto lines = lines_of(screen);
  CHECK(lines.size() <= kScreenLines);
  for (const std::string& line : lines) {
    INFO(line);
    CHECK(line.size() <= kScreenColumns);
  }
  for (const char* part :
       {"4.8 ms meas.", "14.1 s (6 blocks) meas.", "41.0 s (20 blocks) sim.",
        "6.9 % for a 25 % attacker calc.", "stops, 0 undone meas.",
        "both go on, 1,172 undone meas.", "1 of 4, or it forks sim.", "30 kW, day and night calc.",
        "at least 800 meas.", "2.3 KiB meas., and 7.9 MiB a day calc.",
        "18.1 s meas., by chance 4 to 15 s calc."}) {
    INFO(part);
    CHECK(contains(screen, part));
  }
  CHECK(contains(screen, "Choose PBFT when"));
  CHECK(contains(screen, "Choose proof of work when"));
  CHECK(contains(screen, "A shortened run"));
  for (const Question& question : verdict_of(a_model()).questions) {
    INFO(question.text);
    CHECK(question.pbft.text != "-");
    CHECK(question.pow.text != "-");
  }
}

TEST_CASE("compare: what was not measured is said to be unknown, and nothing is made up") {
  Model model;
  model.kind = "shortened";
  const Verdict verdict = verdict_of(model);
  CHECK(verdict.questions.front().pbft.text == "-");
  CHECK_FALSE(verdict.questions.front().pbft.origin);
  CHECK(plots_of(model).empty());
  CHECK_FALSE(cost_bars(model));
  CHECK(contains(to_text(model), "nothing: this part did not run"));
  CHECK(contains(to_html(model), "Nothing: this part did not run."));
  CHECK(unbalanced(to_html(model)).empty());
}

TEST_CASE("compare: the text has all seven points, the probes, and what is missing") {
  const std::string text = to_text(a_model());
  for (const char* part :
       {"1. Throughput", "2. Time to finality", "3. Cost", "4. Messages", "5. A network cut",
        "6. Attackers", "6b. Selfish", "7. Recovery", "This machine", "verify one signature",
        "hashes a second", "steal", "the time for simulations was over", "one run instead of five",
        "Again: quorate-testnet compare --seed 1"}) {
    INFO(part);
    CHECK(contains(text, part));
  }
  CHECK(contains(text, "3,300 [3,100 to 3,500]"));
  CHECK(contains(text, "one at a time"));
  CHECK(contains(text, "forks: two blocks at one height"));
  CHECK(contains(text, "19 % ± 0.63 %"));
  CHECK(contains(text, "36 J"));
  CHECK(contains(text, "13 of 200 (3.8 % to 11 %)"));
}

TEST_CASE("compare: the page fetches nothing, runs nothing and is well formed") {
  const std::string html = to_html(a_model());
  for (const char* part : {"http:", "https:", "//", "src=", "href", "url(", "@import", "<script",
                           "<link", "<img", "<iframe", "<object", "<embed", "onload", "onclick"}) {
    INFO(part);
    CHECK_FALSE(contains(html, part));
  }
  CHECK(unbalanced(html).empty());
  CHECK(contains(html, "prefers-color-scheme:dark"));
  CHECK(contains(html, "a &lt;fast&gt; processor &amp; more"));
  CHECK(contains(html, "<html lang=\"en\">"));
}

TEST_CASE("compare: every point is drawn, told in words, and in a table behind its plot") {
  const Model model = a_model();
  const std::string html = to_html(model);
  std::size_t points = 0;
  std::size_t rows = 0;
  const auto plots = plots_of(model);
  CHECK(plots.size() == 8);
  for (const Plot& plot : plots) {
    INFO(plot.id);
    std::size_t here = 0;
    for (const Series& series : plot.series) here += series.points.size();
    CHECK(here > 0);
    CHECK(count_of(draw(plot), "class=\"point ") == here);
    CHECK(table_of(plot).rows.size() == here);
    CHECK(contains(html, "id=\"" + plot.id + "-title\""));
    CHECK(contains(html, "id=\"" + plot.id + "-desc\""));
    CHECK(contains(html, "aria-labelledby=\"" + plot.id + "-title " + plot.id + "-desc\""));
    points += here;
    rows += here;
  }
  const auto bars = cost_bars(model);
  REQUIRE(bars);
  CHECK(bars->parts == std::vector<std::string>{"signatures", "ordering", "mining"});
  points += bars->bars.size() * bars->parts.size();
  rows += bars->bars.size() * bars->parts.size();
  for (const Section& section : sections_of(model)) rows += section.rows.size();
  rows += verdict_of(model).questions.size();
  const std::size_t tables = plots.size() + 1 + sections_of(model).size() + 1;
  CHECK(count_of(html, "class=\"point ") == points);
  CHECK(count_of(html, "<tr>") == rows + tables);  // each table has one row of headings
  CHECK(count_of(html, "role=\"img\"") == plots.size() + 1);
}

TEST_CASE("compare: points stand where their values say, on linear and logarithmic axes") {
  const Axis linear({0, 100}, false, 0, 1050);
  CHECK(linear.at(0) == Approx(0));
  CHECK(linear.at(50) == Approx(500));
  CHECK(linear.ticks() == std::vector<double>{0, 50, 100});
  const Axis logarithmic({2, 800}, true, 300, 0);
  CHECK(logarithmic.at(2) == Approx(300));
  CHECK(logarithmic.at(std::sqrt(2000.0)) == Approx(150));
  CHECK(logarithmic.at(1000) == Approx(0));
  CHECK(logarithmic.at(0) == Approx(300));                // nothing is below its end
  CHECK(logarithmic.ticks().size() == 3);                 // powers of ten
  CHECK(Axis({30, 90}, true, 0, 1).ticks().size() == 3);  // 20, 50, 100
  const Axis given({4, 100}, true, 0, 300, true);
  CHECK(given.at(4) > 0);
  CHECK(given.at(100) < 300);
  CHECK(given.at(4) == Approx(300 - given.at(100)));
}

TEST_CASE("compare: the raw data has stable keys and says where each figure comes from") {
  const nlohmann::json json = to_json(a_model());
  CHECK(json["schema"] == "quorate-compare/1");
  for (const char* key :
       {"run", "machine", "verdict", "throughput", "latency", "safe_depths", "costs",
        "security_budgets", "traffic", "partitions", "attack", "faults", "recovery", "proofs"}) {
    INFO(key);
    CHECK(json.contains(key));
  }
  const auto& first = json["throughput"][0];
  CHECK(first["engine"] == "pbft");
  CHECK(first["origin"] == "measured");
  CHECK(first["sustained_tps"]["median"] == 3300);
  CHECK(first["sustained_tps"]["runs"] == 5);
  CHECK(first["sustained_tps"]["values"][4] == 3500);
  CHECK(first["sustained_tps"]["confidence_percent"] == 93.75);
  CHECK(first["curve"][1]["committed_tps"] == 6450);
  CHECK(first["curve"][1]["sent"] == 38'400);
  CHECK(first["curve"][1]["final"] == 38'400);
  CHECK(json["costs"][0]["rapl_joules_per_tx"].is_null());
  CHECK(json["costs"][1]["cpu_us_per_tx_by_work"]["mining"] == 500);
  CHECK(json["partitions"][1]["reversed_txs"] == 1172);
  CHECK(json["attack"].size() == 3);
  CHECK(json["selfish_mining"][1]["revenue"] == 0.5255);
  CHECK(json["liars"][1]["forked"] == true);
  CHECK(json["liars"][1]["named"] == 2);
  CHECK(json["run"]["left_out"][0]["why"] == "the time for simulations was over");
  CHECK(json["machine"]["hashes_per_second"] == 2.5e6);
}

TEST_CASE("compare: medians, their intervals, and those of chances") {
  CHECK(figure_of({5, 1, 3}).median == 3);
  CHECK(figure_of({5, 1, 3}).values == std::vector<double>{5, 1, 3});
  CHECK(figure_of({4, 1}).median == 2.5);
  CHECK(figure_of({}).runs == 0);
  CHECK(confidence_percent(1) == 0);
  CHECK(confidence_percent(5) == 93.75);
  const Interval half = wilson(50, 100);
  CHECK(half.low == Approx(0.4038).margin(1e-3));
  CHECK(half.high == Approx(0.5962).margin(1e-3));
  CHECK(wilson(0, 100).low == 0);
  CHECK(wilson(0, 100).high == Approx(0.0370).margin(1e-3));
}

TEST_CASE("compare: numbers are written for people") {
  CHECK(short_number(0) == "0");
  CHECK(short_number(3) == "3");
  CHECK(short_number(4.71) == "4.7");
  CHECK(short_number(12345.6) == "12,346");
  CHECK(short_number(1234567) == "1,234,567");
  CHECK(short_number(0.00059) == "0.00059");
  CHECK(duration_text(0.05) == "50 µs");
  CHECK(duration_text(0.00025) == "0.25 µs");
  CHECK(duration_text(1.02) == "1.0 ms");
  CHECK(gap_range({0.9, 0.39, 1.7}) == "0.4 to 2 s");
  CHECK(gap_range({8.7, 4.03, 14.4}) == "4 to 14 s");
  CHECK(brief_time(20) == "20 ms");
  CHECK(brief_time(100'000) == "100 s");
  CHECK(duration_text(48.2) == "48 ms");
  CHECK(duration_text(14'100) == "14.1 s");
  CHECK(duration_text(600'000) == "10.0 min");
  CHECK(bytes_text(3174) == "3.1 KiB");
  CHECK(percent_text(0.000591) == "0.059 %");
  CHECK(percent_text(0.158) == "16 %");
  CHECK(percent_text(0.9999) == "99.99 %");
  CHECK(percent_text(1) == "100 %");
  CHECK(energy_text(0.0082) == "8.2 mJ");
  CHECK(energy_text(36) == "36 J");
  CHECK(power_text(30'000) == "30 kW");
  CHECK(wrapped("aa bb cc", 7, 2) == "  aa bb\n  cc\n");
}

TEST_CASE("compare: the ladder climbs, narrows down, and ends") {
  Ladder ladder(100, 2, 6);
  const double capacity = 500;
  std::vector<double> tried;
  while (const auto rate = ladder.next()) {
    tried.push_back(*rate);
    ladder.record(*rate <= capacity);
  }
  CHECK(tried.size() == 6);
  CHECK(tried[3] == 800);
  CHECK(tried[4] == Approx(565.7).margin(0.1));
  CHECK(ladder.best() == Approx(475.7).margin(0.1));

  Ladder down(100, 2, 3);
  std::size_t steps = 0;
  for (; down.next(); ++steps) down.record(*down.next() <= 30);
  CHECK(steps == 3);
  CHECK(down.best() == 25);
}

TEST_CASE(
    "compare: the longest gap counts from the fault, and the ladder says when it never failed") {
  CHECK(longest_gap_s({1, 2, 9, 10, 14}, 9.5, 14) == 4);
  CHECK(longest_gap_s({1, 2, 9}, 3, 10) == 6);
  CHECK(longest_gap_s({1, 2, 9, 10}, 1, 8) == 6);  // until the end, when nothing comes before it
  CHECK(longest_gap_s({}, 3, 12) == 9);
  Ladder ladder(100, 2, 2);
  CHECK(ladder.open_end());
  ladder.record(true);
  ladder.record(true);
  CHECK(ladder.open_end());
  Ladder other(100, 2, 2);
  other.record(false);
  CHECK_FALSE(other.open_end());
}

TEST_CASE("compare: the longest gap by chance is that of exponential times between blocks") {
  // 2 s apart with all of four miners, watched for 30 s: as drawn 100,000 times, 7.0 s, and
  // 4.1 to 11.5 s in 9 of 10; with three of them 8.7 s, and 4.9 to 14.6 s.
  const auto all = longest_gap_by_chance(2, 30);
  REQUIRE(all);
  CHECK(all->mean_s == Approx(7.0).margin(0.3));
  CHECK(all->low_s == Approx(4.1).margin(0.6));
  CHECK(all->high_s == Approx(11.5).margin(0.3));
  const auto left = longest_gap_by_chance(2 * 4.0 / 3, 30);
  REQUIRE(left);
  CHECK(left->mean_s == Approx(8.7).margin(0.5));
  CHECK(left->high_s == Approx(14.6).margin(0.3));
  CHECK(longest_gap_by_chance(2, 300)->mean_s > all->mean_s);
  CHECK(longest_gap_by_chance(2, 1)->mean_s == Approx(2));  // one gap: its mean
  CHECK_FALSE(longest_gap_by_chance(0, 30));
  CHECK_FALSE(longest_gap_by_chance(2, 0));
}

TEST_CASE("compare: by work a stop stands beside what chance gives, by votes beside no fault") {
  const Model model = a_model();
  const std::string text = to_text(model);
  CHECK(contains(text, "18.1 s  30.1 s       8.7 s, 4.0 s to 14.6 s  7.0 s, 3.5 s to 11.5 s"));
  CHECK(std::regex_search(text, std::regex("900 ms +6.0 s +- +20 ms ")));
  const nlohmann::json recovery = to_json(model)["recovery"];
  CHECK(recovery[0]["usual_origin"] == "measured");
  CHECK(recovery[0]["watched_s"] == 6.0);
  CHECK(recovery[0]["by_chance"].is_null());
  CHECK(recovery[1]["usual_origin"] == "computed");
  CHECK(recovery[1]["by_chance"]["high_s"] == 14.6);
  CHECK(recovery[1]["by_chance"]["within_percent"] == 90);
  CHECK(recovery[1]["by_chance_with_all"]["mean_s"] == recovery[1]["usual_s"]);
  CHECK(recovery[2]["usual_origin"].is_null());
}

TEST_CASE("compare: more final than sent is explained beside it") {
  const Model model = a_model();
  const std::string text = to_text(model);
  CHECK(contains(text, "6,400 sent, 6,450 final (some sent before), p99"));
  CHECK(count_of(text, "(some sent before)") == 1);
  const nlohmann::json throughput = to_json(model)["throughput"];
  CHECK(contains(throughput[0]["committed_counts"], "last four fifths"));
  CHECK(contains(throughput[1]["committed_counts"], "a tenth and nine tenths"));
  CHECK(contains(throughput[2]["committed_counts"], "last four fifths"));  // simulated
  for (const auto& rung : throughput[0]["curve"]) CHECK(rung["final"] <= rung["sent"]);
}

TEST_CASE("compare: where a figure comes from is no letter that could be a unit") {
  for (const Origin origin : {Origin::measured, Origin::simulated, Origin::computed}) {
    CHECK(std::string(mark(origin)).size() > 3);
    CHECK(contains(first_screen(a_model()), std::string(mark(origin)) + " " + to_string(origin)));
  }
}

TEST_CASE("compare: a rate is sustained when all of it becomes final and p99 stays flat") {
  CHECK(is_sustained({1000, 960, 100, 0}, 40, kShareByVotes));
  CHECK_FALSE(is_sustained({1000, 940, 100, 0}, 40, kShareByVotes));
  CHECK_FALSE(is_sustained({1000, 1000, 100, 1}, 40, kShareByVotes));
  CHECK_FALSE(is_sustained({1000, 1000, 300, 0}, 40, kShareByVotes));
  CHECK(is_sustained({1000, 800, 30'000, 0}, 25'000, kShareByWork));
}

TEST_CASE(
    "compare: the shortened plan fits into a quarter of an hour and says what it leaves out") {
  const Plan usual = make_plan({}).value();
  CHECK(usual.kind == "shortened");
  CHECK(usual.expected() < 15 * 60);
  CHECK_FALSE(usual.shortened.empty());
  CHECK(usual.parts.size() == 4);
  CompareOptions full;
  full.full = true;
  const Plan whole = make_plan(full).value();
  CHECK(whole.runs == 5);
  CHECK(whole.pbft_load.confirm >= 600);
  CHECK(whole.pow_load.confirm >= 600);
  CHECK(whole.sizes.back().nodes == 100);
  CHECK(whole.delays_ms == std::vector<double>{1, 50, 200});
  CHECK(whole.shortened.empty());
  CHECK(whole.expected() > 10 * usual.expected());
}

TEST_CASE("compare: options that make no sense are refused with what to do") {
  CompareOptions options;
  options.only = {"faulst"};
  const auto typo = make_plan(options);
  REQUIRE_FALSE(typo);
  CHECK(typo.error().code == Errc::invalid_argument);
  CHECK(contains(typo.error().detail, "did you mean faults?"));
  options.only = {"attack", "load"};
  CHECK(make_plan(options).value().parts == std::vector<Part>{Part::load, Part::attack});
  CHECK(contains(again(options), "--only attack --only load"));
  options.full = options.tiny = true;
  CHECK_FALSE(make_plan(options));
}

TEST_CASE("compare: the progress line says how far it is and fits the terminal") {
  CHECK(progress_line(150, 600, "PBFT", 80) ==
        "[######------------------]  25 %  about 8 min left  PBFT");
  CHECK(progress_line(700, 600, "", 80).find("100 %") != std::string::npos);
  CHECK(progress_line(150, 600, "a long name of what is done", 40).size() == 40);
  CHECK(in_words(40) == "40 s");
  CHECK(in_words(20'000) == "5.6 h");
}

TEST_CASE("compare: threads and counters of a node are told apart") {
  CHECK(work_of_thread("quorate-mine") == "mining");
  CHECK(work_of_thread("quorate-vrfy1") == "signatures");
  CHECK(work_of_thread("rocksdb:low0") == "vote log");
  CHECK(work_of_thread("quorate-node") == "clients and the rest");
  const std::string text =
      "# HELP quorate_p2p_bytes_total Bytes\n"
      "quorate_p2p_bytes_total{direction=\"in\"} 5\n"
      "quorate_p2p_bytes_total{direction=\"out\"} 7\n"
      "quorate_p2p_bytes_total_more 9\n"
      "quorate_pow_hashes_total 1e+06\n";
  CHECK(metric_sum(text, "quorate_p2p_bytes_total") == 12);
  CHECK(metric_sum(text, "quorate_p2p_bytes_total", "direction=\"out\"") == 7);
  CHECK(metric_sum(text, "quorate_pow_hashes_total") == 1e6);
  CHECK(metric_sum(text, "quorate_absent") == 0);
}

}  // namespace quorate::testnet::comparison
