-- A console for whoever runs a node: `debug_console [ip] port` (default 127.0.0.1) listens, and each connection gives
-- command lines (skynet.console; "help" lists them). Each is answered with its text and a line "<CMD OK>" or
-- "<CMD Error>", then the next is read.
--
-- One HTTP request is understood, too: GET /command/word/word, or POST with a command line as body. The answer is the
-- same text without head, and the connection ends.
--
-- Limits, beyond which a connection is told what is wrong and closed: LINE_MAX bytes in a line, REQUEST_MAX in the head
-- or the body of a request, config `debug_console_max` connections at a time (default 64).
--
-- Whoever reaches the port can do anything: keep it on an address that others do not reach.

local skynet = require "skynet"
local socket = require "skynet.socket"
local console = require "skynet.console"

local LINE_MAX = 64 * 1024
local REQUEST_MAX = 64 * 1024
-- Bytes in a chunk that is written.
local PIECE = 32 * 1024

local ip, port = ...
if not port then
  ip, port = "127.0.0.1", ip
end
assert(math.tointeger(port), "debug_console needs a port")
local connections_max = tonumber(skynet.getenv "debug_console_max") or 64
local connections = 0

---------------------------------------------------------------------------------------------------------------------
-- A connection: { id, unread }

local function say(connection, text)
  for place = 1, #text, PIECE do
    socket.write(connection.id, string.sub(text, place, place + PIECE - 1))
  end
end

-- Ends the connection with a word why. To be raised.
local function refusal(text)
  return { refusal = text }
end

local function read_more(connection)
  local bytes = socket.read(connection.id)
  if not bytes then
    error(refusal())
  end
  connection.unread = connection.unread .. bytes
end

-- The next line, without its end.
local function read_line(connection, bytes_max, what)
  local from = 1
  while true do
    local place = string.find(connection.unread, "\n", from, true)
    if (place or #connection.unread) > bytes_max then
      error(refusal(string.format("%s is longer than %d bytes", what, bytes_max)))
    elseif place then
      local line = string.sub(connection.unread, 1, place - 1)
      connection.unread = string.sub(connection.unread, place + 1)
      return (string.gsub(line, "\r$", ""))
    end
    from = #connection.unread + 1
    read_more(connection)
  end
end

---------------------------------------------------------------------------------------------------------------------
-- HTTP

local function unescape(text)
  return (string.gsub(text, "%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- Reads the fields behind the request line; returns them by lower-case name.
local function read_fields(connection)
  local fields, left = {}, REQUEST_MAX
  while true do
    local line = read_line(connection, left, "the head of the request")
    left = left - #line - 1
    if line == "" then
      return fields
    end
    local name, value = string.match(line, "^([^%s:]+):%s*(.-)%s*$")
    if not name then
      error(refusal "the head of the request is no HTTP")
    end
    fields[string.lower(name)] = value
  end
end

local function read_body(connection, fields)
  local bytes = math.tointeger(tonumber(fields["content-length"]))
  if not bytes or bytes < 0 or bytes > REQUEST_MAX then
    error(refusal(string.format("a POST needs a Content-Length up to %d", REQUEST_MAX)))
  end
  while #connection.unread < bytes do
    read_more(connection)
  end
  return string.sub(connection.unread, 1, bytes)
end

-- The command line of a request, or nil if `line` does not begin one.
local function read_request(connection, line)
  local method, path = string.match(line, "^(%u+) (/%S*) HTTP/1%.%d$")
  if not method then
    return nil
  end
  local fields = read_fields(connection)
  if method == "GET" then
    return unescape((string.gsub(string.sub(path, 2), "/", " ")))
  elseif method == "POST" then
    return (string.gsub(read_body(connection, fields), "[\r\n]+", " "))
  end
  error(refusal(string.format("%s is not understood: use GET or POST", method)))
end

---------------------------------------------------------------------------------------------------------------------
-- Commands

local function run(connection, line)
  local terminal = {}
  function terminal.debug(handle)
    require("skynet.debugterminal").run(handle, connection.id, function()
      return read_line(connection, LINE_MAX, "the line")
    end)
  end
  local ok, text = console.run(line, terminal)
  if text ~= "" then
    say(connection, text .. "\n")
  end
  say(connection, ok and "<CMD OK>\n" or "<CMD Error>\n")
end

local function serve(connection)
  say(connection, "Welcome to skynet console\n")
  while true do
    local line = read_line(connection, LINE_MAX, "the line")
    local request = read_request(connection, line)
    if request then
      run(connection, request)
      return
    end
    if string.find(line, "%S") then
      run(connection, line)
    end
  end
end

local function accept(id, address)
  if connections >= connections_max then
    skynet.error(string.format("debug_console: %s is one connection too many: the limit is %d", address,
      connections_max))
    socket.close_fd(id)
    return
  end
  connections = connections + 1
  socket.start(id)
  local connection = { id = id, unread = "" }
  local ok, reason = xpcall(serve, function(problem)
    return type(problem) == "table" and problem or debug.traceback(problem)
  end, connection)
  if not ok and type(reason) ~= "table" then
    skynet.error("debug_console: " .. tostring(reason))
  elseif not ok and reason.refusal then
    say(connection, reason.refusal .. "\n<CMD Error>\n")
  end
  connections = connections - 1
  socket.close(id)
end

skynet.start(function()
  local id, _, real_port = socket.listen(ip, math.tointeger(port))
  skynet.error(string.format("Start debug console at %s:%d", ip, real_port))
  socket.start(id, accept)
  skynet.info_func(function() return { address = ip, port = real_port, connections = connections } end)
end)
