-- Sockets for services, one task per reader: calls block the calling task only. Over skynet.socketdriver.
--
-- Registers the protocol "socket"; a service uses either this module or snax.gateserver.
--
-- A socket held by this service is a record in `held`. At most one task reads a socket at a time (a second one raises).
-- More than 128 KiB that nobody needs pause the socket until the next read has to wait. When the VM ends, every socket
-- still held is closed.

local skynet = require "skynet"
local driver = require "skynet.socketdriver"

local assert, string_format, type = assert, string.format, type
local wait, wakeup, log = skynet.wait, skynet.wakeup, skynet.error
local push, pop, take_all, take_line = driver.push, driver.pop, driver.readall, driver.readline

-- Buffered bytes beyond which a socket nobody reads is paused.
local PAUSE_BYTES = 128 * 1024

-- What a reading task waits for, in record.want: a byte count, a separator (string), ANY or EVERYTHING.
local ANY = 1
local EVERYTHING = math.huge

---@class skynet.socket
local socket = {}

-- Socket id -> record:
--   id
--   stage       "opening" (connect, listen or start under way), "up", "down" (ended or failed; still held)
--   failure     why opening failed
--   buffer, pool   of a stream
--   on_accept   of a listener, on_datagram of UDP, on_closed, on_backlog
--   want        what the reader waits for; nil while nobody waits
--   reading     true from the moment a task starts to wait until it has taken its result
--   paused      nil, "flow" (by us) or "user"
--   limit       bytes
--   closers     tokens of the tasks inside close(); from then on reads fail
--   address, port  of a listener
local held = {}

setmetatable(held, { __gc = function(sockets)
  for id in next, sockets do
    driver.close(id)
  end
end })

local function hold(id, stage)
  local record = { id = id, stage = stage }
  held[id] = record
  return record
end

local function attach_buffer(record)
  record.buffer, record.pool = driver.buffer(), {}
  return record
end

local function release(record)
  held[record.id] = nil
  if record.buffer then
    driver.clear(record.buffer, record.pool)
  end
end

---------------------------------------------------------------------------------------------------------------------
-- Waiting. The record is the token of the one task that opens or reads the socket.

local function wake_reader(record)
  if record.want then
    record.want = nil
    wakeup(record)
  end
end

local function wake_closers(record)
  for _, ticket in ipairs(record.closers) do
    wakeup(ticket)
  end
  record.closers = {}
end

-- Suspends the calling task until `want` is there or the socket has ended.
local function await_bytes(record, want)
  assert(not record.reading)
  record.reading, record.want = true, want
  if record.paused then
    if record.paused == "flow" then
      log(string_format("Resume socket (%d)", record.id))
    end
    record.paused = nil
    driver.start(record.id)
  end
  wait(record)
end

-- The result of a read was taken: close() may go on.
local function end_read(record)
  record.reading = false
  if record.closers and record.stage == "down" then
    wake_closers(record)
  end
end

local function is_readable(record)
  return record.stage == "up" and not record.closers
end

local function await_opening(record)
  wait(record)
  if record.stage == "up" then
    return record.id
  end
  held[record.id] = nil
  return nil, record.failure or "socket closed"
end

local function end_opening(record, stage, failure)
  record.stage, record.failure = stage, failure
  wakeup(record)
end

---------------------------------------------------------------------------------------------------------------------
-- Events of the driver, by number.

local events = {}

-- Whether the reader's wish is fulfilled with `total` bytes buffered.
local function has_enough(record, want, total)
  if type(want) == "string" then
    return take_line(record.buffer, nil, want)
  end
  return total >= want
end

local function pause_for_flow(record, total)
  record.paused = "flow"
  driver.pause(record.id)
  log(string_format("Pause socket (%d) size : %d", record.id, total))
end

