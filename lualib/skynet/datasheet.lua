-- Tables that a builder (skynet.datasheet.builder) made for all services of a node. query() gives a table that fills
-- itself when it is first read, one level at a time; from then on it is a plain table of this service, which may even
-- write into it. When the builder updates the sheet, the same tables empty themselves and will be filled anew: a
-- sub-table follows its path, and raises `Invalid proxy (index = %d)` when its path is gone.
--
-- A service that requires this starts only when some builder is there.

local skynet = require "skynet"
local core = require "skynet.datasheet.core"

local datasheet = {}

local service
skynet.init(function()
  service = skynet.queryservice "datasheetd"
end)

-- Name -> { handle, id, root, tables = weak set }.
local sheets = {}

-- Table of a sheet -> { sheet, index = of the table in the sheet, parent, key, is_gone, is_filled, children }.
-- children: key -> table that was there before an update, until the table is filled again.
local places = setmetatable({}, { __mode = "k" })

local waiting  -- the metatable of tables that were not read yet

local function new_table(sheet, index, parent, key)
  local t = {}
  places[t] = { sheet = sheet, index = index, parent = parent, key = key }
  sheet.tables[t] = true
  return setmetatable(t, waiting)
end

local function fill(t)
  local place = places[t]
  if place.is_gone then
    error(string.format("Invalid proxy (index = %d)", place.index), 3)
  end
  setmetatable(t, nil)
  place.is_filled = true
  local children = place.children or {}
  place.children = nil
  for key, index in next, core.fill(place.sheet.handle, place.index, t) do
    t[key] = children[key] or new_table(place.sheet, index, t, key)
  end
end

waiting = {
  core.opening, fill,  -- for next and rawget

  __index = function(t, key)
    fill(t)
    return t[key]
  end,

  __newindex = function(t, key, value)
    fill(t)
    t[key] = value
  end,

  __len = function(t)
    fill(t)
    return #t
  end,

  __pairs = function(t)
    fill(t)
    return next, t, nil
  end,
}

-- Finds where a table is in the sheet's new version, parents first. subtables: index -> { key = index }, in that
-- version.
local function find_place(t, handle, subtables, done)
  local place = places[t]
  if done[t] or not place.parent then
    return place
  end
  done[t] = true
  local above = find_place(place.parent, handle, subtables, done)
  local index
  if not above.is_gone then
    local found = subtables[above.index] or core.fill(handle, above.index, {})
    subtables[above.index] = found
    index = found[place.key]
  end
  place.is_gone = index == nil
  place.index = index or place.index
  return place
end

local function empty(t, place)
  if place.is_filled then
    place.is_filled = false
    setmetatable(t, nil)
    for key in next, t do
      t[key] = nil
    end
    setmetatable(t, waiting)
  end
end

-- Shows a new version in the tables of a sheet.
local function switch(sheet, handle)
  sheet.handle = handle
  local subtables, done = {}, {}
  for t in next, sheet.tables do
    find_place(t, handle, subtables, done).children = nil
  end
  for t in next, sheet.tables do
    local place = places[t]
    if place.parent and not place.is_gone then
      local above = places[place.parent]
      above.children = above.children or {}
      above.children[place.key] = t
    end
    empty(t, place)
  end
end

local function follow(name, sheet)
  while true do
    local id = skynet.call(service, "lua", "monitor", name, sheet.id)
    local handle = core.find(id)
    if handle then  -- else it was replaced again meanwhile
      sheet.id = id
      switch(sheet, handle)
    end
  end
end

local function open(name)
  while true do
    local id = skynet.call(service, "lua", "query", name)
    local handle = core.find(id)
    if handle then
      return handle, id
    end
  end
end

--- The sheet of that name; always the same table. Raises if there is none.
---@param name string
---@return table
function datasheet.query(name)
  if not sheets[name] then
    local handle, id = open(name)
    if not sheets[name] then  -- no other task asked meanwhile
      local sheet = { handle = handle, id = id, tables = setmetatable({}, { __mode = "k" }) }
      sheet.root = new_table(sheet, 0)
      sheets[name] = sheet
      skynet.fork(follow, name, sheet)
    end
  end
  return sheets[name].root
end

return datasheet
