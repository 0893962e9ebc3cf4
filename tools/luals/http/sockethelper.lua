---@meta http.sockethelper

-- Sockets as the HTTP modules use them: functions that raise socket_error when the stream has ended.

---@class http.sockethelper
local sockethelper = {}

--- What is raised when a stream has ended or cannot be opened; compare by identity.
---@type table
sockethelper.socket_error = {}

--- A function that reads exactly `size` bytes, or without it whatever there is.
---@param id skynet.socket.id
---@param before? string given out first
---@return async fun(size?: integer): string
function sockethelper.readfunc(id, before) end

--- A function that writes.
---@param id skynet.socket.id
---@return fun(data: string)
function sockethelper.writefunc(id) end

--- Everything up to the end of the stream; "" for a socket that is not held.
---@async
---@param id skynet.socket.id
---@return string
function sockethelper.readall(id) end

--- Connects. Raises socket_error if that fails or takes too long.
---@async
---@param host string
---@param port integer
---@param timeout? integer cs; default: as long as the system takes
---@return skynet.socket.id id
function sockethelper.connect(host, port, timeout) end

--- socket.close.
---@async
---@param id skynet.socket.id
function sockethelper.close(id) end

--- socket.shutdown.
---@param id skynet.socket.id
function sockethelper.shutdown(id) end

return sockethelper
