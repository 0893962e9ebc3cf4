-- Websockets (RFC 6455) over skynet.socket, both sides, without extensions and without TLS.
--
-- A server calls `accept` with a handler, whose functions (all optional) get the id first, in one task, in order:
--   connect(id), handshake(id, header, url), message(id, data, "text"|"binary"), ping(id), pong(id),
--   warning(id, KiB) when unsent bytes cross a threshold, and in the end one of
--   close(id, code, reason)   either side has closed; code 1005: the peer gave none
--   error(id, text)           the connection was lost, or the peer broke the rules, or a handler raised
-- A client calls `connect` and then `read`. Pings are answered by themselves on both sides. Text is not checked to be
-- UTF-8.
--
-- A peer that breaks the rules gets a close frame that says how (1002, or 1009: too big), and its connection is closed.

local skynet = require "skynet"
local socket = require "skynet.socket"
local crypt = require "skynet.crypt"
local internal = require "http.internal"
local sockethelper = require "http.sockethelper"

local string_pack, string_unpack = string.pack, string.unpack

---@class http.websocket
local websocket = {}

-- What RFC 6455 makes both sides hash with the client's key.
local GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
local VERSION = "13"
-- The one subprotocol that a server here speaks.
local SUBPROTOCOL = "chat"
local PORT = 80

-- Longest message, and so also frame, that is read.
local SERVER_BYTES_MAX = 256 * 1024
local CLIENT_BYTES_MAX = 64 * 1024 * 1024
-- Payload of a control frame.
local CONTROL_BYTES_MAX <const> = 125

local OP_CONTINUE <const> = 0x0
local OP_TEXT <const> = 0x1
local OP_BINARY <const> = 0x2
local OP_CLOSE <const> = 0x8
local OP_PING <const> = 0x9
local OP_PONG <const> = 0xa

local OP_NAMES = {
  [OP_CONTINUE] = "continuation",
  [OP_TEXT] = "text",
  [OP_BINARY] = "binary",
  [OP_CLOSE] = "close",
  [OP_PING] = "ping",
  [OP_PONG] = "pong",
}
local OP_OF_KIND = { text = OP_TEXT, binary = OP_BINARY }

-- Codes of a close frame.
local CLOSE_NORMAL = 1000
local CLOSE_PROTOCOL_ERROR = 1002
local CLOSE_NO_CODE = 1005
local CLOSE_TOO_BIG = 1009
local CLOSE_INTERNAL_ERROR = 1011

-- Socket id -> connection:
--   id, is_server, address, header, reader, write
--   bytes_max   of a message
--   is_closed   a close frame was sent, or the stream has ended: nothing is written any more
--   code, reason   of the first close frame, either way
--   handler     of a server
local connections = {}

---------------------------------------------------------------------------------------------------------------------
-- Violations: raised where the peer breaks the rules

local Violation = {}
Violation.__index = Violation

function Violation:__tostring()
  return self.text
end

local function violate(code, ...)
  error(setmetatable({ code = code, text = "websocket: " .. string.format(...) }, Violation))
end

local function is_violation(value)
  return getmetatable(value) == Violation
end

---------------------------------------------------------------------------------------------------------------------
-- Frames

local function mask(data, key)
  return data == "" and data or crypt.xor_str(data, string_pack(">I4", key))
end

-- A whole message or control frame as bytes.
local function frame_text(op, data, masking_key)
  local bytes, mask_bit = #data, masking_key and 0x80 or 0
  local head
  if bytes < 126 then
    head = string_pack("BB", 0x80 | op, mask_bit | bytes)
  elseif bytes < 0x10000 then
    head = string_pack(">BBI2", 0x80 | op, mask_bit | 126, bytes)
  else
    head = string_pack(">BBI8", 0x80 | op, mask_bit | 127, bytes)
  end
  if masking_key then
    return head .. string_pack(">I4", masking_key) .. mask(data, masking_key)
  end
  return head .. data
end

-- A client must mask what it sends, with another key each time.
local function send_frame(conn, op, data, masking_key)
  if not masking_key and not conn.is_server then
    masking_key = math.random(0, 0xffffffff)
  end
  conn.write(frame_text(op, data, masking_key))
