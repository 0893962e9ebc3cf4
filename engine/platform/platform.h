#ifndef ENGINE_PLATFORM_PLATFORM_H_
#define ENGINE_PLATFORM_PLATFORM_H_

#include "engine/platform/clock.h"
#include "engine/platform/entropy.h"
#include "engine/platform/executor.h"
#include "engine/platform/memory.h"
#include "engine/platform/observer.h"
#include "engine/platform/storage.h"
#include "engine/platform/transport.h"

namespace skysim {

// Platform is the seam: everything that a node does not compute itself. The node borrows all parts
// for its whole life and cannot tell whether the world behind them is real.
struct Platform {
  Clock& clock;
  Executor& executor;
  Transport& transport;
  Entropy& entropy;
  Storage& storage;
  Observer& observer;
  Memory& memory;

  // What getpid() would give; a part of cluster's own node name.
  int process_id = 1;

  // True where virtual time and choices rule. Only for what a program could see anyway, such as
  // sim.probe; nothing in the engine decides by it.
  bool is_simulated = false;
};

}  // namespace skysim

#endif  // ENGINE_PLATFORM_PLATFORM_H_
