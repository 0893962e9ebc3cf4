#ifndef ENGINE_OS_WORKER_POOL_H_
#define ENGINE_OS_WORKER_POOL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/os/poller.h"
#include "engine/os/run_queue.h"
#include "engine/platform/executor.h"

namespace skysim {

// WorkerPool is the real Executor: the worker threads of one node. Several pools fit in a process.
//
// Each worker has a queue of its own and runs it in order, one dispatch per turn; what has more
// mail goes to the end while others wait. What a dispatch submits stands in the queue of its
// worker; what other threads submit (sockets, timers, main) stands in a shared queue, of which
// every worker takes its part before each turn. A worker without work takes half of another's
// queue, else it is idle: one idle worker waits on the poller, the others sleep. So what comes from
// the network runs on the thread that heard of it, without a word to another thread.
//
// One more thread, the watch, looks every millisecond while there is work: what waits behind a long
// dispatch while another worker is idle is given to that one. So nothing waits for more than about
// two milliseconds while a worker has nothing to do. The watch sleeps as well while all workers do.
// When nobody has polled for a millisecond, the watch sees to it: an idle worker does, or, when all
// are busy, a thread of its own, the relief, until a worker is idle again.
//
// Life: construct; what is submitted before Start() waits for it; Start(); Stop() from a thread
// that is not of this pool (a node that notices on a worker that it is over tells the thread that
// waits in main). Left out: skynet's weights, by which workers 4 and up take several messages of a
// mailbox in a row: nobody may rely on them, and a turn of one message is fairer.
class WorkerPool final : public Executor {
 public:
  // Called on the watch thread, every 1 to 10 ms while any dispatch is under way, without locks.
  class WatchSink {
   public:
    virtual ~WatchSink() = default;
    virtual void OnWatch() = 0;
  };

  // What a worker does at one moment.
  struct Turn {
    uint32_t version = 0;      // counts up; another number is another dispatch
    uint32_t source = 0;       // handles, of the message's sender
    uint32_t destination = 0;  // and of the service that runs; 0: no dispatch is under way
  };

  // `workers` >= 1.
  explicit WorkerPool(size_t workers);
  // Stop().
  ~WorkerPool() override;
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Once. Either may be null: nobody watches; idle workers only sleep. Borrowed until Stop()
  // returns, after which nobody polls.
  void Start(WatchSink* sink, Poller* poller = nullptr);

  // Lets the dispatches under way end (one that never ends holds it up for ever), then drops
  // everything that is queued. What is submitted later is dropped at once, on the caller's thread.
  // A second call does nothing.
  void Stop();

  // Any thread. The caller holds no lock that the destructor of a service could want: after Stop()
  // the runnable is dropped here.
  void Submit(Runnable* runnable) override;

  // Effects happen at once.
  bool IsDeferring() const override { return false; }
  void Defer(absl::AnyInvocable<void()> effect) override { effect(); }
  void Flush() override {}

  void NoteDispatch(uint32_t source, uint32_t destination) override;

  size_t worker_count() const { return workers_.size(); }
  // Any thread. The version may be newer than the handles, never older.
  Turn FindTurn(size_t worker) const;

  // The watch sleeps until there is work, because there was none for 100 ms.
  bool is_watch_parked();

 private:
  struct Worker;

  void Work(Worker& self);
  Runnable* Next(Worker& self);
  void RunTurns(Worker& self, Runnable* runnable);
  void SubmitOwn(Worker& self, Runnable* runnable);
  bool TakeShared(Worker& self);
  bool Steal(Worker& self);

  void Idle(Worker& self);
  bool BeginIdle(Worker& self, bool* polls);
  void AwaitWake(Worker& self, bool stays_awake);
  void EndPollWait(Worker& self);
  void CountIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(sleep_mutex_);
  void UnparkWatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(sleep_mutex_);
  bool CanTakeAnything(const Worker& self) const;
  void WakeOne();

  void Watch(WatchSink* sink);
  bool WaitForTick();  // false: the pool stops
  void RelieveHeldUp();
  void SeeToPolling();

  void PollAsRelief();
  bool TakePollTurn();  // false: the pool stops
  bool KeepsPollTurn();

  void DropAll();

  static thread_local Worker* current_worker_;

  std::vector<std::unique_ptr<Worker>> workers_;
  RunQueue shared_;
  std::atomic<bool> is_stopping_{false};

  Poller* poller_ = nullptr;
  // Who calls the poller now. Taken under sleep_mutex_.
  enum class PollTurn : uint8_t { kFree, kWorker, kRelief };
  std::atomic<PollTurn> poll_turn_{PollTurn::kFree};
  std::atomic<uint32_t> poll_count_{0};  // turns of workers that have ended

  absl::Mutex sleep_mutex_;
  // The last to fall asleep wakes first: its cache is warm.
  std::vector<Worker*> sleepers_ ABSL_GUARDED_BY(sleep_mutex_);
  Worker* poll_waiter_ ABSL_GUARDED_BY(sleep_mutex_) = nullptr;  // in Poller::Wait(), or about to
  std::atomic<size_t> idle_count_{0};   // of both; written under the lock
  std::atomic<bool> is_waking_{false};  // a worker was woken and has not come yet; as above

  absl::CondVar relief_wake_;
  bool is_relief_called_ ABSL_GUARDED_BY(sleep_mutex_) = false;
  std::thread relief_;

  absl::CondVar watch_wake_;
  bool is_watch_parked_ ABSL_GUARDED_BY(sleep_mutex_) = false;
  int idle_ticks_ = 0;                   // of the watch thread
  std::vector<Runnable*> relieved_;      // of the watch thread; scratch
  std::vector<uint32_t> versions_seen_;  // of the watch thread, by worker
  uint32_t polls_seen_ = 0;              // of the watch thread
  std::thread watch_;
};

}  // namespace skysim

#endif  // ENGINE_OS_WORKER_POOL_H_
