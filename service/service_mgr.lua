-- Unique services. Named .service; on the node that is a master, or alone, also SERVICE.
--
-- Messages (lua); the reply is packed, a failure is (nil, text):
--   LAUNCH(name, args...)   -> handle; starts the service if nobody has. The first failure is remembered for ever
--   QUERY(name [, sub])     -> handle; waits until somebody launches it
--   GLAUNCH, GQUERY         the same for the whole harbor network: asked of SERVICE, under "@name"
--   LIST()                  -> { name = ":address" | "Error: text" | who waits }
--   REPORT(handle)          -> nil; the service manager of another node is there
-- For the name "snaxd" the next argument is the real name: the type of a snax service (skynet.snax).

local skynet = require "skynet"
require "skynet.manager"

-- Name -> handle | text of the failure | { launching, line }: line holds { ticket, session, source, text } of each task
-- that waits.
local services = {}
-- Harbor id -> service manager of that node (on the master).
local reported = {}

local command = {}

-- A string key and the arguments to launch with. A leading "@" marks a global service.
local function split_name(name, sub)
  local plain = string.gsub(name, "^@", "")
  if plain == "snaxd" then
    return name .. "." .. sub, plain
  end
  return name, plain
end

local function wait_in_line(entry, text)
  local session, source = skynet.context()
  local waiting = { ticket = {}, session = session, source = source, text = text }
  entry.line[#entry.line + 1] = waiting
  skynet.wait(waiting.ticket)
end

local function start_service(name, ...)
  if name == "snaxd" then
    return require "skynet.snax".rawnewservice(...)
  end
  return skynet.newservice(name, ...)
end

local function start(key, entry, name, ...)
  entry.launching = { session = skynet.context(), source = select(2, skynet.context()) }
  local ok, result = pcall(start_service, name, ...)
  if ok and not result then
    ok, result = false, string.format("service %s exited in its start function", key)
  end
  services[key] = ok and result or tostring(result)
  for _, waiting in ipairs(entry.line) do
    skynet.wakeup(waiting.ticket)
  end
end

local function outcome(key)
  local result = services[key]
  if type(result) == "string" then
    return nil, result
  end
  return result
end

local function launch(name, ...)
  local key, plain = split_name(name, ...)
  local entry = services[key]
  if entry == nil then
    entry = { line = {} }
    services[key] = entry
  end
  if type(entry) == "table" then
    if entry.launching then
      wait_in_line(entry, "launch")
    else
      start(key, entry, plain, ...)
    end
  end
  return outcome(key)
end

local function query(name, ...)
  local key = split_name(name, ...)
  local entry = services[key]
  if entry == nil then
    entry = { line = {} }
    services[key] = entry
  end
  if type(entry) == "table" then
    wait_in_line(entry, "query")
  end
  return outcome(key)
end

command.LAUNCH, command.QUERY = launch, query

---------------------------------------------------------------------------------------------------------------------
-- What the services manager knows, as text

local function describe_line(entry)
  local lines = {}
  if entry.launching then
    lines[1] = string.format("launching, asked by %s session %s", skynet.address(entry.launching.source),
      entry.launching.session)
  end
  for _, waiting in ipairs(entry.line) do
    lines[#lines + 1] = string.format("%s of %s session %s", waiting.text, skynet.address(waiting.source),
      waiting.session)
  end
  return table.concat(lines, "\n")
end

local function describe(entry)
  if type(entry) == "number" then
    return skynet.address(entry)
  elseif type(entry) == "string" then
    return "Error: " .. entry
  end
  return describe_line(entry)
end

local function list_own()
  local list = {}
  for name, entry in next, services do
    list[name] = describe(entry)
  end
  return list
end

---------------------------------------------------------------------------------------------------------------------
-- Global services

local function own_global_services()
  function command.GLAUNCH(name, ...)
    return launch("@" .. name, ...)
  end

  function command.GQUERY(name, ...)
    return query("@" .. name, ...)
  end

  function command.REPORT(handle)
    reported[skynet.harbor(handle)] = handle
    return nil  -- as a value: the reply is seen on the wire
  end

  function command.LIST()
    local list, harbor_ids = list_own(), {}
    for harbor_id in next, reported do  -- another one may report while they are asked
      harbor_ids[#harbor_ids + 1] = harbor_id
    end
    table.sort(harbor_ids)
    for _, harbor_id in ipairs(harbor_ids) do
      local ok, others = pcall(skynet.call, reported[harbor_id], "lua", "LIST")
      for name, text in next, ok and others or {} do
        list[name .. "@" .. harbor_id] = text
      end
    end
    return list
  end

  skynet.register "SERVICE"
end

local function forward_global_services()
  function command.GLAUNCH(...)
    return skynet.call("SERVICE", "lua", "GLAUNCH", ...)
  end

  function command.GQUERY(...)
    return skynet.call("SERVICE", "lua", "GQUERY", ...)
  end

  command.LIST = list_own
  skynet.call("SERVICE", "lua", "REPORT", skynet.self())
end

skynet.start(function()
  skynet.dispatch("lua", function(_, _, name, ...)
    local f = command[name]
    if not f then
      skynet.retpack(nil, string.format("service_mgr: unknown command %s", tostring(name)))
      return
    end
    skynet.retpack(f(...))
  end)
  local first = skynet.localname ".service"
  if first then
    skynet.error(string.format("a service manager runs already: %s", skynet.address(first)))
    skynet.exit()
  end
  skynet.register ".service"
  if skynet.getenv "standalone" then
    own_global_services()
  else
    forward_global_services()
  end
end)
