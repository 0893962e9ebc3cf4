-- The client side of HTTP/1.1: one connection for each request, closed after the response.
--
-- host is "[http://]name[:port]", with an IPv4 address or an IPv6 one in brackets as name too. https needs
-- http.tlshelper, which skysim does not have.
--
-- A connection that fails, ends too early or takes longer than `httpc.timeout` raises sockethelper.socket_error; a
-- response that breaks the rules raises a text that begins with "http:".

local skynet = require "skynet"
local socket = require "skynet.socket"
local internal = require "http.internal"
local sockethelper = require "http.sockethelper"

---@class http.httpc
---@field timeout integer? cs: for connecting, and then for the whole response, or each wait for a piece of a stream
local httpc = {}

local PORT = 80

-- skynet.dns, once httpc.dns was called; before that the node resolves names as it connects.
local dns

--- Resolves names with skynet.dns from now on.
---@param server? string
---@param port? integer
function httpc.dns(server, port)
  dns = require "skynet.dns"
  dns.server(server, port)
end

---------------------------------------------------------------------------------------------------------------------
-- Hosts

-- Returns the name or address, the port, and the text for the field "host".
local function parse_host(host)
  local scheme, authority = string.match(host, "^(%a+)://([^/]*)/?$")
  scheme, authority = string.lower(scheme or "http"), authority or host
  if scheme == "https" then
    require "http.tlshelper"
  elseif scheme ~= "http" then
    error(string.format("http: invalid protocol %s", scheme), 0)
  end
  local name, port = internal.split_authority(authority)
  return name, port or PORT, authority
end

local function address_of(name)
  return dns and dns.resolve(name) or name
end

---------------------------------------------------------------------------------------------------------------------
-- Exchange: one connection with its request and response. Fields: id, reader, guard (of the wait under way), is_late.

local Exchange = {}
Exchange.__index = Exchange

-- Runs f(...). If that takes longer than httpc.timeout, the connection is shut down, so that f sees the stream end, and
-- the error is raised also where f takes that for the end of a body.
function Exchange:within(f, ...)
  local limit_cs = httpc.timeout
  if not limit_cs then
    return f(...)
  end
  local guard = {}
  self.guard = guard
  skynet.timeout(limit_cs, function()
    if self.guard == guard then
      self.is_late = true
      socket.shutdown(self.id)
    end
  end)
  local results = table.pack(f(...))
  self.guard = nil
  if self.is_late then
    error(sockethelper.socket_error)
  end
  return table.unpack(results, 1, results.n)
end

function Exchange:close()
  if self.id then
    local id = self.id
    self.id, self.guard = nil, nil
    sockethelper.close(id)
  end
end

local function send_request(id, method, url, authority, header, content)
  local own = {}
  if content then
    own["content-length"] = #content
  end
  local has_host = false
  for name in pairs(header or {}) do
    has_host = has_host or string.lower(name) == "host"
  end
  if not has_host then
    own.host = authority
  end
  local target = url == "" and "/" or url
  if string.find(target, "[%s%c]") then
    error(string.format("http: a blank in the url %q", target), 0)
  end
  local head = internal.head_text(string.format("%s %s HTTP/1.1", method, target), header, own)
  sockethelper.writefunc(id)(head .. (content or ""))
end

-- Connects and sends a request.
local function start_exchange(method, host, url, header, content)
  local name, port, authority = parse_host(host)
  local id = sockethelper.connect(address_of(name), port, httpc.timeout)
  local exchange = setmetatable({ id = id, reader = internal.reader(sockethelper.readfunc(id)) }, Exchange)
  local ok, reason = pcall(send_request, id, method, url, authority, header, content)
  if not ok then
    exchange:close()
    error(reason, 0)
  end
  return exchange
end

-- What the caller of this module gets to see.
local function raise(reason)
  if internal.is_fault(reason) then
    error("http: " .. reason.text, 0)
  end
  error(reason, 0)
end

