// Independent pieces of work on a few threads, the short ones first, until all are done or the time
// is over. Nothing is shared between jobs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "testnet/compare/model.hpp"
#include "testnet/compare/progress.hpp"

namespace quorate::testnet::comparison {

struct Job {
  std::string title;
  double expected_s = 0;  // of one core
  // Owns everything that it touches: when the comparison is interrupted, nobody waits for it.
  std::function<Result<void>()> work;
};

struct JobLimits {
  unsigned workers = 1;
  double budget_s = 0;              // nothing is begun afterwards; 0: no end
  bool (*interrupted)() = nullptr;  // asked a few times a second
};
// Appends what was not begun to `left_out`. Errors: the first of the jobs; timeout when it was
// interrupted: then jobs may still run, and the process must end without waiting for them.
Result<void> run_jobs(std::vector<Job> jobs, const JobLimits& limits, Progress& progress,
                      std::vector<LeftOut>& left_out);

}  // namespace quorate::testnet::comparison
