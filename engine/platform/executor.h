#ifndef ENGINE_PLATFORM_EXECUTOR_H_
#define ENGINE_PLATFORM_EXECUTOR_H_

#include <cstdint>

#include "absl/functional/any_invocable.h"

namespace skysim {

// A service that has mail, seen by the executor.
class Runnable {
 public:
  virtual ~Runnable() = default;

  // Dispatches one message. Returns true if more mail waits: the executor queues it again. After
  // false the executor must not touch the object any more (it may be gone, or be submitted anew).
  virtual bool RunOne() = 0;

  // The executor will never run it: the node is dying. Instead of the RunOne() that returns false.
  virtual void Drop() = 0;
};

// Executor runs the services of one node: any worker may take any runnable, one worker at a time.
class Executor {
 public:
  virtual ~Executor() = default;

  // `runnable` has mail and is neither queued nor running. It stays alive until RunOne() returned
  // false. Called from any thread.
  virtual void Submit(Runnable* runnable) = 0;

  // An effect is what a dispatch does to others: a message that it sends, bytes that it writes. On
  // real threads, and in most simulated dispatches, effects happen at once and IsDeferring() is
  // false. A simulated dispatch may be stretched over virtual time, so that other services run
  // between two of its effects; then effects must be handed over with Defer() in the order in which
  // they were caused.
  virtual bool IsDeferring() const = 0;
  virtual void Defer(absl::AnyInvocable<void()> effect) = 0;

  // Lets the effects that were deferred so far happen now. Called before a dispatch does something
  // that others see and that cannot be deferred because it has a result (a launch, a name), so that
  // nobody sees it before what the dispatch did earlier.
  virtual void Flush() = 0;

  // The runnable that calls, within its RunOne(), begins to handle a message: handles of sender and
  // receiver. For the watch over endless loops; an executor without one ignores it.
  virtual void NoteDispatch(uint32_t /*source*/, uint32_t /*destination*/) {}
};

}  // namespace skysim

#endif  // ENGINE_PLATFORM_EXECUTOR_H_
