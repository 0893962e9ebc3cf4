-- skynet.debugchannel, and debugging a service from a connection of debug_console (skynet.remotedebug). With an
-- argument it is the service that is debugged.
local skynet = require "skynet"
require "skynet.manager"

local role = ...
if role then
  local state = { answer = 41 }
  local function add(number)
    local sum = state.answer + number
    return sum
  end
  skynet.dispatch("lua", function(_, _, number)
    local twice = number * 2
    local sum = add(twice)
    skynet.retpack(sum)
  end)
  skynet.start(function() end)
  return
end

local socket = require "skynet.socket"
local debugchannel = require "skynet.debugchannel"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local port, callee, terminal

local function channels()
  local one, pointer = debugchannel.create()
  local other = debugchannel.connect(pointer)
  claims.raises("new channel failed", debugchannel.connect, pointer)
  claims.equal(other:read(), nil)
  one:write "first"
  one:write "\0second"
  claims.equal({ other:read(), other:read(), other:read() }, { "first", "\0second" })
  claims.raises("string expected", one.write, one)
  claims.raises("userdata expected", debugchannel.connect, 5)
end

local function lost_channels()
  local pointer = select(2, debugchannel.create())
  collectgarbage()
  claims.raises("new channel failed", debugchannel.connect, pointer)
end

