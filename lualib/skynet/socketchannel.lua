-- A client connection that many tasks share: requests go out in call order, replies find their requesters, a lost
-- connection is made anew by the next request. Nothing is sent twice: what was under way when the connection ended
-- fails.
--
-- Three small objects:
--   Channel  what users hold: addresses, authentication, and at most one usable link
--   Link     one connection with its own waiting requests and its one reading task (the dispatcher). A link that ended
--            takes its requests along, so leftovers never meet the next connection
--   Stream   what response functions read from; raises `socketchannel.error` at the end of the connection
--
-- Session mode (desc.response given): desc.response(stream) reads one reply and returns session, ok, value [, padding].
-- Order mode: each request brings a function(stream) that reads its reply and returns ok, value [, padding].
-- With padding, a reply goes on; its result is the array of all its values.

local skynet = require "skynet"
local socket = require "skynet.socket"
local driver = require "skynet.socketdriver"

local error, pcall, setmetatable, type = error, pcall, setmetatable, type
local running = coroutine.running
local wait, wakeup, log = skynet.wait, skynet.wakeup, skynet.error
local send, send_low = socket.write, socket.lwrite
local string_format = string.format

-- Longest pause between two rounds of connecting, in seconds. The pauses are 0, 1, 2, ... and then 1, 2, ... again.
local PAUSE_S_MAX = 11

local socketchannel = {}

-- The one error that means "the connection ended". Compare by identity.
local DISCONNECTED = setmetatable({}, { __tostring = function() return "[Error: socket]" end })
socketchannel.error = DISCONNECTED

---------------------------------------------------------------------------------------------------------------------
-- Stream

local Stream = {}
Stream.__index = Stream

function Stream:__gc()
  if self.is_open then
    self.is_open = false
    socket.shutdown(self[1])
  end
end

-- The default reading functions; desc.socket_read and desc.socket_readline replace them.
local socket_read, socket_readline = socket.read, socket.readline

function Stream:read(size)
  local data = (self.read_bytes or socket_read)(self[1], size)
  if data then
    return data
  end
  error(DISCONNECTED)
end

function Stream:readline(separator)
  local line = (self.read_line or socket_readline)(self[1], separator)
  if line then
    return line
  end
  error(DISCONNECTED)
end

---------------------------------------------------------------------------------------------------------------------
-- Link: the waiting requests. An entry { turn, reader, ok, value, parts } is its task's token.

local Link = {}
Link.__index = Link

local function address_text(host, port)
  return port and string_format("%s:%s", host, port) or host
end

local function finish(entry, ok, value)
  entry.ok, entry.value = ok, value
  wakeup(entry)
end

