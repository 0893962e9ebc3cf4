#ifndef SIMNET_WORLD_SIM_EXECUTOR_H_
#define SIMNET_WORLD_SIM_EXECUTOR_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "engine/platform/executor.h"
#include "simnet/choice/choice_source.h"
#include "simnet/time/event_queue.h"

namespace skysim {

// SimExecutor is the worker threads of one node, in virtual time. Runnable services stand in one
// FIFO, as skynet's do. A free worker takes the first, is busy with it for the cost of a dispatch,
// and the dispatch then happens at once, in one piece. What an operating system adds is chosen:
//
// - stall: the worker was preempted between taking a service and running it, so that services
//   behind it in the line, run by other workers, come first;
// - stretch: the worker was preempted in the middle, so that others run between two effects
//   (messages, writes) of one dispatch. Only with two workers or more: one worker has nobody who
//   could run in between.
//
// Left out: a worker that takes several messages of one mailbox in a row (skynet's weights for
// workers 4 and up), which gives no order that stalls do not give; and the time between two effects
// of a dispatch that is not stretched.
//
// Two faults: a pause (SIGSTOP) stops all workers where they are, in the midst of a dispatch's time
// or between two of its effects, and they go on from there. A slow CPU makes each dispatch, and the
// time between its effects, so many times longer; what is under way keeps its time, and stalls are
// as long as before, since they are the time of others.
class SimExecutor final : public Executor, private Happening {
 public:
  struct Options {
    std::string node;  // for the names of streams
    int workers = 1;
    int64_t dispatch_ns = 10'000;
  };
  // Told after each dispatch.
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual void OnDispatched() = 0;
  };

  // All borrowed.
  SimExecutor(EventQueue& events, ChoiceSource& choices, Sink& sink, Options options);
  ~SimExecutor() override;

  void Submit(Runnable* runnable) override;
  bool IsDeferring() const override { return is_deferring_; }
  void Defer(absl::AnyInvocable<void()> effect) override;
  void Flush() override;

  // The process died: nothing that was queued or under way happens any more. Every queued runnable
  // is dropped.
  void Stop();

  // Stops and continues the workers. Each only where the other was called last (at first: Pause()).
  void Pause();
  void Resume();

  // From now on a dispatch takes `factor` times as long, >= 1. The product of both must fit.
  void SetSlowdown(int64_t factor) { slowdown_ = factor; }

  // CPU time charged so far, in all workers.
  const int64_t& cpu_ns() const { return cpu_ns_; }

 private:
  // One dispatch under way.
  struct Turn {
    Runnable* runnable = nullptr;
    bool is_stretched = false;
    bool has_mail = false;
    std::deque<absl::AnyInvocable<void()>> effects;  // still to happen
    int64_t effect_gap_ns = 0;
    uint64_t ticket = 0;
    int64_t due_ns = 0;   // when it goes on
    int64_t left_ns = 0;  // until then, in a pause
  };

  void Schedule(Turn& turn, int64_t delay_ns);
  int64_t DispatchNs() const { return options_.dispatch_ns * slowdown_; }
  void Happen(uint64_t turn_index) override;
  void Begin();
  int64_t DrawStall();
  void Run(Turn& turn);
  void NextEffect(Turn& turn);
  void End(Turn& turn);

  EventQueue& events_;
  ChoiceSource& choices_;
  Sink& sink_;
  const Options options_;
  const StreamId stall_stream_, stall_length_stream_, stretch_stream_, stretch_gap_stream_;
  std::deque<Runnable*> queue_;
  std::vector<Turn> turns_;        // one per worker
  std::vector<uint32_t> free_;     // workers without a turn
  bool is_deferring_ = false;
  Turn* deferring_turn_ = nullptr;
  bool is_stopped_ = false;
  bool is_paused_ = false;
  std::vector<Turn*> paused_turns_;  // in the order in which they go on
  int64_t slowdown_ = 1;
  int64_t cpu_ns_ = 0;
};

}  // namespace skysim

#endif  // SIMNET_WORLD_SIM_EXECUTOR_H_
