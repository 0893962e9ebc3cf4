---@meta snax.gateserver

-- The core of a gate: a listener, its connections, and the frames with a 16-bit big-endian length that come over them.
-- A service that is a gate takes the messages open(conf) and close() of type lua, and those of its handler.

--- What the message "open" takes.
---@class snax.gateserver.conf
---@field port integer 0: any free one; when the gate is open, the real one
---@field address? string default "0.0.0.0"; when the gate is open, the real one
---@field maxclient? integer one more than are let in; default: config gate_client_max, or 1024
---@field nodelay? boolean send small segments at once
---@field backlog? integer default 32
---@field [string] any

---@class snax.gateserver.handler
---@field message fun(fd: skynet.socket.id, msg: lightuserdata, sz: integer) a frame; the block is the handler's
---@field connect fun(fd: skynet.socket.id, address: string) a connection; it is read from openclient on
---@field disconnect? fun(fd: skynet.socket.id) its stream has ended; closeclient is still needed
---@field error? fun(fd: skynet.socket.id, text: string) disconnect follows
---@field warning? fun(fd: skynet.socket.id, kib: integer) so much waits to be sent
---@field open? fun(source: skynet.handle, conf: snax.gateserver.conf): ... the gate is open; its results answer "open"
---@field command? fun(name: string, source: skynet.handle, ...: any): ... any other message; its results are the reply
---@field embed? boolean true: the service calls skynet.start itself, and gateserver.start within it

---@class snax.gateserver
local gateserver = {}

--- Makes this service a gate. Raises if the handler lacks message or connect.
---@param handler snax.gateserver.handler
function gateserver.start(handler) end

--- Begins to read a connection.
---@param fd skynet.socket.id
function gateserver.openclient(fd) end

--- Sends what is queued and closes a connection; it is forgotten at once.
---@param fd skynet.socket.id
function gateserver.closeclient(fd) end

return gateserver