end

-- Whether a frame is masked is not checked: skynet's own clients send frames without.
local function check_head(op, is_last, bytes)
  if not OP_NAMES[op] then
    violate(CLOSE_PROTOCOL_ERROR, "opcode %d is not known", op)
  elseif op >= OP_CLOSE and not is_last then
    violate(CLOSE_PROTOCOL_ERROR, "a %s frame in fragments", OP_NAMES[op])
  elseif op >= OP_CLOSE and bytes > CONTROL_BYTES_MAX then
    violate(CLOSE_PROTOCOL_ERROR, "a %s frame of more than %d bytes", OP_NAMES[op], CONTROL_BYTES_MAX)
  end
end

-- Returns whether it is the last of its message, the opcode, and the payload.
local function read_frame(conn)
  local reader = conn.reader
  local first, second = string.byte(reader:take(2), 1, 2)
  if first & 0x70 ~= 0 then
    violate(CLOSE_PROTOCOL_ERROR, "a reserved bit is set")
  end
  local is_last, op, is_masked, bytes = first & 0x80 ~= 0, first & 0x0f, second & 0x80 ~= 0, second & 0x7f
  check_head(op, is_last, bytes)
  if bytes == 126 then
    bytes = string_unpack(">I2", reader:take(2))
  elseif bytes == 127 then
    bytes = string_unpack(">i8", reader:take(8))
  end
  if bytes < 0 then
    violate(CLOSE_PROTOCOL_ERROR, "a length of 64 bits")
  elseif bytes > conn.bytes_max then
    violate(CLOSE_TOO_BIG, "a frame of %d bytes, allowed are %d", bytes, conn.bytes_max)
  end
  local key = is_masked and string_unpack(">I4", reader:take(4))
  local data = reader:take(bytes)
  return is_last, op, key and mask(data, key) or data
end

-- Codes that a close frame may carry: RFC 6455, 7.4, and what was registered since.
local function is_close_code(code)
  return code >= 1000 and code <= 1003 or code >= 1007 and code <= 1014 or code >= 3000 and code <= 4999
end

local function parse_close(data)
  if data == "" then
    return CLOSE_NO_CODE, ""
  end
  local code = #data >= 2 and string_unpack(">I2", data)
  if not code or not is_close_code(code) then
    violate(CLOSE_PROTOCOL_ERROR, "a close frame without a valid code")
  end
  return code, string.sub(data, 3)
end

-- Returns the opcode of the next message or control frame, and its data. Control frames may come in the midst of a
-- message; conn.op and conn.parts keep what has come of it.
local function receive(conn)
  while true do
    local is_last, op, data = read_frame(conn)
    if op >= OP_CLOSE then
      return op, data
    elseif op == OP_CONTINUE and not conn.op then
      violate(CLOSE_PROTOCOL_ERROR, "a continuation of nothing")
    elseif op ~= OP_CONTINUE and conn.op then
      violate(CLOSE_PROTOCOL_ERROR, "a message within another")
    end
    if op ~= OP_CONTINUE then
      conn.op, conn.parts, conn.bytes = op, {}, 0
    end
    conn.bytes = conn.bytes + #data
    if conn.bytes > conn.bytes_max then
      violate(CLOSE_TOO_BIG, "a message of more than %d bytes", conn.bytes_max)
    end
    if data ~= "" then
      table.insert(conn.parts, data)
    end
    if is_last then
      op, data = conn.op, table.concat(conn.parts)
      conn.op, conn.parts = nil, nil
      return op, data
    end
  end
end

---------------------------------------------------------------------------------------------------------------------
-- Connections

local function new_connection(id, is_server, address)
  local conn = {
    id = id,
    is_server = is_server,
    address = address,
    reader = internal.reader(sockethelper.readfunc(id)),
    write = sockethelper.writefunc(id),
    bytes_max = is_server and SERVER_BYTES_MAX or CLIENT_BYTES_MAX,
  }
  connections[id] = conn
  return conn
end

