---@meta http.websocket

-- Websockets over skynet.socket, both sides. A server calls accept with a handler, a client calls connect and then
-- read. Pings are answered by themselves.

---@class http.websocket
local websocket = {}

--- What a server does with a connection; all in one task, in order.
---@class http.websocket.handler
---@field connect? fun(id: skynet.socket.id)
---@field handshake? fun(id: skynet.socket.id, header: http.header, url: string)
---@field message? fun(id: skynet.socket.id, data: string, kind: "text"|"binary")
---@field ping? fun(id: skynet.socket.id)
---@field pong? fun(id: skynet.socket.id)
---@field close? fun(id: skynet.socket.id, code?: integer, reason?: string) either side has closed
---@field error? fun(id: skynet.socket.id, text: string) the connection was lost, or a side broke the rules
---@field warning? fun(id: skynet.socket.id, kib: integer) so much waits to be sent

--- Serves a connection that a listener accepted, until it is closed.
---@async
---@param id skynet.socket.id started here, unless its request was read before
---@param handler http.websocket.handler
---@param protocol? "ws"|"wss" default "ws"
---@param address? string for addrinfo
---@param options? { upgrade: { header: http.header, url: string, method: string? }? } a request that was read already
---@return boolean ok
---@return string? reason
function websocket.accept(id, handler, protocol, address, options) end

--- Connects to "ws://host[:port][/path]". Raises sockethelper.socket_error if there is no connection, and a text if the
--- server does not answer as it should.
---@async
---@param url string
---@param header? http.header to send
---@param timeout? integer cs, for the connection and then for the answer
---@return skynet.socket.id id
function websocket.connect(url, header, timeout) end

--- Waits for a message; for clients. Raises if the connection is lost or the server breaks the rules.
---@async
---@param id skynet.socket.id
---@return string|false message false: the server has closed
---@return string kind "text" or "binary"; of a close, its payload
function websocket.read(id) end

--- Sends a message. Raises if the connection is not open.
---@param id skynet.socket.id
---@param data string
---@param kind? "text"|"binary" default "text"
---@param masking_key? integer 32 bits; default: random for a client, none for a server
function websocket.write(id, data, kind, masking_key) end

--- Sends a ping. Raises if the connection is not open.
---@param id skynet.socket.id
function websocket.ping(id) end

--- Says that this side closes, and closes.
---@async
---@param id skynet.socket.id
---@param code? integer default 1000
---@param reason? string up to 123 bytes
function websocket.close(id, code, reason) end

--- The address that accept was given, or the host that connect went to.
---@param id skynet.socket.id
---@return string? address nil: there is no such connection
function websocket.addrinfo(id) end

--- The address of the client as a proxy tells it.
---@param id skynet.socket.id
---@return string? address
function websocket.real_ip(id) end

--- Whether nothing can be sent any more.
---@param id skynet.socket.id
---@return boolean
function websocket.is_close(id) end

return websocket
