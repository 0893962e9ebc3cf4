---@meta skynet.debug

-- The commands that every service answers on type "debug", for tools.

---@class skynet.debug
local debug = {}

--- Adds a debug command to this service, or replaces one: skynet.call(handle, "debug", name, ...). The function answers
--- by itself, with skynet.retpack.
---@param name string
---@param f fun(...: any)
function debug.reg_debugcmd(name, f) end

--- What skynet.info_func does.
---@param f fun(...: any): ...
function debug.info_func(f) end

--- What skynet.uniqtask does.
---@return table<string, string>
function debug.uniqtask() end

--- Handles one debug message; the engine's way in.
---@param session integer
---@param source integer
---@param name string
---@param ... any
function debug.dispatch(session, source, name, ...) end

return debug
