-- skynet.sharedata and its service (runtime_api.md 5.6, 6.8).
local skynet = require "skynet"
local sharedata = require "skynet.sharedata"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

-- Waits until condition() holds.
local function eventually(condition)
  while not condition() do
    skynet.sleep(1)
  end
end

local function reads()
  sharedata.new("reads", {
    10, 20, 30, name = "gate", ratio = 0.5, big = 1 << 40, yes = true, no = false, [100] = "far", [-1] = "negative",
    sub = { deep = { answer = 42 }, list = { "a", "b" } }, empty = {}, ["a\0b"] = "binary\0",
  })
  local data = sharedata.query "reads"
  for _ = 1, 2 do  -- from the tree, then from what was read
    claims.equal({ data[1], data[3], data[4], data.name, data.ratio, data.big }, { 10, 30, nil, "gate", 0.5, 1 << 40 })
    claims.equal({ data.yes, data.no, data[100], data[-1], data[2.0] }, { true, false, "far", "negative", 20 })
    claims.equal({ data.sub.deep.answer, data.sub.list[2], data["a\0b"] }, { 42, "b", "binary\0" })
    claims.equal({ data.missing == nil, data.sub.missing == nil, data[2.5] == nil }, { true, true, true })
  end
  claims.equal({ type(data), math.type(data.big), math.type(data.ratio) }, { "table", "integer", "float" })
  claims.equal(data.sub == data.sub, true)
end