-- 1: bytes came.
events[1] = function(id, size, bytes)
  local record = held[id]
  if not record or not record.buffer then
    log(string_format("socket: drop %d bytes of unknown socket %d", size, id))
    driver.drop(bytes, size)
    return
  end
  local total = push(record.buffer, record.pool, bytes, size)
  local want = record.want
  local enough = want and has_enough(record, want, total)
  if record.limit and total > record.limit and not (want and type(want) == "number") then
    log(string_format("socket: %d bytes buffered on socket %d, limit is %d", total, id, record.limit))
    driver.close(id)
    return
  end
  if total > PAUSE_BYTES and not record.paused and (enough or not want) then
    pause_for_flow(record, total)
  end
  if enough then
    wake_reader(record)
  end
end

-- 2: a connect, listen or start has succeeded.
events[2] = function(id, port, address)
  local record = held[id]
  if record and record.stage == "opening" then
    record.address, record.port = address, port
    end_opening(record, "up")
  end
end

-- 3: the stream has ended, here or at the peer.
events[3] = function(id)
  local record = held[id]
  if not record then
    driver.close(id)  -- half closed, and nobody is left to close our half
    return
  end
  local was_opening = record.stage == "opening"
  record.stage = "down"
  if was_opening then
    wakeup(record)
  end
  wake_reader(record)
  local on_closed = record.on_closed
  if on_closed then
    record.on_closed = nil
    on_closed(id)
  end
  if record.closers then
    wake_closers(record)
  end
end

-- 4: a listener accepted a connection.
events[4] = function(id, new_id, address)
  local record = held[id]
  if record and record.on_accept then
    record.on_accept(new_id, address)
  else
    driver.close(new_id)
  end
end

-- 5: an error. Not the end of a listener or of a UDP socket.
events[5] = function(id, _, text)
  local record = held[id]
  if not record then
    driver.shutdown(id)
    log(string_format("socket: error on unknown socket %d: %s", id, text))
  elseif record.stage == "opening" then
    end_opening(record, "down", text)
  elseif record.on_accept or record.on_datagram then
    log(string_format("socket: accept error on socket %d: %s", id, text))
  else
    if record.stage == "up" then
      log(string_format("socket: error on socket %d: %s", id, text))
    end
    record.stage = "down"
    driver.shutdown(id)
    wake_reader(record)
  end
end

-- 6: a datagram.
events[6] = function(id, size, bytes, from)
  local record = held[id]
  local data = skynet.tostring(bytes, size)
  driver.drop(bytes, size)
  if record and record.on_datagram then
    record.on_datagram(data, from)
  else
    log(string_format("socket: drop a datagram of %d bytes of unknown socket %d", size, id))
  end
end

-- 7: the unsent bytes have crossed a threshold.
events[7] = function(id, kib)
  local record = held[id]
  if not record then
    return
  end
  if record.on_backlog then
    record.on_backlog(id, kib)
  else
    log(string_format("WARNING: %d K bytes need to send out (fd = %d)", kib, id))
  end
end

skynet.register_protocol {
  name = "socket",
  id = skynet.PTYPE_SOCKET,
  unpack = driver.unpack,
  dispatch = function(_, _, event, ...)
    events[event](...)
  end,
}

---------------------------------------------------------------------------------------------------------------------
-- Opening

--- Connects. `address` may hold the port ("host:port").
---@param address string
---@param port? integer
---@return integer? id
---@return string? reason
function socket.open(address, port)
  local id = driver.connect(address, port)
  if id < 0 then
    return nil, "no free socket id"
  end
  return await_opening(attach_buffer(hold(id, "opening")))
end

--- Binds and listens; call `start(id, on_accept)` next. Raises if the address cannot be bound.
---@param host string
---@param port? integer 0 = any
---@param backlog? integer
---@return integer? id
---@return string address the real one
---@return integer port the real one
function socket.listen(host, port, backlog)
  local record = hold(driver.listen(host, port, backlog), "opening")
  record.is_listener = true
  local id, reason = await_opening(record)
  if not id then
    return nil, reason
  end
  return id, record.address, record.port
