// The loop whose tasks the threads of a pool share, on a pool of plain threads: for a build with the
// thread sanitizer, which reports memory that two threads use without an order between them.
#pragma once

#include <cstdio>
#include <deque>
#include <functional>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

#include "threads.h"

namespace cnn_ablation {

// What the loop needs of XLA's pool.
class AnyPool {
 public:
  virtual ~AnyPool() = default;
  virtual Index num_threads() const = 0;
  virtual void Schedule(std::function<void()> function) = 0;
};

using OnPool = ParallelFor<AnyPool>;

// Does all that was scheduled before it ends.
class Pool : public AnyPool {
 public:
  explicit Pool(int threads = 3) {
    for (int thread = 0; thread < threads; ++thread) threads_.emplace_back([this] { work(); });
  }
  ~Pool() override {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  Index num_threads() const override { return static_cast<Index>(threads_.size()); }

  void Schedule(std::function<void()> function) override {
    std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(function));
    changed_.notify_one();
  }

 private:
  void work() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return closed_ || !queue_.empty(); });
      if (queue_.empty()) return;
      {
        const std::function<void()> function = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        function();
      }
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

// Has one thread, which does all tasks before the caller has a chance of one.
class OtherThread : public AnyPool {
 public:
  Index num_threads() const override { return 2; }
  void Schedule(std::function<void()> function) override {
    std::thread(std::move(function)).join();
  }
};

// Has no memory for its function number `refused`.
class FailingPool : public AnyPool {
 public:
  FailingPool(AnyPool& pool, int refused) : pool_(pool), refused_(refused) {}
  Index num_threads() const override { return pool_.num_threads(); }
  void Schedule(std::function<void()> function) override {
    if (scheduled_++ == refused_) throw std::bad_alloc();
    pool_.Schedule(std::move(function));
  }

 private:
  AnyPool& pool_;
  int refused_, scheduled_ = 0;
};

// Each task writes to memory that is its own, and reads the caller's; none is locked.
inline bool each_task_once(AnyPool& pool, Index count) {
  std::vector<Index> done(static_cast<std::size_t>(count));
  const std::vector<Index> given(3, count);
  OnPool(pool, true)(
      count, [&](Index task) { done[static_cast<std::size_t>(task)] += given[0] + task; });
  for (Index task = 0; task < count; ++task) {
    if (done[static_cast<std::size_t>(task)] != count + task) return false;
  }
  return true;
}

inline bool many_calls(Pool& pool) {
  for (int call = 0; call < 3000; ++call) {
    if (!each_task_once(pool, call % 20)) return false;
  }
  return each_task_once(pool, 100000);
}

// What a failing call does: it throws `Failure`, and no task is at work any more when it has.
template <typename Failure, typename Body>
bool throws(AnyPool& pool, Index count, const Body& body) {
  std::atomic<int> at_work{0};
  try {
    OnPool(pool, true)(count, [&](Index task) {
      ++at_work;
      try {
        body(task);
      } catch (...) {
        --at_work;
        throw;
      }
      --at_work;
    });
  } catch (const Failure&) {
    return at_work == 0;
  }
  return false;
}

inline bool failing_tasks(Pool& pool) {
  for (Index first = 0; first < 200; ++first) {
    const bool some = throws<std::runtime_error>(pool, 200, [&](Index task) {
      if (task >= first) throw std::runtime_error("task");
    });
    const bool one = throws<std::bad_alloc>(pool, 200, [&](Index task) {
      if (task == first) throw std::bad_alloc();
    });
    if (!some || !one || !each_task_once(pool, 20)) return false;
  }
  return true;
}

// What nobody has begun when a task fails is not begun any more.
inline bool rest_is_left() {
  OtherThread pool;
  for (Index failing = 0; failing < 20; ++failing) {
    Index begun = 0;
    const bool thrown = throws<std::runtime_error>(pool, 20, [&](Index task) {
      ++begun;
      if (task == failing) throw std::runtime_error("task");
    });
    if (!thrown || begun != failing + 1) return false;
  }
  return true;
}

inline bool failing_schedule(Pool& pool) {
  for (int refused = 0; refused + 1 < pool.num_threads(); ++refused) {
    for (int call = 0; call < 100; ++call) {
      FailingPool failing(pool, refused);
      if (!throws<std::bad_alloc>(failing, 200, [](Index) {})) return false;
    }
  }
  return each_task_once(pool, 20);
}

// No thread of the pool is free: the caller does all, and the pool's threads come too late.
inline bool full_pool() {
  Pool pool(3);
  std::mutex busy;
  busy.lock();
  for (int thread = 0; thread < 3; ++thread) {
    pool.Schedule([&] { std::lock_guard<std::mutex> wait(busy); });
  }
  bool done = true;
  for (Index count = 0; count < 50; ++count) done = done && each_task_once(pool, count);
  busy.unlock();
  return done;
}

// As in XLA, where the callers are threads of the same pool.
inline bool calls_from_the_pool() {
  constexpr int kCalls = 200;
  bool done[kCalls] = {};
  {
    Pool pool(4);
    for (int call = 0; call < kCalls; ++call) {
      pool.Schedule([&, call] { done[call] = each_task_once(pool, call % 30); });
    }
  }
  return std::all_of(done, done + kCalls, [](bool one) { return one; });
}

inline bool loops_hold() {
  Pool pool(4);
  const bool many = many_calls(pool), tasks = failing_tasks(pool), rest = rest_is_left();
  const bool schedule = failing_schedule(pool), full = full_pool(), within = calls_from_the_pool();
  const bool hold = many && tasks && rest && schedule && full && within;
  std::printf("loops: %s (many calls %d, failing tasks %d %d, failing pool %d, full pool %d, "
              "calls from the pool %d)\n",
              hold ? "hold" : "BROKEN", many, tasks, rest, schedule, full, within);
  return hold;
}

}  // namespace cnn_ablation
