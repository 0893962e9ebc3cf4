-- The commands of the debug console, as text in and text out. Service debug_console brings them to a socket, service
-- sim_console to the story of a scenario; any service of a node may use them.
--
-- A command line is words, separated by blanks. Its result is text: a table as one line for each key, sorted,
-- "key<TAB>value", where a table in it is "k:v" pairs joined by tabs; other values as tostring shows them. A service is
-- named by ":hex", ".name", or the bare number in hex, to which the node's harbor id is added.

local skynet = require "skynet"
local core = require "skynet.core"
require "skynet.manager"

local console = {}

-- How long stat, mem and gc wait for a service that does not answer, in cs, unless they are told.
local PATIENCE_CS = 300

-- Name -> { usage, text, f }. f gets the request and the words behind the name; it returns values to show, or raises.
-- request.line: the whole line; request.terminal: where the user sits, if that can be spoken with.
local commands = {}

---------------------------------------------------------------------------------------------------------------------
-- Reading words

local function fail(...)
  error(string.format(...), 0)
end

local function need(word, what)
  if not word then
    fail("%s is missing", what)
  end
  return word
end

-- The handle that a word names; it need not be alive.
local function to_handle(word)
  need(word, "the address")
  local first = string.sub(word, 1, 1)
  if first == "." then
    return skynet.localname(word) or fail("no service is called %s", word)
  end
  local digits = string.match(word, "^:?(%x+)$")
  local number = digits and #digits <= 8 and tonumber(digits, 16)
  if not number or number == 0 then
    fail("invalid address: %s", word)
  end
  if first ~= ":" and number <= 0xffffff then
    number = number | skynet.harbor(skynet.self()) << 24
  end
  return number
end

local function to_number(word, what)
  return tonumber(word) or fail("%s is a number, not %s", what, tostring(word))
end

-- What stands behind the first `count` words of a line.
local function behind(line, count)
  local place = 1
  for _ = 1, count do
    place = select(2, string.find(line, "^%s*%S+", place)) + 1
  end
  return string.match(line, "^%s*(.-)%s*$", place)
end

---------------------------------------------------------------------------------------------------------------------
-- Showing values

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    if type(a) == "number" and type(b) == "number" then
      return a < b
    end
    return tostring(a) < tostring(b)
  end)
  return keys
end

