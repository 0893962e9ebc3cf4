-- Tables that all services of a node share, by name (service sharetabled), and read like tables of their own: index, #,
-- pairs, ipairs, next and rawget. Changing one raises.
--
-- What query() gave out shows the same version until update(): then it, and the sub-tables that the service holds, show
-- the newest. A sub-table follows its path; reading one whose path is gone raises. What is read once is kept by the
-- service, so reading it again costs what a plain table costs.

local skynet = require "skynet"
local tree = require "skynet.sharedtree"

local sharetable = {}

local service
skynet.init(function()
  service = skynet.uniqueservice "sharetabled"
end)

-- Name -> { table that was given out = its version }, as long as somebody has it.
local given = {}

local function publish(name, value)
  local handle <const> = tree.table(value)
  skynet.call(service, "lua", "set", name, tree.id(handle))
end

-- Globals of a chunk stay its own.
local function chunk_globals()
  return setmetatable({}, { __index = _G })
end

--- Runs a Lua file and shares the table that it returns under the file's name.
---@param filename string
function sharetable.loadfile(filename, ...)
  local chunk = assert(loadfile(filename, "bt", chunk_globals()))
  publish(filename, (chunk(...)))
end

--- Runs Lua source text and shares the table that it returns.
---@param name string
---@param source string
function sharetable.loadstring(name, source, ...)
  local chunk = assert(load(source, "=" .. name, "bt", chunk_globals()))
  publish(name, (chunk(...)))
end

--- Shares a table: of tables, booleans, numbers, strings, light userdata and functions without upvalues.
---@param name string
---@param value table
function sharetable.loadtable(name, value)
  publish(name, value)
end

-- The table for a version; nil if nobody holds that version any more.
local function give(name, id)
  local known = given[name]
  for root, version in next, known or {} do
    if version == id then
      return root
    end
  end
  local handle = tree.find(id)
  if not handle then
    return nil
  end
  local root = tree.tableview(handle)
  if not known then
    known = setmetatable({}, { __mode = "k" })
    given[name] = known
  end
  known[root] = id
  return root
end

--- The newest version; nil if there is none of that name.
---@param name string
---@return table|nil
function sharetable.query(name)
  while true do
    local id = skynet.call(service, "lua", "query", name)
    if not id then
      return nil
    end
    local root = give(name, id)
    if root then
      return root
    end
  end
end

--- The newest versions of some names, or of all.
---@param names string[]|nil
---@return table<string, table>
function sharetable.queryall(names)
  local ids, found, result = skynet.call(service, "lua", "queryall", names), {}, {}
  for name in next, ids do
    found[#found + 1] = name
  end
  table.sort(found, function(a, b) return tostring(a) < tostring(b) end)
  for _, name in ipairs(found) do
    result[name] = give(name, ids[name]) or sharetable.query(name)
  end
  return result
end

local function update(name)
  while given[name] and next(given[name]) do
    local id = skynet.call(service, "lua", "query", name)
    local newest <const> = id and tree.find(id)
    if newest or not id then
      for root, version in next, given[name] do
        if version ~= id and id then
          tree.switch(root, tree.find(id))
          given[name][root] = id
        end
      end
      return
    end
  end
end

--- Makes all tables of these names that this service holds show the newest version.
---@param ... string
function sharetable.update(...)
  for _, name in ipairs { ... } do
    update(name)
  end
end

return sharetable
