---@meta md5

---@class md5
local md5 = {}

--- MD5.
---@param text string
---@return string hash 16 bytes
function md5.sum(text) end

--- MD5 in hex.
---@param text string
---@return string hash 32 digits in lower case
function md5.sumhexa(text) end

--- HMAC with MD5, in hex.
---@param text string
---@param key string
---@return string hash 32 digits in lower case
function md5.hmacmd5(text, key) end

--- Two strings xored. Raises if their lengths differ.
---@param a string
---@param b string
---@return string
function md5.exor(a, b) end

return md5
