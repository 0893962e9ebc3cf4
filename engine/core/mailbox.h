#ifndef ENGINE_CORE_MAILBOX_H_
#define ENGINE_CORE_MAILBOX_H_

#include <atomic>
#include <cstddef>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/core/message.h"

namespace skysim {

// The FIFO of messages to one service. It also knows whether the service is queued at the executor
// ("scheduled"), so that one service never runs on two workers. Any thread.
class Mailbox final {
 public:
  // A new mailbox is scheduled, though nobody queued it: what arrives while the service is being
  // made only accumulates. Open() ends that.
  Mailbox();

  // Returns true if the mailbox was not scheduled: it is now, and the caller must submit it.
  bool Push(Message message);

  // Takes the oldest message. False: empty; the mailbox stays scheduled.
  bool Pop(Message* message);

  // Ends a turn. True: mail waits, and the mailbox stays scheduled. False: it is empty and not
  // scheduled any more.
  bool KeepsScheduled();

  size_t size() const;

  // Skynet's overload watch: when a Pop() finds more than the threshold (1024, doubling each time)
  // still waiting, the length is kept until taken. The threshold returns to 1024 once empty.
  // Returns 0 if there is nothing to report.
  size_t TakeOverload();

 private:
  void Grow() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::vector<Message> ring_ ABSL_GUARDED_BY(mutex_);  // capacity is a power of two
  size_t head_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t count_ ABSL_GUARDED_BY(mutex_) = 0;
  bool is_scheduled_ ABSL_GUARDED_BY(mutex_) = true;
  std::atomic<size_t> overload_{0};  // apart from the lock: asked for with every message
  size_t overload_threshold_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skysim

#endif  // ENGINE_CORE_MAILBOX_H_
