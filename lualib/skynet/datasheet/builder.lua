-- Makes the sheets that skynet.datasheet reads. A sheet is bytes: it holds integers and floats of 32 bits, booleans,
-- strings without NUL, and tables whose keys are strings or indices of an array.

local skynet = require "skynet"
local core = require "skynet.datasheet.core"

local builder = {}

local service
skynet.init(function()
  service = skynet.uniqueservice "datasheetd"
end)

-- Name -> true, of the sheets made here.
local made = {}

local function publish(name, value)
  assert(type(name) == "string", "the name of a datasheet is a string")
  local bytes = type(value) == "table" and core.compile(value) or value
  local handle <const> = core.new(bytes)
  skynet.call(service, "lua", "set", name, core.id(handle))
end

--- A table as the bytes of a sheet. Raises for what a sheet cannot hold.
---@type fun(value: table): string
builder.compile = core.compile

--- Makes a sheet of a table or of compiled bytes. Raises if this service made one of that name already.
---@param name string
---@param value table|string
function builder.new(name, value)
  assert(not made[name], "there is a datasheet of that name already")
  made[name] = true
  local ok, reason = pcall(publish, name, value)
  if not ok then
    made[name] = nil
    error(reason, 0)
  end
end

--- Replaces a sheet; what services hold of it is filled anew.
---@param name string
---@param value table|string
function builder.update(name, value)
  publish(name, value)
  made[name] = true
end

return builder
