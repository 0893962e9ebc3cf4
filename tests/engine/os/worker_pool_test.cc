#include "engine/os/worker_pool.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "catch2/catch_test_macros.hpp"
#include "engine/core/mailbox.h"

namespace skysim {
namespace {

// Does what it is told, and counts its turns.
class Job final : public Runnable {
 public:
  // `turn` says whether it has more mail.
  explicit Job(std::function<bool()> turn) : turn_(std::move(turn)) {}

  bool RunOne() override {
    bool has_mail = turn_();
    ++runs;  // last: whoever waits for it may destroy the job
    return has_mail;
  }
  void Drop() override { ++drops; }

  std::atomic<int> runs{0};
  std::atomic<int> drops{0};

 private:
  const std::function<bool()> turn_;
};

Job Once(std::function<void()> act) {
  return Job([act = std::move(act)] {
    act();
    return false;
  });
}

std::vector<std::unique_ptr<Job>> IdleJobs(int count) {
  std::vector<std::unique_ptr<Job>> jobs;
  for (int i = 0; i < count; ++i) jobs.push_back(std::make_unique<Job>([] { return false; }));
  return jobs;
}

// A service as the pool sees it: a mailbox, and a check that it runs on one worker at a time. What
// a message is worth is in `cause`, who sent it in `source`.
class Counter final : public Runnable {
 public:
  Counter(WorkerPool& pool, size_t senders) : pool_(pool), next_(senders) {
    mailbox_.KeepsScheduled();
  }

  void Push(uint32_t sender, uint64_t number) {
    Message message;
    message.source = sender;
    message.cause = number;
    if (mailbox_.Push(std::move(message))) pool_.Submit(this);
  }

  bool RunOne() override {
    if (is_running_.exchange(true)) ++overlaps;
    Message message;
    if (mailbox_.Pop(&message)) {
      if (message.cause < next_[message.source]) ++disorders;
      next_[message.source] = message.cause + 1;
      ++count;
      if (on_message) on_message();
    }
    is_running_ = false;
    return mailbox_.KeepsScheduled();
  }
  void Drop() override { ++drops; }

  std::function<void()> on_message;
  std::atomic<int64_t> count{0};
  std::atomic<int> overlaps{0};
  std::atomic<int> disorders{0};
  std::atomic<int> drops{0};

