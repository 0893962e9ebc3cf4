-- skynet.crypt and md5, from Lua: the vectors are in tests/engine/lua/crypt_functions_test.cc.
local crypt = require "skynet.crypt"
local md5 = require "md5"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local KEY = "12345678"
local OTHER = "abcdefgh"

local function hex(bytes)
  return crypt.hexencode(bytes)
end

local function des()
  local cipher = crypt.desencode(KEY, "hello world")
  claims.equal(crypt.base64encode(cipher), "KNugLrX23UcGtcVlk9y+LA==")
  claims.equal(crypt.desdecode(KEY, cipher), "hello world")
  for _, mode in pairs(crypt.padding) do
    for size = 0, 17 do
      local text = string.rep("x", size)
      claims.equal(crypt.desdecode(KEY, crypt.desencode(KEY, text, mode), mode), text)
    end
  end
  claims.equal({ crypt.padding.iso7816_4, crypt.padding.pkcs7 }, { 0, 1 })
end

local function des_errors()
  claims.raises("Invalid key size 3, need 8 bytes", crypt.desencode, "abc", "text")
  claims.raises("Invalid key size 0, need 8 bytes", crypt.desdecode, "", "text")
  claims.raises("Invalid des crypt text length 7", crypt.desdecode, KEY, "1234567")
  claims.raises("Invalid des crypt text length 0", crypt.desdecode, KEY, "")
  claims.raises("Invalid des crypt text", crypt.desdecode, KEY, string.rep("\0", 8))
  claims.raises("Invalid padding mode 2", crypt.desencode, KEY, "text", 2)
  claims.raises("Invalid padding mode -1", crypt.desdecode, KEY, "12345678", -1)
end

local function hex_text()
  claims.equal(hex("\0\xffaz"), "00ff617a")
  claims.equal(crypt.hexdecode("00ff617a"), "\0\xffaz")
  claims.raises("Invalid hex text size 3", crypt.hexdecode, "abc")
  claims.raises("Invalid hex text", crypt.hexdecode, "0A")
end

local function base64()
  claims.equal(crypt.base64encode(""), "")
  claims.equal(crypt.base64encode("foobar"), "Zm9vYmFy")
  claims.equal(crypt.base64encode(string.rep("\xff", 100)), string.rep("/", 133) .. "w==")
  claims.equal(crypt.base64decode("Zm9v\nYg"), "foob")
  claims.raises("Invalid base64 text", crypt.base64decode, "Zm9vY")
end

local function hashkey()
  claims.equal(hex(crypt.hashkey("hello world")), "c1c8513506e36bbc")
end

