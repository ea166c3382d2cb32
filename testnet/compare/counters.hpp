// How the threads and counters of a node are read. Pure.
#pragma once

#include <string>
#include <vector>

namespace quorate::testnet::comparison {

// The kinds of work, in the order in which they are reported.
const std::vector<std::string>& kinds_of_work();
// By the name of a thread, as the kernel has it.
const std::string& work_of_thread(const std::string& name);
// The sum of a metric over its labels; with `label` ("direction=\"out\"") only where it stands.
double metric_sum(const std::string& text, const std::string& name, const std::string& label = {});

}  // namespace quorate::testnet::comparison
