-- skynet.datacenter and the service DATACENTER (runtime_api.md 5.5, 6.7).
local skynet = require "skynet"
local datacenter = require "skynet.datacenter"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local function values()
  claims.equal(datacenter.get "values", nil)
  claims.equal(datacenter.get("values", "x", "y"), nil)
  claims.equal(datacenter.set("values", 1), nil)
  claims.equal(datacenter.set("values", "two"), 1)
  claims.equal(datacenter.get "values", "two")
  claims.equal(datacenter.set("values", false), "two")
  claims.equal({ datacenter.get "values", datacenter.set("values", 2.5) }, { false, false })
  claims.equal(datacenter.set("values", nil), 2.5)
  claims.equal(datacenter.get "values", nil)
end

local function branches()
  claims.equal(datacenter.set("a", "b", "c", 1), nil)
  claims.equal(datacenter.set("a", 5, true, 2), nil)
  claims.equal({ datacenter.get("a", "b", "c"), datacenter.get("a", 5, true) }, { 1, 2 })
  claims.equal(datacenter.set("a", "b", { c = 3, d = { 4 } }).c, 1)
  claims.equal({ datacenter.get("a", "b", "c"), datacenter.get("a", "b", "d", 1) }, { 3, 4 })
end

local function copies()
  local given = { x = 1 }
  datacenter.set("copied", given)
  given.x = 2
  local first = datacenter.get "copied"
  first.x = 3
  claims.equal({ datacenter.get("copied", "x"), datacenter.get("copied").x }, { 1, 1 })
end

local function scalars()
  for _, scalar in ipairs { 1, "text", true } do
    datacenter.set("scalar", scalar)
    claims.raises("call failed", datacenter.get, "scalar", "x")
    claims.raises("call failed", datacenter.get, "scalar", "len")
    claims.raises("call failed", datacenter.get, "scalar", "x", "y")
    claims.raises("call failed", datacenter.set, "scalar", "x", 1)
    claims.raises("call failed", datacenter.set, "scalar", "x", "y", 1)
    claims.raises("call failed", datacenter.wait, "scalar", "x")
    claims.equal(datacenter.get "scalar", scalar)
  end
end

local function waits()
  datacenter.set("there", 1)
  claims.equal(datacenter.wait "there", 1)
  claims.equal(datacenter.wait("there"), 1)
  local seen = claims.within(500, function()
    return claims.all {
      function() return datacenter.wait("w", "x") end,
      function() return datacenter.wait("w", "x") end,
      function()
        datacenter.set("w", "other", 1)
        datacenter.set("w", "x", nil)
        return datacenter.set("w", "x", false)
      end,
      function() return datacenter.wait("w", "x") end,
    }
  end)
  claims.equal(seen, { n = 4, false, false, nil, false })
end

local function many_waits()
  local tasks = {}
  for index = 1, 10 do
    tasks[index] = function() return datacenter.wait("many", index) end
    tasks[20 + 1 - index] = function() return datacenter.set("many", index, index * 10) end
  end
  local seen = claims.within(500, function() return claims.all(tasks) end)
  for index = 1, 10 do
    claims.equal(seen[index], index * 10)
  end
end

-- testdatacenter: who waits for a key that becomes a branch fails; one below a branch gets its value.
local function branch_waits()
  local late = claims.within(500, function()
    return claims.all {
      function() return datacenter.wait "branch" end,
      function() return datacenter.wait("branch", "leaf") end,
      function() return datacenter.set("branch", "leaf", 1) end,
    }
  end)
  claims.equal(string.find(late[1], "call failed", 1, true) ~= nil, true)
  claims.equal(late[2], 1)
  claims.equal(datacenter.wait("branch").leaf, 1)
end

local function malformed()
  claims.raises("call failed", datacenter.set)
  claims.raises("call failed", datacenter.set, "only a key")
  claims.raises("call failed", datacenter.wait)
  claims.raises("call failed", datacenter.set, nil, 1)
  claims.raises("call failed", datacenter.set, "x", nil, 1)
  claims.raises("call failed", datacenter.set, 0 / 0, 1)
  claims.raises("call failed", skynet.call, "DATACENTER", "lua", "NOTHING")
  claims.equal(datacenter.get "x", nil)
end

claims.run("data center", {
  { "set returns the old value, get the present one", values },
  { "paths make branches; a table is a branch too", branches },
  { "a branch is read as a copy", copies },
  { "a path through a value that is no branch is an error", scalars },
  { "wait returns at once what is there, else when it comes", waits },
  { "who waits for different keys gets different values", many_waits },
  { "who waits for a key fails when it becomes a branch", branch_waits },
  { "malformed requests are errors and leave the tree", malformed },
})
