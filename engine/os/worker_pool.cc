#include "engine/os/worker_pool.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/log/check.h"
#include "absl/time/time.h"

// Why no wake-up is lost. Two kinds of places hold work.
//
// A worker's own queue: only its worker adds to it, and a worker does not sleep while it holds
// anything, so whatever stands there will be run even if nobody is woken. Waking others for it only
// makes it faster; the watch makes up for a wake-up that was not thought necessary (few runnables
// behind a dispatch, which usually end at once) or that missed a worker just falling asleep.
//
// The shared queue: whoever adds to it (Submit, TakeShared leaving a rest, the watch) afterwards
// calls WakeOne(). Say P is the critical section of the queue's lock that added.
//   - WakeOne() sees nobody idle: a worker that goes idle first enters sleepers_ (or becomes
//     poll_waiter_), then looks at the queue under the queue's lock (CanTakeAnything). If that look
//     came before P, its entry happened before our reading of idle_count_, which would have seen
//     it. So the look comes after P, finds the work, and the worker stays awake.
//   - WakeOne() sees that a worker is being woken: that worker first clears is_waking_ and then
//     looks at the queue under its lock. If that look came before P we would have read the cleared
//     flag (or one that was set again, for a worker of which the same is true). So it comes after
//     P.
//   - A worker that took a part and leaves a rest calls WakeOne() itself.
// A worker that is awake looks at the queue before each turn and before it goes idle.
//
// The watch parks only when, under sleep_mutex_, every worker is idle; each worker that ceases to
// be, by itself or woken, unparks it, under the same lock, before it runs anything.
//
// Why somebody polls. A worker that goes idle takes the turn to poll if it is free, so while all
// are idle somebody has it: whoever frees it is a worker, which goes idle later, or the relief,
// which wakes one if any sleeps, and that one goes idle later. While not all are idle the watch
// ticks, and sees to it that a turn that stays free is taken.

namespace skysim {

namespace {

constexpr absl::Duration kTick = absl::Milliseconds(1);
constexpr absl::Duration kIdleTick = absl::Milliseconds(10);
constexpr int kIdleTicksMax = 10;  // 100 ms; then the watch parks

// A queue of one is left to its worker, which comes to it next.
constexpr size_t kStealSizeMin = 2;

// So many that wait behind a dispatch are worth a wake-up. Fewer short ones are done before the
// woken worker has come (10 us and more, with the system calls at both ends): with 2 here, a
// quarter of the CPU time of a cluster call went into workers that woke one another in vain. Few
// long ones are given away by the watch.
constexpr size_t kWakeSizeMin = 4;

// Two lines: processors fetch them in pairs.
constexpr size_t kCacheLine = 128;

}  // namespace

struct alignas(kCacheLine) WorkerPool::Worker {
  explicit Worker(WorkerPool& owner) : pool(owner) {}

  WorkerPool& pool;
  RunQueue queue;
  std::vector<Runnable*> taken;  // scratch
  std::atomic<uint32_t> version{0};
  std::atomic<uint64_t> dispatch{0};  // source, destination

  absl::CondVar wake;
  bool is_idle = false;  // it stands in sleepers_ or is poll_waiter_; under sleep_mutex_
  std::thread thread;