-- Returns status, header, and the extent of the body (0: none).
local function read_head(reader, method)
  local status, header = internal.read_response_head(reader)
  if method == "HEAD" or status == 101 or status == 204 or status == 304 then
    return status, header, 0
  end
  return status, header, internal.body_extent(header)
end

local function read_response(reader, method)
  local status, header, extent = read_head(reader, method)
  return status, header, internal.read_body(reader, header, extent, internal.BODY_BYTES_MAX)
end

---------------------------------------------------------------------------------------------------------------------

--- Makes a request and waits for the whole response.
---@param method string
---@param host string
---@param url string
---@param recvheader? table gets the fields of the response
---@param header? table fields to send
---@param content? string
---@return integer status
---@return string body
function httpc.request(method, host, url, recvheader, header, content)
  local exchange = start_exchange(method, host, url, header, content)
  local ok, status, received, body = pcall(exchange.within, exchange, read_response, exchange.reader, method)
  exchange:close()
  if not ok then
    raise(status)
  end
  for name, value in pairs(recvheader and received or {}) do
    recvheader[name] = value
  end
  return status, body
end

---@param host string
---@param url string
---@param recvheader? table
---@param header? table
---@param content? string
---@return integer status
---@return string body
function httpc.get(host, url, recvheader, header, content)
  return httpc.request("GET", host, url, recvheader, header, content)
end

---@param host string
---@param url string
---@param recvheader? table
---@param header? table
---@param content? string
---@return integer status
function httpc.head(host, url, recvheader, header, content)
  local status = httpc.request("HEAD", host, url, recvheader, header, content)
  return status
end

local function escape(text)
  return (string.gsub(tostring(text), "[^%w._~-]", function(c)
    return string.format("%%%02X", string.byte(c))
  end))
end

-- The fields sorted by name; an array makes one field for each item.
local function form_text(form)
  local names, fields = {}, {}
  for name in pairs(form) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for _, name in ipairs(names) do
    local values = type(form[name]) == "table" and form[name] or { form[name] }
    for _, value in ipairs(values) do
      fields[#fields + 1] = escape(name) .. "=" .. escape(value)
    end
  end
  return table.concat(fields, "&")
end

--- Sends a form, as a browser does.
---@param host string
---@param url string
---@param form table
---@param recvheader? table
---@return integer status
---@return string body
function httpc.post(host, url, form, recvheader)
  local header = { ["content-type"] = "application/x-www-form-urlencoded" }
  return httpc.request("POST", host, url, recvheader, header, form_text(form))
end

---------------------------------------------------------------------------------------------------------------------
-- Stream: the body of a response, piece by piece. Calling it gives the next piece, nil at the end; it closes the
-- connection then, when something is raised, and at the end of a <close> variable.

---@class http.stream
---@field status integer
---@field header table
local Stream = {}
Stream.__index = Stream

function Stream:__call()
  local exchange = self.exchange
  if not exchange.id then
    return nil
  end
  local ok, piece = pcall(exchange.within, exchange, self.next_piece)
  if not ok or not piece then
    exchange:close()
  end
  if not ok then
    raise(piece)
  end
  return piece
end

--- Gives up the rest.
function Stream:close()
  self.exchange:close()
end

Stream.__close = Stream.close

--- Like request, without waiting for the body: `for piece in stream do ... end`.
---@param method string
---@param host string
---@param url string
---@param recvheader? table
---@param header? table
---@param content? string
---@return http.stream
function httpc.request_stream(method, host, url, recvheader, header, content)
  local exchange = start_exchange(method, host, url, header, content)
  local ok, status, received, extent = pcall(exchange.within, exchange, read_head, exchange.reader, method)
  if not ok then
    exchange:close()
    raise(status)
  end
  for name, value in pairs(recvheader and received or {}) do
    recvheader[name] = value
  end
  return setmetatable({
    status = status,
    header = received,
    exchange = exchange,
    next_piece = internal.body_pieces(exchange.reader, received, extent),
  }, Stream)
end

return httpc
