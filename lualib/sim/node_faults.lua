-- What can happen to the nodes of a story and to the machines that they run on, beside crash and restart: verbs of
-- sim.world. Each is an event of the trace, and takes effect at once. A node that is down cannot be disturbed.

local core = require "sim.core"
local units = require "sim.units"

---@class sim.Clock the clocks of the machine that a node runs on
local Clock = {}
Clock.__index = Clock

--- Moves the wall clock: "-1h", "2s". Monotonic time (skynet.now, timers, sleeps) does not notice.
---@param by string
---@return sim.Clock
function Clock:step(by)
  core.step_clock(self.node, units.signed_duration(by), tostring(by))
  return self
end

--- Makes both clocks, and all timers with them, fast ("200ppm") or slow ("-200ppm") from now on; 0: exact again. What
--- they have gained stays.
---@param rate string|integer
---@return sim.Clock
function Clock:drift(rate)
  core.drift_clock(self.node, units.drift(rate), tostring(rate))
  return self
end

local node_faults = {}

--- The address of the service through which a story looks into a node; started when it is first needed.
---@param node string
---@return string
function node_faults.console(node)
  local handle, problem = core.call(node, ".service", "LAUNCH", "sim_console")
  if not handle then
    core.complain(problem)
  end
  return string.format(":%08x", handle)
end

-- The names of a table of files, sorted; each text is a string.
local function file_names(files)
  if type(files) ~= "table" then
    core.complain("world:put_files needs a table of path = text, not a " .. type(files))
  end
  local names = {}
  for path, text in pairs(files) do
    if type(path) ~= "string" or type(text) ~= "string" then
      core.complain "world:put_files needs a table of path = text"
    end
    names[#names + 1] = path
  end
  table.sort(names)
  return names
end

---@param World sim.World
function node_faults.add_verbs(World)
  --- The clocks of the machine that a node runs on.
  ---@param node string
  ---@return sim.Clock
  function World:clock(node)
    core.check_clock(node)
    return setmetatable({ node = node }, Clock)
  end

  --- Stops the process of a node, as SIGSTOP does, until world:resume. Its machine goes on: the kernel accepts
  --- connections as long as backlogs have room, and acknowledges bytes until the windows are full; clocks run, and
  --- timers fire late. What the story calls and sends waits. A process that is stopped can be killed.
  ---@param node string
  function World:pause(node)
    core.pause(node)
  end

  --- Lets the process of a node go on after world:pause.
  ---@param node string
  function World:resume(node)
    core.resume(node)
  end

  --- Makes each dispatch of a node take so many times as long, from the next one on; 1: as before. It is the machine
  --- that is slow, so a node that is started again there is slow, too.
  ---@param node string
  ---@param factor integer
  function World:slow(node, factor)
    if math.type(factor) ~= "integer" then
      core.complain("world:slow: the factor is a whole number, 1 or more, not " .. tostring(factor))
    end
    core.slow(node, factor)
  end

  --- Kills a service as the debug console's `kill` does: its launcher retires it between two messages, and its own code
  --- is not asked. Calls that it has not begun to handle fail, and so do new ones; one that it has begun is never
  --- answered, as in skynet. Returns when it is gone.
  ---@param node string
  ---@param address string ".name" or ":handle"
  function World:kill(node, address)
    local handle = core.fault_service(node, address, "kill")
    local number = (":%08x"):format(handle)
    if not core.is_alive(node, ".launcher") then
      core.complain(("node %s has no launcher any more, which kills services"):format(node))
    end
    core.send(node, ".launcher", "KILL", handle)
    core.wait(function() return not core.is_alive(node, number) end)
  end

  --- Runs Lua inside a service, between two of its messages, as the debug console's `inject` does: the chunk finds the
  --- tables that the service's functions know in `_U`, and can put other functions into them. Returns what it printed,
  --- or nil and what is wrong.
  ---@param node string
  ---@param address string ".name" or ":handle"
  ---@param code string|{ file: string } source, or a file of the node's tree
  ---@param ... any arguments of the chunk
  ---@return string|nil output
  ---@return string? problem
  function World:inject(node, address, code, ...)
    local file = type(code) == "table" and code.file or nil
    if type(file or code) ~= "string" then
      core.complain('world:inject needs Lua code, or { file = "name" }, not a ' .. type(code))
    end
    local handle = core.fault_service(node, address, "inject", file and " " .. file)
    local source, name = not file and code or nil, file or "inject"
    local ok, output = core.call(node, node_faults.console(node), "INJECT", handle, source, name, ...)
    if ok then
      return output
    end
    return nil, output
  end

  --- Puts files into the tree of a node, running or not, as a deployment does: whoever has an old one open keeps it,
  --- services that start from now on and modules that are required anew have the new code, and `cluster.reload()` reads
  --- a new table of addresses. They stay there over restarts, but for those that the node's `files` put anew.
  ---@param node string
  ---@param files table<string, string> path -> text
  function World:put_files(node, files)
    core.put_files(node, files, table.concat(file_names(files), ", "))
  end
end

return node_faults
