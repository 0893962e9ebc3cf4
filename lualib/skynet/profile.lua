-- CPU time of a task: start() and stop() around what is to be measured. Time in which the task waits does not count.
-- In a simulation a dispatch takes no CPU time of its own, so the answer is 0 or a sum of the scenario's dispatch
-- costs.

local tasks = require "skynet.tasks"

return {
  --- Begins to measure the running task, or the task of `thread`.
  start = tasks.profile_start,
  --- Ends it; CPU seconds since start().
  stop = tasks.profile_stop,
  resume = coroutine.resume,
  wrap = coroutine.wrap,
}
