---@meta skynet.stm

-- Bytes that one service writes and others read, without messages: each reader sees the newest version.

--- Publishes the next version: a string, or a block that becomes the engine's.
---@alias skynet.stm.writer fun(msg: string|lightuserdata, sz?: integer)

--- Calls f(msg, sz, ud) with the newest version, and returns true and its results; false if there is nothing new since
--- the last read, or the writer is gone. `f` must not wait.
---@alias skynet.stm.reader fun(f: (fun(msg: lightuserdata, sz: integer, ud: any): ...), ud?: any): boolean, ...

---@class skynet.stm
local stm = {}

--- Makes a writer with its first version.
---@param msg string|lightuserdata a block becomes the writer's
---@param sz? integer bytes; needed with a block
---@return skynet.stm.writer
function stm.new(msg, sz) end

--- What a reader needs; to be sent in a message.
---@param writer skynet.stm.writer
---@return lightuserdata
function stm.copy(writer) end

--- Makes a reader of what stm.copy gave. Raises for anything else.
---@param copy lightuserdata
---@return skynet.stm.reader
function stm.newcopy(copy) end

return stm