local function forget(conn)
  if connections[conn.id] == conn then
    connections[conn.id] = nil
  end
end

-- Sends a close frame, unless one was sent before, and closes the socket. It does not raise.
local function close(conn, payload)
  if not conn.is_closed then
    conn.is_closed = true
    pcall(send_frame, conn, OP_CLOSE, payload)
  end
  socket.close(conn.id)
end

local function close_payload(code, reason)
  return string_pack(">I2", code) .. string.sub(reason, 1, CONTROL_BYTES_MAX - 2)
end

local function open_connection(id)
  local conn = connections[id]
  if not conn or conn.is_closed then
    error(string.format("websocket: %s is not open", tostring(id)), 3)
  end
  return conn
end

---------------------------------------------------------------------------------------------------------------------
-- Handshake

-- Whether a field (a text or an array of them) lists a word, in any case.
local function lists(field, word)
  local values = type(field) == "table" and table.concat(field, ",") or field or ""
  for item in string.gmatch(string.lower(values), "[^%s,]+") do
    if item == word then
      return true
    end
  end
  return false
end

local function accept_key(key)
  return crypt.base64encode(crypt.sha1(key .. GUID))
end

local function is_key(key)
  local ok, bytes = pcall(crypt.base64decode, type(key) == "string" and key or "=")
  return ok and #bytes == 16
end

-- Raises a Fault of http.internal where the request is not one for a websocket.
local function check_request(method, header)
  if method ~= "GET" then
    internal.refuse(405, "websocket: method %s", method)
  elseif not lists(header.upgrade, "websocket") or not lists(header.connection, "upgrade") then
    internal.refuse(426, "websocket: not a request to upgrade")
  elseif header["sec-websocket-version"] ~= VERSION then
    internal.refuse(426, "websocket: a version other than %s", VERSION)
  elseif not is_key(header["sec-websocket-key"]) then
    internal.refuse(400, "websocket: a key that is not 16 bytes in base64")
  elseif header["sec-websocket-protocol"] and not lists(header["sec-websocket-protocol"], SUBPROTOCOL) then
    internal.refuse(400, "websocket: no subprotocol %s", SUBPROTOCOL)
  end
end

local function shake_server_hand(conn, upgrade)
  local method, url, header
  if upgrade then
    method, url, header = upgrade.method or "GET", upgrade.url, upgrade.header
  else
    method, url, header = internal.read_request_head(conn.reader)
  end
  check_request(method, header)
  conn.header = header
  conn.write(internal.head_text("HTTP/1.1 101 Switching Protocols", {
    ["Upgrade"] = "websocket",
    ["Connection"] = "Upgrade",
    ["Sec-WebSocket-Accept"] = accept_key(header["sec-websocket-key"]),
    ["Sec-WebSocket-Protocol"] = header["sec-websocket-protocol"] and SUBPROTOCOL or nil,
  }))
  return header, url
end

local function refuse_hand(conn, fault)
  local first_line = string.format("HTTP/1.1 %d Refused", fault.status)
  pcall(conn.write, internal.head_text(first_line, {
    ["Connection"] = "close",
    ["Content-Length"] = 0,
    ["Sec-WebSocket-Version"] = VERSION,
  }))
end

local function shake_client_hand(conn, authority, path, header)
  local key = crypt.base64encode(crypt.randomkey() .. crypt.randomkey())
  conn.write(internal.head_text(string.format("GET %s HTTP/1.1", path), header, {
    ["host"] = authority,
    ["upgrade"] = "websocket",
    ["connection"] = "Upgrade",
    ["sec-websocket-version"] = VERSION,
    ["sec-websocket-key"] = key,
  }))
  local status, received = internal.read_response_head(conn.reader)
  conn.header = received
  if status ~= 101 then
    error(string.format("websocket: the server answered %d", status), 0)
  elseif not lists(received.upgrade, "websocket") or not lists(received.connection, "upgrade") then
    error("websocket: the server does not upgrade", 0)
  elseif received["sec-websocket-accept"] ~= accept_key(key) then
    error("websocket: the server did not hash our key", 0)
  end