-- Adds a value to a reply in parts; when it was the last one, returns the complete result.
local function add_part(entry, value)
  local parts = entry.parts
  if parts then
    parts[#parts + 1] = value
  else
    parts = { value }
    entry.parts = parts
  end
  return parts
end

-- Suspends the calling task until its reply is here. `response` is a session or a reading function.
local function await_reply(link, response)
  local turn = link.turn + 1
  link.turn = turn
  local entry = { turn = turn, ok = false, value = DISCONNECTED }
  if link.sessions then
    link.sessions[response] = entry
  else
    entry.reader = response
    link.tail = link.tail + 1
    link.line[link.tail] = entry
    if link.is_idle then
      link.is_idle = false
      wakeup(link)
    end
  end
  wait(entry)
  if entry.ok then
    return entry.value
  end
  error(entry.value)
end

-- Reads replies and hands them to the request with their session; ends by an error or with a reason.
local function serve_sessions(link)
  local stream, sessions, respond = link.stream, link.sessions, link.channel.respond
  while not link.is_dropped do
    local session, ok, value, padding = respond(stream)
    if not session then
      return DISCONNECTED
    end
    local entry = sessions[session]
    if not entry then
      log(string_format("socket: unknown session : %s", session))
    elseif not ok then
      sessions[session] = nil
      finish(entry, false, value)
    elseif padding then
      add_part(entry, value)
    else
      sessions[session] = nil
      finish(entry, true, entry.parts and add_part(entry, value) or value)
    end
  end
  return "channel_closed"
end

-- The next request in line; waits for one. Nil when the connection has ended.
local function next_in_line(link)
  while link.head > link.tail do
    if link.is_ended or link.is_dropped then
      return nil
    end
    link.is_idle = true
    wait(link)
  end
  return link.line[link.head]
end

-- Lets the requests read their replies, one after another. A request stays in line until its reply is complete.
local function serve_in_order(link)
  local stream = link.stream
  local entry = next_in_line(link)
  while entry do
    local ok, value, padding
    repeat
      ok, value, padding = entry.reader(stream)
      if ok and (padding or entry.parts) then
        value = add_part(entry, value)
      end
    until not (ok and padding)
    link.line[link.head] = nil
    link.head = link.head + 1
    finish(entry, ok, value)
    if link.is_dropped then
      return "channel_closed"
    end
    entry = next_in_line(link)
  end
  return DISCONNECTED
end

-- Ends the requests that still wait, oldest first.
local function fail_all(link, reason)
  local entries = {}
  if link.sessions then
    for _, entry in next, link.sessions do
      entries[#entries + 1] = entry
    end
    table.sort(entries, function(a, b) return a.turn < b.turn end)
    link.sessions = {}
  else
    for index = link.head, link.tail do
      entries[#entries + 1] = link.line[index]
    end
    link.line, link.head, link.tail = {}, 1, 0
  end
  for _, entry in ipairs(entries) do
    finish(entry, false, reason)
  end
  return #entries
end

-- No request takes this link any more.
local function detach(link)
  local channel = link.channel
  if channel.link == link then
    channel.link = nil
  end
end

local function wake_idle(link)
  if link.is_idle then
    link.is_idle = false
    wakeup(link)
  end
end

-- Ends the connection from our side; its dispatcher fails what waits.
local function drop(link)
  if link.is_dropped then
    return
  end
  link.is_dropped = true
  detach(link)
  wake_idle(link)
  if link.batch then
    link.batch:flush()
  end
  link.stream.is_open = false
  socket.close(link.stream[1])
end

local function dispatch(link)
  local serve = link.sessions and serve_sessions or serve_in_order
  local ok, reason = pcall(serve, link)
  detach(link)
  local failed = fail_all(link, reason)
  if not ok and reason ~= DISCONNECTED and failed == 0 then
    log("socket: error: " .. tostring(reason))
  end
  drop(link)
  local channel = link.channel
  channel.dispatching = nil
  if channel.dispatch_waiter then
    wakeup(channel.dispatch_waiter)
  end
end

-- An idle order-mode link learns of the peer's end only here. While replies are being read, the dispatcher first takes
-- those that arrived before the end.
local function watch_end(link)
  socket.onclose(link.stream[1], function()
    link.is_ended = true
    detach(link)
    if link.is_idle then
      if not link.is_dropped then
        log("socket closed by peer : " .. address_text(link.channel.host, link.channel.port))
      end
      wake_idle(link)
    end
  end)
end

local function watch_backlog(link)
  local channel = link.channel
  socket.warning(link.stream[1], function(id, kib)
    if kib == 0 then
      channel.is_overloaded = false
      channel.overload(false)
    elseif channel.is_overloaded then
      log(string_format("WARNING: %d K bytes need to send out (fd = %d %s)", kib, id,
        address_text(channel.host, channel.port)))
    else
      channel.is_overloaded = true
      channel.overload(true)
    end
  end)
end

local function new_link(channel, id)
  local stream = setmetatable({ id, is_open = true, read_bytes = channel.read_bytes, read_line = channel.read_line },
    Stream)
  local link = setmetatable({
    channel = channel,
    stream = stream,
    batch = channel.new_batch and channel.new_batch(id),
    sessions = channel.respond and {} or nil,
    line = {}, head = 1, tail = 0,  -- order mode
    turn = 0,
    is_idle = false,
    is_ended = false,    -- the peer closed
    is_dropped = false,  -- we did
  }, Link)
  if channel.nodelay then
    driver.nodelay(id)
  end
  if channel.overload then
    watch_backlog(link)
  end
  watch_end(link)
  channel.dispatching = link
  skynet.fork(dispatch, link)
  return link
end

---------------------------------------------------------------------------------------------------------------------
-- Channel: connecting. One task connects; the others stand in line.

---@class skynet.socketchannel.channel
local Channel = {}
Channel.__index = Channel

local function without_duplicates(backup, port)
  local seen, list = {}, {}
  for _, item in ipairs(backup or {}) do
    local address = type(item) == "table" and item or { host = item, port = port }
    local key = string_format("%s %s", address.host, address.port)
    if not seen[key] then
      seen[key] = true
      list[#list + 1] = { host = address.host, port = address.port }
    end
  end
  return list
end

local function wait_for_dispatcher(channel)
  while channel.dispatching do
    local ticket = {}
    channel.dispatch_waiter = ticket
    wait(ticket)
    channel.dispatch_waiter = nil
  end
end

-- Runs desc.auth on a fresh link, which only the connecting task may use. False: try the next address.
local function authenticate(channel, link)
  if not channel.auth then
    return true
  end
  channel.trial = link
  local ok, reason = pcall(channel.auth, channel)
  channel.trial = nil
  if ok and (link.is_dropped or link.is_ended) then
    ok, reason = false, DISCONNECTED
  end
  if not ok then
    channel.auth_failed = true
    log("socket: auth failed: " .. tostring(reason))
    drop(link)
  end
  return ok
end

-- One address, from the list of `version`. Returns a usable link, or nil.
local function try_address(channel, host, port, version)
  local id, reason = socket.open(host, port)
  if not id then
    log(string_format("socket: connect to %s failed: %s", address_text(host, port), reason))
    return nil
  end
  wait_for_dispatcher(channel)
  if channel.closed or channel.address_version ~= version then
    socket.close(id)
    return nil
  end
  channel.host, channel.port = host, port
  local link = new_link(channel, id)
  return authenticate(channel, link) and link or nil
end

-- One round over the addresses. auth may name another host: then a new round begins.
local function try_all(channel)
  ::again::
  local version = channel.address_version
  local addresses = { { host = channel.host, port = channel.port }, table.unpack(channel.backup) }
  channel.auth_failed = false
  for _, address in ipairs(addresses) do
    local link = try_address(channel, address.host, address.port, version)
    if channel.closed then
      if link then
        drop(link)
      end
      return nil
    end
    if channel.address_version ~= version then
      if link then
        drop(link)
      end
      goto again
    end
    if link then
      return link
    end
  end
end

-- Closed when the connecting task is done, or was killed. The tasks in line look again, in their order.
local Turn = {}
function Turn:__close()
  local channel = self.channel
  channel.connecting, channel.trial = nil, nil
  local line = channel.line
  channel.line = {}
  for _, ticket in ipairs(line) do
    wakeup(ticket)
  end
end

local function connect_in_rounds(channel, once)
  local pause_s = 0
  local link = try_all(channel)
  while not (link or once or channel.closed) do
    skynet.sleep(pause_s * 100)
    pause_s = pause_s < PAUSE_S_MAX and pause_s + 1 or 1
    if not channel.closed then
      link = try_all(channel)
    end
  end
  return link
end

local function become_connected(channel, once)
  local turn <close> = setmetatable({ channel = channel }, Turn)
  channel.connecting = running()
  local link = connect_in_rounds(channel, once)
  if not link then
    error(channel.auth_failed and "no more backup host" or DISCONNECTED, 0)
  end
  channel.link = link
  if channel.is_overloaded then
    channel.is_overloaded = false
    channel.overload(false)
  end
  return link
end

-- A usable link; connects if there is none. Raises if that fails.
local function acquire(channel, once)
  assert(not channel.closed)
  local link = channel.link
  if link then
    return link
  end
  local connecting = channel.connecting
  if not connecting then
    return become_connected(channel, once)
  end
  if connecting == running() then
    local trial = channel.trial  -- inside auth
    if trial and not (trial.is_dropped or trial.is_ended) then
      return trial
    end
    error(DISCONNECTED)
  end
  local ticket = {}
  channel.line[#channel.line + 1] = ticket
  wait(ticket)
  if channel.closed or not channel.link then
    error(DISCONNECTED)
  end
  return channel.link
end

---------------------------------------------------------------------------------------------------------------------
-- Channel: what users call

local function fail_write(link)
  drop(link)
  error(DISCONNECTED)
end

--- Sends `data`, connecting first if need be (one round), and waits for the reply, unless `response` is nil.
---@param data string|table what socket.write takes
---@param response? any a session, or in order mode a function(stream)
---@param padding? string[] written after data, all of it behind what is written without padding
---@return any value
function Channel:request(data, response, padding)
  local link = self.link or acquire(self, true)
  local id, batch = link.stream[1], link.batch
  if padding then
    if batch then
      batch:flush()
    end
    if not send_low(id, data) then
      fail_write(link)
    end
    for _, part in ipairs(padding) do
      if not send_low(id, part) then
        fail_write(link)
      end
    end
  elseif batch then
    if not batch:write(data) then
      fail_write(link)
    end
  elseif not send(id, data) then
    fail_write(link)
  end
  if response == nil then
    return
  end
  return await_reply(link, response)
end

--- Waits for a reply without sending anything; connects until it succeeds.
---@param response any a session, or in order mode a function(stream)
---@return any value
function Channel:response(response)
  return await_reply(self.link or acquire(self, false), response)
end

--- Connects now. Opens a closed channel again.
---@param once? boolean one round, raises if it fails; otherwise tries for ever
function Channel:connect(once)
  self.closed = false
  acquire(self, once)
end

-- Ends what there is of a connection.
local function drop_current(channel)
  local link = channel.link or channel.trial
  if link then
    drop(link)
  end
end

--- Ends the connection; requests raise until connect() is called.
function Channel:close()
  if not self.closed then
    self.closed = true
    drop_current(self)
  end
end

--- Uses another address from now on. The next request connects.
---@param host string
---@param port? integer
function Channel:changehost(host, port)
  self.host = host
  self.port = port or self.port
  self.address_version = self.address_version + 1
  if not self.closed then
    drop_current(self)
  end
end

--- Replaces the list of further addresses.
---@param backup? (string|table)[]
function Channel:changebackup(backup)
  self.backup = without_duplicates(backup, self.port)
end

---@class skynet.socketchannel.desc
---@field host string
---@field port? integer nil if host holds it
---@field backup? (string|table)[] further hosts (same port) or { host =, port = }
---@field auth? fun(channel: skynet.socketchannel.channel)
---@field response? fun(stream: table): any, boolean, any, boolean?
---@field nodelay? boolean
---@field new_batch? fun(id: integer): table writes without padding go through it (skynet.cluster.batch); not in skynet
---@field overload? fun(is_overloaded: boolean)
---@field socket_read? fun(id: integer, size: integer): string|false
---@field socket_readline? fun(id: integer, separator: string): string|false

--- Makes a channel; it connects when it is first used.
---@param desc skynet.socketchannel.desc
---@return skynet.socketchannel.channel
function socketchannel.channel(desc)
  return setmetatable({
    host = assert(desc.host),
    port = desc.port,
    backup = without_duplicates(desc.backup, desc.port),
    auth = desc.auth,
    respond = desc.response,
    nodelay = desc.nodelay,
    new_batch = desc.new_batch,
    overload = desc.overload,
    read_bytes = desc.socket_read,
    read_line = desc.socket_readline,
    closed = false,
    link = nil,         -- usable by everybody
    trial = nil,        -- being authenticated
    connecting = nil,   -- the task that connects
    line = {},          -- tokens of the tasks that wait for it
    dispatching = nil,  -- the link whose dispatcher still runs
    address_version = 0,
    is_overloaded = false,
  }, Channel)
end

return socketchannel
