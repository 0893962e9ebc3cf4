-- Service debug_console: its commands, over connections and in HTTP requests, and garbage. With an argument it is the
-- service that is looked at.
local skynet = require "skynet"
require "skynet.manager"

local role = ...
if role then
  local state = { answer = 41 }
  skynet.info_func(function(...) return { said = table.concat({ ... }, "+") } end)
  skynet.dispatch("lua", function(_, _, name, ...)
    if name == "HANG" then
      skynet.wait {}
    end
    skynet.retpack(state.answer, name, ...)
  end)
  local other = { hidden = "found" }
  skynet.register_protocol {
    name = "own",
    id = 99,
    unpack = skynet.unpack,
    dispatch = function() other.count = 1 end,
  }
  skynet.start(function()
    if role == "leave" then
      skynet.exit()
    elseif role == "fail" then
      error "on purpose"
    end
  end)
  return
end

local socket = require "skynet.socket"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local port, callee, address, console_address

local function connect()
  local id = assert(socket.open("127.0.0.1", port))
  claims.equal(socket.readline(id), "Welcome to skynet console")
  return id
end

-- Reads up to the line that ends an answer.
local function answer(id)
  local lines = {}
  while true do
    local line = socket.readline(id)
    if not line then
      error("the connection ended after: " .. table.concat(lines, "\n"))
    elseif line == "<CMD OK>" or line == "<CMD Error>" then
      return line == "<CMD OK>", table.concat(lines, "\n")
    end
    lines[#lines + 1] = line
  end
end

local terminal

local function ask(...)
  socket.write(terminal, string.format(...) .. "\n")
  return answer(terminal)
end

local function text_of(...)
  local ok, text = ask(...)
  claims.equal(ok, true, text)
  return text
end

local function problem_of(...)
  local ok, text = ask(...)
  claims.equal(ok, false, text)
  return text
end

local function has(text, part)
  if not string.find(text, part, 1, true) then
    error(string.format("no %q in: %s", part, text), 2)
  end
end

local function open()
  local console = skynet.newservice("debug_console", 0)
  port = skynet.call(console, "debug", "INFO").port
  callee = skynet.newservice("console_commands", "callee")
  address, console_address = skynet.address(callee), skynet.address(console)
  terminal = connect()
end

local COMMANDS = { "call", "clearcache", "cmem", "dbgcmd", "debug", "dumpheap", "exit", "gc", "getenv", "help", "info",
  "inject", "jmem", "kill", "killtask", "list", "log", "logoff", "logon", "mem", "netstat", "ping", "profactive",
  "service", "setenv", "signal", "snax", "start", "stat", "task", "trace", "uniqtask" }

local function help()
  local names = {}
  for line in string.gmatch(text_of "help", "[^\n]+") do
    names[#names + 1] = string.match(line, "^%w+")
  end
  claims.equal(names, COMMANDS)
end

local function lists()
  has(text_of "list", address .. "\tsnlua console_commands callee")
  claims.equal(ask "service", true)
  has(text_of "stat", address .. "\tcpu:")
  has(text_of "stat 100", "\tmqlen:0\ttask:0")
  has(text_of "mem", "Kb (snlua console_commands callee)")
  has(text_of "gc 0", "Kb (snlua console_commands callee)")
  has(problem_of "stat soon", "the time is a number, not soon")
end

local function launching()
  has(text_of "start console_commands another", "\tconsole_commands another")
  claims.equal(text_of "start console_commands leave", "Exit")
  claims.equal({ text_of "start console_commands fail", text_of "start no_such_service" }, { "Failed", "Failed" })
  has(text_of "log console_commands logged", "\tconsole_commands logged")
  claims.equal(text_of "snax no_such_snax", "Failed")
  has(problem_of "start", "the name is missing")
end

local function ending()
  local first, second = skynet.newservice("console_commands", "a"), skynet.newservice("console_commands", "b")
  claims.equal(text_of("exit %s", skynet.address(first)), "")
  claims.equal(text_of("kill %s", skynet.address(second)), skynet.address(second) .. "\tsnlua console_commands b")
  for _, handle in ipairs { first, second } do
    local ticks = 0
    while pcall(skynet.call, handle, "debug", "PING") do
      ticks = ticks + 1
      assert(ticks < 3000, "it lives on")
      skynet.sleep(1)
    end
  end
end

local function addresses()
  skynet.name(".callee", callee)
  for _, form in ipairs { address, ".callee", string.format("%x", callee), string.format("%08x", callee) } do
    claims.equal(text_of("info %s a b", form), "said\ta+b")
  end
  claims.equal(problem_of "info", "the address is missing")
  claims.equal(problem_of "info xyz", "invalid address: xyz")
  claims.equal(problem_of "info :0", "invalid address: :0")
  claims.equal(problem_of "info 123456789", "invalid address: 123456789")
  claims.equal(problem_of "info .nobody", "no service is called .nobody")
  has(problem_of "ping :00ffffff", "call to invalid address")
end

local function tasks()
  skynet.fork(function() pcall(skynet.call, callee, "lua", "HANG") end)
  skynet.sleep(10)
  local session = string.match(text_of("task %s", address), "session: (%d+)")
  has(text_of("task %s %s", address, session), "console_commands.lua")
  has(text_of("uniqtask %s", address), "1\tsessions:[")
  claims.equal(text_of("killtask %s nothing", address), "Not found")
  claims.equal(text_of("killtask %s thread", address), "")
  claims.equal(text_of("task %s", address), "")
  has(problem_of("killtask %s", address), "the pattern is missing")
end

local function debug_commands()
  claims.equal(text_of("dbgcmd %s SUPPORT lua", address), "true")
  claims.equal(text_of("dbgcmd %s SUPPORT nosuch", address), "false")
  claims.equal({ text_of("dbgcmd %s GC", address), text_of("dbgcmd %s TERM %s", address, address) }, { "", "" })
  has(problem_of("dbgcmd %s NOSUCH", address), "call failed")
  has(problem_of("dbgcmd %s", address), "the debug command is missing")
  has(problem_of("dbgcmd %s TERM", address), "the address is missing")
  claims.equal(math.tointeger(text_of("ping %s", address)) ~= nil, true)
end

local function inject()
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write [[
    print(_U.state.answer, _P.own.other.hidden, ...)
    if ... == "bad" then
      error "as told"
    end
    _U.state.answer = 42]]
  file:close()
  claims.equal(text_of("inject %s %s x", address, name), "41\tfound\tx")
  claims.equal(skynet.call(callee, "lua", "x"), 42)
  has(problem_of("inject %s %s bad", address, name), "as told")
  has(problem_of("inject %s /no/such/file", address), "Can't open /no/such/file")
  has(problem_of("inject %s", address), "the file is missing")
  os.remove(name)
end

local function calls()
  claims.equal(text_of("call %s 'verb', 1+1, {a=1}", address), "1\t42\n2\tverb\n3\t2\n4\ta:1\nn\t4")
  claims.equal(text_of("call %s nil", address), "1\t42\nn\t2")
  has(problem_of("call %s 1 +", address), "unexpected symbol")
  has(problem_of("call %s print(1)", address), "attempt to call a nil value")
  has(problem_of("call %s print", console_address), "call failed")
end

local function signals()
  claims.equal({ text_of("signal %s", address), text_of("signal %s 1", address) }, { "", "" })
  has(problem_of("signal %s x", address), "the signal is a number, not x")
  claims.equal({ text_of("logon %s", address), text_of("logoff %s", address) }, { "", "" })
  claims.equal({ text_of("trace %s on", address), text_of("trace %s lua off", address) }, { "", "" })
  has(problem_of("trace %s", address), "trace is on or off, not nil")
  has(problem_of("trace %s lua loud", address), "trace is on or off, not loud")
  claims.equal(text_of "clearcache", "")
end

local function memory()
  for _, line in ipairs { "cmem", "jmem", "dumpheap", "profactive", "profactive on" } do
    ask(line)  -- one answer each, whether the node has such figures or not
  end
  has(problem_of "profactive maybe", "profactive is on or off, not maybe")
end

local function sockets()
  local lines, kinds = text_of "netstat", {}
  for line in string.gmatch(lines, "[^\n]+") do
    local kind = string.match(line, "^id:%d+\ttype:(%u+)\taddress::%x+\t")
    assert(kind, line)
    kinds[kind] = true
  end
  claims.equal({ kinds.LISTEN, kinds.TCP }, { true, true })
end

local function environment()
  claims.equal(text_of "getenv start", "console_commands")
  claims.equal(text_of "getenv nosuchkey", "")
  claims.equal(text_of "setenv console.claim  two words", "")
  claims.equal(text_of "getenv console.claim", "two words")
  has(problem_of "setenv console.claim again", "Can't setenv exist key")
  has(problem_of "setenv x", "the value is missing")
end

-- Sends `bytes` on a connection of its own and returns everything until it ends, greeting apart.
local function request(bytes)
  local id = connect()
  socket.write(id, bytes)
  local text = socket.readall(id)
  socket.close(id)
  return text
end

local function http()
  claims.equal(request("GET /info/" .. address .. "/a/b%20c HTTP/1.1\r\nHost: here\r\n\r\n"), "said\ta+b+c\n<CMD OK>\n")
  claims.equal(request("GET /nosuch HTTP/1.0\r\n\r\n"),
    "Invalid command nosuch, type help for command list\n<CMD Error>\n")
  local line = "call " .. address .. " 'posted'"
  claims.equal(request("POST / HTTP/1.1\r\ncontent-LENGTH: " .. #line .. "\r\n\r\n" .. line),
    "1\t42\n2\tposted\nn\t2\n<CMD OK>\n")
  has(request "POST / HTTP/1.1\r\n\r\n", "a POST needs a Content-Length up to 65536")
  has(request "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "a POST needs a Content-Length up to 65536")
  has(request "POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", "a POST needs a Content-Length up to 65536")
  has(request "PUT / HTTP/1.1\r\n\r\n", "PUT is not understood")
  has(request "GET / HTTP/1.1\r\nthis is no field\r\n\r\n", "no HTTP")
  has(request("GET / HTTP/1.1\r\nx: " .. string.rep("x", 65536 - 2)), "the head of the request is longer than 65536")
end

-- Ends its side, or waits for nothing, in the middle of a line or of a request.
local function halves()
  for _, bytes in ipairs { "hel", "GET /help HTTP/1.1\r\nHost", "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhelp" } do
    local id = connect()
    socket.write(id, bytes)
    skynet.sleep(1)
    socket.close(id)
  end
  claims.equal(ask "help", true)
end

local function garbage()
  claims.equal(problem_of("\0\1\xff;--"), "Invalid command \0\1\xff;--, type help for command list")
  has(request(string.rep("x", 65537)), "the line is longer than 65536 bytes")
  claims.equal(text_of("info %s%s", address, string.rep(" x", 20000)), "said\tx" .. string.rep("+x", 19999))
  socket.write(terminal, "\n  \n\r\n")
  claims.equal(ask "help", true)
end

-- How many of six connections are greeted, with a limit of four.
local function limits()
  local ids, greeted = {}, 0
  for index = 1, 6 do
    ids[index] = socket.open("127.0.0.1", port)
    local line = ids[index] and socket.readline(ids[index])
    greeted = greeted + (line and 1 or 0)
  end
  claims.equal(greeted, 3)  -- the fourth is ours
  for _, id in pairs(ids) do
    socket.close(id)
  end
end

claims.run("debug console", {
  { "a connection is greeted", open },
  { "help lists every command", help },
  { "list, service, stat, mem and gc ask everybody", lists },
  { "start, log and snax launch, and say what became of it", launching },
  { "exit asks, kill kills", ending },
  { "a service is named by :hex, .name or bare hex", addresses },
  { "task, uniqtask and killtask look at tasks", tasks },
  { "dbgcmd gives any debug command; a result of true ends no connection", debug_commands },
  { "inject runs a file inside a service", inject },
  { "call evaluates its arguments in an empty world", calls },
  { "signal, logon, logoff, trace and clearcache say nothing", signals },
  { "the commands about memory answer", memory },
  { "netstat lists sockets", sockets },
  { "getenv and setenv reach the config", environment },
  { "one GET or POST request is answered with the bare text", http },
  { "a connection may end in the middle of anything", halves },
  { "garbage and long lines are errors", garbage },
  { "connections are limited", limits },
})