local function iteration()
  sharedata.new("iteration", { 1, 2, 3, a = "x", sub = { 4, 5 } })
  local data = sharedata.query "iteration"
  local seen, count = {}, 0
  for key, value in pairs(data) do
    seen[key] = value
    count = count + 1
  end
  claims.equal({ count, seen[1], seen[3], seen.a, seen.sub == data.sub }, { 5, 1, 3, "x", true })
  local items = {}
  for index, value in ipairs(data.sub) do
    items[index] = value
  end
  claims.equal(items, { 4, 5 })
  claims.equal({ #data, #data.sub, next(data.sub) }, { 3, 2, 1, 4 })
  claims.equal({ table.unpack(data.sub) }, { 4, 5 })
  claims.equal(table.concat(data.sub, "-"), "4-5")
end

local function length()
  sharedata.new("length", { hash = { [5] = 1 }, empty = {}, holes = { 1, nil, 3 } })
  local data = sharedata.query "length"
  claims.equal({ #data, #data.hash, #data.empty, #data.holes, data.holes[2] == nil }, { 0, 0, 0, 3, true })
  claims.equal(next(data.empty), nil)
end

local function writes()
  sharedata.new("writes", { a = 1, b = { c = 2, [1] = 3 } })
  local data = sharedata.query "writes"
  claims.raises("Error newindex, the key [.new]", function() data.new = 1 end)
  claims.raises("Error newindex, the key [.a]", function() data.a = 1 end)
  claims.equal({ data.a, data.b.c }, { 1, 2 })
  claims.raises("Error newindex, the key [.a]", function() data.a = nil end)
  claims.raises("Error newindex, the key [.b.c]", function() data.b.c = 1 end)
  claims.raises("Error newindex, the key [.b.2]", function() table.insert(data.b, 1, 1) end)
  claims.raises("attempt to change a shared table", rawset, data, "a", 2)
  claims.equal({ data.a, data.b.c, data.b[1] }, { 1, 2, 3 })
end

local function packing()
  sharedata.new("packing", { 1, 2, sub = { x = "y" } })
  local copy = skynet.unpack(skynet.packstring(sharedata.query "packing"))
  claims.equal({ copy[1], copy[2], copy.sub.x, getmetatable(copy) == nil }, { 1, 2, "y", true })
  copy.sub.x = "z"
end

local function sources()
  sharedata.new("returned", "return { given = { ... }, letters = string.upper 'abc' }", 7, "x")
  claims.equal({ sharedata.query("returned").given[1], sharedata.query("returned").letters }, { 7, "ABC" })
  sharedata.new("set", "one = 1\ntwo = { one + 1 }")
  claims.equal({ sharedata.query("set").one, sharedata.query("set").two[1] }, { 1, 2 })
  sharedata.new("none", nil)
  claims.equal(next(sharedata.query "none"), nil)
  sharedata.new("file", "@" .. SERVICE_PATH .. "shared_source.lua", "of the file")
  claims.equal({ sharedata.query("file").level, sharedata.query("file").name }, { 3, "of the file" })
end

local function refused()
  claims.raises("Invalid key 1.500000", sharedata.new, "refused", { [1.5] = 1 })
  claims.raises("Invalid key type boolean in [.a]", sharedata.new, "refused", { a = { [true] = 1 } })
  claims.raises("Invalid value type function", sharedata.new, "refused", { f = print })
  claims.raises("Invalid value type thread in [.a.b]", sharedata.new, "refused",
    { a = { b = { coroutine.running() } } })
  local cycle = {}
  cycle.a = { b = cycle }
  claims.raises("a shared table is cyclic in [.a.b]", sharedata.new, "refused", cycle)
  local deep = {}
  for _ = 1, 1000 do
    deep = { deep }
  end
  claims.raises("nested deeper than 200", sharedata.new, "refused", deep)
  claims.raises("call failed", sharedata.new, "refused", "this is no Lua")
  claims.raises("call failed", sharedata.new, "refused", "@./no such file")
  claims.raises("call failed", sharedata.new, "refused", "x = print")
  claims.raises("call failed", sharedata.new, "refused", 42)
  claims.raises("call failed", sharedata.query, "refused")
end

local function proxies()
  -- What has __pairs is shared as it shows itself, as it would be packed.
  local proxy = setmetatable({ hidden = 1 }, { __pairs = function() return next, { shown = 2, [1] = "one" } end })
  sharedata.new("proxies", { proxy, inner = sharedata.query "iteration" })
  local data = sharedata.query "proxies"
  claims.equal({ data[1].hidden == nil, data[1].shown, data[1][1], data.inner.sub[2] }, { true, 2, "one", 5 })
  claims.raises("raised by pairs", sharedata.new, "refused",
    { setmetatable({}, { __pairs = function() error "raised by pairs" end }) })
  local function endless() return setmetatable({}, { __pairs = function() return next, { endless() } end }) end
  claims.raises("nested deeper than 200", sharedata.new, "refused", endless())
end

local function names()
  sharedata.new("names", { 1 })
  claims.raises("call failed", sharedata.new, "names", { 2 })
  claims.equal(sharedata.query("names")[1], 1)
  claims.equal(sharedata.query "names" == sharedata.query "names", true)
  claims.raises("call failed", sharedata.query, "no such name")
  claims.raises("call failed", sharedata.delete, "no such name")
  sharedata.update("made by update", { 3 })
  claims.equal(sharedata.query("made by update")[1], 3)
end

local function updates()
  sharedata.new("updates", { a = 1, b = { c = { d = 2 }, list = { 1, 2, 3 } }, gone = { x = 1 } })
  local data = sharedata.query "updates"
  local b, c, list, gone = data.b, data.b.c, data.b.list, data.gone
  claims.equal({ data.a, c.d, #list, gone.x }, { 1, 2, 3, 1 })

  sharedata.update("updates", { a = 10, b = { c = { d = 20 }, list = { 4 } }, new = "new" })
  eventually(function() return data.a == 10 end)

  claims.equal({ data.b == b, b.c == c, c.d, list[1], list[2] == nil, #list }, { true, true, 20, 4, true, 1 })
  claims.equal({ data.new, data.gone == nil, sharedata.query "updates" == data }, { "new", true, true })
  claims.raises("The key [.gone] doesn't exist after update", function() return gone.x end)
  claims.raises("The key [.gone] doesn't exist after update", function() return #gone end)
  claims.raises("The key [.gone] doesn't exist after update", pairs, gone)
  claims.raises("The key [.gone] doesn't exist after update", next, gone)

  sharedata.update("updates", { b = 5, gone = { x = 7 } })
  eventually(function() return data.b == 5 end)
  claims.raises("The key [.b.c] doesn't exist after update", function() return c.d end)
  claims.equal({ gone.x, data.gone.x }, { 7, 7 })
end

local function update_while_iterating()
  sharedata.new("while", { a = 1, b = 1, c = 1, d = 1 })
  local data = sharedata.query "while"
  local sum = 0
  for _, value in pairs(data) do
    if sum == 0 then
      sharedata.update("while", { x = 5 })
      eventually(function() return data.x == 5 end)
    end
    sum = sum + value
  end
  claims.equal({ sum, data.a == nil }, { 4, true })
end

local function many_updates()
  sharedata.new("many", { n = 0, sub = { n = 0 } })
  local data = sharedata.query "many"
  local sub = data.sub
  for n = 1, 50 do
    sharedata.update("many", { n = n, sub = { n = n } })
  end
  eventually(function() return data.n == 50 end)
  claims.equal(sub.n, 50)
end

local function deletes()
  sharedata.new("deletes", { a = { b = 1 } })
  local data = sharedata.query "deletes"
  sharedata.delete "deletes"
  eventually(function() return not pcall(sharedata.query, "deletes") end)
  claims.equal(data.a.b, 1)
  sharedata.new("deletes", { a = { b = 2 } })
  claims.equal({ sharedata.query("deletes").a.b, data.a.b }, { 2, 1 })
end

local function flushes()
  sharedata.new("flush", { n = 1, sub = { n = 1 } })
  local data = sharedata.query "flush"
  local sub = data.sub
  claims.equal({ data.n, sub.n }, { 1, 1 })
  sharedata.update("flush", { n = 2, sub = { n = 2 } })
  sharedata.flush()
  claims.equal({ data.n, sub.n, data.sub == sub }, { 2, 2, true })
end

local function collected()
  sharedata.new("collected", { n = 1 })
  local weak = setmetatable({ sharedata.query "collected" }, { __mode = "v" })
  collectgarbage()
  collectgarbage()
  claims.equal(weak[1], nil)
  sharedata.update("collected", { n = 2 })
  claims.equal(sharedata.query("collected").n, 2)
end

local function copies()
  sharedata.new("copies", { a = { b = { 1, 2, c = "d" } }, n = 5 })
  local copy = sharedata.deepcopy("copies", "a", "b")
  claims.equal({ copy[1], copy[2], copy.c, getmetatable(copy) == nil }, { 1, 2, "d", true })
  copy.c = "changed"
  claims.equal({ sharedata.deepcopy("copies").a.b.c, sharedata.deepcopy("copies", "n") }, { "d", 5 })
  claims.equal({ sharedata.deepcopy("copies", "x", "y") == nil, sharedata.deepcopy("copies", "n", "y") == nil },
    { true, true })
  claims.raises("call failed", sharedata.deepcopy, "no such name")
end

local function plain_functions()
  -- The functions of the base library that know shared tables are what they were for others.
  local object = setmetatable({ 1, x = 2 }, { __index = { y = 3 }, __metatable = "hidden" })
  claims.equal({ rawget(object, "y") == nil, rawlen(object), rawlen "abc" }, { true, 1, 3 })
  claims.equal(getmetatable(object), "hidden")
  claims.raises("cannot change a protected metatable", setmetatable, object, nil)
  claims.raises("table expected", next, 1)
  claims.raises("table or string expected", rawlen, 1)
  claims.raises("nil or table expected", setmetatable, {}, 1)
  claims.equal(getmetatable("").__index == string, true)
  claims.equal({ next({}, nil), rawset(object, "z", 1) == object, object.z }, { nil, true, 1 })
  sharedata.new("plain", { a = 1 })
  local data = sharedata.query "plain"
  claims.equal({ rawget(data, "a"), rawlen(data), getmetatable(data) == nil }, { 1, 0, true })
  claims.raises("can't setmetatable to shared table", setmetatable, data, {})
end

local function service_commands()
  local service = skynet.uniqueservice "sharedatad"
  skynet.call(service, "lua", "new", "raw", { a = 1 })
  local id = skynet.call(service, "lua", "query", "raw")
  claims.equal({ type(id), sharedata.query("raw").a }, { "userdata", 1 })
  local changed
  skynet.fork(function() changed = { n = 1, skynet.call(service, "lua", "monitor", "raw", id) } end)
  skynet.sleep(1)
  claims.equal(changed, nil)
  skynet.call(service, "lua", "update", "raw", "a = 2")
  eventually(function() return changed end)
  claims.equal(changed[1] == skynet.call(service, "lua", "query", "raw"), true)
  claims.equal(skynet.call(service, "lua", "monitor", "raw", id) == changed[1], true)
  skynet.call(service, "lua", "confirm", id)
  skynet.fork(function() changed = { skynet.call(service, "lua", "monitor", "raw", changed[1]) } end)
  skynet.sleep(1)
  skynet.call(service, "lua", "delete", "raw")
  eventually(function() return #changed == 0 end)
  claims.raises("call failed", skynet.call, service, "lua", "no such command")
end

local function readers()
  -- A service of its own sees the data, and its update, and ends while it watches.
  sharedata.new("readers", { n = 1 })
  local services = {}
  for index = 1, 5 do
    services[index] = skynet.newservice("shared_reader", "readers")
    claims.equal(skynet.call(services[index], "lua", "n"), 1)
  end
  sharedata.update("readers", { n = 2 })
  for _, service in ipairs(services) do
    eventually(function() return skynet.call(service, "lua", "n") == 2 end)
    skynet.send(service, "lua", "exit")
  end
  sharedata.update("readers", { n = 3 })
  claims.equal(sharedata.query("readers").n, 3)
end

claims.run("shared data", {
  { "reads values of every type at any depth", reads },
  { "pairs, ipairs, next and # see the data", iteration },
  { "# counts the array part only", length },
  { "writes raise and name the key", writes },
  { "a shared table packs as a table", packing },
  { "Lua text and files are run in globals of their own", sources },
  { "what cannot be shared is refused", refused },
  { "tables with __pairs are shared as they show themselves", proxies },
  { "a name is made once, and missing names are errors", names },
  { "an update shows in all that is held, by its path", updates },
  { "pairs under way goes on over the old data", update_while_iterating },
  { "many updates in a row end at the last", many_updates },
  { "a deleted name is gone, what is held stays", deletes },
  { "flush shows the newest data now", flushes },
  { "data that nobody holds is collected and comes anew", collected },
  { "deepcopy gives plain tables and values", copies },
  { "raw functions see shared tables and leave others alone", plain_functions },
  { "sharedatad answers its commands", service_commands },
  { "services share, see updates and may end", readers },
})