 private:
  WorkerPool& pool_;
  Mailbox mailbox_;
  std::vector<uint64_t> next_;  // by sender; not atomic on purpose: tsan looks on
  std::atomic<bool> is_running_{false};
};

void Await(const std::function<bool()>& condition) {
  while (!condition()) std::this_thread::yield();
}

TEST_CASE("a pool runs what was submitted before its start, in order") {
  WorkerPool pool(1);
  std::string order;
  absl::Notification done;
  Job a = Once([&] { order += 'a'; });
  Job b = Once([&] { order += 'b'; });
  Job c = Once([&] {
    order += 'c';
    done.Notify();
  });
  for (Job* job : {&a, &b, &c}) pool.Submit(job);

  pool.Start(nullptr);
  done.WaitForNotification();
  pool.Stop();

  CHECK(order == "abc");
}

TEST_CASE("what has more mail goes behind those that wait") {
  WorkerPool pool(1);
  std::string order;
  absl::BlockingCounter ends(2);
  auto turn = [&](char name, Job& job) {
    order += name;
    if (job.runs < 2) return true;
    ends.DecrementCount();
    return false;
  };
  Job* first = nullptr;
  Job* second = nullptr;
  Job a([&] { return turn('a', *first); });
  Job b([&] { return turn('b', *second); });
  first = &a;
  second = &b;
  pool.Submit(&a);
  pool.Submit(&b);

  pool.Start(nullptr);
  ends.Wait();
  pool.Stop();

  CHECK(order == "ababab");
}

TEST_CASE("what comes from outside is run though others always have mail") {
  WorkerPool pool(1);
  std::atomic<bool> is_over{false};
  absl::Notification ran;
  Job a([&] { return !is_over; });
  Job b([&] { return !is_over; });
  Job outside = Once([&] { ran.Notify(); });
  pool.Start(nullptr);
  pool.Submit(&a);
  pool.Submit(&b);
  Await([&] { return a.runs > 10 && b.runs > 10; });

  pool.Submit(&outside);
  ran.WaitForNotification();

  is_over = true;
  pool.Stop();
  CHECK(outside.runs == 1);
}

TEST_CASE("what comes from outside is run though one alone always has mail") {
  WorkerPool pool(1);
  absl::Notification ran;
  Job greedy([&] { return !ran.HasBeenNotified(); });
  Job outside = Once([&] { ran.Notify(); });
  pool.Start(nullptr);
  pool.Submit(&greedy);
  Await([&] { return greedy.runs > 10; });

  pool.Submit(&outside);
  ran.WaitForNotification();
  pool.Stop();

  CHECK(outside.runs == 1);
}

TEST_CASE("messages of one sender to one receiver keep their order on four workers") {
  constexpr uint32_t kSenders = 16;
  constexpr uint64_t kRounds = 1000;
  constexpr int kReceivers = 24;
  WorkerPool pool(4);
  std::vector<std::unique_ptr<Counter>> receivers;
  std::vector<std::unique_ptr<Job>> senders;
  absl::BlockingCounter left(kSenders * kRounds * kReceivers);
  for (int i = 0; i < kReceivers; ++i) {
    receivers.push_back(std::make_unique<Counter>(pool, kSenders));
    receivers.back()->on_message = [&] { left.DecrementCount(); };
  }
  for (uint32_t sender = 0; sender < kSenders; ++sender) {
    senders.push_back(std::make_unique<Job>([&, sender, number = uint64_t{0}]() mutable {
      for (std::unique_ptr<Counter>& receiver : receivers) receiver->Push(sender, number);
      return ++number < kRounds;
    }));
    pool.Submit(senders.back().get());
  }

  pool.Start(nullptr);
  left.Wait();
  pool.Stop();

  for (std::unique_ptr<Counter>& receiver : receivers) {
    CHECK(receiver->disorders == 0);
    CHECK(receiver->overlaps == 0);
    CHECK(receiver->count == kSenders * kRounds);
  }
}

TEST_CASE("nothing is lost of what several threads send, and nothing runs twice at once") {
  constexpr uint32_t kThreads = 3;
  constexpr uint64_t kMessages = 500'000;  // of each thread
  constexpr size_t kServices = 64;
  WorkerPool pool(4);
  std::vector<std::unique_ptr<Counter>> services;
  absl::BlockingCounter left(kThreads * kMessages);
  for (size_t i = 0; i < kServices; ++i) {
    services.push_back(std::make_unique<Counter>(pool, kThreads));
    services.back()->on_message = [&] { left.DecrementCount(); };
  }
  pool.Start(nullptr);

  std::vector<std::thread> threads;
  for (uint32_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (uint64_t i = 0; i < kMessages; ++i) {
        services[(i * 7 + thread) % kServices]->Push(thread, i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  left.Wait();
  pool.Stop();

  for (std::unique_ptr<Counter>& service : services) {
    CHECK(service->disorders == 0);
    CHECK(service->overlaps == 0);
    CHECK(service->drops == 0);
  }
}

// Each round finds the workers asleep, or falling asleep.
TEST_CASE("a worker that falls asleep does not miss what is submitted meanwhile") {
  constexpr int kRounds = 20'000;
  for (size_t workers : {1, 2, 3}) {
    WorkerPool pool(workers);
    pool.Start(nullptr);
    std::vector<std::thread> threads;
    std::atomic<int> total{0};
    for (int thread = 0; thread < 2; ++thread) {
      threads.emplace_back([&] {
        Job job = Once([] {});
        for (int round = 1; round <= kRounds; ++round) {
          pool.Submit(&job);
          Await([&] { return job.runs == round; });
        }
        total += job.runs;
      });
    }
    for (std::thread& thread : threads) thread.join();
    pool.Stop();
    CHECK(total == 2 * kRounds);
  }
}

TEST_CASE("one submit from a worker and one from outside wake two sleepers if need be") {
  for (int round = 0; round < 300; ++round) {
    WorkerPool pool(3);
    absl::Notification all;  // of the three are under way at the same time
    std::atomic<int> here{0};
    auto stay = [&] {
      if (++here == 3) all.Notify();
      all.WaitForNotification();
    };
    Job inner = Once(stay);
    Job outer = Once([&] {
      pool.Submit(&inner);
      stay();
    });
    Job other = Once(stay);
    pool.Start(nullptr);

    pool.Submit(&outer);
    pool.Submit(&other);

    all.WaitForNotification();
    pool.Stop();
    REQUIRE(here == 3);
  }
}

TEST_CASE("a long dispatch does not hold up those that it submitted") {
  for (int behind : {1, 2, 100}) {
    WorkerPool pool(2);
    absl::BlockingCounter ran(behind);
    std::vector<std::unique_ptr<Job>> jobs;
    for (int i = 0; i < behind; ++i) {
      jobs.push_back(std::make_unique<Job>([&] {
        ran.DecrementCount();
        return false;
      }));
    }
    absl::Notification done;
    Job blocker = Once([&] {
      for (std::unique_ptr<Job>& job : jobs) pool.Submit(job.get());
      ran.Wait();  // for ever, unless another worker takes them all
      done.Notify();
    });
    pool.Start(nullptr);

    pool.Submit(&blocker);
    done.WaitForNotification();
    pool.Stop();

    for (std::unique_ptr<Job>& job : jobs) CHECK(job->runs == 1);
  }
}

TEST_CASE("the watch parks when nothing happens, and comes back for a long dispatch") {
  WorkerPool pool(2);
  pool.Start(nullptr);
  Await([&] { return pool.is_watch_parked(); });
  absl::Notification ran, done;
  Job behind = Once([&] { ran.Notify(); });
  Job blocker = Once([&] {
    pool.Submit(&behind);
    ran.WaitForNotification();
    done.Notify();
  });

  pool.Submit(&blocker);
  done.WaitForNotification();
  pool.Stop();

  CHECK(blocker.runs == 1);
}

TEST_CASE("the watch is called again and again during a dispatch") {
  class Sink final : public WorkerPool::WatchSink {
   public:
    void OnWatch() override { ++count; }
    std::atomic<int> count{0};
  } sink;
  WorkerPool pool(1);
  absl::Notification done;
  Job blocker = Once([&] {
    int before = sink.count;
    Await([&] { return sink.count >= before + 20; });  // more than until it would park
    done.Notify();
  });
  pool.Start(&sink);

  pool.Submit(&blocker);
  done.WaitForNotification();
  pool.Stop();

  CHECK(blocker.runs == 1);
}

TEST_CASE("stop drops what never ran, each once") {
  WorkerPool pool(2);
  std::vector<std::unique_ptr<Job>> jobs = IdleJobs(100);
  for (std::unique_ptr<Job>& job : jobs) pool.Submit(job.get());

  pool.Stop();
  pool.Stop();

  for (std::unique_ptr<Job>& job : jobs) CHECK((job->runs == 0 && job->drops == 1));
}

TEST_CASE("stop lets the dispatch under way end and drops what waits behind it") {
  WorkerPool pool(1);
  std::vector<std::unique_ptr<Job>> inner = IdleJobs(100);
  std::vector<std::unique_ptr<Job>> outer = IdleJobs(100);
  absl::Notification began, may_end;
  Job blocker([&] {
    for (std::unique_ptr<Job>& job : inner) pool.Submit(job.get());
    began.Notify();
    may_end.WaitForNotification();
    return true;  // it has more mail, which it will never see
  });
  pool.Start(nullptr);
  pool.Submit(&blocker);
  began.WaitForNotification();
  for (std::unique_ptr<Job>& job : outer) pool.Submit(job.get());

  std::thread stopper([&] { pool.Stop(); });
  std::vector<std::unique_ptr<Job>> probes;
  Await([&] {  // until the stop has begun a probe stays in the queue, because the worker is busy
    probes.push_back(std::move(IdleJobs(1)[0]));
    pool.Submit(probes.back().get());
    return probes.back()->drops > 0;
  });
  may_end.Notify();
  stopper.join();

  CHECK((blocker.runs == 1 && blocker.drops == 1));
  for (std::unique_ptr<Job>& job : inner) CHECK((job->runs == 0 && job->drops == 1));
  for (std::unique_ptr<Job>& job : outer) CHECK((job->runs == 0 && job->drops == 1));
  for (std::unique_ptr<Job>& job : probes) CHECK((job->runs == 0 && job->drops == 1));
}

TEST_CASE("what is submitted during a stop is run or dropped, once, by whichever thread") {
  for (int round = 0; round < 200; ++round) {
    WorkerPool pool(2);
    std::vector<std::unique_ptr<Job>> jobs = IdleJobs(200);
    std::atomic<int> submitted{0};
    pool.Start(nullptr);

    std::thread submitter([&] {
      for (std::unique_ptr<Job>& job : jobs) {
        pool.Submit(job.get());
        ++submitted;
      }
    });
    Await([&] { return submitted > round; });
    pool.Stop();
    submitter.join();

    for (std::unique_ptr<Job>& job : jobs) REQUIRE(job->runs + job->drops == 1);
  }
}

TEST_CASE("what is submitted after the stop is dropped at once") {
  WorkerPool pool(2);
  Job job = Once([] {});
  pool.Start(nullptr);
  pool.Stop();

  pool.Submit(&job);

  CHECK((job.runs == 0 && job.drops == 1));
}

TEST_CASE("a worker of one pool is a stranger to another") {
  WorkerPool first(1);
  WorkerPool second(1);
  absl::Notification ran;
  WorkerPool::Turn of_first, of_second;
  Job inner = Once([&] { ran.Notify(); });
  Job outer = Once([&] {
    second.NoteDispatch(9, 10);
    second.Submit(&inner);
    ran.WaitForNotification();  // so it was the other's worker that ran it
    of_first = first.FindTurn(0);
    of_second = second.FindTurn(0);
  });
  first.Start(nullptr);
  second.Start(nullptr);

  first.Submit(&outer);
  ran.WaitForNotification();
  first.Stop();
  second.Stop();

  CHECK(of_first.destination == 0);
  CHECK(of_second.destination == 0);
}

TEST_CASE("a turn shows who sent to whom while it lasts, under a version of its own") {
  WorkerPool pool(1);
  std::vector<WorkerPool::Turn> turns;
  absl::Notification done;
  Job job([&] {
    pool.NoteDispatch(5, 0xffffffff);
    turns.push_back(pool.FindTurn(0));
    turns.push_back(pool.FindTurn(0));
    if (turns.size() < 4) return true;
    done.Notify();
    return false;
  });
  pool.Start(nullptr);

  pool.Submit(&job);
  done.WaitForNotification();
  pool.Stop();

  for (const WorkerPool::Turn& turn : turns) {
    CHECK(turn.source == 5);
    CHECK(turn.destination == 0xffffffff);
  }
  CHECK(turns[0].version == turns[1].version);
  CHECK(turns[1].version != turns[2].version);
  CHECK(pool.FindTurn(0).destination == 0);
  CHECK(pool.FindTurn(0).version != turns[3].version);
}

// Has something to tell whenever somebody says so.
class FakePoller final : public Poller {
 public:
  void Wait() override {
    if (inside_.fetch_add(1) != 0) ++overlaps;
    absl::MutexLock lock(&mutex_);
    ++waits_;
    mutex_.Await(absl::Condition(&has_reason_to_end_));
    has_reason_to_end_ = false;
  }
  void Tell() override {
    std::function<void()> told;
    {
      absl::MutexLock lock(&mutex_);
      told = std::exchange(event_, nullptr);
    }
    if (told) told();
    --inside_;
  }
  void Interrupt() override {
    absl::MutexLock lock(&mutex_);
    ++interrupts_;
    has_reason_to_end_ = true;
  }

  // `event` is told by whoever polls next; the one before has been told.
  void Happen(std::function<void()> event) {
    absl::MutexLock lock(&mutex_);
    event_ = std::move(event);
    has_reason_to_end_ = true;
  }
  int waits() {
    absl::MutexLock lock(&mutex_);
    return waits_;
  }
  int interrupts() {
    absl::MutexLock lock(&mutex_);
    return interrupts_;
  }

  std::atomic<int> overlaps{0};  // somebody polled while another did

 private:
  std::atomic<int> inside_{0};
  absl::Mutex mutex_;
  bool has_reason_to_end_ = false;
  int waits_ = 0;
  int interrupts_ = 0;
  std::function<void()> event_;
};

// Happens at `poller`, and returns when it has been told.
void Tell(FakePoller& poller, const std::function<void()>& event) {
  absl::Notification told;
  poller.Happen([&] {
    event();
    told.Notify();
  });
  told.WaitForNotification();
}

TEST_CASE("what the poller tells runs on the worker that polled, and wakes nobody") {
  WorkerPool pool(2);
  FakePoller poller;
  pool.Start(nullptr, &poller);
  Await([&] { return poller.waits() == 1; });

  std::thread::id polled, ran;
  absl::Notification done;
  Job job = Once([&] {
    ran = std::this_thread::get_id();
    done.Notify();
  });
  Tell(poller, [&] {
    polled = std::this_thread::get_id();
    pool.Submit(&job);
  });
  done.WaitForNotification();
  CHECK(poller.interrupts() == 0);
  pool.Stop();

  CHECK(ran == polled);
}

TEST_CASE("what others submit wakes a worker that sleeps before the one that polls") {
  WorkerPool pool(2);
  FakePoller poller;
  pool.Start(nullptr, &poller);
  Await([&] { return poller.waits() == 1 && pool.is_watch_parked(); });

  absl::Notification go_on, done;
  Job first = Once([&] { go_on.WaitForNotification(); });
  pool.Submit(&first);  // the sleeper's
  Job second = Once([&] { done.Notify(); });
  pool.Submit(&second);
  done.WaitForNotification();
  CHECK(poller.interrupts() == 1);
  go_on.Notify();
  pool.Stop();
}

TEST_CASE("somebody polls while every worker is busy, and one at a time") {
  for (size_t workers : {1, 2}) {
    WorkerPool pool(workers);
    FakePoller poller;
    std::atomic<bool> is_over{false};
    std::vector<std::unique_ptr<Job>> busy;
    for (size_t i = 0; i < workers; ++i) {
      busy.push_back(std::make_unique<Job>([&] { return !is_over; }));
      pool.Submit(busy.back().get());
    }
    pool.Start(nullptr, &poller);
    for (const auto& job : busy) Await([&] { return job->runs > 0; });

    std::thread::id first, second;
    Tell(poller, [&] { first = std::this_thread::get_id(); });
    Tell(poller, [&] { second = std::this_thread::get_id(); });
    is_over = true;
    pool.Stop();

    CHECK(first != std::thread::id());
    CHECK(second != std::thread::id());
    CHECK(poller.overlaps == 0);
  }
}

TEST_CASE("a worker polls again once it has nothing else to do") {
  WorkerPool pool(1);
  FakePoller poller;
  std::atomic<bool> is_over{false};
  std::thread::id worker;
  Job busy([&] {
    worker = std::this_thread::get_id();
    return !is_over;
  });
  pool.Submit(&busy);
  pool.Start(nullptr, &poller);
  std::thread::id relief;
  Await([&] { return busy.runs > 0; });
  Tell(poller, [&] { relief = std::this_thread::get_id(); });
  is_over = true;

  std::thread::id last = relief;
  while (last == relief) Tell(poller, [&] { last = std::this_thread::get_id(); });
  pool.Stop();

  CHECK(relief != worker);
  CHECK(last == worker);
}

// Each round finds the workers at some point between work, polling and sleep.
TEST_CASE("nothing is lost between those who submit and the poller's news") {
  constexpr int kRounds = 5'000;
  for (size_t workers : {1, 2, 3}) {
    WorkerPool pool(workers);
    FakePoller poller;
    pool.Start(nullptr, &poller);
    std::thread submitter([&] {
      Job job = Once([] {});
      for (int round = 1; round <= kRounds; ++round) {
        pool.Submit(&job);
        Await([&] { return job.runs == round; });
      }
    });
    Job job = Once([] {});
    for (int round = 1; round <= kRounds; ++round) {
      Tell(poller, [&] { pool.Submit(&job); });
      Await([&] { return job.runs == round; });
    }
    submitter.join();
    pool.Stop();

    CHECK(job.runs == kRounds);
    CHECK(poller.overlaps == 0);
  }
}

TEST_CASE("a pool stops while its worker polls") {
  for (int round = 0; round < 200; ++round) {
    WorkerPool pool(2);
    FakePoller poller;
    pool.Start(nullptr, &poller);
    if (round % 2 == 0) Await([&] { return poller.waits() == 1; });
    pool.Stop();
    pool.Stop();
  }
}

}  // namespace
}  // namespace skysim
