#ifndef ENGINE_OS_POLLER_H_
#define ENGINE_OS_POLLER_H_

namespace skysim {

// What threads without work wait on: the sockets of their node.
//
// Threads: Wait() and Tell() come from one thread at a time, in pairs; which thread may change
// after a Tell(). Interrupt() comes from any.
class Poller {
 public:
  virtual ~Poller() = default;

  // Sleeps until there is something to tell, or somebody interrupts.
  virtual void Wait() = 0;
  // Tells whom it concerns what the last Wait() found, in the calling thread.
  virtual void Tell() = 0;
  // Ends the Wait() under way, or else the next one.
  virtual void Interrupt() = 0;
};

}  // namespace skysim

#endif  // ENGINE_OS_POLLER_H_