local function hooks()
  local lines, co = {}, nil
  local task = skynet.fork(function()
    co = coroutine.running()
    debugchannel.sethook(function(event, line)
      lines[#lines + 1] = line
      return event == "line" and #lines == 2
    end, "l")
    local a = 1
    local b = a + 1
    lines.sum = a + b
    debugchannel.sethook()
  end)
  skynet.sleep(1)
  claims.equal({ #lines, lines.sum, co == task }, { 2, nil, true })
  claims.equal({ debug.getlocal(co, 0, 1) }, { "a", 1 })
  skynet.wakeup(task)
  skynet.sleep(1)
  claims.equal({ lines.sum, lines[2] - lines[1] }, { 3, 1 })
end

local function hooks_end_with_their_task()
  local hits = 0
  local function run(sets)
    if sets then
      debugchannel.sethook(function() hits = hits + 1 end, "l")
    end
    return sets
  end
  skynet.fork(run, true)
  skynet.sleep(1)
  local before = hits
  assert(before > 0)
  for _ = 1, 5 do
    skynet.fork(run, false)
  end
  skynet.sleep(1)
  claims.equal(hits, before)
  claims.raises("only a task of this service", debugchannel.sethook, coroutine.create(print), print, "l")
end

local function cannot_stop()
  local is_done, in_comparison = false, false
  skynet.fork(function()
    debugchannel.sethook(function() return in_comparison end, "l")
    table.sort({ 3, 2, 1 }, function(a, b)  -- in here a task cannot yield
      in_comparison = true
      local is_less = a < b
      in_comparison = false
      return is_less
    end)
    debugchannel.sethook()
    is_done = true
  end)
  skynet.sleep(1)
  claims.equal(is_done, true)
end

---------------------------------------------------------------------------------------------------------------------

local function write(...)
  socket.write(terminal, string.format(...) .. "\n")
end

-- Reads up to `text`, which must come.
local function expect(text)
  local seen = ""
  while not string.find(seen, text, 1, true) do
    local bytes = socket.read(terminal, 1)
    assert(bytes, "the connection ended after: " .. seen)
    seen = seen .. bytes
  end
  return string.sub(seen, 1, -#text - 1)
end

local function enter()
  local console = skynet.newservice("debug_console", 0)
  port = skynet.call(console, "debug", "INFO").port
  callee = skynet.newservice("remote_debug", "callee")
  terminal = assert(socket.open("127.0.0.1", port))
  expect "Welcome to skynet console\n"
  write("debug %s", skynet.address(callee))
  expect(skynet.address(callee) .. ">")
end

local function prompt()
  return skynet.address(callee) .. ">"
end

local function evaluation()
  write "1 + 1, 'x', nil"
  claims.equal(expect(prompt()), "2\tx\tnil\n")
  write "add(1)"
  claims.equal(expect(prompt()), "42\n")
  write "some_global = 5"
  claims.equal(expect(prompt()), "")
  write "some_global + 1"
  claims.equal(expect(prompt()), "6\n")
  write "add = add"
  expect(prompt())
  write "_CO"
  claims.equal(expect(prompt()), "nil\n")
  write "this is no Lua"
  claims.equal(string.find(expect(prompt()), "syntax error", 1, true) ~= nil, true)
  write "error 'on purpose'"
  claims.equal(string.find(expect(prompt()), "on purpose", 1, true) ~= nil, true)
  write ""
  claims.equal(expect(prompt()), "")
  write "watch 'nosuch'"
  claims.equal(string.find(expect(prompt()), "does not handle protocol nosuch", 1, true) ~= nil, true)
end

-- A call of the service; its result in the table when it is there.
local function call(number)
  local result = {}
  skynet.fork(function() result[1] = skynet.call(callee, "lua", number) end)
  return result
end

local function await(result)
  local ticks = 0
  while result[1] == nil do
    ticks = ticks + 1
    assert(ticks < 3000, "no result")
    skynet.sleep(1)
  end
  return result[1]
end

-- The line of the next stop; the prompt is "<file>(<line>)>".
local function stopped()
  expect "remote_debug.lua("
  return math.tointeger(expect ")>")
end

local function stepping()
  write "watch 'lua'"
  expect(prompt())
  local result = call(4)
  local first = stopped()
  claims.equal(result[1], nil)
  write "number"
  expect "4\n"
  stopped()
  write "n"
  claims.equal(stopped(), first + 1)
  write "twice"
  expect "8\n"
  stopped()
  write "twice = 100"
  stopped()
  write "type(_CO)"
  expect "thread\n"
  stopped()
  write "s"  -- into add
  local inside = stopped()
  claims.equal(inside < first, true)
  write "number"
  expect "100\n"
  stopped()
  write "state.answer"
  expect "41\n"
  stopped()
  write "n"
  claims.equal(stopped(), inside + 1)
  write "n"
  claims.equal(stopped(), first + 2)
  write "sum"
  expect "141\n"
  stopped()
  write "c"
  expect(prompt())
  claims.equal(await(result), 141)
  claims.equal(skynet.call(callee, "lua", 1), 43)  -- a watch is for one request
end

local function conditions()
  write "watch('lua', function(_, _, number) return number == 7 end)"
  expect(prompt())
  claims.equal(skynet.call(callee, "lua", 1), 43)
  local result = call(7)
  stopped()
  claims.equal(skynet.call(callee, "lua", 2), 45)  -- others are served meanwhile
  write "c"
  expect(prompt())
  claims.equal(await(result), 55)
end

local function twice()
  claims.raises("call failed", skynet.call, callee, "debug", "REMOTEDEBUG", 1, select(2, debugchannel.create()))
end

local function leaving()
  write "watch 'lua'"
  expect(prompt())
  local result = call(4)
  stopped()
  write "cont"
  expect "Leave debug mode\n<CMD OK>\n"
  claims.equal(await(result), 49)
  write "ping :0"
  expect "<CMD Error>\n"
end

local function ends_meanwhile()
  write("debug %s", skynet.address(callee))
  expect(prompt())
  skynet.send(callee, "debug", "EXIT")
  skynet.sleep(20)
  write "1"
  expect "the service cannot be debugged: "
  expect "<CMD Error>\n"
  write("debug :00ffffff")
  expect "the service cannot be debugged: "
  expect "<CMD Error>\n"
end

local function user_goes()
  callee = skynet.newservice("remote_debug", "callee")
  write("debug %s", skynet.address(callee))
  expect(prompt())
  write "watch 'lua'"
  expect(prompt())
  local result = call(4)
  stopped()
  socket.close(terminal)
  claims.equal(await(result), 49)
end

claims.run("remote debugging", {
  { "a channel has two ends; texts arrive in order", channels },
  { "a channel that nobody holds is gone", lost_channels },
  { "a hook stops a task at a line, until it is woken", hooks },
  { "a hook ends with its task, and is for tasks only", hooks_end_with_their_task },
  { "where a task cannot yield it goes on", cannot_stop },
  { "debug greets with a prompt", enter },
  { "lines are evaluated with the service's own names", evaluation },
  { "watch stops a request; s and n step, c goes on; locals can be read and changed", stepping },
  { "watch can have a condition; other requests pass", conditions },
  { "a service is debugged by one at a time", twice },
  { "cont ends the debugging and frees what was stopped", leaving },
  { "a service that is gone ends the debugging", ends_meanwhile },
  { "a user who goes ends the debugging", user_goes },
})
