---@meta http.url

---@class http.url
local url = {}

--- Splits the target of a request. The path is unescaped, the query is not.
---@param target string
---@return string path
---@return string? query nil: there is no "?"
function url.parse(target) end

--- The fields of a query, unescaped. A key that comes again has an array of its values.
---@param query string
---@return table<string, string|string[]>
function url.parse_query(query) end

return url
