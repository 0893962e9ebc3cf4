#ifndef ENGINE_CORE_LEGACY_H_
#define ENGINE_CORE_LEGACY_H_

#include <string>

namespace skysim {

// Legacy says which mended faults of skynet's past a node has again, so that a scenario can prove
// that it would have found them. All are off in a node that is given none, and only a simulated
// world gives one: a node refuses it on any other platform.
//
// Each fault is put back at one place, the code it was in, by a test of its field there. The table
// in simnet/scenario/legacy.cc names them all for the user; a new fault is a field here, a row
// there, and that test.
struct Legacy {
  // Woken tasks go on as the entries of a table keyed by coroutine come, not in the order of wakeup
  // (skynet issue 587).
  bool wakes_unordered = false;
  // Forked tasks begin in such an order, not in that of skynet.fork (skynet issue 1000).
  bool forks_unordered = false;
  // A request that its service will never take is answered with an error of session 0, which says
  // that the service is gone, instead of the request's (skynet issues 1220, 1846).
  bool answers_leftovers_with_0 = false;
  // A push whose handler raises is answered with such an error (skynet issue 578).
  bool answers_pushes = false;
  // A harbor frame's length is read right only if its bytes come in one piece (skynet, 2014-08).
  bool reads_harbor_heads_whole = false;
  // Timers and skynet.now follow the wall clock, whatever it does (skynet, 2014).
  bool ticks_by_wall_clock = false;

  // Those in modules of the library: names of lualib/sim/legacy/*.lua, separated by commas. The
  // services of the node see them as its env `sim_legacy`, which a config cannot set.
  std::string patches;
};

}  // namespace skysim

#endif  // ENGINE_CORE_LEGACY_H_