end

---------------------------------------------------------------------------------------------------------------------
-- Server

local function call(conn, name, ...)
  local f = conn.handler[name]
  if f then
    f(conn.id, ...)
  end
end

local function serve(conn, upgrade)
  call(conn, "connect")
  call(conn, "handshake", shake_server_hand(conn, upgrade))
  while not conn.is_closed do
    local op, data = receive(conn)
    if op == OP_CLOSE then
      conn.code, conn.reason = parse_close(data)
      close(conn, data)
    elseif op == OP_PING then
      send_frame(conn, OP_PONG, data)
      call(conn, "ping")
    elseif op == OP_PONG then
      call(conn, "pong")
    else
      call(conn, "message", data, OP_NAMES[op])
    end
  end
end

-- After a task of ours closed the connection the end of the stream is no failure.
local function is_own_end(conn, reason)
  return conn.is_closed and reason == sockethelper.socket_error
end

-- Ends a connection whose serving has raised; returns what accept does.
local function fail(conn, reason)
  if reason == sockethelper.socket_error then
    conn.is_closed = true
  elseif internal.is_fault(reason) then
    conn.is_closed = true
    refuse_hand(conn, reason)
  end
  local code = is_violation(reason) and reason.code or CLOSE_INTERNAL_ERROR
  close(conn, close_payload(code, is_violation(reason) and reason.text or ""))
  if conn.code then  -- it was closed before
    call(conn, "close", conn.code, conn.reason)
  else
    call(conn, "error", tostring(reason))
  end
  if reason == sockethelper.socket_error then
    return true
  end
  return false, tostring(reason)
end

local function with_traceback(reason)
  return type(reason) == "string" and debug.traceback(reason, 2) or reason
end

local function serve_to_end(conn, upgrade)
  local ok, reason = xpcall(serve, with_traceback, conn, upgrade)
  if not ok and not is_own_end(conn, reason) then
    return fail(conn, reason)
  end
  close(conn)
  call(conn, "close", conn.code, conn.reason)
  return true
end

--- Serves a connection that a listener accepted, until it is closed.
---@param id integer it is started here, unless it comes with options.upgrade
---@param handler table see above
---@param protocol? "ws"|"wss" wss needs TLS
---@param address? string for addrinfo
---@param options? { upgrade?: { header: table, url: string, method?: string } } a request that was read already
---@return boolean ok true: closed, or lost
---@return string? reason the handshake was refused, the peer broke the rules, or a handler raised
function websocket.accept(id, handler, protocol, address, options)
  local upgrade = options and options.upgrade
  if protocol == "wss" then
    require "http.tlshelper"
  elseif protocol and protocol ~= "ws" then
    error(string.format("websocket: invalid protocol %s", tostring(protocol)), 2)
  end
  if not upgrade then
    local ok, reason = socket.start(id)
    if not ok then
      return false, reason
    end
  end
  local conn = new_connection(id, true, address)
  conn.handler = handler
  if handler.warning then
    socket.warning(id, handler.warning)
  end
  local ok, served, reason = xpcall(serve_to_end, with_traceback, conn, upgrade)
  forget(conn)
  if not ok then  -- the handler's last function raised
    return false, tostring(served)
  end
  return served, reason
end

---------------------------------------------------------------------------------------------------------------------
-- Client

local function parse_url(url)
  local scheme, authority, path = string.match(url, "^(%a+)://([^/?]*)(.*)$")
  if scheme == "wss" then
    require "http.tlshelper"
  elseif scheme ~= "ws" then
    error(string.format("websocket: %q does not begin with ws://", url), 0)
  end
  if string.find(path, "[%s%c]") then
    error(string.format("websocket: a blank in the url %q", url), 0)
  elseif string.sub(path, 1, 1) ~= "/" then
    path = "/" .. path
  end
  local name, port = internal.split_authority(authority)
  return name, port or PORT, authority, path
end

