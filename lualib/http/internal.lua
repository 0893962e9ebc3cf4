-- HTTP/1.1 messages over a reading function: what the server side, the client side and websockets share.
--
-- A Reader turns a read function (http.sockethelper.readfunc) into lines and counted bytes. It may have read further
-- than the message went, so each read function has one Reader for good, and what comes next is found there.
--
-- A message that breaks the rules raises a Fault { status, text }: status is the answer that a server gives to it. What
-- the read function raises goes through.

local string_find, string_match, string_sub = string.find, string.match, string.sub

local internal = {}

-- First line and header of a message, and the fields after a chunked body.
local HEAD_BYTES_MAX = 8192
-- A line that begins a chunk: a number and extensions, which are ignored.
local CHUNK_LINE_BYTES_MAX = 256
-- Digits of a length that can be meant: a petabyte.
local LENGTH_DIGITS_MAX = 15
local CHUNK_DIGITS_MAX = 12
-- Responses 1xx before the real one.
local INTERIM_RESPONSES_MAX = 16
-- A body taken whole, where nobody gave a limit: more than a service can want to hold.
internal.BODY_BYTES_MAX = 1 << 30

---------------------------------------------------------------------------------------------------------------------
-- Faults

local Fault = {}
Fault.__index = Fault

function Fault:__tostring()
  return self.text
end

local function refuse(status, ...)
  error(setmetatable({ status = status, text = string.format(...) }, Fault))
end

internal.refuse = refuse

--- Whether a raised value is a Fault.
function internal.is_fault(value)
  return getmetatable(value) == Fault
end

---------------------------------------------------------------------------------------------------------------------
-- Reader: { read, rest, at }; the bytes of rest from `at` on were read and not used.

local Reader = {}
Reader.__index = Reader

-- Read function -> its Reader.
local readers = setmetatable({}, { __mode = "k" })

function internal.reader(read)
  local reader = readers[read]
  if not reader then
    reader = setmetatable({ read = read, rest = "", at = 1 }, Reader)
    readers[read] = reader
  end
  return reader
end

function Reader:fill()
  local data = self.read()
  self.rest = string_sub(self.rest, self.at) .. data
  self.at = 1
end

