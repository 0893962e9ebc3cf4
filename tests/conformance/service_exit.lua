-- How services end (runtime_api.md 1.10, 4.5, 6.1), and what others see of it. With arguments it is one that ends:
--   in_start: exits in its start function       raises: its start function raises      syntax: see the claim
--   server: EXIT(how) ends while a request, a response, a fork and to-be-closed variables are open
--   monitor: counts the exit notices
local skynet = require "skynet"
require "skynet.manager"
local role, address = ...

local roles = {}

function roles.in_start()
  skynet.exit()
end

function roles.raises()
  error "this start function raises, on purpose"
end

-- Sends what it does to `address`.
function roles.server()
  local function tell(...)
    skynet.send(math.tointeger(address), "lua", ...)
  end

  local function closing(name)
    return setmetatable({}, { __close = function() tell("closed", name) end })
  end

  local command = {}

  function command.WAIT()
    local _ <close> = closing "waiting task"
    skynet.wait {}
  end

  function command.DEFER()
    skynet.response()
  end

  function command.CALL(callee)
    skynet.call(callee, "lua", "never")
  end

  function command.EXIT()
    local _ <close> = closing "exiting task"
    skynet.fork(tell, "a fork of the exiting task ran")
    skynet.timeout(0, function() tell "a timeout of the exiting task ran" end)
    skynet.exit()
    tell "exit returned"
  end

  -- The to-be-closed variables of other tasks fork while the service ends.
  function command.FORKS_AT_END()
    for _ = 1, 40 do
      skynet.fork(function()
        local _ <close> = setmetatable({}, { __close = function()
          for _ = 1, 20 do
            skynet.fork(tell, "a fork of a closed task ran")
          end
        end })
        skynet.wait {}
      end)
    end
    skynet.sleep(1)
    skynet.exit()
  end

  -- A finaliser that sends, run when the VM is closed.
  function command.FINALISER()
    closing_table = setmetatable({}, { __gc = function()
      pcall(skynet.fork, tell, "a fork of a finaliser ran")
      pcall(tell, "finalised")
      pcall(skynet.timeout, 1, tell)
    end })
    skynet.retpack()
  end

  skynet.dispatch("lua", function(_, _, name, ...)
    command[name](...)
  end)
end