end

--- Starts a listener (with `on_accept`) or an accepted socket, which this service owns from now on.
---@param id integer
---@param on_accept? fun(id: integer, address: string) each call is a task of its own
---@return integer? id
---@return string? reason
function socket.start(id, on_accept)
  local before = held[id]
  if before and not before.is_listener then
    error("socket is not closed")
  end
  local record = hold(id, "opening")
  if on_accept then
    record.on_accept, record.is_listener = on_accept, true
  else
    attach_buffer(record)
  end
  driver.start(id)
  return await_opening(record)
end

--- Wraps a descriptor of the operating system.
---@param fd integer
---@return integer? id
function socket.bind(fd)
  return await_opening(attach_buffer(hold(driver.bind(fd), "opening")))
end

---@return integer? id
function socket.stdin()
  return socket.bind(0)
end

---------------------------------------------------------------------------------------------------------------------
-- Reading

local function drain(record)
  return take_all(record.buffer, record.pool)
end

local function read_any(record)
  if is_readable(record) then
    local data = drain(record)
    if data ~= "" then
      return data
    end
    await_bytes(record, ANY)
    data = drain(record)
    end_read(record)
    if data ~= "" then
      return data
    end
    return false, ""
  end
  local data = drain(record)
  if data ~= "" and not record.closers then
    return data
  end
  return false, data
end

--- Reads exactly `size` bytes, or whatever there is. At the end of the stream: false and what was left.
---@param id integer
---@param size? integer
---@return string|false data
---@return string? rest
function socket.read(id, size)
  local record = assert(held[id])
  if not size then
    return read_any(record)
  end
  if record.closers then
    return false, drain(record)
  end
  local data = pop(record.buffer, record.pool, size)
  if data then
    return data
  elseif size == 0 then
    return ""
  elseif record.stage ~= "up" then
    return false, drain(record)
  end
  await_bytes(record, size)
  data = pop(record.buffer, record.pool, size)
  if not data then
    local rest = drain(record)
    end_read(record)
    return false, rest
  end
  end_read(record)
  return data
end

--- Reads up to a separator, which is not part of the result.
---@param id integer
---@param separator? string default "\n"
---@return string|false line
---@return string? rest
function socket.readline(id, separator)
  separator = separator or "\n"
  local record = assert(held[id])
  if record.closers then
    return false, drain(record)
  end
  local line = take_line(record.buffer, record.pool, separator)
  if line then
    return line
  elseif record.stage ~= "up" then
    return false, drain(record)
  end
  await_bytes(record, separator)
  line = take_line(record.buffer, record.pool, separator)
  local rest = not line and drain(record) or nil
  end_read(record)
  return line or false, rest
end

--- Reads until the peer ends the stream. False if it had ended before and nothing was left.
---@param id integer
---@return string|false
function socket.readall(id)
  local record = assert(held[id])
  if not is_readable(record) then
    local data = drain(record)
    return data ~= "" and data
  end
  await_bytes(record, EVERYTHING)
  local data = drain(record)
  end_read(record)
  return data
end

--- Waits until there is something to read, or the end.
---@param id integer
---@return boolean connected
function socket.block(id)
  local record = held[id]
  if not record or not is_readable(record) then
    return false
  end
  local _, buffered = pop(record.buffer, record.pool, 0)
  if (buffered or 0) == 0 then
    await_bytes(record, ANY)
    end_read(record)
  end
  return record.stage == "up"
end

--- Stops reading until the next read has to wait.
---@param id integer
function socket.pause(id)
  local record = held[id]
  if record and not record.paused then
    record.paused = "user"
    driver.pause(id)
  end
end

---------------------------------------------------------------------------------------------------------------------
-- Writing

--- (id, data) -> boolean; false: the socket is dead or closing.
socket.write = driver.send
--- Like write, behind everything that is written with `write`.
socket.lwrite = driver.lsend
--- Big-endian integer of 1 to 4 bytes.
socket.header = driver.header

