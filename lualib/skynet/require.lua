-- `require` for services, and the start functions that modules register with `skynet.init`.
--
-- In the main chunk `require` is Lua's own. Inside a task the module's code runs in that task and may block; other
-- tasks that want the same module meanwhile wait for it. The functions which a module gives to `skynet.init` run:
--   * loaded by the main chunk: in the start task, before the function of `skynet.start`, in registration order;
--   * loaded inside a task: right after the module's body, before its `require` returns.
--
-- skynet.lua takes from here: `skynet.init = M.init`, and its start task calls `M.init_all()` first. The global
-- `require` of a service is `M.require` (loader.lua does that). This module never requires "skynet" while it is loaded.

local M = {}

local running = coroutine.running
local loaded = package.loaded
local plain_require = require

-- Functions registered by the main chunk; nil once they have run.
local start_functions = {}
-- Modules being loaded by tasks: name -> { name, task, inits, waiters, outer, body_done, result, failed }.
local in_progress = {}
-- Task -> the load whose body it is running now.
local body_of = {}
-- Task -> the load it waits for.
local awaited_by = {}

-- Of a module that nobody has found: whether it is one of those that skysim does not have.
package.searchers[#package.searchers + 1] = function(name)
  return plain_require("skynet.absent")(name) or ""
end

local function find_loader(name)
  local reasons = {}
  for _, searcher in ipairs(package.searchers) do
    local found, extra = searcher(name)
    if type(found) == "function" then
      return found, extra
    elseif type(found) == "string" and found ~= "" then
      reasons[#reasons + 1] = (string.gsub(found, "^[\n\t]+", ""))
    end
  end
  error(string.format("module '%s' not found:\n\t%s", name, table.concat(reasons, "\n\t")), 0)
end

-- Whether the end of `load` waits, directly or over other tasks, for `task`.
local function depends_on(load, task)
  while load do
    if load.task == task then
      return true
    end
    load = awaited_by[load.task]
  end
  return false
end

local function wait_for(load, task)
  if load.task == task and load.body_done then
    return load.result  -- one of its own start functions asks
  end
  if depends_on(load, task) then
    error("circular dependency")
  end
  local skynet = plain_require "skynet"
  local ticket = {}
  load.waiters[#load.waiters + 1] = ticket
  awaited_by[task] = load
  skynet.wait(ticket)
  awaited_by[task] = nil
  if load.failed then
    error(string.format("require %s failed", load.name))
  end
  return load.result
end

local function run_body(load, task, loader, extra)
  load.outer = body_of[task]
  body_of[task] = load
  local result = loader(load.name, extra)
  body_of[task] = load.outer
  if result == nil then
    result = loaded[load.name]
    if result == nil then
      result = true
    end
  end
  load.result, load.body_done = result, true
  for _, init in ipairs(load.inits) do
    init()
  end
end

local function load_in_task(name, task)
  local loader, extra = find_loader(name)
  local load = { name = name, task = task, inits = {}, waiters = {} }
  in_progress[name] = load
  local ok, reason = xpcall(run_body, debug.traceback, load, task, loader, extra)
  in_progress[name] = nil
  body_of[task] = load.outer
  load.failed = not ok
  if ok then
    loaded[name] = load.result
  end
  if load.waiters[1] then
    local skynet = plain_require "skynet"
    for _, ticket in ipairs(load.waiters) do
      skynet.wakeup(ticket)
    end
  end
  if not ok then
    error(reason, 0)
  end
  return load.result, extra
end

--- Loads a module; may block when called inside a task.
---@param name string
---@return any module
---@return any loader_data
function M.require(name)
  local module = loaded[name]
  if module then
    return module
  end
  local task, is_main = running()
  if is_main then
    return plain_require(name)
  end
  local load = in_progress[name]
  if load then
    return wait_for(load, task)
  end
  return load_in_task(name, task)
end

--- Registers a start function of the module (or main chunk) that is being loaded.
---@param f fun()
function M.init(f)
  assert(type(f) == "function", "skynet.init needs a function")
  local task, is_main = running()
  if is_main then
    assert(start_functions, "skynet.init after the service has started")
    start_functions[#start_functions + 1] = f
    return
  end
  local load = body_of[task]
  if not load then
    error("skynet.init outside of the main chunk and of a module that is being loaded", 2)
  end
  load.inits[#load.inits + 1] = f
end

--- Runs the start functions of the main chunk. Called once, in the start task.
function M.init_all()
  local index = 1
  while start_functions[index] do
    start_functions[index]()
    index = index + 1
  end
  start_functions = nil
end

return M
