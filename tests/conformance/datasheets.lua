-- skynet.datasheet and its builder (runtime_api.md 5.8).
local skynet = require "skynet"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local builder, datasheet  -- required by the first claims

local function eventually(condition)
  while not condition() do
    skynet.sleep(1)
  end
end

local function hex(text)
  return (string.gsub(text, ".", function(c) return string.format("%02x", string.byte(c)) end))
end

local function words(...)
  return hex(string.pack("<" .. string.rep("I4", select("#", ...)), ...))
end

local function compiled()
  claims.equal(hex(builder.compile {}), words(20, 1, 0, 0, 0))
  claims.equal(hex(builder.compile { 7, -1, n = 5 }),
    words(40, 1, 0, 2, 1) .. "01010100" .. words(7, 0xffffffff, 0, 5) .. "6e00")
  claims.equal(hex(builder.compile { no = false, x = 0.5, text = "x" }),
    words(48, 1, 0, 0, 3) .. "03050200" .. words(0, 0, 3, 8, 8, 0x3f000000) .. hex "no\0text\0x\0")
end

local function nested_bytes()
  -- Table 0 is the root; its child, table 1, is complete before it.
  claims.equal(hex(builder.compile { s = { true, "s" } }),
    words(56, 2, 20, 0) .. words(2, 0) .. "03050000" .. words(1, 0) .. words(0, 1) .. "04000000" .. words(0, 1) ..
    "7300")
end

local function waits_for_builder()
  local client
  skynet.fork(function() client = skynet.newservice "datasheet_client" end)
  skynet.sleep(5)
  claims.equal(client, nil)
  builder = require "skynet.datasheet.builder"
  eventually(function() return client end)
end

local function names()
  datasheet = require "skynet.datasheet"
  claims.raises("call failed", datasheet.query, "no such sheet")
  builder.new("late", { 1 })
  claims.equal(datasheet.query("late")[1], 1)
  claims.raises("call failed", datasheet.query, "no such sheet")
  builder.new("no such sheet", { 2 })
  claims.equal(datasheet.query("no such sheet")[1], 2, "a failure is not remembered")
end