---------------------------------------------------------------------------------------------------------------------
-- Ending

--- Sends what is queued, closes, and waits until it is done and a reading task has its result.
---@param id integer
function socket.close(id)
  local record = held[id]
  if not record then
    return
  end
  record.closers = record.closers or {}
  driver.close(id)  -- also if the peer ended first: our half is still open
  while record.stage ~= "down" or record.reading do
    local ticket = {}
    record.closers[#record.closers + 1] = ticket
    wait(ticket)
  end
  if held[id] == record then
    release(record)
  end
end

--- Closes a socket that this service does not hold.
---@param id integer
function socket.close_fd(id)
  assert(held[id] == nil, "Use socket.close instead")
  driver.close(id)
end

--- Throws away what is queued and ends the stream. The socket must still be closed.
---@param id integer
function socket.shutdown(id)
  if held[id] then
    driver.shutdown(id)
  end
end

--- Forgets the socket, so that another service can start() it. Returns what came and was not read.
---@param id integer
---@return string? unread
function socket.abandon(id)
  local record = held[id]
  if not record then
    return
  end
  record.stage = "down"
  held[id] = nil
  local unread = record.buffer and not record.reading and drain(record)
  wake_reader(record)
  return unread or ""
end

---@param id integer
---@return boolean
function socket.invalid(id)
  return held[id] == nil
end

--- True if the stream has ended; nil if the socket is not held.
---@param id integer
---@return boolean?
function socket.disconnected(id)
  local record = held[id]
  if record then
    return record.stage == "down"
  end
end

---------------------------------------------------------------------------------------------------------------------
-- Limits and notices

--- Closes the socket if more than `bytes` are buffered while no task waits for a number of bytes.
---@param id integer
---@param bytes integer
function socket.limit(id, bytes)
  assert(held[id]).limit = bytes
end

--- Calls `f(id, KiB)` when unsent bytes cross a threshold, and with 0 when all are sent.
---@param id integer
---@param f fun(id: integer, kib: integer)
function socket.warning(id, f)
  assert(held[id]).on_backlog = f
end

--- Calls `f(id)` once, when the end of the stream is seen, after the reader was woken.
---@param id integer
---@param f fun(id: integer)
function socket.onclose(id, f)
  assert(held[id]).on_closed = f
end

---------------------------------------------------------------------------------------------------------------------
-- UDP

local function hold_udp(id, on_datagram)
  hold(id, "up").on_datagram = on_datagram
  return id
end

---@param on_datagram fun(data: string, from: string)
---@param host? string
---@param port? integer
---@return integer id
function socket.udp(on_datagram, host, port)
  return hold_udp(driver.udp(host, port), on_datagram)
end

---@param host string
---@param port integer
---@param on_datagram fun(data: string, from: string)
---@return integer id
function socket.udp_listen(host, port, on_datagram)
  return hold_udp(driver.udp_listen(host, port), on_datagram)
end

---@param host string
---@param port integer
---@param on_datagram fun(data: string, from: string)
---@return integer id
function socket.udp_dial(host, port, on_datagram)
  return hold_udp(driver.udp_dial(host, port), on_datagram)
end

--- Sets the default destination of a UDP socket, and its reader if one is given.
---@param id integer
---@param host string
---@param port integer
---@param on_datagram? fun(data: string, from: string)
function socket.udp_connect(id, host, port, on_datagram)
  if not held[id] then
    hold_udp(id, on_datagram)
  elseif on_datagram then
    held[id].on_datagram = on_datagram
  end
  driver.udp_connect(id, host, port)
end

--- (id, from, data) -> boolean; `from` as a reader got it.
socket.sendto = driver.udp_send
--- (from) -> ip, port
socket.udp_address = driver.udp_address
--- Array of tables, one per socket of the node.
socket.netstat = driver.info
--- (host) -> array of addresses; blocks the worker.
socket.resolve = driver.resolve

return socket