local function show_inner(value)
  if type(value) ~= "table" then
    return tostring(value)
  end
  local pairs_of = {}
  for _, key in ipairs(sorted_keys(value)) do
    pairs_of[#pairs_of + 1] = tostring(key) .. ":" .. tostring(value[key])
  end
  return table.concat(pairs_of, "\t")
end

local function show(value, lines)
  if type(value) == "table" then
    for _, key in ipairs(sorted_keys(value)) do
      lines[#lines + 1] = tostring(key) .. "\t" .. show_inner(value[key])
    end
  else
    lines[#lines + 1] = tostring(value)
  end
end

-- What a command has to show: nothing at all for no values, or nothing but nil.
local function show_all(values)
  local lines = {}
  if values.n > 1 or values[1] ~= nil then
    for index = 1, values.n do
      show(values[index], lines)
    end
  end
  return table.concat(lines, "\n")
end

---------------------------------------------------------------------------------------------------------------------
-- Commands

local function define(name, usage, text, f)
  commands[name] = { usage = usage, text = text, f = f }
end

define("help", "", "this list", function()
  local list = {}
  for name, command in pairs(commands) do
    list[name .. (command.usage ~= "" and " " .. command.usage or "")] = command.text
  end
  return list
end)

define("list", "", "services that the launcher knows", function()
  return skynet.call(".launcher", "lua", "LIST")
end)

define("service", "", "unique services", function()
  return skynet.call(".service", "lua", "LIST")
end)

local function ask_launcher(name, text)
  define(name, "[cs]", text .. "; waits so long for each, 0 = for ever", function(_, patience)
    return skynet.call(".launcher", "lua", string.upper(name), patience and to_number(patience, "the time")
      or PATIENCE_CS)
  end)
end

ask_launcher("stat", "figures of every service")
ask_launcher("mem", "Lua memory of every service")
ask_launcher("gc", "collects garbage everywhere, then mem")

-- Starts a service with launch(name, ...); what became of it.
local function started(launch, name, ...)
  local words = { need(name, "the name"), ... }
  local ok, handle = pcall(launch, name, ...)
  if not ok then
    return "Failed"
  end
  if not handle then
    return "Exit"
  end
  return { [skynet.address(handle)] = table.concat(words, " ") }
end

define("start", "name args", "starts a Lua service", function(_, name, ...)
  return started(skynet.newservice, name, ...)
end)

define("log", "name args", "starts a Lua service with its message log on", function(_, name, ...)
  local function launch(...)
    return skynet.call(".launcher", "lua", "LOGLAUNCH", "snlua", ...)
  end
  return started(launch, name, ...)
end)

define("snax", "name args", "starts a snax service", function(_, name, ...)
  local function launch(...)
    return require("skynet.snax").rawnewservice(...)
  end
  return started(launch, name, ...)
end)

define("exit", "address", "asks a service to exit", function(_, address)
  skynet.send(to_handle(address), "debug", "EXIT")
end)

define("kill", "address", "kills a service", function(_, address)
  return skynet.call(".launcher", "lua", "KILL", to_handle(address))
end)

define("info", "address args", "what the service says of itself", function(_, address, ...)
  return skynet.call(to_handle(address), "debug", "INFO", ...)
end)

define("task", "address [session]", "tasks that wait, with their stacks", function(_, address, session)
  return skynet.call(to_handle(address), "debug", "TASK", session and to_number(session, "the session"))
end)

define("uniqtask", "address", "tasks that wait, those at one place counted", function(_, address)
  return skynet.call(to_handle(address), "debug", "UNIQTASK")
end)

define("killtask", "address pattern", "kills a task whose name matches", function(_, address, pattern)
  return skynet.call(to_handle(address), "debug", "KILLTASK", need(pattern, "the pattern"))
end)

-- Debug commands that nobody answers.
local ONE_WAY = { GC = true, EXIT = true, TERM = true }

define("dbgcmd", "address COMMAND args", "any debug command", function(_, address, name, ...)
  local handle = to_handle(address)
  if name == "TERM" then
    skynet.send(handle, "debug", name, to_handle((...)))
  elseif ONE_WAY[name] then
    skynet.send(handle, "debug", name, ...)
  else
    return skynet.call(handle, "debug", need(name, "the debug command"), ...)
  end
end)

define("inject", "address file args", "runs a Lua file inside a service", function(_, address, file, ...)
  local handle = to_handle(address)
  local stream, reason = io.open(need(file, "the file"), "rb")
  if not stream then
    fail("Can't open %s", reason)
  end
  local source = stream:read "a"
  stream:close()
  local ok, output = skynet.call(handle, "debug", "RUN", source, file, ...)
  if not ok then
    error(output, 0)
  end
  return output
end)

define("call", "address expression,...", "calls a service with Lua values", function(request, address)
  local handle = to_handle(address)
  local expressions = behind(request.line, 2)
  local chunk, reason = load("return " .. expressions, "=(call)", "t", {})
  if not chunk then
    fail("%s", reason)
  end
  return table.pack(skynet.call(handle, "lua", chunk()))
end)

define("ping", "address", "cs until a service answers", function(_, address)
  local began = skynet.now()
  skynet.call(to_handle(address), "debug", "PING")
  return skynet.now() - began
end)

define("signal", "address [number]", "0: stops an endless loop; 1: memory, into the log", function(_, address, number)
  local signal = number and to_number(number, "the signal") or 0
  core.command("SIGNAL", string.format("%s %d", skynet.address(to_handle(address)), signal))
end)

define("logon", "address", "begins a message log", function(_, address)
  core.command("LOGON", skynet.address(to_handle(address)))
end)

define("logoff", "address", "ends a message log", function(_, address)
  core.command("LOGOFF", skynet.address(to_handle(address)))
end)

local FLAGS = { on = true, off = false }

define("trace", "address [protocol] on|off", "traces the requests of a protocol", function(_, address, protocol, flag)
  if flag == nil then
    protocol, flag = "lua", protocol
  end
  if FLAGS[flag] == nil then
    fail("trace is on or off, not %s", tostring(flag))
  end
  skynet.call(to_handle(address), "debug", "TRACELOG", protocol, FLAGS[flag])
end)

define("debug", "address", "debugs a service, line by line", function(request, address)
  local handle = to_handle(address)
  if not request.terminal then
    fail("debug needs a terminal: a connection to debug_console")
  end
  request.terminal.debug(handle)
end)

define("clearcache", "", "new services load their files anew", function()
  require("skynet.codecache").clear()
end)

-- Memory outside of Lua.
local function memory()
  local ok, module = pcall(require, "skynet.memory")
  return ok and module or fail "this node keeps no account of memory outside of Lua"
end

define("cmem", "", "memory outside of Lua, by service", function()
  local list = {}
  for handle, bytes in pairs(memory().info()) do
    list[skynet.address(handle)] = bytes
  end
  list.total, list.block = memory().total(), memory().block()
  return list
end)

define("jmem", "", "what the allocator says", function()
  return memory().jestat()
end)

define("dumpheap", "", "the allocator writes down its heap", function()
  memory().dumpheap()
end)

define("profactive", "[on|off]", "the allocator's profile", function(_, flag)
  if flag ~= nil and FLAGS[flag] == nil then
    fail("profactive is on or off, not %s", flag)
  end
  return "heap profiling is " .. (memory().profactive(FLAGS[flag]) and "active" or "inactive")
end)

-- The order of the facts of one socket.
local SOCKET_FACTS = { "type", "address", "peer", "sock", "read", "rtime", "write", "wtime", "wbuffer", "reading",
  "writing", "accept" }

-- How long ago, of a tick; nothing if never.
local function ago(tick)
  if type(tick) ~= "number" or tick == 0 then
    return tick
  end
  return string.format("%.2fs", math.max(skynet.now() - tick, 0) / 100)
end

define("netstat", "", "sockets", function()
  local lines = {}
  local sockets = require("skynet.socketdriver").info()
  table.sort(sockets, function(a, b) return a.id < b.id end)
  for _, facts in ipairs(sockets) do
    facts.rtime, facts.wtime = ago(facts.rtime), ago(facts.wtime)
    facts.address = type(facts.address) == "number" and skynet.address(facts.address) or facts.address
    local words = { "id:" .. facts.id }
    for _, name in ipairs(SOCKET_FACTS) do
      if facts[name] ~= nil then
        words[#words + 1] = name .. ":" .. tostring(facts[name])
      end
    end
    lines[#lines + 1] = table.concat(words, "\t")
  end
  return table.concat(lines, "\n")
end)

define("getenv", "key", "an entry of the config", function(_, key)
  return skynet.getenv(need(key, "the key"))
end)

define("setenv", "key value", "adds an entry to the config, once", function(request, key, value)
  need(value, "the value")
  skynet.setenv(need(key, "the key"), behind(request.line, 2))
end)

---------------------------------------------------------------------------------------------------------------------

--- Runs one command line. Never raises; may wait as long as a service takes to answer.
---@param line string
---@param terminal? { debug: fun(handle: integer) } where the user can be asked for more
---@return boolean ok
---@return string text what there is to show, or what is wrong; "" for nothing
function console.run(line, terminal)
  local words = {}
  for word in string.gmatch(line, "%S+") do
    words[#words + 1] = word
  end
  local command = commands[words[1]]
  if not command then
    return false, string.format("Invalid command %s, type help for command list", tostring(words[1]))
  end
  local request = { line = line, terminal = terminal }
  local values = table.pack(pcall(command.f, request, table.unpack(words, 2)))
  if not values[1] then
    return false, tostring(values[2])
  end
  return true, show_all(table.pack(table.unpack(values, 2, values.n)))
end

return console
