// A loop whose tasks the threads of a pool share with the thread that calls it. Knows nothing of XLA.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>

#include "simd.h"

namespace cnn_ablation {

// Tasks that threads take one at a time. It outlives the call that made it, for threads that come
// when all is done; they find no task and touch nothing of the caller's.
template <typename Body>
class Tasks {
 public:
  Tasks(Index count, const Body& body) : count_(count), body_(body) {}

  // Does tasks until all have been taken. An exception would end a thread that is not the caller's,
  // and with it the process: the first one waits for the caller, in `finish`.
  void work() noexcept {
    for (Index task; (task = next_.fetch_add(1)) < count_;) {
      try {
        if (!failed_.load()) body_(task);
      } catch (...) {
        fail(std::current_exception());
      }
      if (done_.fetch_add(1) + 1 == count_) {
        std::lock_guard<std::mutex> lock(mutex_);
        all_done_.notify_one();
      }
    }
  }

  // The tasks that nobody has begun are not done any more.
  void fail(std::exception_ptr failure) noexcept {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!failed_.exchange(true)) failure_ = std::move(failure);
  }

  // Waits until all tasks are over, and throws what the first that failed has thrown.
  void finish() {
    // Waking from a futex takes longer than most waits.
    for (int spin = 0; spin < 2000 && done_.load() < count_; ++spin) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
    std::unique_lock<std::mutex> lock(mutex_);
    all_done_.wait(lock, [&] { return done_.load() == count_; });
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  const Index count_;
  const Body& body_;
  std::atomic<Index> next_{0}, done_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::condition_variable all_done_;
  std::exception_ptr failure_;
};

// `loop(count, body)` runs body(0) ... body(count - 1) on the threads of a pool with num_threads()
// and Schedule(function). The caller takes tasks too, and waits only for those that others have
// begun: no thread of a full pool can wait for a task that has none.
template <typename Pool>
class ParallelFor {
 public:
  ParallelFor(Pool& pool, bool worthwhile) : pool_(pool), worthwhile_(worthwhile) {}

  // Throws what a task or the pool has thrown, once no thread works on any task.
  template <typename Body>
  void operator()(Index count, const Body& body) const {
    const Index threads = worthwhile_ ? std::min<Index>(count, pool_.num_threads()) : 1;
    if (threads <= 1) {
      for (Index task = 0; task < count; ++task) body(task);
      return;
    }
    auto tasks = std::make_shared<Tasks<Body>>(count, body);
    try {
      for (Index thread = 1; thread < threads; ++thread) {
        pool_.Schedule([tasks] { tasks->work(); });
      }
    } catch (...) {
      // Threads that were scheduled before may be at work in the caller's memory.
      tasks->fail(std::current_exception());
    }
    tasks->work();
    tasks->finish();
  }

 private:
  Pool& pool_;
  bool worthwhile_;
};

}  // namespace cnn_ablation
