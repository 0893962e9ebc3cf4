-- skynet.sharetable (runtime_api.md 5.7).
local skynet = require "skynet"
local sharetable = require "skynet.sharetable"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local function reads()
  sharetable.loadtable("reads", {
    1, 2, 3, x = "y", [1.5] = "float", [true] = "boolean", sub = { 4, 5, z = { 6 } }, ratio = 0.25, no = false,
  })
  local t = sharetable.query "reads"
  claims.equal({ type(t), t[1], t.x, t[1.5], t[true], t.sub.z[1], t.ratio, t.no },
    { "table", 1, "y", "float", "boolean", 6, 0.25, false })
  claims.equal({ #t, #t.sub, rawlen(t), rawget(t, "x"), t.missing == nil }, { 3, 2, 3, "y", true })
  local count, sum = 0, 0
  for _, value in pairs(t) do
    count = count + 1
    sum = sum + (math.type(value) == "integer" and value or 0)
  end
  claims.equal({ count, sum }, { 9, 6 })
  count = 0
  for key, value in next, t.sub do
    count = count + 1
    claims.equal(t.sub[key] == value, true)
  end
  claims.equal(count, 3)
  local items = {}
  for index, value in ipairs(t.sub) do
    items[index] = value
  end
  claims.equal({ items, table.concat(t, ","), select("#", table.unpack(t)) }, { { 4, 5 }, "1,2,3", 3 })
  claims.equal({ getmetatable(t) == nil, next(t.sub.z) }, { true, 1, 6 })
end

local function fresh_next()
  -- Tables that nobody has touched yet are not empty.
  sharetable.loadtable("fresh", { a = { b = 1 }, none = {} })
  local t = sharetable.query "fresh"
  claims.equal({ next(t.a) }, { "b", 1 })
  claims.equal({ next(t.none) == nil, #t.none, t.none[1] == nil }, { true, 0, true })
end

local function writes()
  sharetable.loadtable("writes", { a = 1, sub = { 1 } })
  local t = sharetable.query "writes"
  claims.raises("attempt to change a shared table", function() t.a = 2 end)
  claims.raises("attempt to change a shared table", function() t.new = 2 end)
  claims.equal({ t.a, t.sub[1] }, { 1, 1 })
  claims.raises("attempt to change a shared table", function() t.a = 2 end)
  claims.raises("attempt to change a shared table", function() t.sub[1] = 2 end)
  claims.raises("attempt to change a shared table", table.insert, t.sub, 2)
  claims.raises("attempt to change a shared table", rawset, t, "a", 2)
  claims.raises("can't setmetatable to shared table", setmetatable, t, {})
  claims.raises("can't setmetatable to shared table", setmetatable, t, nil)
  claims.equal({ t.a, #t.sub, t.new == nil }, { 1, 1, true })
end

local function copy_idiom()
  -- What programs do to get a table of their own.
  local function copy(value)
    if type(value) ~= "table" then
      return value
    end
    local result = {}
    for key, item in next, value do
      result[copy(key)] = copy(item)
    end
    return setmetatable(result, getmetatable(value))
  end
  sharetable.loadtable("copied", { a = { 1, 2 }, b = "c" })
  local own = copy(sharetable.query "copied")
  own.a[1], own.d = 5, "new"
  claims.equal({ own.a[1], own.a[2], own.b, own.d, sharetable.query("copied").a[1] }, { 5, 2, "c", "new", 1 })
end

local function functions()
  sharetable.loadstring("functions", [[
    local function double(x)
      return x * 2
    end
    return { double = double, list = { "first", double }, select = select }
  ]])
  local t = sharetable.query "functions"
  claims.equal({ t.double(21), t.list[2](4), t.double == t.double, t.select("#", 1, 2) }, { 42, 8, true, 2 })
  local upvalue = 1
  claims.raises("Invalid type [function with upvalues]", sharetable.loadtable, "refused",
    { f = function() return upvalue end })
end

local function sources()
  sharetable.loadfile(SERVICE_PATH .. "shared_table_source.lua", 3, true)
  local t = sharetable.query(SERVICE_PATH .. "shared_table_source.lua")
  claims.equal({ t.count, t.flag, t.rows[3].id }, { 3, true, 3 })
  sharetable.loadstring("text", "leaked = 1 return { n = ..., leaked }", 7)
  claims.equal({ sharetable.query("text").n, sharetable.query("text")[1], rawget(_G, "leaked") == nil }, { 7, 1, true })
  claims.raises("Not a table, it's a string.", sharetable.loadstring, "refused", "return 'text'")
  claims.raises("Not a table, it's a nil.", sharetable.loadstring, "refused", "local x = 1")
  claims.raises("Not a table, it's a number.", sharetable.loadtable, "refused", 1)
  claims.raises("syntax error", sharetable.loadstring, "refused", "no Lua here")
  claims.raises("cannot open", sharetable.loadfile, "./no such file.lua")
  claims.raises("raised by the chunk", sharetable.loadstring, "refused", "error 'raised by the chunk'")
  claims.equal(sharetable.query "refused", nil)
end

local function refused()
  claims.raises("Can't share metatable", sharetable.loadtable, "refused", setmetatable({}, {}))
  claims.raises("Can't share metatable in [.a]", sharetable.loadtable, "refused", { a = setmetatable({}, {}) })
  claims.raises("Invalid type [thread]", sharetable.loadtable, "refused", { coroutine.running() })
  claims.raises("Invalid type [userdata]", sharetable.loadtable, "refused", { io.stdout })
  claims.raises("Invalid type [table]", sharetable.loadtable, "refused", { [{}] = 1 })
  claims.raises("Invalid type [function]", sharetable.loadtable, "refused", { [print] = 1 })
  local cycle = {}
  cycle[1] = cycle
  claims.raises("a shared table is cyclic in [.1]", sharetable.loadtable, "refused", cycle)
  local deep = {}
  for _ = 1, 500 do
    deep = { deep }
  end
  claims.raises("nested deeper than 200", sharetable.loadtable, "refused", deep)
  claims.equal(sharetable.query "refused", nil)
end

local function versions()
  sharetable.loadtable("versions", { n = 1, sub = { n = 1, gone = { 1 } }, list = { 1, 2, 3 } })
  local t = sharetable.query "versions"
  local sub, gone, list = t.sub, t.sub.gone, t.list
  claims.equal({ t.n, sub.n, gone[1], #list, sharetable.query "versions" == t }, { 1, 1, 1, 3, true })

  sharetable.loadtable("versions", { n = 2, sub = { n = 2, new = "new" }, list = { 9 } })
  claims.equal({ t.n, sub.n, #list }, { 1, 1, 3 }, "before update")
  local newer = sharetable.query "versions"
  claims.equal({ newer.n, newer ~= t }, { 2, true })

  sharetable.update "versions"
  claims.equal({ t.n, sub.n, sub.new, t.sub == sub }, { 2, 2, "new", true })
  claims.equal({ #list, list[1], sub.gone == nil }, { 1, 9, true })
  claims.equal(newer.n, 2)
  claims.raises("The key [.sub.gone] doesn't exist after update", function() return gone[1] end)
  sharetable.update("versions", "no such name")
  claims.equal(t.n, 2)
end

local function shared_again()
  -- A shared table is a table that can be shared, sent and iterated over while it changes.
  sharetable.loadtable("again", { a = { b = 1 } })
  local t = sharetable.query "again"
  sharetable.loadtable("nested", { inner = t, part = t.a })
  claims.equal({ sharetable.query("nested").inner.a.b, sharetable.query("nested").part.b }, { 1, 1 })
  claims.equal(skynet.unpack(skynet.packstring(t)).a.b, 1)
  sharetable.loadtable("again", { a = { b = 2, c = 3 } })
  local seen = 0
  for _, value in pairs(t.a) do
    sharetable.update "again"
    seen = seen + value
  end
  claims.equal({ seen, t.a.b }, { 1, 2 })
end

local function all()
  sharetable.loadtable("all one", { 1 })
  sharetable.loadtable("all two", { 2 })
  local some = sharetable.queryall { "all one", "no such name" }
  claims.equal({ some["all one"][1], some["all two"] == nil, some["no such name"] == nil }, { 1, true, true })
  local every = sharetable.queryall()
  claims.equal({ every["all one"][1], every["all two"][1], every["all one"] == some["all one"] }, { 1, 2, true })
  claims.equal(sharetable.query "no such name", nil)
end

claims.run("shared tables", {
  { "read like tables of one's own", reads },
  { "next sees what nobody has read yet", fresh_next },
  { "refuse changes", writes },
  { "can be copied as programs copy tables", copy_idiom },
  { "hold functions without upvalues", functions },
  { "come from files and texts, with arguments and globals of their own", sources },
  { "what cannot be shared is refused", refused },
  { "show one version until update, then the newest", versions },
  { "can be shared again, packed, and iterated over during an update", shared_again },
  { "queryall gives some or all", all },
})
