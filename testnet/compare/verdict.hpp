// What a reader who knows neither engine must know to choose: a short table and two sentences, in
// words. Both reports begin with it. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "testnet/compare/model.hpp"

namespace quorate::testnet::comparison {

struct Answer {
  std::string text;              // "-" when the model does not say
  std::optional<Origin> origin;  // none: it follows from how the engine works
  // What belongs to it and comes from elsewhere; empty: nothing.
  std::string also = {};
  std::optional<Origin> also_origin = {};
};
struct Question {
  std::string text;
  Answer pbft;
  Answer pow;
};
struct Verdict {
  std::vector<Question> questions;
  std::string choose_pbft;
  std::string choose_pow;
};
Verdict verdict_of(const Model& model);

}  // namespace quorate::testnet::comparison