local function randomkey()
  local seen = {}
  for _ = 1, 100 do
    local key = crypt.randomkey()
    claims.equal(#key, 8)
    local folded = 0
    for index = 1, 8 do
      folded = folded ~ key:byte(index)
    end
    claims.equal(folded ~= 0, true)
    claims.equal(seen[key], nil)
    seen[key] = true
  end
end

local function keyed_hashes()
  claims.equal(hex(crypt.hmac64(KEY, OTHER)), "ac9ffda9547a027a")
  claims.equal(hex(crypt.hmac64_md5(KEY, OTHER)), "c2a34748cf834af4")
  claims.equal(hex(crypt.hmac_hash(KEY, "hello world")), "dc289049eee8f566")
  claims.equal(crypt.hmac_hash(KEY, "text"), crypt.hmac64(crypt.hashkey("text"), KEY))
end

local function keyed_hash_errors()
  for _, name in ipairs { "hmac64", "hmac64_md5" } do
    claims.raises("Invalid key size 7, need 8 bytes", crypt[name], "1234567", OTHER)
    claims.raises("Invalid key size 9, need 8 bytes", crypt[name], KEY, "123456789")
  end
  claims.raises("Invalid key size 1, need 8 bytes", crypt.hmac_hash, "1", "text")
end

local function exchange()
  claims.equal(hex(crypt.dhexchange(KEY)), "a18e89af97222f0e")
  claims.equal(hex(crypt.dhsecret(crypt.dhexchange(KEY), OTHER)), "fab8e4dca970e431")
  for _ = 1, 20 do
    local a, b = crypt.randomkey(), crypt.randomkey()
    claims.equal(crypt.dhsecret(crypt.dhexchange(a), b), crypt.dhsecret(crypt.dhexchange(b), a))
  end
end

local function exchange_errors()
  local zero = string.rep("\0", 8)
  claims.raises("Can't be 0", crypt.dhexchange, zero)
  claims.raises("Can't be 0", crypt.dhsecret, zero, KEY)
  claims.raises("Can't be 0", crypt.dhsecret, KEY, zero)
  claims.raises("need 8 bytes", crypt.dhexchange, "1")
end

local function sha1()
  claims.equal(hex(crypt.sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d")
  claims.equal(hex(crypt.hmac_sha1("Jefe", "what do ya want for nothing?")),
    "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
end

local function xor()
  claims.equal(crypt.xor_str("abcde", "AB"), "\x20\x20\x22\x26\x24")
  claims.equal(crypt.xor_str(crypt.xor_str("some text", "key"), "key"), "some text")
  claims.equal(crypt.xor_str("", "key"), "")
  claims.raises("the key is empty", crypt.xor_str, "text", "")
end

local function md5_sums()
  claims.equal(hex(md5.sum("abc")), "900150983cd24fb0d6963f7d28e17f72")
  claims.equal(md5.sumhexa("abc"), "900150983cd24fb0d6963f7d28e17f72")
  claims.equal(md5.hmacmd5("what do ya want for nothing?", "Jefe"), "750c783e6ab0b503eaa86e310a5db738")
  claims.equal(md5.exor("abc", "   "), "ABC")
  claims.equal(md5.exor("", ""), "")
  claims.raises("lengths must be equal", md5.exor, "abc", "ab")
end

local function md5_ciphers()
  for size = 0, 40 do
    local text = string.rep("x", size)
    claims.equal(md5.decrypt(md5.crypt(text, "key"), "key"), text)
    claims.equal(md5.decrypt(md5.crypt(text, "key", "seed"), "key"), text)
  end
  claims.equal(md5.crypt("text", "key", "a") == md5.crypt("text", "key", "b"), false)
  claims.equal(string.sub(md5.crypt("text", "key", "seed"), 2, 5), "seed")
  claims.equal(md5.decrypt(md5.crypt("text", "key"), "another") == "text", false)
  local long = string.rep("k", 100)
  claims.equal(md5.decrypt(md5.crypt("text", long, string.rep("s", 21)), long), "text")
  claims.raises("seed and key have 122 bytes, at most 121 are allowed", md5.crypt, "text", long, string.rep("s", 22))
  claims.raises("Invalid md5 crypt text", md5.decrypt, "", "key")
  claims.raises("Invalid md5 crypt text", md5.decrypt, "\9short", "key")
  claims.raises("string expected", md5.crypt, "text")
  claims.raises("string expected", md5.decrypt, "\0")
end

local function wrong_types()
  for name, f in pairs(crypt) do
    if type(f) == "function" and name ~= "randomkey" then
      claims.raises("string expected", f, {}, {})
    end
  end
end

local function other_name()
  local client = require "client.crypt"
  for name in pairs(crypt) do
    claims.equal(client[name] ~= nil, true, name)
  end
  claims.equal(client.sha1("x"), crypt.sha1("x"))
end

claims.run("skynet.crypt", {
  { "desencode pads and desdecode gives back every length", des },
  { "DES names a bad key, length, text and padding mode", des_errors },
  { "hexdecode takes what hexencode gives and nothing else", hex_text },
  { "base64 has no line breaks, and is read leniently", base64 },
  { "hashkey is two hashes of 32 bits", hashkey },
  { "randomkey gives 8 bytes whose xor is not 0, another each time", randomkey },
  { "hmac64, hmac64_md5 and hmac_hash give the known values", keyed_hashes },
  { "the keyed hashes want 8 bytes", keyed_hash_errors },
  { "dhexchange and dhsecret give both sides the same secret", exchange },
  { "0 is no number for an exchange", exchange_errors },
  { "sha1 and hmac_sha1 give raw digests", sha1 },
  { "xor_str repeats its key, which must not be empty", xor },
  { "md5 has sum, sumhexa, hmacmd5 and exor", md5_sums },
  { "md5.decrypt gives back what md5.crypt took; the seed is readable, and short enough", md5_ciphers },
  { "an argument that is no string raises", wrong_types },
  { "client.crypt is the same module", other_name },
})
