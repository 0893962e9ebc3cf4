-- snax (runtime_api.md 5.16, 6.9): skynet.snax, snax.interface, snax.hotfix, snaxd, on the services snax_counter and
-- snax_plain.
local skynet = require "skynet"
local snax = require "skynet.snax"
local interface = require "snax.interface"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()
local self = skynet.self()

local heard = {}

skynet.dispatch("lua", function(_, _, ...)
  heard[#heard + 1] = { ... }
end)

local function unconfigured()
  claims.raises("please set snax in config file", snax.interface, "snax_counter")
  claims.raises("please set snax in config file", snax.newservice, "snax_counter")
  skynet.setenv("snax", SERVICE_PATH .. "nowhere/?.lua;" .. SERVICE_PATH .. "?.lua")
end

local function objects()
  local counter = snax.newservice("snax_counter", 5)
  claims.equal(tostring(counter), string.format("[snax_counter:%x]", counter.handle))
  claims.equal(counter.type, "snax_counter")
  counter.post.add(2)
  claims.equal(table.pack(counter.req.get()), { n = 3, 7, nil, "snax_counter" })
  claims.equal(counter.req.twice(21), 42)
  claims.equal(counter.req.get, counter.req.get)
  claims.equal(select("#", counter.req.sleep(1)), 0)
end

local function unknown_methods()
  local counter = snax.newservice "snax_counter"
  claims.raises("post snax_counter:nothing no exist", function() counter.post.nothing() end)
  claims.raises("request snax_counter:nothing no exist", function() counter.req.nothing() end)
  claims.raises("post snax_counter:get no exist", function() counter.post.get() end)
  claims.raises("request snax_counter:add no exist", function() counter.req.add(1) end)
  for _, number in ipairs { 0, 99, -1, 1.5, "x" } do
    claims.raises("call failed", skynet.call, counter.handle, "snax", number)
  end
  claims.raises("call failed", skynet.call, counter.handle, "snax")
end

local function numbers()
  local methods = snax.interface "snax_counter"
  claims.equal(methods.name, "snax_counter")
  local system = methods.system
  claims.equal({ system.init, system.exit, system.hotfix, system.profile }, { 1, 2, 3, 4 })
  claims.equal({ methods.accept.add, methods.response.get, methods.response.twice }, { 5, 6, 7 })
  claims.equal({ methods.response.words, methods.accept.listen, methods.accept.fails }, { 8, 9, 10 })
  claims.equal(snax.interface "snax_counter", methods)
  claims.raises("no snax service 'no_such_type'", snax.interface, "no_such_type")
  claims.raises("is a string, not 5", snax.interface, 5)
end

local function caller_side()
  claims.equal(snax.interface("snax_plain").accept.hello, 5)
  claims.raises("attempt to", snax.interface, "critical_section")  -- it uses what a caller has not
end

local function definitions()
  local function read(source)
    local definition = interface.new {}
    definition:run(assert(load(source, "=file", "t", definition.environment)))
    return definition
  end
  local definition = read "function response.b() end function accept.a() end x = 1 function init() end"
  claims.equal({ definition.groups.response.b, definition.groups.accept.a }, { 5, 6 })
  claims.equal({ type(definition:find("system", "init")), definition.environment.x }, { "function", 1 })
  claims.raises("accept method only support string", read, "accept[1] = function() end")
  claims.raises("response method only support string", read, "response[{}] = function() end")
  claims.raises("accept.x must be function", read, "accept.x = 1")
  claims.raises("system.init must be function", read, "init = {}")
  claims.raises("accept.x duplicate definition", read, "function accept.x() end function accept.x() end")
  claims.raises("system.exit duplicate definition", read, "function exit() end function exit() end")
  claims.raises("accept is the table of methods", read, "accept = {}")
end

local function life()
  local raw = skynet.newservice("snaxd", "snax_counter")
  claims.raises("call failed", skynet.call, raw, "snax", 6)  -- Init first
  claims.raises("call failed", skynet.call, raw, "snax", 2)  -- Never init
  claims.equal(select("#", skynet.call(raw, "snax", 1, 3)), 0)
  claims.equal((skynet.call(raw, "snax", 6)), 3)
  claims.raises("call failed", skynet.call, raw, "snax", 1)  -- Already init
  local handle = snax.rawnewservice("snax_counter", 4)
  claims.equal(math.type(handle), "integer")
  claims.equal((snax.bind(handle, "snax_counter").req.get()), 4)
end

local function slow_init()
  local raw = skynet.newservice("snaxd", "snax_counter")
  local seen = claims.all {
    function() return skynet.call(raw, "snax", 1, 3, "slow") or "done" end,
    function()
      skynet.sleep(2)
      return pcall(skynet.call, raw, "snax", 6)  -- Init first
    end,
    function()
      skynet.sleep(2)
      return pcall(skynet.call, raw, "snax", 1)  -- Already init
    end,
  }
  claims.equal(seen, { n = 3, "done", false, false })
  claims.equal((skynet.call(raw, "snax", 6)), 3)
end

local function init_fails()
  local before = skynet.call(".launcher", "lua", "LIST")
  claims.raises("call failed", snax.newservice, "snax_counter", 1, "fails")
  claims.raises("no snax service", snax.newservice, "no_such_type")
  skynet.sleep(1)
  local function count(list)
    local n = 0
    for _ in pairs(list) do
      n = n + 1
    end
    return n
  end
  claims.within(100, function()
    while count(skynet.call(".launcher", "lua", "LIST")) > count(before) do
      skynet.sleep(1)
    end
  end)
end

local function errors()
  local counter = snax.newservice "snax_counter"
  claims.raises("call failed", counter.req.fails)
  counter.post.fails()
  counter.post.add(1)
  claims.equal((counter.req.get()), 1)
end

local function bound()
  local counter = snax.newservice "snax_counter"
  claims.equal(snax.bind(counter.handle, "snax_counter"), counter)
  claims.raises("is of type snax_counter, not snax_plain", snax.bind, counter.handle, "snax_plain")
  claims.raises("needs a handle, not nil", snax.bind)
  claims.raises("no snax service", snax.bind, self, "no_such_type")
  claims.raises("expected a snax object, not 5", snax.kill, 5)
  claims.raises("expected a snax object", snax.profile_info, { handle = 1, type = "snax_counter" })
end

local function ends()
  local counter = snax.newservice("snax_counter", 3)
  local name, handle, path = counter.req.who()
  claims.equal({ name, handle }, { tostring(counter), counter.handle })
  claims.equal(path, SERVICE_PATH .. "snax_counter/")
  heard = {}
  counter.post.listen(self)
  snax.kill(counter, "from outside")
  skynet.yield()
  claims.equal(heard, { { "exit", "from outside", 3 } })
  claims.within(100, function()
    while pcall(counter.req.get) do
      skynet.sleep(1)
    end
  end)
  counter = snax.newservice("snax_counter", 4)
  counter.post.listen(self)
  counter.post.quit()
  -- A call to a service that is gone fails at once, ahead of what the service has sent here before.
  claims.within(100, function()
    while pcall(counter.req.get) or #heard < 2 do
      skynet.sleep(1)
    end
  end)
  claims.equal(heard[2], { "exit", "by itself", 4 })
  claims.raises("attempt to", snax.self)  -- this is no snax service, and its file cannot be read as one
end

local function unique()
  local seen = claims.all {
    function() return snax.queryservice("snax_plain").handle end,
    function() return snax.uniqueservice("snax_plain", { 1, 2 }).handle end,
    function() return snax.uniqueservice("snax_plain", "other").handle end,
  }
  claims.equal({ seen[2], seen[3] }, { seen[1], seen[1] })
  local arguments = snax.uniqueservice("snax_plain").req.arguments()
  claims.equal({ arguments.n, type(arguments[1]) == "table" or arguments[1] == "other" }, { 1, true })
  claims.equal(skynet.call(".service", "lua", "LIST")["snaxd.snax_plain"], skynet.address(seen[1]))
  local global = claims.all {
    function() return snax.queryglobal("snax_plain").handle end,
    function() return snax.globalservice("snax_plain", "global").handle end,
  }
  claims.equal(global[1], global[2])
  claims.equal(global[1] ~= seen[1], true)
  claims.equal(skynet.call(".service", "lua", "LIST")["@snaxd.snax_plain"], skynet.address(global[1]))
  claims.raises("no_such_type", snax.uniqueservice, "no_such_type")
  claims.raises("no_such_type", snax.queryservice, "no_such_type")  -- it has failed for ever
  claims.raises("is a string, not nil", snax.uniqueservice)
end

local function scope()
  local counter = snax.newservice("snax_counter", 9)
  claims.equal(counter.req.words(), "hello")
  claims.equal(table.pack(counter.req.defined()), { n = 4, true, nil, 9, true })
  claims.equal(counter.req.globals "value", "value")
  local ok, reason = counter.req.defines_late()
  claims.equal({ ok, string.match(reason, "accept.late is defined too late") ~= nil }, { false, true })
end

local function profiled()
  local counter = snax.newservice "snax_counter"
  claims.equal(next(snax.profile_info(counter)), nil)
  for _ = 1, 3 do
    counter.post.add(1)
  end
  counter.req.get()
  pcall(counter.req.fails)
  local info = snax.profile_info(counter)
  claims.equal({ info.add.count, info.get.count, math.type(info.add.time), info.fails }, { 3, 1, "float", nil })
  claims.equal(skynet.call(counter.handle, "debug", "INFO").add.count, 3)
  snax.printf("%s has %d %s", counter, 3, "calls")
end

-- Hotfix --------------------------------------------------------------------------------------------------------------

local function patched()
  local counter = snax.newservice("snax_counter", 1)
  local old = snax.hotfix(counter, [[
    local i
    local skynet
    function accept.add(n)
      i = i + n + 1000
    end
    function response.get()
      return "patched", i, skynet.self(), SERVICE_NAME
    end
    function hotfix(value)
      local old = i
      i = value
      return old
    end
  ]], 100)
  claims.equal(old, 1)
  counter.post.add(1)
  claims.equal({ counter.req.get() }, { "patched", 1101, counter.handle, "snax_counter" })
  claims.equal(select("#", snax.hotfix(counter, "local i function response.get() return i end")), 0)
  claims.equal(counter.req.get(), 1101)
end

local function patched_helpers()
  local counter = snax.newservice("snax_counter", 7)
  snax.hotfix(counter, [[
    local i
    local function plus_i(n) return n + i end
    local function twice(n) return plus_i(n) * 3 end
    function response.twice(n) return twice(n), plus_i(0) end
  ]])
  claims.equal({ counter.req.twice(1) }, { 24, 7 })
  counter.post.add(1)
  claims.equal({ counter.req.twice(1) }, { 27, 8 })
  -- The patch's helper is the service's from now on, also for the next patch.
  snax.hotfix(counter, "local twice function response.words() return twice(2) end")
  claims.equal(counter.req.words(), 30)
  snax.hotfix(counter, "function exit() end function init() end")
  snax.kill(counter)
end

local function refused()
  local counter = snax.newservice("snax_counter", 7)
  local function patch(source, ...)
    claims.raises("call failed", snax.hotfix, counter, source, ...)
    claims.equal((counter.req.get()), 7)
  end
  patch "function accept.nothing() end"  -- Patch mismatch accept.nothing
  patch "local i function response.get() i = 8 return i end function response.nothing() end"
  patch "local shadow function response.get() return shadow end"  -- ambiguity local value shadow
  patch "not Lua"
  patch "error 'while it is read'"
  patch "function accept.add() end function accept.add() end"
  patch(nil)
  patch(5)
  patch "function hotfix() error 'after it is in' end"
  snax.hotfix(counter, "function response.shadow_one() return 'no upvalues' end")
  claims.equal({ counter.req.shadow_one(), counter.req.shadow_two() }, { "no upvalues", 2 })
end

-- The texts of refusals are in the log of the service; here they are asked of the module itself.
local function refusal_texts()
  local hotfix = require "snax.hotfix"
  local definition = interface.new(_G)
  definition:run(assert(load([[
    do local a = 1 function accept.one() return a end end
    do local a = 2 function accept.two() return a end end
  ]], "=file", "t", definition.environment)))
  claims.raises("Patch mismatch accept.three", hotfix.apply, definition, "function accept.three() end")
  claims.raises("Patch mismatch system.exit", hotfix.apply, definition, "function exit() end")
  claims.raises("ambiguity local value a", hotfix.apply, definition, "local a function accept.one() return a end")
  claims.equal({ definition:find("accept", "one")(), definition:find("accept", "two")() }, { 1, 2 })
end

claims.run("snax", {
  { "without the config entry snax there is no service", unconfigured },
  { "an object posts to accept methods and requests response methods", objects },
  { "methods that are not there raise, and so do numbers", unknown_methods },
  { "methods are numbered in the order of definition, from 5", numbers },
  { "a caller's side runs the file with almost no globals", caller_side },
  { "definitions that are none raise", definitions },
  { "init comes first and once", life },
  { "requests wait for nothing: while init runs they fail", slow_init },
  { "a service whose init fails ends", init_fails },
  { "errors of methods are the caller's and leave the service", errors },
  { "bind gives one object for a handle, of one type", bound },
  { "kill and exit run the service's exit", ends },
  { "unique and global services are started once, with arguments", unique },
  { "a file sees its folder's modules, its methods and the globals", scope },
  { "profile_info counts methods; printf logs", profiled },
  { "a patch sees the service's locals by name (testping)", patched },
  { "a local function of a patch replaces the service's", patched_helpers },
  { "a patch that does not fit changes nothing", refused },
  { "refusals of patches name what does not fit", refusal_texts },
})
