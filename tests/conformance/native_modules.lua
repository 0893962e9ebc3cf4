-- Modules in C: a Lua module and a service (tests/native_project), the functions of include/skynet.h.
-- With an argument it is the one that hears what "tell" tells.
local skynet = require "skynet"
local core = require "skynet.core"
require "skynet.manager"

skynet.register_protocol {
  name = "text",
  id = skynet.PTYPE_TEXT,
  pack = function(text) return text end,
  unpack = function(msg, sz) return skynet.tostring(msg, sz) or "" end,
}

local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()
local ledger

local function ask(...)
  -- A reply of a service in C is bare text.
  return skynet.tostring(skynet.rawcall(ledger, "text", table.concat({ ... }, " ")))
end

local function lua_module()
  local tally = require "tally"
  local counter = tally.new()
  claims.equal({ counter:add(2), counter:add(40) }, { 2, 42 })
  claims.raises("tally: -1 is negative", counter.add, counter, -1)
  claims.raises("tally expected", counter.add, 1, 1)
  claims.equal(require "tally", tally)
  claims.equal(require "tally.deep", "deep")
end

local function found_nowhere()
  claims.raises("no file './tests/native_project/luaclib/no/such.so'", require, "no.such")
  claims.raises("no module 'tally.shallow' in file", require, "tally.shallow")
end

local function load_lib()
  local file = package.searchpath("tally", package.cpath)
  local open = package.loadlib(file, "luaopen_tally_deep")
  claims.equal(open(), "deep")
  local none, text, where = package.loadlib(file, "nothing")
  claims.equal({ none == nil, string.find(text, "no function nothing", 1, true) ~= nil, where }, { true, true, "init" })
  none, text, where = package.loadlib("./no.so", "f")
  claims.equal({ none == nil, text, where }, { true, "no file './no.so'", "open" })
  none, text, where = package.loadlib(package.searchpath("claims", SERVICE_PATH .. "?.lua"), "f")
  claims.equal({ none == nil, type(text), where }, { true, "string", "open" })
  claims.equal(package.loadlib(file, "*"), true)
end

-- Runs f; returns the texts of type text that came to this service.
local function heard(count, f)
  local texts = {}
  local before = skynet.dispatch("text", function(_, _, text)
    skynet.ignoreret()
    texts[#texts + 1] = text
  end)
  f()
  local ticks = 0
  while #texts < count do
    ticks = ticks + 1
    assert(ticks < 3000, "too little was heard")
    skynet.sleep(1)
  end
  if before then
    skynet.dispatch("text", before)
  end
  return texts
end

local function context_of_lua_service()
  local tally = require "tally"
  tally.say "hello"
  claims.equal(heard(2, function()
    claims.equal(tally.send(skynet.self(), "from C"), 0)
    core.send(skynet.self(), skynet.PTYPE_TEXT, 0, tally.block "a block of C")
  end), { "from C", "a block of C" })
  skynet.trash(tally.block "trash")
  claims.equal(tally.send(0x00ffffff, "nobody"), -1)
  tally.listen()  -- only an error in the log
end

local function service()
  ledger = assert(skynet.launch("ledger", "book"))
  claims.equal({ ask("add", 2), ask("add", 40) }, { "2", "42" })
  claims.equal(ask("keep", "a text that stays"), "a text that stays")
end

local function commands()
  claims.equal(ask("run", "REG"), string.format(":%x", ledger))
  claims.equal(ask("run", "REG", ".ledger"), "ledger")
  claims.equal(ask("find", ".ledger"), string.format(":%x", ledger))
  claims.equal({ ask("find", ".nobody"), ask("find", ":12"), ask("find", "global") }, { ":0", ":12", ":0" })
  claims.equal(ask("run", "GETENV", "start"), "native_modules")
  claims.equal({ ask("run", "GETENV", "nosuchkey"), ask("run", "NOSUCHCOMMAND") }, { "nothing", "nothing" })
  claims.equal(math.abs(math.tointeger(ask("run", "NOW")) - skynet.now()) < 1000, true)
  claims.equal({ ask("remote", "12"), ask("remote", "02000001") }, { "0 0", "1 2" })
end

local function sending()
  skynet.name(".hearer", skynet.self())
  local session
  local texts = heard(1, function() session = ask("tell", ".hearer", "a request") end)
  claims.equal({ texts[1], math.tointeger(session) > 0 }, { "a request", true })
  claims.equal(ask("tell", ".nobody", "x"), "-1")
  claims.equal(ask("tell", ":ffffff", "x"), "-1")
  claims.equal({ ask("refuse", "0x"), ask("refuse", "1x") }, { "-1", "-1" })
end

local function signals()
  core.command("SIGNAL", skynet.address(ledger) .. " 5")
  core.command("SIGNAL", ".ledger")
  claims.equal(ask "signals", "5")
end

local function ends()
  skynet.kill(ledger)
  claims.raises("call to invalid address", skynet.call, ledger, "text", "add 1")
end

local function failures()
  claims.equal(skynet.launch("ledger", "fail"), nil)
  claims.equal(skynet.launch "no_such_module", nil)
  claims.equal(skynet.launch("folder.ledger", "x"), nil)
end

local function deaf()
  local service = assert(skynet.launch("ledger", "deaf"))
  claims.raises("call failed", skynet.call, service, "text", "add 1")
end

claims.run("native modules", {
  { "a Lua module in C works as in any Lua, and its errors are Lua's", lua_module },
  { "a module that is nowhere is an error that lists the files tried", found_nowhere },
  { "package.loadlib finds functions in libraries of the node's tree", load_lib },
  { "a Lua module reaches its service: log, messages, blocks", context_of_lua_service },
  { "a service in C answers, also with the block of the request", service },
  { "text commands and names work from C", commands },
  { "sending by name takes new sessions; what cannot be sent is -1", sending },
  { "SIGNAL calls the signal function", signals },
  { "a killed service is gone", ends },
  { "a failing init, a missing library and a missing init function are failed launches", failures },
  { "a request to a service without callback fails", deaf },
})
