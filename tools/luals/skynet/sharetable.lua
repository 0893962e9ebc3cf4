---@meta skynet.sharetable

-- Tables that all services of a node share by name and read like their own; changing one raises. They hold tables,
-- booleans, numbers, strings, light userdata and functions without upvalues.

---@class skynet.sharetable
local sharetable = {}

--- Runs a Lua file and shares the table that it returns, under the file's name. Raises if that fails.
---@async
---@param filename string
---@param ... any arguments of the file
function sharetable.loadfile(filename, ...) end

--- Runs Lua source text and shares the table that it returns. Raises if that fails.
---@async
---@param name string
---@param source string
---@param ... any arguments of the text
function sharetable.loadstring(name, source, ...) end

--- Shares a table. Raises for what cannot be shared.
---@async
---@param name string
---@param value table
function sharetable.loadtable(name, value) end

--- The newest version of a table; it does not change by itself.
---@async
---@param name string
---@return table? value nil: there is none of that name
function sharetable.query(name) end

--- The newest versions of some tables, or of all.
---@async
---@param names? string[]
---@return table<string, table>
function sharetable.queryall(names) end

--- Makes the tables of these names that this service holds, and their sub-tables, show the newest version.
---@async
---@param ... string
function sharetable.update(...) end

return sharetable
