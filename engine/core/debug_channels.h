#ifndef ENGINE_CORE_DEBUG_CHANNELS_H_
#define ENGINE_CORE_DEBUG_CHANNELS_H_

#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace skysim {

// A line of texts from one service to another of the same node, beside their mailboxes: a service
// that is stopped at a breakpoint reads what the debugger says without handling messages. Any
// thread.
class DebugChannel final {
 public:
  // `text` is dropped if more than kTextsMax wait already.
  void Write(std::string text);
  // False: nothing is there now.
  bool Read(std::string* text);

 private:
  static constexpr size_t kTextsMax = 4096;

  absl::Mutex mutex_;
  std::deque<std::string> texts_ ABSL_GUARDED_BY(mutex_);
};

// The channels of a node that wait for their second end, by a number that can be sent in a message.
// Any thread.
class DebugChannels final {
 public:
  // A channel that can be taken once, by its number (1, 2, ...). It waits as long as somebody else
  // holds it.
  std::shared_ptr<DebugChannel> Create(uint64_t* number);
  // Null: there is none of that number, or it was taken.
  std::shared_ptr<DebugChannel> Take(uint64_t number);

 private:
  absl::Mutex mutex_;
  uint64_t last_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, std::weak_ptr<DebugChannel>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skysim

#endif  // ENGINE_CORE_DEBUG_CHANNELS_H_
