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
  };

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
  int64_t cpu_ns_ = 0;
};

}  // namespace skysim

#endif  // SIMNET_WORLD_SIM_EXECUTOR_H_
