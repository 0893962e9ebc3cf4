---@meta skynet.datasheet.builder

-- Makes sheets for skynet.datasheet. A sheet holds integers and floats of 32 bits, booleans, strings without NUL, and
-- tables whose keys are strings or the indices of an array.

---@class skynet.datasheet.builder
local builder = {}

--- A table as the bytes of a sheet. Raises for what a sheet cannot hold.
---@param value table
---@return string
function builder.compile(value) end

--- Makes a sheet. Raises if this service made one of that name, and for what a sheet cannot hold.
---@async
---@param name string
---@param value table|string a table, or what builder.compile returned
function builder.new(name, value) end

--- Replaces a sheet; the tables that services hold of it are filled anew.
---@async
---@param name string
---@param value table|string
function builder.update(name, value) end

return builder
