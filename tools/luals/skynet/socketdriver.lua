---@meta skynet.socketdriver

-- The sockets of the node, as the engine gives them: functions that return at once, and events as messages of type
-- socket. skynet.socket is made of it. An address is (host, port), or "host:port" or "[ipv6]:port" without a port.

---@class skynet.socketdriver
local driver = {}

--- Begins to connect; an event tells how it went. Raises for an address that cannot be read.
---@param host string
---@param port? integer
---@return skynet.socket.id id negative: none is free
function driver.connect(host, port) end

--- Binds and listens; an event tells the real address. Raises "Listen error: ..." if it cannot.
---@param host string
---@param port? integer
---@param backlog? integer default 32
---@return skynet.socket.id id
function driver.listen(host, port, backlog) end

--- Makes a descriptor of the operating system a socket. Raises in a simulation.
---@param fd integer
---@return skynet.socket.id id
function driver.bind(fd) end

--- Starts a listener or an accepted socket, goes on after a pause, or takes a socket over.
---@param id skynet.socket.id
function driver.start(id) end

--- Stops reading until driver.start.
---@param id skynet.socket.id
function driver.pause(id) end

--- Closes when all that is queued is sent.
---@param id skynet.socket.id
function driver.close(id) end

--- Throws away what is queued and closes.
---@param id skynet.socket.id
function driver.shutdown(id) end

--- Sends small segments at once.
---@param id skynet.socket.id
function driver.nodelay(id) end

--- As socket.write.
---@param id skynet.socket.id
---@param data string|string[]|lightuserdata|userdata
---@param sz? integer
---@return boolean queued
function driver.send(id, data, sz) end

--- As socket.lwrite.
---@param id skynet.socket.id
---@param data string|string[]|lightuserdata|userdata
---@param sz? integer
---@return boolean queued
function driver.lsend(id, data, sz) end

--- A UDP socket, bound if an address is given. Raises "udp init failed: ..." if it cannot.
---@param host? string
---@param port? integer
---@return skynet.socket.id id
function driver.udp(host, port) end

--- A UDP socket bound to an address. Raises as driver.udp.
---@param host string
---@param port? integer
---@return skynet.socket.id id
function driver.udp_listen(host, port) end

--- A UDP socket with a default destination.
---@param host string
---@param port? integer
---@return skynet.socket.id id
function driver.udp_dial(host, port) end

--- Sets the default destination.
---@param id skynet.socket.id
---@param host string
---@param port? integer
function driver.udp_connect(id, host, port) end

--- As socket.sendto.
---@param id skynet.socket.id
---@param address string as it came with a datagram
---@param data string|lightuserdata
---@param sz? integer
---@return boolean queued
function driver.udp_send(id, address, data, sz) end

--- As socket.udp_address.
---@param address string
---@return string ip
---@return integer port
function driver.udp_address(address) end

--- As socket.netstat.
---@return skynet.socket.info[]
function driver.info() end

--- As socket.resolve.
---@param host string
---@return string[]
function driver.resolve(host) end

--- Reads an event. Types: 1 data, 2 connected or started, 3 end of the stream, 4 accepted, 5 error, 6 datagram, 7
--- unsent bytes have crossed a threshold.
---@param msg lightuserdata
---@param sz integer
---@return integer type
---@return skynet.socket.id id
---@return integer ud bytes, a port, or the id of a new connection
---@return string|lightuserdata data a text, or a block that is the caller's
---@return string? address of a datagram's sender
function driver.unpack(msg, sz) end

--- Frees a block.
---@param msg lightuserdata
---@param sz integer
function driver.drop(msg, sz) end

--- Copies a string into a block, which is the caller's.
---@param text string
---@return lightuserdata msg
---@return integer sz
function driver.str2p(text) end

--- As socket.header.
---@param bytes string
---@return integer
function driver.header(bytes) end

--- Makes a buffer for what comes on one socket. The `pool` of the functions below is any table.
---@return userdata buffer
function driver.buffer() end

--- Adds a block, which becomes the buffer's.
---@param buffer userdata
---@param pool table
---@param msg lightuserdata
---@param sz integer
---@return integer bytes in the buffer
function driver.push(buffer, pool, msg, sz) end

--- Takes bytes from the front.
---@param buffer userdata
---@param pool table
---@param size integer
---@return string? data nil: there are fewer, or `size` is 0
---@return integer left
function driver.pop(buffer, pool, size) end

--- Takes everything.
---@param buffer userdata
---@param pool table
---@return string data
function driver.readall(buffer, pool) end

--- Takes a line without its separator; without a pool only tells, by true, that there is one.
---@param buffer userdata
---@param pool table?
---@param separator string
---@return string|true|nil line
function driver.readline(buffer, pool, separator) end

--- Empties the buffer.
---@param buffer userdata
---@param pool table
function driver.clear(buffer, pool) end

return driver
