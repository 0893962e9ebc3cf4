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

--- Encrypts with MD5 in CFB mode. The seed stands in the result, readable; use another one for each text. Raises if
--- seed and key have more than 121 bytes together.
---@param text string
---@param key string
---@param seed? string os.time() by default
---@return string cipher
function md5.crypt(text, key, seed) end

--- The text that md5.crypt has encrypted with the same key; other bytes if the key is another. Raises for what is shorter
--- than its seed.
---@param cipher string
---@param key string
---@return string text
function md5.decrypt(cipher, key) end

return md5
