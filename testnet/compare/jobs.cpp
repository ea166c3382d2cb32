#include "testnet/compare/jobs.hpp"

#include <algorithm>
#include <memory>

namespace quorate::testnet::comparison {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{200};

// Shared by the workers and whoever waits for them.
struct Queue {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Job> jobs;
  std::size_t next = 0;
  std::size_t running = 0;
  bool closed = false;  // nothing more is begun
  std::optional<Error> failure;
};

void work(const std::shared_ptr<Queue>& queue) {
  std::unique_lock lock(queue->mutex);
  while (!queue->closed && queue->next < queue->jobs.size()) {
    const Job job = queue->jobs[queue->next++];
    ++queue->running;
    queue->changed.notify_all();
    lock.unlock();
    auto outcome = job.work();
    lock.lock();
    --queue->running;
    if (!outcome && !queue->failure) {
      queue->failure = outcome.error();
      queue->closed = true;
    }
    queue->changed.notify_all();
  }
}

bool over(const Queue& queue) {
  return queue.running == 0 && (queue.closed || queue.next >= queue.jobs.size());
}

}  // namespace

Result<void> run_jobs(std::vector<Job> jobs, const JobLimits& limits, Progress& progress,
                      std::vector<LeftOut>& left_out) {
  std::stable_sort(jobs.begin(), jobs.end(),
                   [](const Job& a, const Job& b) { return a.expected_s < b.expected_s; });
  const auto queue = std::make_shared<Queue>();
  queue->jobs = std::move(jobs);
  for (unsigned i = 0; i < std::max(1U, limits.workers); ++i) {
    std::thread([queue] { work(queue); }).detach();
  }
  const auto begin = Clock::now();
  std::unique_lock lock(queue->mutex);
  while (!over(*queue)) {
    if (queue->next > 0) {
      progress.detail(queue->jobs[queue->next - 1].title + " (" + std::to_string(queue->next) +
                      " of " + std::to_string(queue->jobs.size()) + ")");
    }
    queue->changed.wait_for(lock, kLook);
    if (limits.interrupted != nullptr && limits.interrupted()) {
      queue->closed = true;
      return fail(Errc::timeout, "interrupted");
    }
    const double spent = std::chrono::duration<double>(Clock::now() - begin).count();
    if (limits.budget_s > 0 && spent >= limits.budget_s) queue->closed = true;
  }
  if (queue->failure) return tl::unexpected(*queue->failure);
  for (std::size_t i = queue->next; i < queue->jobs.size(); ++i) {
    left_out.push_back({queue->jobs[i].title, "the time for simulations was over"});
  }
  return {};
}

}  // namespace quorate::testnet::comparison
