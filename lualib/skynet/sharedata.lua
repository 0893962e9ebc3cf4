-- Read-only trees of values that all services of a node share, by name (service sharedatad).
--
-- query() gives a table that reads like the data. What a service reads once it keeps, so reading again costs what a
-- plain table costs; flush() lets go of it. After an update the tables that a service holds show the new data as soon
-- as its message is there: also sub-tables in local variables, which follow their path. Keys are strings and integers,
-- values booleans, numbers, strings and tables.

local skynet = require "skynet"
local tree = require "skynet.sharedtree"

local sharedata = {}

local service
skynet.init(function()
  service = skynet.uniqueservice "sharedatad"
end)

-- Name -> the table that query() gave out, as long as somebody has it.
local roots = setmetatable({}, { __mode = "v" })

-- Shows the version `id` in the table that `held` holds weakly. Returns the version shown from now on; nil: nobody has
-- that table any more.
local function switch(held, id, next_id)
  local root = held[1]
  if not root then
    return nil
  end
  local handle = tree.find(next_id)
  if not handle then
    return id  -- replaced again meanwhile: the service will say so at once
  end
  tree.switch(root, handle)
  return next_id
end

local function follow(name, held, id)
  while id do
    local ok, next_id = pcall(skynet.call, service, "lua", "monitor", name, id)
    if not ok or not next_id then
      if roots[name] == held[1] then
        roots[name] = nil  -- deleted: what is held keeps its last data
      end
      return
    end
    id = switch(held, id, next_id)
  end
end

-- The newest version of `name`. Raises if there is none.
local function newest(name)
  while true do
    local id = skynet.call(service, "lua", "query", name)
    local handle = tree.find(id)
    if handle then
      return handle, id
    end
  end
end

--- The data of that name; the same table as long as it is held. Raises "call failed" if there is none.
---@param name string
---@return table
function sharedata.query(name)
  local root = roots[name]
  if root then
    return root
  end
  local handle, id = newest(name)
  root = roots[name]
  if root then
    return root  -- another task asked as well
  end
  root = tree.dataview(handle)
  roots[name] = root
  skynet.fork(follow, name, setmetatable({ root }, { __mode = "v" }), id)
  return root
end

-- Tables become a tree here: what is wrong with one is raised to whoever made it. Texts are run by the service.
local function publish(command, name, value, ...)
  assert(type(name) == "string", "the name of shared data is a string")
  if value == nil then
    value = {}
  end
  if type(value) == "table" then
    local handle <const> = tree.data(value)  -- holds it until the service does
    skynet.call(service, "lua", command, name, tree.id(handle))
  else
    skynet.call(service, "lua", command, name, value, ...)
  end
end

--- Makes shared data. Raises if there is some of that name.
---@param name string
---@param value table|string|nil  Lua source text or "@file" is run, with what follows as its arguments, and gives the
--- table that it returns, else the globals that it sets
function sharedata.new(name, value, ...)
  publish("new", name, value, ...)
end

--- The same, also in place of what there is.
---@param name string
---@param value table|string|nil
function sharedata.update(name, value, ...)
  publish("update", name, value, ...)
end

--- Forgets the name. Who holds the data keeps what it was last.
---@param name string
function sharedata.delete(name)
  skynet.call(service, "lua", "delete", name)
end

--- Switches what this service holds to the newest data now, and lets go of all that it has read and not kept.
function sharedata.flush()
  local names = {}
  for name in pairs(roots) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for _, name in ipairs(names) do
    local ok, handle = pcall(newest, name)
    if ok and roots[name] then
      tree.switch(roots[name], handle)
    end
  end
  collectgarbage()
end

--- A plain copy of the data, or of what is at that path in it.
---@param name string
---@return any
function sharedata.deepcopy(name, ...)
  return tree.copy((newest(name)), ...)
end

return sharedata
