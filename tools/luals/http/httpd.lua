---@meta http.httpd

-- The server side of HTTP/1.0 and 1.1. The connection is the caller's: see http.sockethelper.

---@class http.httpd
local httpd = {}

--- Fields of a request or response; a received one has names in lower case, and arrays for fields that came again.
---@alias http.header table<string, string|number|(string|number)[]>

--- Reads one request. What breaks the rules gives only the code to answer with; close the connection after that.
---@async
---@param read fun(size?: integer): string
---@param body_bytes_max? integer a longer body gives 413
---@return integer? code 200, or 4xx or 5xx; nil: the read function raised
---@return any url the target as it came; what was raised if there is no code
---@return string? method
---@return http.header? header
---@return string? body "" if there is none
function httpd.read_request(read, body_bytes_max) end

--- Writes a response.
---@param write fun(data: string)
---@param code integer
---@param body? string|(fun(): string?) a function is called for one piece after another, until nil
---@param header? http.header
---@return boolean ok
---@return any reason what the write function raised
function httpd.write_response(write, code, body, header) end

return httpd
