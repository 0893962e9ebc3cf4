-- Starts services whose code is a function (skynet.service) and knows them by name. Unique service of its node.
--
-- Messages (lua); the reply is packed:
--   test(name)   -> handle; (nil, true) while it is being started; nothing if there is none; an error if it has failed
--   query(name)  -> handle; waits until it is there; an error if it fails or has failed
--   launch(name, code, ...)  -> handle; code is what string.dump made, ... its arguments. As query if somebody was
--                first
--   close(name)  -> handle of what had the name, or nil; a failure is forgotten. Who calls ends the service
-- debug INFO -> { ":address" = { init = "file:line", name, time = when it was asked for, status } }; the key is the
--   name before there is an address

local skynet = require "skynet"

-- Name -> { status = "queried" | "booting" | "running" | "failed", handle, answers of queries that wait, reason, ... }.
local entries = {}

local function entry_of(name)
  if type(name) ~= "string" then
    error("service_provider: the name of a service is a string, not " .. tostring(name), 0)
  end
  local entry = entries[name] or { status = "queried", answers = {} }
  entries[name] = entry
  return entry
end

local function end_launch(entry, handle, reason)
  entry.handle, entry.reason = handle, reason
  entry.status = handle and "running" or "failed"
  local answers = entry.answers
  entry.answers = {}
  for _, answer in ipairs(answers) do
    answer(handle ~= nil, handle)
  end
end

-- Answers with the handle, now or later.
local function answer_query(name, entry)
  if entry.status == "running" then
    skynet.retpack(entry.handle)
  elseif entry.status == "failed" then
    error(string.format("service %s has failed: %s", name, entry.reason), 0)
  else
    entry.answers[#entry.answers + 1] = skynet.response()
  end
end

local function start_cell(entry, name, code, ...)
  local cell = skynet.newservice("service_cell", name)
  if not cell then
    error "service_cell exited"
  end
  entry.cell = cell
  local ok, reason = pcall(skynet.call, cell, "lua", "init", code, ...)
  if not ok then
    skynet.send(cell, "debug", "EXIT")
    error(reason, 0)
  end
  return cell
end

local command = {}

function command.test(name)
  local entry = entries[name]
  if not entry or entry.status == "queried" then
    skynet.retpack()
  elseif entry.status == "booting" then
    skynet.retpack(nil, true)
  else
    answer_query(name, entry)
  end
end

function command.query(name)
  answer_query(name, entry_of(name))
end

function command.launch(name, code, ...)
  local entry = entry_of(name)
  if entry.status ~= "queried" then
    return answer_query(name, entry)
  end
  local main = assert(load(code, "=" .. name, "b"))
  local where = debug.getinfo(main, "S")
  entry.init = string.format("%s:%d", where.short_src, where.linedefined)
  entry.time = os.date "%Y-%m-%d %H:%M:%S"
  entry.status = "booting"
  local ok, result = pcall(start_cell, entry, name, code, ...)
  if entries[name] ~= entry and ok then
    skynet.send(result, "debug", "EXIT")
    ok, result = false, "closed while it was starting"
  end
  end_launch(entry, ok and result or nil, not ok and tostring(result) or nil)
  answer_query(name, entry)
end

function command.close(name)
  local entry = entries[name]
  if entry and entry.status ~= "queried" then
    entries[name] = nil
    skynet.retpack(entry.handle or entry.cell)
    if entry.status == "booting" and entry.cell then
      skynet.term(entry.cell)  -- a service that is killed answers nothing
    end
  else
    skynet.retpack(nil)
  end
end

skynet.info_func(function()
  local list = {}
  for name, entry in next, entries do
    local handle = entry.handle or entry.cell
    local key = handle and skynet.address(handle) or name
    list[key] = { init = entry.init, name = name, time = entry.time, status = entry.status }
  end
  return list
end)

skynet.start(function()
  skynet.dispatch("lua", function(_, _, name, ...)
    local f = command[name]
    if not f then
      error(string.format("service_provider: unknown command %s", tostring(name)))
    end
    f(...)
  end)
end)
