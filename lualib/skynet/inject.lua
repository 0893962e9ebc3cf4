-- Runs a piece of Lua inside a service for the debug command RUN. The chunk sees the service's globals and
--   print   writes to the answer
--   _U      upvalue name -> table, of all functions that handle messages, and of what they call
--   _P      protocol name -> { upvalue name -> table }

local skynet = require "skynet"

-- The protocols that the service has registered, sorted: which table has a name in _U must not depend on a hash order.
local function protocols()
  local names = {}
  for name in pairs(skynet._proto) do
    if type(name) == "string" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

-- Adds the tables that `f`, and the functions it knows, have as upvalues. The first one with a name stays.
local function collect(f, tables, seen)
  if seen[f] then
    return
  end
  seen[f] = true
  local index = 1
  local name, value = debug.getupvalue(f, index)
  while name do
    if type(value) == "function" then
      collect(value, tables, seen)
    elseif type(value) == "table" and name ~= "_ENV" and tables[name] == nil then
      tables[name] = value
    end
    index = index + 1
    name, value = debug.getupvalue(f, index)
  end
end

local function state_of_service()
  local all, by_protocol, seen = {}, {}, {}
  for _, name in ipairs(protocols()) do
    local ok, handler = pcall(skynet.dispatch, name)
    if ok and handler then
      by_protocol[name] = {}
      collect(handler, by_protocol[name], {})
      collect(handler, all, seen)
    end
  end
  return all, by_protocol
end

--- Compiles and runs `source`.
---@param source string
---@param filename? string for messages
---@param ... any the chunk's arguments
---@return boolean ok
---@return string output lines printed, and the error
local function inject(source, filename, ...)
  local lines = {}
  local function print_line(...)
    local words = table.pack(...)
    for index = 1, words.n do
      words[index] = tostring(words[index])
    end
    lines[#lines + 1] = table.concat(words, "\t")
  end
  local all, by_protocol = state_of_service()
  local environment = setmetatable({ print = print_line, _U = all, _P = by_protocol },
    { __index = _G, __newindex = _G })
  local ok, reason = load(source, filename and "@" .. filename or "=(inject)", "t", environment)
  if ok then
    ok, reason = xpcall(ok, debug.traceback, ...)
  end
  if not ok then
    lines[#lines + 1] = tostring(reason)
  end
  return ok and true or false, table.concat(lines, "\n")
end

return inject