  // Only its own thread writes: no need for an atomic addition.
  void BeginTurn(uint64_t what) {
    version.store(version.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    dispatch.store(what, std::memory_order_release);
  }
};

// Which worker the calling thread is: a fact about the thread, which it could not learn otherwise
// through Submit(). It is no hidden world: nothing is reached through it but the pool that was
// called.
thread_local WorkerPool::Worker* WorkerPool::current_worker_ = nullptr;

WorkerPool::WorkerPool(size_t workers) : versions_seen_(workers) {
  CHECK(workers >= 1);
  for (size_t i = 0; i < workers; ++i) workers_.push_back(std::make_unique<Worker>(*this));
}

WorkerPool::~WorkerPool() { Stop(); }

void WorkerPool::Start(WatchSink* sink, Poller* poller) {
  CHECK(!watch_.joinable() && !is_stopping_) << "a pool starts once";
  poller_ = poller;
  for (std::unique_ptr<Worker>& worker : workers_) {
    worker->thread = std::thread([this, &worker] { Work(*worker); });
  }
  if (poller_ != nullptr) relief_ = std::thread([this] { PollAsRelief(); });
  watch_ = std::thread([this, sink] { Watch(sink); });
}

void WorkerPool::Stop() {
  CHECK(current_worker_ == nullptr || &current_worker_->pool != this) << "a worker cannot stop it";
  CHECK(std::this_thread::get_id() != watch_.get_id() || !watch_.joinable());
  is_stopping_.store(true);
  {
    absl::MutexLock lock(&sleep_mutex_);
    for (Worker* sleeper : sleepers_) {
      sleeper->is_idle = false;
      sleeper->wake.Signal();
    }
    sleepers_.clear();
    CountIdle();
    relief_wake_.Signal();
    watch_wake_.Signal();
  }
  // Whoever waits took the turn before, so this ends its wait; nobody takes it after.
  if (poller_ != nullptr) poller_->Interrupt();
  for (std::unique_ptr<Worker>& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
  if (relief_.joinable()) relief_.join();
  if (watch_.joinable()) watch_.join();
  poller_ = nullptr;
  DropAll();
}

// Dropping a service can submit others, from its destructor: they are dropped in Submit().
void WorkerPool::DropAll() {
  for (std::unique_ptr<Worker>& worker : workers_) {
    while (Runnable* runnable = worker->queue.Pop()) runnable->Drop();
  }
  while (Runnable* runnable = shared_.Pop()) runnable->Drop();
}

void WorkerPool::Submit(Runnable* runnable) {
  Worker* self = current_worker_;
  if (self != nullptr && &self->pool == this) return SubmitOwn(*self, runnable);
  shared_.Push(runnable);
  if (is_stopping_.load()) {
    // Either Stop() has yet to empty the queue, or it did so before our Push() and we see the flag.
    while (Runnable* late = shared_.Pop()) late->Drop();
    return;
  }
  WakeOne();
}

void WorkerPool::SubmitOwn(Worker& self, Runnable* runnable) {
  if (self.queue.Push(runnable) + 1 >= kWakeSizeMin) WakeOne();
}

void WorkerPool::NoteDispatch(uint32_t source, uint32_t destination) {
  Worker* self = current_worker_;
  if (self == nullptr || &self->pool != this) return;
  self->BeginTurn(uint64_t{source} << 32 | destination);
}

// The handles first: what was noted with a newer version cannot be paired with an older one.
WorkerPool::Turn WorkerPool::FindTurn(size_t worker) const {
  Turn turn;
  uint64_t dispatch = workers_[worker]->dispatch.load(std::memory_order_acquire);
  turn.version = workers_[worker]->version.load(std::memory_order_relaxed);
  turn.source = static_cast<uint32_t>(dispatch >> 32);
  turn.destination = static_cast<uint32_t>(dispatch);
  return turn;
}

bool WorkerPool::is_watch_parked() {
  absl::MutexLock lock(&sleep_mutex_);
  return is_watch_parked_;
}

void WorkerPool::Work(Worker& self) {
  current_worker_ = &self;
  while (!is_stopping_.load(std::memory_order_relaxed)) {
    if (Runnable* runnable = Next(self)) {
      RunTurns(self, runnable);
    } else {
      Idle(self);
    }
  }
  current_worker_ = nullptr;
}

Runnable* WorkerPool::Next(Worker& self) {
  if (shared_.size_hint() > 0) TakeShared(self);
  if (self.queue.size_hint() == 0 && !TakeShared(self) && !Steal(self)) return nullptr;
  return self.queue.Pop();
}

// It keeps the worker while nobody else waits for it.
void WorkerPool::RunTurns(Worker& self, Runnable* runnable) {
  bool has_mail = true;
  while (has_mail) {
    has_mail = runnable->RunOne();
    self.BeginTurn(0);
    if (self.queue.size_hint() > 0 || shared_.size_hint() > 0) break;
    if (is_stopping_.load(std::memory_order_relaxed)) break;
  }
  if (has_mail) SubmitOwn(self, runnable);
}

// A fair part; at the end of the own queue, because what stands there came first.
bool WorkerPool::TakeShared(Worker& self) {
  self.taken.clear();
  shared_.Take(workers_.size(), 1, &self.taken);
  if (self.taken.empty()) return false;
  self.queue.Push(self.taken);
  // One of them is run at once.
  if (shared_.size_hint() > 0 || self.queue.size_hint() > kWakeSizeMin) WakeOne();
  return true;
}

bool WorkerPool::Steal(Worker& self) {
  self.taken.clear();
  for (std::unique_ptr<Worker>& victim : workers_) {
    if (victim->queue.size_hint() < kStealSizeMin) continue;
    victim->queue.Take(2, kStealSizeMin, &self.taken);
    if (self.taken.empty()) continue;
    self.queue.Push(self.taken);
    if (self.taken.size() > kWakeSizeMin) WakeOne();
    return true;
  }
  return false;
}

void WorkerPool::Idle(Worker& self) {
  bool polls = false;
  if (!BeginIdle(self, &polls)) return;
  const bool stays_awake = CanTakeAnything(self);
  if (!polls) return AwaitWake(self, stays_awake);

  if (!stays_awake) poller_->Wait();
  EndPollWait(self);
  if (!stays_awake) poller_->Tell();
  poll_count_.store(poll_count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  poll_turn_.store(PollTurn::kFree, std::memory_order_release);
}

// False: the pool stops.
bool WorkerPool::BeginIdle(Worker& self, bool* polls) {
  absl::MutexLock lock(&sleep_mutex_);
  if (is_stopping_.load()) return false;
  *polls = poller_ != nullptr && poll_turn_.load(std::memory_order_acquire) == PollTurn::kFree;
  self.is_idle = true;
  if (*polls) {
    poll_turn_.store(PollTurn::kWorker, std::memory_order_relaxed);
    poll_waiter_ = &self;
  } else {
    sleepers_.push_back(&self);
  }
  CountIdle();
  return true;
}

void WorkerPool::AwaitWake(Worker& self, bool stays_awake) {
  absl::MutexLock lock(&sleep_mutex_);
  if (self.is_idle && stays_awake) {
    sleepers_.erase(std::find(sleepers_.begin(), sleepers_.end(), &self));
    CountIdle();
    self.is_idle = false;
  } else {
    while (self.is_idle) self.wake.Wait(&sleep_mutex_);
    is_waking_.store(false);  // it was we who were being woken
  }
  UnparkWatch();
}

void WorkerPool::EndPollWait(Worker& self) {
  absl::MutexLock lock(&sleep_mutex_);
  if (self.is_idle) {
    poll_waiter_ = nullptr;
    CountIdle();
    self.is_idle = false;
  } else {
    is_waking_.store(false);
  }
  UnparkWatch();
}

void WorkerPool::CountIdle() {
  idle_count_.store(sleepers_.size() + (poll_waiter_ == nullptr ? 0 : 1));
}

void WorkerPool::UnparkWatch() {
  if (!is_watch_parked_) return;
  is_watch_parked_ = false;
  watch_wake_.Signal();
}

bool WorkerPool::CanTakeAnything(const Worker& self) const {
  if (!shared_.IsEmpty()) return true;
  for (const std::unique_ptr<Worker>& other : workers_) {
    if (other->queue.size_hint() >= kStealSizeMin) return true;
  }
  return false;
}

// One at a time: a worker that comes and finds more than it takes wakes the next. The one that
// polls is woken last.
void WorkerPool::WakeOne() {
  if (idle_count_.load() == 0 || is_waking_.load()) return;
  Worker* sleeper = nullptr;
  {
    absl::MutexLock lock(&sleep_mutex_);
    if (idle_count_.load() == 0 || is_waking_.load()) return;
    if (!sleepers_.empty()) {
      sleeper = sleepers_.back();
      sleepers_.pop_back();
      sleeper->is_idle = false;
    } else {
      poll_waiter_->is_idle = false;
      poll_waiter_ = nullptr;
    }
    CountIdle();
    is_waking_.store(true);
  }
  if (sleeper != nullptr) {
    sleeper->wake.Signal();
  } else {
    poller_->Interrupt();
  }
}

void WorkerPool::Watch(WatchSink* sink) {
  while (WaitForTick()) {
    RelieveHeldUp();
    if (poller_ != nullptr) SeeToPolling();
    if (sink != nullptr) sink->OnWatch();
  }
}

bool WorkerPool::WaitForTick() {
  absl::MutexLock lock(&sleep_mutex_);
  if (is_stopping_.load()) return false;
  if (idle_ticks_ >= kIdleTicksMax && idle_count_.load() == workers_.size()) {
    is_watch_parked_ = true;
    while (is_watch_parked_ && !is_stopping_.load()) watch_wake_.Wait(&sleep_mutex_);
    idle_ticks_ = 0;
  } else {
    watch_wake_.WaitWithTimeout(&sleep_mutex_, idle_ticks_ == 0 ? kTick : kIdleTick);
  }
  idle_ticks_ = idle_count_.load() == workers_.size() ? idle_ticks_ + 1 : 0;
  return !is_stopping_.load();
}

// Whoever is in the same turn as at the last tick gives half of what waits, at least one, to those
// who sleep. Of the others a sleeper can take itself, if there is enough.
void WorkerPool::RelieveHeldUp() {
  for (size_t i = 0; i < workers_.size(); ++i) {
    Worker& worker = *workers_[i];
    uint32_t version = worker.version.load(std::memory_order_relaxed);
    bool is_same = version == versions_seen_[i];
    versions_seen_[i] = version;
    if (worker.queue.size_hint() < (is_same ? 1 : kStealSizeMin)) continue;
    if (idle_count_.load() == 0) continue;
    if (is_same) {
      relieved_.clear();
      worker.queue.Take(2, 1, &relieved_);
      shared_.Push(relieved_);
    }
    WakeOne();
  }
}

void WorkerPool::SeeToPolling() {
  const uint32_t polls = poll_count_.load(std::memory_order_relaxed);
  const bool is_left = poll_turn_.load(std::memory_order_relaxed) == PollTurn::kFree &&
                       polls == polls_seen_;
  polls_seen_ = polls;
  if (!is_left) return;
  if (idle_count_.load() > 0) return WakeOne();  // it finds nothing else to do
  absl::MutexLock lock(&sleep_mutex_);
  is_relief_called_ = true;
  relief_wake_.Signal();
}

void WorkerPool::PollAsRelief() {
  pthread_setname_np(pthread_self(), "relief");
  while (TakePollTurn()) {
    do {
      poller_->Wait();
      poller_->Tell();
    } while (KeepsPollTurn());
    WakeOne();
  }
}

bool WorkerPool::TakePollTurn() {
  absl::MutexLock lock(&sleep_mutex_);
  while (!is_stopping_.load()) {
    if (std::exchange(is_relief_called_, false) &&
        poll_turn_.load(std::memory_order_acquire) == PollTurn::kFree) {
      poll_turn_.store(PollTurn::kRelief, std::memory_order_relaxed);
      return true;
    }
    relief_wake_.Wait(&sleep_mutex_);
  }
  return false;
}

bool WorkerPool::KeepsPollTurn() {
  absl::MutexLock lock(&sleep_mutex_);
  if (sleepers_.empty() && !is_stopping_.load()) return true;
  poll_turn_.store(PollTurn::kFree, std::memory_order_release);
  return false;
}

}  // namespace skysim
