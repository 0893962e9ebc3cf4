-- The target of an HTTP request and the text of a query, as Lua values.

---@class http.url
local url = {}

local function unescape(text)
  return (string.gsub(text, "%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

--- Splits a request's target. The path is unescaped, the query is not (parse_query does it). An escape that is none
--- stays as it is.
---@param target string
---@return string path
---@return string? query nil: there is no "?"
function url.parse(target)
  local path, query = string.match(target, "^([^?]*)%??(.*)$")
  return unescape(path), string.find(target, "?", 1, true) and query or nil
end

--- The fields of a query. A key that comes again has an array of its values; one without "=" has the value "".
---@param query string
---@return table<string, string|string[]>
function url.parse_query(query)
  local fields = {}
  for field in string.gmatch(query, "[^&]+") do
    field = string.gsub(field, "+", " ")
    local key, value = string.match(field, "^([^=]*)=?(.*)$")
    key, value = unescape(key), unescape(value)
    local before = fields[key]
    if before == nil then
      fields[key] = value
    elseif type(before) == "table" then
      before[#before + 1] = value
    else
      fields[key] = { before, value }
    end
  end
  return fields
end

return url
