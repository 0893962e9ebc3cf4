-- Lets a user at a socket look into a running service and stop its tasks, for the debug command REMOTEDEBUG. Lines come
-- through a skynet.debugchannel, answers go straight to the socket. Service debug_agent is the other end.
--
-- The prompt is ":<handle>>". A line is a Lua expression or statement; it sees, and can assign, the upvalues of the
-- dispatch function of protocol "lua" and the globals, and
--   watch(protocol [, condition])   the next request of that protocol for which condition(...) is true, or any, stops
--                                   before its first line. condition gets session, source and the arguments
--   cont                            (alone on a line) ends the debugging
-- While a task is stopped the prompt is "<file>(<line>)>", a line also sees and can assign the locals of the function
-- where it stopped, and _CO, its coroutine; and
--   s  goes on to the next line that runs    n  to the next line of this function or of one that called it
--   c  lets the task go on
-- Only the task stops; the service serves others meanwhile. So a simulation stays one, and no worker is held.
--
-- For each line that was carried out, and at the beginning, `source` of REMOTEDEBUG is told (lua):
-- "ack", true or "ack", false after the last. REMOTEDEBUG is answered when the debugging has ended.

local skynet = require "skynet"
local driver = require "skynet.socketdriver"
local debugchannel = require "skynet.debugchannel"

local remotedebug = {}

-- How often the channel is looked at, in cs.
local POLL_CS = 10

-- { fd, channel, watcher, respond, watched, wrapper, stop }, or nil.
--   watched  { protocol, original }: whose dispatch function is ours for now
--   wrapper  the last such function; no task stops in it
--   stop     { co, source, line, depth }: where a task stands
local session

---------------------------------------------------------------------------------------------------------------------
-- Talking

local function say(text)
  driver.send(session.fd, text)
end

local function prompt()
  local stop = session.stop
  if stop then
    say(string.format("%s(%d)>", stop.source, stop.line))
  else
    say(skynet.address(skynet.self()) .. ">")
  end
end

---------------------------------------------------------------------------------------------------------------------
-- Names that a line can use

-- The place of upvalue `name`, or nil.
local function upvalue_of(f, name)
  local index = 1
  while true do
    local found = debug.getupvalue(f, index)
    if found == nil or found == name then
      return found and index
    end
    index = index + 1
  end
end

-- The place of the innermost local `name` of the function that is stopped, or nil.
local function local_of(co, name)
  local index, last = 1, nil
  while true do
    local found = debug.getlocal(co, 0, index)
    if found == nil then
      return last
    elseif found == name then
      last = index
    end
    index = index + 1
  end
end

-- The function whose upvalues are seen.
local function function_in_view()
  if session.stop then
    return debug.getinfo(session.stop.co, 0, "f").func
  end
  return session.watched and session.watched.original or skynet.dispatch "lua"
end

local specials = {}

function specials._CO()
  return session.stop and session.stop.co
end

local function look_up(_, name)
  local special = specials[name]
  if special then
    return special()
  end
  local stop, f = session.stop, function_in_view()
  local place = stop and local_of(stop.co, name)
  if place then
    return select(2, debug.getlocal(stop.co, 0, place))
  end
  place = f and upvalue_of(f, name)
  if place then
    return select(2, debug.getupvalue(f, place))
  end
  return _G[name]
end

local function assign(_, name, value)
  local stop, f = session.stop, function_in_view()
  local place = stop and local_of(stop.co, name)
  if place then
    debug.setlocal(stop.co, 0, place, value)
    return
  end
  place = f and upvalue_of(f, name)
  if place then
    debug.setupvalue(f, place, value)
  else
    _G[name] = value
  end
end

local environment = setmetatable({}, { __index = look_up, __newindex = assign })