--- Connects to "ws://host[:port][/path]". Raises sockethelper.socket_error if there is no connection or it is lost, and
--- a text if the server's answer is not what it must be.
---@param url string
---@param header? table fields to send
---@param timeout? integer cs, for the connection and then for the answer
---@return integer id
function websocket.connect(url, header, timeout)
  local name, port, authority, path = parse_url(url)
  local id = sockethelper.connect(name, port, timeout)
  local conn = new_connection(id, false, authority)
  local has_ended = false
  if timeout then
    skynet.timeout(timeout, function()
      if not has_ended then
        socket.shutdown(id)
      end
    end)
  end
  local ok, reason = pcall(shake_client_hand, conn, authority, path, header)
  has_ended = true
  if ok then
    return id
  end
  forget(conn)
  socket.close(id)
  error(internal.is_fault(reason) and "websocket: " .. reason.text or reason, 0)
end

-- Closes a client's connection after `reason` was raised, and raises it.
local function give_up(conn, reason)
  if is_violation(reason) then
    close(conn, close_payload(reason.code, reason.text))
    reason = reason.text
  else
    conn.is_closed = true
    close(conn)
  end
  forget(conn)
  error(reason, 0)
end

-- Returns the opcode and data of a message, or OP_CLOSE and the payload.
local function read_message(conn)
  while true do
    local op, data = receive(conn)
    if op == OP_PING then
      send_frame(conn, OP_PONG, data)
    elseif op == OP_CLOSE then
      parse_close(data)
      return op, data
    elseif op ~= OP_PONG then
      return op, data
    end
  end
end

--- Waits for a message; one task at a time. Raises sockethelper.socket_error if the connection is lost or closed here,
--- and a text if the server breaks the rules; the connection is closed then.
---@param id integer of connect
---@return string|false message false: the server has closed, and so is this side now
---@return string payload "text" or "binary"; or the payload of the close frame: a code of two bytes and a reason, or ""
function websocket.read(id)
  local conn = open_connection(id)
  assert(not conn.is_server, "websocket: read is for clients; a server's handler gets its messages")
  local ok, op, data = pcall(read_message, conn)
  if not ok then
    return give_up(conn, op)
  elseif op ~= OP_CLOSE then
    return data, OP_NAMES[op]
  end
  close(conn, data)
  forget(conn)
  return false, data
end

---------------------------------------------------------------------------------------------------------------------
-- Both

--- Sends a message.
---@param id integer
---@param data string
---@param kind? "text"|"binary" default text
---@param masking_key? integer 32 bits; default: random for a client, none for a server
function websocket.write(id, data, kind, masking_key)
  local conn = open_connection(id)
  local op = OP_OF_KIND[kind or "text"]
  if not op then
    error(string.format("websocket: invalid kind of message %s", tostring(kind)), 2)
  end
  send_frame(conn, op, data, masking_key)
end

--- Sends a ping; the peer's answer calls a server's pong().
---@param id integer
function websocket.ping(id)
  send_frame(open_connection(id), OP_PING, "")
end

--- Sends a close frame and closes the connection; a server's close() is called. Nothing if it was closed before.
---@param id integer
---@param code? integer 1000 (the default) to 4999
---@param reason? string up to 123 bytes
function websocket.close(id, code, reason)
  local conn = connections[id]
  if not conn or conn.is_closed then
    return
  end
  code, reason = code or CLOSE_NORMAL, reason or ""
  if not is_close_code(code) then
    error(string.format("websocket: %s is no code for a close frame", tostring(code)), 2)
  end
  conn.code, conn.reason = code, reason
  close(conn, close_payload(code, reason))
  if not conn.is_server then
    forget(conn)
  end
end

--- The address given to accept, or the host that a client has connected to; nil: no such connection.
---@param id integer
---@return string?
function websocket.addrinfo(id)
  return connections[id] and connections[id].address
end

--- What a proxy says about a client (the field x-real-ip of its request).
---@param id integer
---@return string?
function websocket.real_ip(id)
  local header = connections[id] and connections[id].header
  return header and header["x-real-ip"]
end

--- True if nothing can be written any more.
---@param id integer
---@return boolean
function websocket.is_close(id)
  return not connections[id] or connections[id].is_closed or false
end

return websocket
