---@meta skynet.socket

-- TCP and UDP for services. A socket belongs to the service that opened or started it; one task reads it at a time.
-- A service uses either this module or snax.gateserver.

---@alias skynet.socket.id integer id of a socket, unique in the node

---@class skynet.socket
local socket = {}

-- Opening -------------------------------------------------------------------------------------------------------------

--- Connects and waits until that is done.
---@async
---@param address string host, or "host:port"
---@param port? integer
---@return skynet.socket.id? id
---@return string? reason why not
function socket.open(address, port) end

--- Binds and listens; socket.start(id, on_accept) then takes connections. Raises if the address cannot be bound.
---@async
---@param host string "0.0.0.0": all addresses; or "host:port"
---@param port? integer 0: any free one
---@param backlog? integer connections that may wait; default 32
---@return skynet.socket.id? id
---@return string address the real one; why not, without an id
---@return integer port the real one
function socket.listen(host, port, backlog) end

--- Takes connections of a listener, or makes an accepted socket this service's and begins to read it. Raises if this
--- service has that socket already and it is no listener.
---@async
---@param id skynet.socket.id
---@param on_accept? fun(id: skynet.socket.id, address: string) of a listener; each call is a task of its own
---@return skynet.socket.id? id
---@return string? reason why not
function socket.start(id, on_accept) end

--- Makes a descriptor of the operating system a socket. Raises in a simulation, where there are none.
---@async
---@param fd integer
---@return skynet.socket.id? id
---@return string? reason
function socket.bind(fd) end

--- Standard input as a socket; see socket.bind.
---@async
---@return skynet.socket.id? id
function socket.stdin() end

-- Reading -------------------------------------------------------------------------------------------------------------

--- Reads exactly `size` bytes, or without it whatever has come, at least one byte. Raises if the socket is not held, or
--- another task reads it.
---@async
---@param id skynet.socket.id
---@param size? integer
---@return string|false data false: the stream has ended
---@return string? rest what had come by then
function socket.read(id, size) end

--- Reads up to a separator, which is not part of the result. Raises as socket.read.
---@async
---@param id skynet.socket.id
---@param separator? string default "\n"
---@return string|false line false: the stream has ended
---@return string? rest what had come by then
function socket.readline(id, separator) end

--- Reads until the peer ends the stream. Raises as socket.read.
---@async
---@param id skynet.socket.id
---@return string|false data false: it had ended before, and nothing was left
function socket.readall(id) end

--- Waits until there is something to read, or the stream has ended.
---@async
---@param id skynet.socket.id
---@return boolean connected
function socket.block(id) end

--- Reads nothing from the network until the next read has to wait.
---@param id skynet.socket.id
function socket.pause(id) end

-- Writing -------------------------------------------------------------------------------------------------------------

--- Queues bytes, in the order of the calls. True does not mean that they arrive.
---@param id skynet.socket.id
---@param data string|string[]|lightuserdata|userdata the block of a light userdata passes to the engine
---@param sz? integer bytes; needed with a light userdata
---@return boolean queued false: the socket is gone or closing
function socket.write(id, data, sz) end

--- Queues bytes behind everything that socket.write queues.
---@param id skynet.socket.id
---@param data string|string[]|lightuserdata|userdata
---@param sz? integer
---@return boolean queued
function socket.lwrite(id, data, sz) end

--- The number in a big-endian header. Raises unless it has 1 to 4 bytes.
---@param bytes string
---@return integer
function socket.header(bytes) end

-- Ending --------------------------------------------------------------------------------------------------------------

--- Sends what is queued, closes, and waits until that is done and a reading task has its result. Nothing happens if the
--- socket is not held.
---@async
---@param id skynet.socket.id
function socket.close(id) end

--- Closes a socket that this service does not hold, such as one that it accepted and did not start. Raises if it does.
---@param id skynet.socket.id
function socket.close_fd(id) end

--- Throws away what is queued and ends the stream; readers see its end. socket.close must still be called.
---@param id skynet.socket.id
function socket.shutdown(id) end

--- Forgets a socket, so that another service can start it.
---@param id skynet.socket.id
---@return string? unread what came and was not read; nil: the socket was not held
function socket.abandon(id) end

--- Whether this service does not hold the socket.
---@param id skynet.socket.id
---@return boolean
function socket.invalid(id) end

--- Whether the stream has ended.
---@param id skynet.socket.id
---@return boolean? nil: the socket is not held
function socket.disconnected(id) end

-- Limits and notices --------------------------------------------------------------------------------------------------

--- Closes the socket once more than `bytes` have come while nobody waits for a number of bytes. Raises if it is not
--- held.
---@param id skynet.socket.id
---@param bytes integer
function socket.limit(id, bytes) end

--- Sets what is called when 1 MiB, 2 MiB, 4 MiB, ... wait to be sent, and with 0 when all are sent. Raises if the
--- socket is not held.
---@param id skynet.socket.id
---@param f fun(id: skynet.socket.id, kib: integer)
function socket.warning(id, f) end

--- Sets what is called once when the stream's end is seen. Raises if the socket is not held.
---@param id skynet.socket.id
---@param f fun(id: skynet.socket.id)
function socket.onclose(id, f) end

-- UDP -----------------------------------------------------------------------------------------------------------------

--- A UDP socket, bound if an address is given. Raises if that fails.
---@param on_datagram fun(data: string, from: string) `from`: for socket.sendto and socket.udp_address
---@param host? string
---@param port? integer
---@return skynet.socket.id id
function socket.udp(on_datagram, host, port) end

--- A UDP socket bound to an address. Raises if that fails.
---@param host string
---@param port integer
---@param on_datagram fun(data: string, from: string)
---@return skynet.socket.id id
function socket.udp_listen(host, port, on_datagram) end

--- A UDP socket whose socket.write sends to that address.
---@param host string
---@param port integer
---@param on_datagram fun(data: string, from: string)
---@return skynet.socket.id id
function socket.udp_dial(host, port, on_datagram) end

--- Sets where socket.write of a UDP socket sends to, and what gets its datagrams if that is given.
---@param id skynet.socket.id
---@param host string
---@param port integer
---@param on_datagram? fun(data: string, from: string)
function socket.udp_connect(id, host, port, on_datagram) end

--- Sends a datagram to where another came from.
---@param id skynet.socket.id
---@param from string
---@param data string|lightuserdata
---@param sz? integer
---@return boolean queued
function socket.sendto(id, from, data, sz) end

--- The address in what a datagram's reader got.
---@param from string
---@return string ip
---@return integer port
function socket.udp_address(from) end

-- Looking -------------------------------------------------------------------------------------------------------------

---@class skynet.socket.info
---@field id skynet.socket.id
---@field address skynet.handle the service that holds it
---@field type "LISTEN"|"TCP"|"UDP"|"BIND"|"CLOSING"|"UNKNOWN"
---@field accept? integer connections that a listener took
---@field sock? string address of a listener
---@field peer? string address at the other end
---@field read? integer bytes read
---@field write? integer bytes written
---@field wbuffer? integer bytes that wait to be sent
---@field rtime? integer when it last read or accepted, cs
---@field wtime? integer when it last wrote, cs
---@field reading? boolean
---@field writing? boolean

--- All sockets of the node.
---@return skynet.socket.info[]
function socket.netstat() end

--- The addresses of a host. Raises if there are none; blocks its worker meanwhile.
---@param host string
---@return string[]
function socket.resolve(host) end

return socket