function roles.monitor()
  local gone = {}
  skynet.register_protocol {
    name = "client",
    id = skynet.PTYPE_CLIENT,
    unpack = function() end,
    dispatch = function(_, source) gone[#gone + 1] = source end,
  }
  skynet.dispatch("lua", function() skynet.retpack(gone) end)
end

if role then
  skynet.start(roles[role])
  return
end

local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local told = {}
local function silent(session, _, ...)
  if session == 0 then
    told[#told + 1] = { ... }
  else
    skynet.response()
  end
end
skynet.dispatch("lua", silent)

local function server()
  told = {}
  return skynet.newservice("service_exit", "server", skynet.self())
end

local function failed(reason)
  return string.find(tostring(reason), "call failed", 1, true) ~= nil
end

-- 2015: exit in start
local function start_functions()
  claims.equal(skynet.newservice("service_exit", "in_start"), nil)
  claims.raises("call failed", skynet.newservice, "service_exit", "raises")
  claims.raises("call failed", skynet.newservice, "no_such_service")
  claims.equal(type(server()), "number")
end

local function bad_arguments()
  claims.raises("call failed", skynet.newservice, "service_exit", true)
  claims.raises("call failed", skynet.newservice, "service_exit", {})
end

local function killed_in_start()
  local seen = claims.all {
    function() return skynet.newservice("service_exit", "server", skynet.self()) end,
    function() skynet.kill(skynet.self() + 1000) end,  -- nobody: nothing happens
  }
  claims.equal(type(seen[1]), "number")
end

local function requests_under_way()
  local dying = server()
  local seen = claims.all {
    function() return skynet.call(dying, "lua", "WAIT") end,
    function() return skynet.call(dying, "lua", "DEFER") end,
    function() return skynet.call(dying, "lua", "EXIT") end,
    function() return skynet.call(dying, "lua", "WAIT") end,
  }
  claims.equal({ failed(seen[1]), failed(seen[2]), failed(seen[3]), failed(seen[4]) }, { true, true, true, true })
  skynet.sleep(2)
  claims.equal(told, { { "closed", "waiting task" }, { "closed", "exiting task" } })
  claims.equal(skynet.send(dying, "lua", "WAIT"), nil)
end

local function callees_hear()
  local caller, seen = server(), nil
  skynet.dispatch("lua", function(session)
    if session == 0 then
      return
    end
    local answer = skynet.response()
    skynet.fork(function()
      skynet.sleep(5)
      seen = { answer "TEST", answer(true) }
    end)
  end)
  skynet.send(caller, "lua", "CALL", skynet.self())
  skynet.sleep(1)
  skynet.send(caller, "lua", "EXIT")
  skynet.sleep(10)
  skynet.dispatch("lua", silent)
  claims.equal(seen, { false, false })
end

local function forks_while_closing()
  local dying = server()
  skynet.send(dying, "lua", "FORKS_AT_END")
  skynet.sleep(5)
  claims.equal(told, {})
  claims.equal(skynet.send(dying, "lua"), nil)
end

local function finalisers()
  local dying = server()
  skynet.call(dying, "lua", "FINALISER")
  skynet.send(dying, "lua", "EXIT")
  skynet.sleep(5)
  for _, message in ipairs(told) do
    claims.equal(message[1] == "closed" or message[1] == "finalised", true, message[1])
  end
end

local function names_vanish()
  local dying = server()
  skynet.name(".dying", dying)
  skynet.name(".dying_too", dying)
  claims.equal({ skynet.localname ".dying", skynet.localname ".dying_too" }, { dying, dying })
  skynet.kill ".dying"
  claims.equal({ skynet.localname ".dying", skynet.localname ".dying_too" }, {})
  local fresh = server()
  skynet.name(".dying", fresh)
  claims.equal(skynet.localname ".dying", fresh)
  claims.equal(fresh > dying, true)
  skynet.kill(fresh)
end


local function notices()
  local monitor = skynet.newservice("service_exit", "monitor")
  local core = require "skynet.core"
  core.command("MONITOR", skynet.address(monitor))
  claims.equal(core.addresscommand "MONITOR", monitor)
  local first, second = server(), server()
  skynet.send(first, "lua", "EXIT")
  skynet.sleep(1)
  skynet.kill(second)
  claims.equal(skynet.call(monitor, "lua"), { first, second })
end

local function launcher_forgets()
  local dying, killed = server(), server()
  local list = skynet.call(".launcher", "lua", "LIST")
  claims.equal(list[skynet.address(dying)], "snlua service_exit server " .. skynet.self())
  skynet.send(dying, "lua", "EXIT")
  skynet.kill(killed)
  skynet.sleep(1)
  list = skynet.call(".launcher", "lua", "LIST")
  claims.equal({ list[skynet.address(dying)], list[skynet.address(killed)] }, {})
end

local function link()
  local dying = server()
  local ended
  skynet.fork(function() ended = { pcall(skynet.call, dying, "debug", "LINK") } end)
  skynet.sleep(5)
  claims.equal(ended, nil)
  skynet.send(dying, "debug", "EXIT")
  skynet.sleep(1)
  claims.equal(ended[1], false)
end

local function exit_in_main_chunk()
  claims.raises("coroutine", coroutine.wrap(function() skynet.exit() end))
end

claims.run("service exit", {
  { "newservice: nil after an exit in start, an error after a raise or a missing script", start_functions },
  { "newservice takes texts and numbers only", bad_arguments },
  { "killing nobody is no error", killed_in_start },
  { "exit fails requests that wait, are deferred, are its own, or are queued; closes variables; runs no fork",
    requests_under_way },
  { "exit tells those it calls: their responses know", callees_hear },
  { "tasks that fork while they are closed do no harm", forks_while_closing },
  { "finalisers may use skynet while the VM is closed", finalisers },
  { "names vanish with their service, and its handle does not come back", names_vanish },
  { "the exit monitor hears of every exit and kill", notices },
  { "the launcher forgets services that ended", launcher_forgets },
  { "LINK is answered with an error when the service exits", link },
  { "exit outside of a task raises", exit_in_main_chunk },
})