local function evaluate(line)
  local chunk, reason = load("return " .. line, "=(debug)", "t", environment)
  if not chunk then
    chunk, reason = load(line, "=(debug)", "t", environment)
  end
  if not chunk then
    say(reason .. "\n")
    return
  end
  local results = table.pack(pcall(chunk))
  local words = {}
  for index = 2, results.n do
    words[#words + 1] = tostring(results[index])
  end
  if #words > 0 then
    say(table.concat(words, "\t") .. "\n")
  end
end

---------------------------------------------------------------------------------------------------------------------
-- Stopping tasks

-- How many functions are active in a task, for its hook.
local function depth_below_hook()
  local depth = 0
  while debug.getinfo(depth + 3, "l") do  -- 1 is this function, 2 the hook
    depth = depth + 1
  end
  return depth
end

-- A hook that stops the running task at its next line; with `depth`, only where no more functions are active.
local function stop_hook(depth)
  return function(_, line)
    local co = coroutine.running()
    if not session or session.stop then
      debugchannel.sethook(co)
      return false
    end
    local facts = debug.getinfo(2, "Sf")
    local now = depth_below_hook()
    if facts.func == session.wrapper or depth and now > depth then
      return false
    end
    session.stop = { co = co, source = facts.short_src, line = line, depth = now }
    say "\n"
    prompt()
    return true
  end
end

local function unwatch()
  local watched = session.watched
  if watched then
    session.watched = nil
    skynet.dispatch(watched.protocol, watched.original)
  end
end

function specials.watch()
  return function(protocol, condition)
    assert(condition == nil or type(condition) == "function", "the condition of watch is a function")
    local original = skynet.dispatch(protocol)
    assert(original, "this service does not handle protocol " .. tostring(protocol))
    unwatch()
    original = skynet.dispatch(protocol)
    local function wrapper(...)
      if not condition or condition(...) then
        unwatch()
        debugchannel.sethook(stop_hook(), "l")
      end
      return original(...)
    end
    session.watched, session.wrapper = { protocol = protocol, original = original }, wrapper
    skynet.dispatch(protocol, wrapper)
  end
end

-- Lets the stopped task go on, with another hook or none.
local function go_on(hook)
  local co = session.stop.co
  session.stop = nil
  if hook then
    debugchannel.sethook(co, hook, "l")
  else
    debugchannel.sethook(co)
  end
  skynet.wakeup(co)
end

-- What may stand alone on a line while a task is stopped.
local steps = {
  s = function() go_on(stop_hook()) end,
  n = function() go_on(stop_hook(session.stop.depth)) end,
  c = function() go_on() end,
}

---------------------------------------------------------------------------------------------------------------------

local function leave()
  unwatch()
  if session.stop then
    go_on()
  end
  local watcher, respond = session.watcher, session.respond
  skynet.error "Leave debug mode"
  say "Leave debug mode\n"
  session = nil
  skynet.send(watcher, "lua", "ack", false)
  respond(true)
end

-- Carries out one line; false after the last.
local function carry_out(line)
  local word = string.match(line, "^%s*(.-)%s*$")
  if word == "cont" then
    leave()
    return false
  end
  local step = session.stop and steps[word]
  if step then
    step()
  elseif word ~= "" then
    evaluate(line)
  end
  if not step or word == "c" then
    prompt()
  end
  skynet.send(session.watcher, "lua", "ack", true)
  return true
end

local function listen()
  while true do
    local line = session.channel:read()
    if not line then
      skynet.sleep(POLL_CS)
    elseif not carry_out(line) then
      return
    end
  end
end

--- Begins to debug this service, on behalf of the running request.
---@param fd integer socket of the user
---@param pointer lightuserdata channel that his lines come through
function remotedebug.start(fd, pointer)
  assert(not session, "the service is being debugged already")
  local channel = debugchannel.connect(pointer)
  local _, watcher = skynet.context()
  session = { fd = fd, channel = channel, watcher = watcher, respond = skynet.response() }
  skynet.error "Enter debug mode"
  prompt()
  skynet.send(watcher, "lua", "ack", true)
  skynet.fork(listen)
end

return remotedebug
