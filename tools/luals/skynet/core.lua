---@meta skynet.core

-- What lies below skynet. Services rarely need it; frameworks and old code do.

---@class skynet.core
local core = {}

--- Sends bytes. Raises for an address that is none, and for a message that is neither a string nor a block.
---@param address skynet.address
---@param type integer
---@param session? integer nil: a new one is made; 0: no reply is wanted
---@param msg? string|lightuserdata the block of a light userdata passes to the engine
---@param sz? integer
---@return integer|false|nil session the one used; nil: nobody is there; false: too large
function core.send(address, type, session, msg, sz) end

--- core.send in the name of another service.
---@param address skynet.address
---@param source skynet.address
---@param type integer
---@param session? integer
---@param msg? string|lightuserdata
---@param sz? integer
---@return integer|false|nil session
function core.redirect(address, source, type, session, msg, sz) end

--- A new session of this service.
---@return integer session
function core.genid() end

--- Runs a text command of the engine: "TIMEOUT", "REG", "QUERY", "NAME", "LAUNCH", "GETENV", "STAT", ...
---@param name string
---@param parameter? string
---@return string? result nothing for an unknown command
function core.command(name, parameter) end

--- A command whose result is a number.
---@param name string
---@param parameter? integer|string
---@return number? result
function core.intcommand(name, parameter) end

--- A command whose result is a handle.
---@param name string
---@param parameter? string
---@return skynet.handle? handle
function core.addresscommand(name, parameter) end

--- Writes a line to the log, as skynet.error.
---@param ... any
function core.error(...) end

--- As skynet.harbor.
---@param address skynet.handle
---@return integer harbor_id
---@return boolean is_remote
function core.harbor(address) end

--- Sets the function that gets every message from the next one on, instead of skynet's tasks.
---@param f fun(type: integer, msg: lightuserdata, sz: integer, session: integer, source: integer)
---@param forward? boolean true: the bytes are not freed behind it
function core.callback(f, forward) end

--- As skynet.tracelog.
---@param tag string
---@param text string
---@param thread? thread|integer
---@param level? integer
function core.trace(tag, text, thread, level) end

--- As skynet.tostring.
---@param msg? lightuserdata
---@param sz? integer
---@return string?
function core.tostring(msg, sz) end

--- As skynet.pack.
---@param ... any
---@return lightuserdata msg
---@return integer sz
function core.pack(...) end

--- As skynet.unpack.
---@param msg? string|lightuserdata
---@param sz? integer
---@return any ...
function core.unpack(msg, sz) end

--- As skynet.packstring.
---@param ... any
---@return string
function core.packstring(...) end

--- As skynet.trash.
---@param msg string|lightuserdata
---@param sz? integer
function core.trash(msg, sz) end

--- As skynet.now.
---@return integer cs
function core.now() end

--- As skynet.hpc.
---@return integer ns
function core.hpc() end

return core
