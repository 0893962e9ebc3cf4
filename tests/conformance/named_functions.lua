-- skynet.service with service_provider and service_cell (runtime_api.md 5.3, 6.3).
local skynet = require "skynet"
local service = require "skynet.service"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local function echo_main(...)
  local skynet = require "skynet"
  local arguments = table.pack(...)
  skynet.dispatch("lua", function(_, _, ...)
    skynet.retpack(SERVICE_NAME, arguments, ...)
  end)
end

local function provider()
  return skynet.queryservice "service_provider"
end

local function info(handle)
  return skynet.call(provider(), "debug", "INFO")[type(handle) == "number" and skynet.address(handle) or handle]
end

local function once()
  local handle = service.new("echo", echo_main, 1, nil, { "x" }, true)
  local name, arguments, word = skynet.call(handle, "lua", "hello")
  claims.equal({ name, word }, { "service_cell", "hello" })
  claims.equal({ arguments.n, arguments[1], arguments[2], arguments[3][1], arguments[4] }, { 4, 1, nil, "x", true })
  claims.equal(service.new("echo", echo_main, "other arguments"), handle)
  claims.equal({ service.query "echo", service.query "echo" }, { handle, handle })
  local entry = info(handle)
  claims.equal({ entry.name, entry.status }, { "echo", "running" })
  claims.equal(string.match(entry.init, "named_functions.lua:(%d+)$") ~= nil, true)
  claims.equal(string.match(entry.time, "^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d$") ~= nil, true)
end

local function start_function()
  local handle = service.new("starts", function(ticks)
    local skynet = require "skynet"
    local seen = { "main" }
    skynet.start(function()
      seen[#seen + 1] = "start"
      skynet.sleep(ticks)
      seen[#seen + 1] = "started"
      skynet.dispatch("lua", function() skynet.retpack(seen) end)
    end)
    seen[#seen + 1] = "main ends"
  end, 3)
  claims.equal(skynet.call(handle, "lua"), { "main", "main ends", "start", "started" })
end

local function at_the_same_time()
  local tasks = { function() return service.query "slow" end }
  for index = 2, 10 do
    tasks[index] = function()
      return service.new("slow", function()
        local skynet = require "skynet"
        skynet.sleep(2)
        skynet.dispatch("lua", function() skynet.retpack "one" end)
      end)
    end
  end
  local seen = claims.all(tasks)
  for index = 2, 10 do
    claims.equal(seen[index], seen[1])
  end
  claims.equal(skynet.call(seen[1], "lua"), "one")
end

local function asked_while_booting()
  skynet.fork(service.new, "booting", function() require "skynet".sleep(5) end)
  claims.within(100, function()
    local _, is_booting
    repeat
      skynet.yield()
      _, is_booting = skynet.call(provider(), "lua", "test", "booting")
    until is_booting
    claims.equal(skynet.call(provider(), "lua", "launch", "booting", "not even code"), service.query "booting")
  end)
end

local function failures()
  local function fails()
    error "on purpose"
  end
  claims.raises("call failed", service.new, "fails", fails)
  claims.raises("call failed", service.new, "fails", echo_main)
  claims.raises("call failed", service.query, "fails")
  claims.raises("call failed", service.new, "fails late", function()
    require "skynet".start(function() error "on purpose" end)
  end)
  claims.equal(service.close "fails", true)
  local handle = service.new("fails", echo_main)
  claims.equal((skynet.call(handle, "lua")), "service_cell")
  claims.equal(info(handle).status, "running")
end

local function no_dispatch()
  local handle = service.new("mute", function() end)
  claims.raises("call failed", skynet.call, handle, "lua")
  claims.raises("call failed", skynet.call, handle, "lua", "init", "again")
end

local function closed()
  local handle = service.new("closed", echo_main)
  claims.equal(service.close "closed", true)
  claims.raises("call to invalid address", skynet.call, handle, "lua")
  claims.equal(service.close "closed", false)
  claims.equal(service.close "never there", false)
  local second = service.new("closed", echo_main)
  claims.equal({ second ~= handle, service.query "closed" }, { true, second })
end

local function closed_early()
  local seen = claims.all {
    function()
      return service.new("closed early", function() require "skynet".sleep(20) end)
    end,
    function()
      skynet.sleep(5)
      return service.close "closed early"
    end,
  }
  claims.equal({ string.match(seen[1], "call failed"), seen[2] }, { "call failed", true })
  claims.equal(info "closed early", nil)
end

local function caches()
  local handle = service.new("cached", echo_main)
  local asker = service.new("asker", function()
    local skynet = require "skynet"
    local service = require "skynet.service"
    skynet.dispatch("lua", function() skynet.retpack(service.query "cached") end)
  end)
  claims.equal(skynet.call(asker, "lua"), handle)
  service.close "cached"
  claims.equal(skynet.call(asker, "lua"), handle, "the cache of another service")
end

local function malformed()
  local outside = 1
  claims.raises("uses the local 'outside' from outside", service.new, "bad", function() return outside, print end)
  claims.raises("uses the local 'outside' from outside", service.new, "bad", function() return outside end)
  claims.raises("the main function is a string", service.new, "bad", "return 1")
  claims.raises("is a string, not a nil", service.new)
  claims.raises("is a string, not a number", service.query, 1)
  claims.raises("is a string, not a table", service.close, {})
  claims.equal(service.close "bad", false)
  for _, request in ipairs { { "launch", "x", "not code" }, { "launch", 1, "" }, { "query" }, { "nothing" }, {} } do
    claims.raises("call failed", skynet.call, provider(), "lua", table.unpack(request))
  end
  local cell = skynet.newservice("service_cell", "alone")
  claims.raises("call failed", skynet.call, cell, "lua", "hello")
  claims.raises("call failed", skynet.call, cell, "lua", "init", "not code")
end

claims.run("named functions", {
  { "new starts a function as a service with arguments, once; query finds it; INFO lists it", once },
  { "a function given to skynet.start runs when main has returned, before new returns", start_function },
  { "all who ask at the same time get one service (testservice)", at_the_same_time },
  { "a launch of what is being started waits for that", asked_while_booting },
  { "a failure is remembered until close", failures },
  { "a service that sets no dispatch fails requests", no_dispatch },
  { "close kills the service and frees its name", closed },
  { "close ends a service that is being started", closed_early },
  { "what others have asked for before stays in their caches", caches },
  { "malformed functions, names and requests are errors", malformed },
})
