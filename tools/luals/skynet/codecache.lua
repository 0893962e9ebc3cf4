---@meta skynet.codecache

-- The cache of compiled files, as skynet has it. Here files are shared by content: an edited one counts from its next
-- load on, and there is nothing to clear.

---@class skynet.codecache
local codecache = {}

--- Does nothing.
function codecache.clear() end

--- Sets the mode, or returns it. It has no effect.
---@param wanted? "OFF"|"EXIST"|"ON"
---@return string? mode if none was given
function codecache.mode(wanted) end

--- Lua's loadfile.
---@param filename? string
---@param mode? "b"|"t"|"bt"
---@param env? table
---@return function? chunk
---@return string? reason
function codecache.loadfile(filename, mode, env) end

return codecache