local function reads()
  builder.new("reads", {
    1, -2, "three", { 4 }, name = "x", yes = true, no = false, float = 0.1, big = 1 << 24, most = 0x7fffffff,
    least = -0x80000000, sub = { deep = { "end" } }, empty = {}, text = "", wide = 1 << 40,
  })
  local t = datasheet.query "reads"
  claims.equal({ #t, t[1], t[2], t[3], t[4][1], t.name, t.yes, t.no }, { 4, 1, -2, "three", 4, "x", true, false })
  claims.equal({ t.most, t.least, t.big, t.wide, t.text }, { 0x7fffffff, -0x80000000, 1 << 24, 2.0 ^ 40, "" })
  claims.equal(t.float, string.unpack("<f", string.pack("<f", 0.1)))
  claims.equal({ t.sub.deep[1], t.missing == nil, type(t.sub), getmetatable(t) == nil }, { "end", true, "table", true })
  claims.equal(datasheet.query "reads" == t, true)
end

local function first_reads()
  -- Whatever looks first finds the contents.
  builder.new("first", { a = { 1, 2 }, b = { x = 1 }, c = { 1 }, d = { x = 2 }, e = { 5, 6 }, f = { x = 1 } })
  local t = datasheet.query "first"
  claims.equal({ #t.a, t.d.x, rawlen(t.e), rawget(t.f, "x") }, { 2, 2, 2, 1 })
  claims.equal({ next(t.b) }, { "x", 1 })
  local seen = {}
  for key, value in pairs(t.c) do
    seen[key] = value
  end
  claims.equal(seen, { 1 })
end

local function updates()
  builder.new("updates", { n = 1, sub = { n = 1, deep = { n = 1 } }, gone = { 1 }, list = { { 1 }, { 2 } } })
  local t = datasheet.query "updates"
  local sub, deep, gone, first, second = t.sub, t.sub.deep, t.gone, t.list[1], t.list[2]
  claims.equal({ t.n, deep.n, gone[1], first[1], second[1] }, { 1, 1, 1, 1, 2 })
  t.n, t.mine = 100, "written"

  builder.update("updates", { n = 2, sub = { deep = { n = 2 }, new = "new" }, list = { { 3 } } })
  eventually(function() return t.n == 2 end)

  claims.equal({ t.mine == nil, t.sub == sub, sub.deep == deep, deep.n, sub.new, sub.n == nil },
    { true, true, true, 2, "new", true })
  claims.equal({ t.list[1] == first, first[1], #t.list, t.gone == nil }, { true, 3, 1, true })
  claims.raises("Invalid proxy (index = ", function() return gone[1] end)
  claims.raises("Invalid proxy (index = ", function() return second[1] end)
  claims.raises("Invalid proxy (index = ", pairs, gone)
  claims.raises("Invalid proxy (index = ", next, gone)

  builder.update("updates", { n = 3, gone = { 9 } })
  eventually(function() return t.n == 3 end)
  claims.equal({ gone[1], t.gone == gone }, { 9, true })
  claims.raises("Invalid proxy (index = ", function() return deep.n end)
end

local function compiled_sheets()
  local bytes = builder.compile { x = { y = { 1, 2, 3 } } }
  builder.new("compiled", bytes)
  claims.equal(datasheet.query("compiled").x.y[3], 3)
  claims.raises("there is a datasheet of that name already", builder.new, "compiled", bytes)
  claims.equal(skynet.unpack(skynet.packstring(datasheet.query "compiled")).x.y[2], 2)
end

local function proxies()
  builder.new("proxies", { inner = datasheet.query "reads", own = setmetatable({}, { __pairs = function()
    return next, { 1, x = "y" }
  end }) })
  claims.equal({ datasheet.query("proxies").inner.sub.deep[1], datasheet.query("proxies").own.x }, { "end", "y" })
end

local function refused()
  local cases = {
    { "Invalid key 1.5", { [1.5] = 1 } },
    { "Invalid key 7", { a = { [7] = 1 } } },
    { "Invalid key true", { [true] = 1 } },
    { "Invalid value: function f", { f = print } },
    { "in [.a.b]", { a = { b = { io.stdout } } } },
    { "does not fit 32 bits", { n = (1 << 40) + 1 } },
    { "it has a NUL", { "a\0b" } },
    { "it has a NUL", { ["\0"] = 1 } },
  }
  for _, case in ipairs(cases) do
    claims.raises(case[1], builder.compile, case[2])
  end
  local cycle = {}
  cycle.a = { cycle }
  claims.raises("a datasheet is cyclic in [.a.1]", builder.compile, cycle)
  local deep = {}
  for _ = 1, 500 do
    deep = { deep }
  end
  claims.raises("nested deeper than 200", builder.compile, deep)
  claims.raises("table expected", builder.compile, 1)
end

local function damaged()
  local bytes = builder.compile { 1, "two", { 3, x = { y = "z" } }, w = 0.5 }
  for size = 0, #bytes - 1 do
    claims.raises("Invalid datasheet", builder.new, "damaged", string.sub(bytes, 1, size))
  end
  -- Each byte changed: an error, or a sheet that can be read to its end.
  local function walk(t, depth)
    for _, value in pairs(t) do
      if type(value) == "table" and depth < 8 then
        walk(value, depth + 1)
      end
    end
  end
  local read = 0
  builder.update("changed", { 0 })
  local sheet = datasheet.query "changed"
  for at = 1, #bytes do
    for _, change in ipairs { 1, 0x80, 0xff } do
      local byte = string.char(string.byte(bytes, at) ~ change)
      local changed = string.sub(bytes, 1, at - 1) .. byte .. string.sub(bytes, at + 1)
      local ok, reason = pcall(builder.update, "changed", changed)
      if ok then
        read = read + 1
        skynet.yield()
        pcall(walk, sheet, 1)
      else
        claims.equal(string.find(reason, "Invalid datasheet", 1, true) ~= nil, true, reason)
      end
    end
  end
  claims.equal(read > 0, true)
end

local function outlives_builder()
  local maker = skynet.newservice("datasheet_maker", "outlives")
  local t = datasheet.query "outlives"
  skynet.send(maker, "debug", "EXIT")
  skynet.sleep(5)
  collectgarbage()
  claims.equal({ t.a.b, datasheet.query("outlives").a.b }, { 1, 1 })
end

claims.run("datasheets", {
  { "a client starts when there is a builder", waits_for_builder },
  { "compile gives the bytes of the format", compiled },
  { "tables are numbered from the root and placed when they are complete", nested_bytes },
  { "a missing name raises, until it is made", names },
  { "values read as they were written, in 32 bits", reads },
  { "a table fills itself at the first look", first_reads },
  { "an update fills the same tables anew, by their paths", updates },
  { "compiled bytes are a sheet; sheets pack as tables", compiled_sheets },
  { "tables with __pairs are written as they show themselves", proxies },
  { "what a sheet cannot hold is refused", refused },
  { "damaged bytes are refused or can be read", damaged },
  { "a sheet outlives its builder", outlives_builder },
})
