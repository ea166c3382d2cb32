#include "testnet/compare/report_html.hpp"

#include "testnet/compare/page_style.hpp"
#include "testnet/compare/plots.hpp"
#include "testnet/compare/progress.hpp"
#include "testnet/compare/sections.hpp"
#include "testnet/compare/text.hpp"
#include "testnet/compare/verdict.hpp"
#include "testnet/simulate/svg_shapes.hpp"

namespace quorate::testnet::comparison {

namespace {

using svg::escaped;

// A longer table has to be asked for.
constexpr std::size_t kRowsShown = 16;

std::string tag(const std::string& name, const std::string& content, const std::string& css = {}) {
  const std::string look = css.empty() ? "" : " class=\"" + css + "\"";
  return "<" + name + look + ">" + content + "</" + name + ">";
}

std::string header_cells(const std::vector<std::string>& columns) {
  std::string out;
  for (const std::string& column : columns) out += "<th scope=\"col\">" + escaped(column) + "</th>";
  return "<thead><tr>" + out + "</tr></thead>\n";
}

std::string html_table(const std::string& caption, const std::vector<std::string>& columns,
                       const std::vector<std::vector<std::string>>& rows) {
  std::string body;
  for (const auto& row : rows) {
    std::string cells;
    for (const std::string& cell : row) cells += tag("td", escaped(cell));
    body += tag("tr", cells) + "\n";
  }
  return "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"" + escaped(caption) +
         "\"><table class=\"figures\">" + tag("caption", escaped(caption)) + header_cells(columns) +
         tag("tbody", body) + "</table></div>\n";
}

std::string answer(const Answer& one) {
  const auto part = [](const std::string& text, std::optional<Origin> origin) {
    return escaped(text) + (origin ? " " + tag("span", to_string(*origin), "origin") : "");
  };
  std::string out = part(one.text, one.origin);
  if (!one.also.empty()) out += ", " + part(one.also, one.also_origin);
  return tag("td", out);
}

std::string verdict_html(const Verdict& verdict) {
  std::string body;
  for (const Question& question : verdict.questions) {
    body += "<tr><th scope=\"row\">" + escaped(question.text) + "</th>" + answer(question.pbft) +
            answer(question.pow) + "</tr>\n";
  }
  const std::string choose = tag("p", escaped(verdict.choose_pbft), "pbft") + "\n" +
                             tag("p", escaped(verdict.choose_pow), "pow") + "\n";
  return "<div class=\"choose\">\n" + choose + "</div>\n<div><table>" +
         header_cells({"", title(Engine::pbft), title(Engine::pow)}) + tag("tbody", body) +
         "</table></div>\n";
}

std::string list(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += tag("li", escaped(item)) + "\n";
  return "<ul>\n" + out + "</ul>\n";
}

constexpr const char* kIntroduction =
    "Two ways in which computers that share a ledger agree on the order of payments. PBFT: named "
    "members vote. Proof of work: whoever is first to solve a puzzle writes the next block, and "
    "the "
    "branch with the most work counts.";

// What kind of run this is, so that nobody takes a short one for more, and where.
std::string kind_html(const Model& model) {
  std::string out =
      "<p class=\"soft\">" + escaped(model.started) + ", took " + in_words(model.took_s) + ". ";
  if (model.kind != "full") {
    out += "A " + escaped(model.kind) + " run: what differs from the full one stands at the end. ";
  }
  return out + escaped(machine_text(model)) + " " +
         "Each figure says where it comes from: <em>measured</em> on real processes of this "
         "machine, <em>simulated</em> with the real replicas in virtual time, or <em>computed</em> "
         "by a formula. An answer without such a word follows from how the engine works.</p>\n";
}

template <class Drawn>
std::string figure(const Drawn& drawn) {
  const PlotTable table = table_of(drawn);
  return "<figure>\n" + tag("figcaption", escaped(drawn.title)) + "\n" + draw(drawn) +
         "<details><summary>The points of this plot</summary>\n" +
         html_table(drawn.description, table.columns, table.rows) + "</details></figure>\n";
}

std::string section_html(const Section& section, const std::vector<Plot>& plots,
                         const std::optional<Bars>& bars) {
  std::string out = "<section>\n" + tag("h2", escaped(section.title)) + "\n" +
                    tag("p", escaped(section.about)) + "\n";
  for (const Plot& plot : plots) {
    if (plot.section == section.id) out += figure(plot);
  }
  if (bars && bars->section == section.id) out += figure(*bars);
  const std::string table = html_table(section.title, section.columns, section.rows);
  if (section.rows.empty()) {
    out += tag("p", "Nothing: this part did not run.", "soft") + "\n";
  } else if (section.rows.size() > kRowsShown) {
    out += "<details><summary>All " + std::to_string(section.rows.size()) + " figures</summary>\n" +
           table + "</details>\n";
  } else {
    out += table;
  }
  return out + "</section>\n";
}

std::string ending(const Model& model) {
  std::string out;
  if (!model.shortened.empty()) {
    out += tag("h2", "What this run leaves out") + "\n" + list(model.shortened);
  }
  if (!model.left_out.empty()) {
    std::vector<std::string> items;
    for (const LeftOut& one : model.left_out) items.push_back(one.what + ": " + one.why);
    out += tag("h2", "What was not reached") + "\n" + list(items);
  }
  out += tag("h2", "What it cannot say") + "\n" +
         list({"Nodes and clients of the real testnets share one machine and its disk; between "
               "machines both engines have more of everything.",
               "In the simulator time is a model, and miners win by lot: no simulated figure says "
               "anything about energy.",
               "Proof of work is as safe as its hash rate. A test network has none, so its figures "
               "are about shares, never about attackers with more than the network has."});
  return out + "<p class=\"soft\">Again: <code>" + escaped(model.again) +
         "</code>. The raw data is in compare.json beside this page.</p>\n";
}

}  // namespace

std::string to_html(const Model& model) {
  const std::vector<Plot> plots = plots_of(model);
  const std::optional<Bars> bars = cost_bars(model);
  std::string out =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<title>PBFT or proof of work: a comparison</title>\n<style>" +
      std::string(kPageStyle) + "</style>\n</head>\n<body>\n<main>\n" +
      tag("h1", "PBFT or proof of work: which for what?") + "\n" +
      tag("p", escaped(kIntroduction)) + "\n" + verdict_html(verdict_of(model)) + kind_html(model);
  for (const Section& section : sections_of(model)) out += section_html(section, plots, bars);
  return out + ending(model) + "</main>\n</body>\n</html>\n";
}

}  // namespace quorate::testnet::comparison
