-- The server side of HTTP/1.0 and 1.1: reads a request, writes a response. Connections are the caller's: the functions
-- here get a read or write function (http.sockethelper). The same read function may be used for one request after
-- another.

local internal = require "http.internal"

---@class http.httpd
local httpd = {}

-- The reason phrases of RFC 9110, by code.
local REASONS = {}
for code, reason in string.gmatch([[
  100 Continue
  101 Switching Protocols
  200 OK
  201 Created
  202 Accepted
  203 Non-Authoritative Information
  204 No Content
  205 Reset Content
  206 Partial Content
  300 Multiple Choices
  301 Moved Permanently
  302 Found
  303 See Other
  304 Not Modified
  305 Use Proxy
  307 Temporary Redirect
  308 Permanent Redirect
  400 Bad Request
  401 Unauthorized
  402 Payment Required
  403 Forbidden
  404 Not Found
  405 Method Not Allowed
  406 Not Acceptable
  407 Proxy Authentication Required
  408 Request Timeout
  409 Conflict
  410 Gone
  411 Length Required
  412 Precondition Failed
  413 Content Too Large
  414 URI Too Long
  415 Unsupported Media Type
  416 Range Not Satisfiable
  417 Expectation Failed
  421 Misdirected Request
  422 Unprocessable Content
  426 Upgrade Required
  428 Precondition Required
  429 Too Many Requests
  431 Request Header Fields Too Large
  500 Internal Server Error
  501 Not Implemented
  502 Bad Gateway
  503 Service Unavailable
  504 Gateway Timeout
  505 HTTP Version Not Supported
]], "(%d+) ([^\n]+)") do
  REASONS[tonumber(code)] = reason
end

local function read_request(read, body_bytes_max)
  local reader = internal.reader(read)
  local method, target, header = internal.read_request_head(reader)
  local extent = internal.body_extent(header) or 0
  local body = internal.read_body(reader, header, extent, body_bytes_max or internal.BODY_BYTES_MAX)
  return 200, target, method, header, body
end

--- Reads one request. A request that breaks the rules gives nothing but a code to answer it with: 400, 413 (header
--- over 8192 bytes, or body over the limit), 501 (an unknown transfer encoding) or 505; close the connection then.
---@param read fun(size?: integer): string
---@param body_bytes_max? integer
---@return integer? code 200, or 4xx or 5xx; nil: the read function raised
---@return any url the target as it came; what was raised if there is no code
---@return string? method
---@return table? header names in lower case; repeated fields are arrays
---@return string? body "" if there is none
function httpd.read_request(read, body_bytes_max)
  local results = table.pack(pcall(read_request, read, body_bytes_max))
  if results[1] then
    return table.unpack(results, 2, results.n)
  end
  local reason = results[2]
  if internal.is_fault(reason) then
    return reason.status
  end
  return nil, reason
end

-- A response to these has no body, and no length either.
local function has_no_body(code)
  return code < 200 or code == 204 or code == 304
end

local function write_chunks(write, next_piece)
  local piece = next_piece()
  while piece do
    if piece ~= "" then  -- that would be the end
      write(internal.chunk_text(piece))
    end
    piece = next_piece()
  end
  write(internal.chunk_text(""))
end

local function write_response(write, code, body, header)
  local first_line = string.format("HTTP/1.1 %03d %s", code, REASONS[code] or "")
  local kind = type(body)
  if kind == "function" then
    write(internal.head_text(first_line, header, { ["transfer-encoding"] = "chunked", ["content-length"] = {} }))
    write_chunks(write, body)
  elseif kind == "string" then
    write(internal.head_text(first_line, header, { ["content-length"] = #body }) .. body)
  elseif body == nil then
    write(internal.head_text(first_line, header, not has_no_body(code) and { ["content-length"] = 0 } or nil))
  else
    error(string.format("http: a body is a string or a function, not a %s", kind), 0)
  end
end

--- Writes a response. A body function is called until it returns nil, and its strings are sent as chunks.
---@param write fun(data: string)
---@param code integer
---@param body? string|fun(): string?
---@param header? table values are texts, numbers, or arrays of them
---@return boolean ok
---@return any reason what was raised
function httpd.write_response(write, code, body, header)
  local ok, reason = pcall(write_response, write, code, body, header)
  if ok then
    return true
  end
  return false, reason
end

return httpd
