---@meta skynet.datasheet

-- Tables that some service made with skynet.datasheet.builder, for all services of the node. A service that requires
-- this module starts only when there is a builder.

---@class skynet.datasheet
local datasheet = {}

--- The sheet of that name; always the same table. It fills itself as it is read, and again after an update; a sub-table
--- that an update has removed raises when it is read. Raises if there is no such sheet.
---@async
---@param name string
---@return table
function datasheet.query(name) end

return datasheet
