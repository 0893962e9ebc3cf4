-- CPU time of a coroutine, be it a task or not: start() and stop() around what is to be measured. Time in which it
-- waits or is suspended does not count; what it resumes does. In a simulation a dispatch takes no CPU time of its own,
-- so the answer is 0 or a sum of the scenario's dispatch costs.

local tasks = require "skynet.tasks"

return {
  --- Begins to measure the running coroutine, or the given one. Raises if it is measured already.
  ---@type fun(co: thread|nil)
  start = tasks.profile_start,
  --- Ends it; CPU seconds since start(). Raises if it is not measured.
  ---@type fun(co: thread|nil): number
  stop = tasks.profile_stop,
  --- As those of Lua's coroutines, which are measured without them as well.
  resume = coroutine.resume,
  wrap = coroutine.wrap,
}
