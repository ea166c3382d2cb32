#include "testnet/compare/report_terminal.hpp"

#include "testnet/compare/sections.hpp"
#include "testnet/compare/text.hpp"
#include "testnet/compare/verdict.hpp"
#include "testnet/output.hpp"

namespace quorate::testnet::comparison {

namespace {

std::string with_mark(const Answer& answer) {
  const auto part = [](const std::string& text, std::optional<Origin> origin) {
    return origin ? text + " " + mark(*origin) : text;
  };
  const std::string first = part(answer.text, answer.origin);
  return answer.also.empty() ? first : first + ", " + part(answer.also, answer.also_origin);
}

std::string section_text(const Section& section) {
  std::string out = "\n  " + section.title + "\n";
  out += wrapped(section.about, kScreenColumns, 4);
  if (section.rows.empty()) return out + "    nothing: this part did not run\n";
  std::vector<std::vector<std::string>> rows = {section.columns};
  rows.insert(rows.end(), section.rows.begin(), section.rows.end());
  for (auto& row : rows) row.insert(row.begin(), " ");
  return out + table(rows);
}

}  // namespace

std::string first_screen(const Model& model) {
  const Verdict verdict = verdict_of(model);
  std::vector<std::vector<std::string>> rows = {{"", title(Engine::pbft), title(Engine::pow)}};
  for (const Question& question : verdict.questions) {
    rows.push_back({question.text, with_mark(question.pbft), with_mark(question.pow)});
  }
  return table(rows) + "\n" + wrapped(verdict.choose_pbft, kScreenColumns, 2) +
         wrapped(verdict.choose_pow, kScreenColumns, 2) +
         "  meas. measured, sim. simulated, calc. computed; else how the engine works. " +
         (model.kind == "full" ? "" : "A shortened run.") + "\n" +
         wrapped(machine_text(model), kScreenColumns, 2);
}

std::string to_text(const Model& model) {
  std::string out = first_screen(model);
  for (const Section& section : sections_of(model)) out += section_text(section);
  if (!model.shortened.empty()) out += "\n  Shortened (--full does all of it):\n";
  for (const std::string& one : model.shortened) out += "    " + one + "\n";
  if (!model.left_out.empty()) out += "\n  Left out:\n";
  for (const LeftOut& one : model.left_out) out += "    " + one.what + ": " + one.why + "\n";
  return out + "\n  Again: " + model.again + "\n";
}

}  // namespace quorate::testnet::comparison
