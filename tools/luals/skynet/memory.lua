---@meta skynet.memory

-- What the services of this node took from its memory, in bytes. What only jemalloc could tell is 0, false or nothing,
-- and a line of the log says so.

---@class skynet.memory
local memory = {}

--- Of all services together.
---@return integer bytes
function memory.total() end

--- Blocks are not counted: 0.
---@return integer
function memory.block() end

--- Of this service.
---@return integer bytes
function memory.current() end

--- Of each service.
---@return table<skynet.handle, integer> bytes
function memory.info() end

--- Logs a line for each service, and their sum.
function memory.dump() end

--- Nothing but a line of the log.
---@param options? string
function memory.dumpinfo(options) end

--- Nothing but a line of the log.
function memory.dumpheap() end

--- Always false.
---@param on? boolean
---@return boolean
function memory.profactive(on) end

--- Figures of jemalloc: 0 each.
---@return table<string, integer>
function memory.jestat() end

--- A figure of jemalloc: 0.
---@param name string
---@return integer
function memory.mallctl(name) end

return memory
