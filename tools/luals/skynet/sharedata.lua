---@meta skynet.sharedata

-- Read-only trees of values that all services of a node share by name. Keys are strings and integers, values booleans,
-- numbers, strings and tables.

---@class skynet.sharedata
local sharedata = {}

--- Makes shared data. Raises if there is some of that name, and for values that cannot be shared.
---@async
---@param name string
---@param value? table|string a table; or Lua source text or "@file" that returns one, or sets globals
---@param ... any arguments of the text or file
function sharedata.new(name, value, ...) end

--- Makes shared data, or replaces it: tables that services hold of it show the new data.
---@async
---@param name string
---@param value? table|string
---@param ... any
function sharedata.update(name, value, ...) end

--- The data of that name, as a table that cannot be changed; the same one while it is held. Raises "call failed" if
--- there is none. A sub-table whose path an update has removed raises when it is read.
---@async
---@param name string
---@return table
function sharedata.query(name) end

--- Forgets the name; who holds the data keeps it.
---@async
---@param name string
function sharedata.delete(name) end

--- Makes everything that this service holds show the newest data now, and frees what it has read.
---@async
function sharedata.flush() end

--- A plain copy of the data, or of what is at a path in it.
---@async
---@param name string
---@param ... string|integer keys of the path
---@return any
function sharedata.deepcopy(name, ...) end

return sharedata