-- Up to the next CR LF, which is not part of the result. A Fault of `status` if that is further than `bytes_max`.
function Reader:line(bytes_max, status)
  local seen = 0
  while true do
    local cr = string_find(self.rest, "\r\n", self.at + seen, true)
    local bytes = (cr or #self.rest) - self.at
    if bytes > bytes_max then
      refuse(status, "a line or header of more than %d bytes", bytes_max)
    elseif cr then
      local line = string_sub(self.rest, self.at, cr - 1)
      self.at = cr + 2
      return line
    end
    seen = math.max(bytes, 0)  -- the last byte may be the CR
    self:fill()
  end
end

-- Exactly `size` bytes.
function Reader:take(size)
  local at, missing = self.at, size - (#self.rest - self.at + 1)
  if missing <= 0 then
    self.at = at + size
    return string_sub(self.rest, at, at + size - 1)
  end
  local data = self.read(missing)
  data = string_sub(self.rest, at) .. data
  self.rest, self.at = "", 1
  return data
end

-- 1 to `bytes_max` bytes, as they come.
function Reader:some(bytes_max)
  if self.at > #self.rest then
    self:fill()
  end
  local at = self.at
  self.at = at + math.min(bytes_max, #self.rest - at + 1)
  return string_sub(self.rest, at, self.at - 1)
end

---------------------------------------------------------------------------------------------------------------------
-- Header

local function add_field(header, name, value)
  local before = header[name]
  if before == nil then
    header[name] = value
  elseif type(before) == "table" then
    before[#before + 1] = value
  else
    header[name] = { before, value }
  end
end

-- Appends a folded line to the value that was read last.
local function extend_field(header, name, text)
  local value = header[name]
  if type(value) == "table" then
    value[#value] = value[#value] .. " " .. text
  else
    header[name] = value .. " " .. text
  end
end

-- Reads fields up to the empty line into `header`: names in lower case, repeated ones as arrays.
local function read_fields(reader, header, bytes_left)
  local last
  while true do
    local line = reader:line(bytes_left, 413)
    bytes_left = bytes_left - #line - 2
    if line == "" then
      return header
    elseif string_find(line, "[\0\r\n]") then
      refuse(400, "a header with a control character")
    end
    local name, value = string_match(line, "^([%w!#$%%&'*+.^_`|~-]+):[ \t]*(.-)[ \t]*$")
    if name then
      last = string.lower(name)
      add_field(header, last, value)
    elseif last and string_find(line, "^[ \t]") then
      extend_field(header, last, string_match(line, "^[ \t]+(.-)[ \t]*$"))
    else
      refuse(400, "a header line without a name")
    end
  end
end

-- Returns the first line, and a function that reads the header.
local function read_first_line(reader)
  local line = reader:line(HEAD_BYTES_MAX, 413)
  if line == "" then  -- some clients end a body with a line too much
    line = reader:line(HEAD_BYTES_MAX, 413)
  end
  return line, function()
    return read_fields(reader, {}, math.max(HEAD_BYTES_MAX - #line - 2, 0))
  end
end

--- Reads the head of a request.
---@return string method
---@return string target
---@return table header
---@return string version "1.0" or "1.1"
function internal.read_request_head(reader)
  local line, read_header = read_first_line(reader)
  local method, target, version = string_match(line, "^([%u-]+) (%S+) HTTP/(%d%.%d)$")
  if not method then
    refuse(400, "not a request line")
  end
  local header = read_header()
  if version ~= "1.0" and version ~= "1.1" then
    refuse(505, "HTTP version %s", version)
  end
  return method, target, header, version
end

--- Reads the head of the response; interim ones (1xx) before it are passed over.
---@return integer status
---@return table header
function internal.read_response_head(reader)
  for _ = 0, INTERIM_RESPONSES_MAX do
    local line, read_header = read_first_line(reader)
    local status = tonumber(string_match(line, "^HTTP/1%.[01] (%d%d%d)$") or
      string_match(line, "^HTTP/1%.[01] (%d%d%d) "))
    if not status then
      refuse(502, "not a status line")
    end
    local header = read_header()
    if status >= 200 or status == 101 then
      return status, header
    end
  end
  refuse(502, "more than %d interim responses", INTERIM_RESPONSES_MAX)
end

---------------------------------------------------------------------------------------------------------------------
-- Bodies

--- How a body ends: "chunked", its length in bytes, or nil: not said.
function internal.body_extent(header)
  local coding, length = header["transfer-encoding"], header["content-length"]
  if coding and coding ~= "identity" then
    if type(coding) == "table" or string.lower(coding) ~= "chunked" then
      refuse(501, "an unknown transfer encoding")
    elseif length then
      refuse(400, "a length and chunks")
    end
    return "chunked"
  elseif not length then
    return nil
  elseif type(length) == "table" or not string_find(length, "^%d+$") then
    refuse(400, "a content-length that is not one number")
  elseif #length > LENGTH_DIGITS_MAX then
    refuse(413, "a content-length of %d digits", #length)
  end
  return math.tointeger(tonumber(length))
end

-- The bytes of the chunk that begins; 0: the last.
local function read_chunk_size(reader)
  local digits, more = string_match(reader:line(CHUNK_LINE_BYTES_MAX, 400), "^(%x+)[ \t]*(.?)")
  if not digits or more ~= "" and more ~= ";" then
    refuse(400, "a chunk without a size")
  elseif #digits > CHUNK_DIGITS_MAX then
    refuse(413, "a chunk size of %d digits", #digits)
  end
  return tonumber(digits, 16)
end

local function end_chunk(reader)
  if reader:take(2) ~= "\r\n" then
    refuse(400, "a chunk that is longer than its size")
  end
end

local function read_chunked(reader, header, bytes_max)
  local parts, total = {}, 0
  while true do
    local size = read_chunk_size(reader)
    total = total + size
    if size == 0 then
      read_fields(reader, header, HEAD_BYTES_MAX)
      return table.concat(parts)
    elseif total > bytes_max then
      refuse(413, "a body of more than %d bytes", bytes_max)
    end
    parts[#parts + 1] = reader:take(size)
    end_chunk(reader)
  end
end

local function read_to_end(reader, bytes_max)
  local parts, total = {}, 0
  for piece in internal.body_pieces(reader, nil) do
    total = total + #piece
    if total > bytes_max then
      refuse(413, "a body of more than %d bytes", bytes_max)
    end
    parts[#parts + 1] = piece
  end
  return table.concat(parts)
end

--- Reads a whole body. Fields after a chunked one are added to the header.
---@param extent "chunked"|integer|nil nil: up to the end of the stream
---@return string
function internal.read_body(reader, header, extent, bytes_max)
  if extent == "chunked" then
    return read_chunked(reader, header, bytes_max)
  elseif not extent then
    return read_to_end(reader, bytes_max)
  elseif extent > bytes_max then
    refuse(413, "a body of %d bytes, allowed are %d", extent, bytes_max)
  end
  return reader:take(extent)
end

local function chunk_pieces(reader, header)
  local left = 0  -- of the chunk under way
  local has_ended = false
  return function()
    if has_ended then
      return nil
    elseif left == 0 then
      left = read_chunk_size(reader)
      if left == 0 then
        has_ended = true
        read_fields(reader, header, HEAD_BYTES_MAX)
        return nil
      end
    end
    local piece = reader:some(left)
    left = left - #piece
    if left == 0 then
      end_chunk(reader)
    end
    return piece
  end
end

local function counted_pieces(reader, left)
  return function()
    if left > 0 then
      local piece = reader:some(left)
      left = left - #piece
      return piece
    end
  end
end

-- What ends the stream cannot be told from an error of the socket; HTTP/1.0 is like that.
local function pieces_to_end(reader)
  return function()
    local ok, piece = pcall(reader.some, reader, math.maxinteger)
    return ok and piece or nil
  end
end

--- Returns a function that gives the next piece of a body as it comes, and nil at its end.
---@param extent "chunked"|integer|nil as in read_body
---@return fun(): string?
function internal.body_pieces(reader, header, extent)
  if extent == "chunked" then
    return chunk_pieces(reader, header)
  elseif extent then
    return counted_pieces(reader, extent)
  end
  return pieces_to_end(reader)
end

---------------------------------------------------------------------------------------------------------------------
-- Addresses

--- Splits "name[:port]"; the name may be an IPv4 address, or an IPv6 one in brackets. Raises if it is neither.
---@param authority string
---@return string name without brackets
---@return integer? port
function internal.split_authority(authority)
  local name, port = string_match(authority, "^%[([%x:.]+)%]:?(%d*)$")
  if not name then
    if select(2, string.gsub(authority, ":", "")) > 1 then
      error(string.format("http: bare IPv6 address %s, write [%s]", authority, authority), 0)
    end
    name, port = string_match(authority, "^([^%s:@/%[%]]+):?(%d*)$")
  end
  if not name then
    error(string.format("http: invalid host %q", authority), 0)
  end
  return name, math.tointeger(tonumber(port))
end

---------------------------------------------------------------------------------------------------------------------
-- Writing

local function check_field(name, value)
  if string_find(name, "[^%w!#$%%&'*+.^_`|~-]") or name == "" then
    error(string.format("http: %q is not the name of a header field", name), 0)
  elseif string_find(value, "[\0\r\n]") then
    error(string.format("http: the value of %s has a line break or NUL", name), 0)
  end
  return string.format("%s: %s\r\n", name, value)
end

--- A head as text, its fields sorted by name. A value that is an array makes one line for each item.
---@param first_line string
---@param header? table
---@param own? table fields that replace those of `header`; names in lower case
function internal.head_text(first_line, header, own)
  if string_find(first_line, "[\0\r\n]") then
    error("http: a line break or NUL in the first line", 0)
  end
  local fields = {}
  for name, value in pairs(header or {}) do
    if not (own and own[string.lower(name)]) then
      fields[#fields + 1] = { name, value }
    end
  end
  for name, value in pairs(own or {}) do
    fields[#fields + 1] = { name, value }
  end
  table.sort(fields, function(a, b) return a[1] < b[1] end)
  local lines = { first_line .. "\r\n" }
  for _, field in ipairs(fields) do
    local values = type(field[2]) == "table" and field[2] or { field[2] }
    for _, value in ipairs(values) do
      lines[#lines + 1] = check_field(field[1], tostring(value))
    end
  end
  lines[#lines + 1] = "\r\n"
  return table.concat(lines)
end

--- A chunk as text; that of "" ends the body.
function internal.chunk_text(data)
  return string.format("%x\r\n%s\r\n", #data, data)
end

return internal
