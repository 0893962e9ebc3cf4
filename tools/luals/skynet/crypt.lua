---@meta skynet.crypt

-- Keys, hashes and encodings of skynet's login protocol. Keys and numbers are strings of 8 bytes, little-endian. Wrong
-- arguments raise. None of it is strong by the standards of today.

---@class skynet.crypt
local crypt = {}

--- How the last block of desencode is filled.
---@class skynet.crypt.padding
---@field iso7816_4 integer one byte 0x80, then zeros; the default
---@field pkcs7 integer n bytes of value n

---@type skynet.crypt.padding
crypt.padding = { iso7816_4 = 0, pkcs7 = 1 }

--- A hash that is a key.
---@param text string
---@return string key 8 bytes
function crypt.hashkey(text) end

--- A random key; in a simulation the seed decides it.
---@return string key 8 bytes
function crypt.randomkey() end

--- DES in ECB mode.
---@param key string 8 bytes
---@param text string
---@param padding? integer crypt.padding.iso7816_4 or crypt.padding.pkcs7
---@return string
function crypt.desencode(key, text, padding) end

--- The reverse of desencode. Raises if the text is not whole blocks, or does not end as it should.
---@param key string 8 bytes
---@param text string
---@param padding? integer
---@return string
function crypt.desdecode(key, text, padding) end

--- Bytes as hex digits in lower case.
---@param text string
---@return string
function crypt.hexencode(text) end

--- Hex digits as bytes. Raises for other text, and for digits in upper case.
---@param text string
---@return string
function crypt.hexdecode(text) end

--- A keyed hash of 8 bytes.
---@param x string 8 bytes
---@param y string 8 bytes
---@return string hash 8 bytes
function crypt.hmac64(x, y) end

--- Another keyed hash of 8 bytes, made of MD5.
---@param x string 8 bytes
---@param y string 8 bytes
---@return string hash 8 bytes
function crypt.hmac64_md5(x, y) end

--- crypt.hmac64 of a text's hashkey.
---@param key string 8 bytes
---@param text string
---@return string hash 8 bytes
function crypt.hmac_hash(key, text) end

--- What is told to the other side of a Diffie-Hellman exchange. Raises for 0.
---@param x string 8 bytes: one's own secret
---@return string 8 bytes
function crypt.dhexchange(x) end

--- The secret that both sides have after a Diffie-Hellman exchange. Raises for 0.
---@param a string 8 bytes: what the other side told
---@param b string 8 bytes: one's own secret
---@return string secret 8 bytes
function crypt.dhsecret(a, b) end

--- Bytes in base64, in one line.
---@param text string
---@return string
function crypt.base64encode(text) end

--- The bytes of a text in base64. Raises if it cannot be one.
---@param text string
---@return string
function crypt.base64decode(text) end

--- SHA-1.
---@param text string
---@return string hash 20 bytes
function crypt.sha1(text) end

--- HMAC with SHA-1.
---@param key string
---@param text string
---@return string hash 20 bytes
function crypt.hmac_sha1(key, text) end

--- Bytes xored with a key, which is repeated. Raises for an empty key.
---@param text string
---@param key string
---@return string
function crypt.xor_str(text, key) end

return crypt
