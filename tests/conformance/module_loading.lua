-- skynet.require and skynet.init
local skynet = require "skynet"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local order = {}
skynet.init(function() order[#order + 1] = "first" end)
skynet.init(function() order[#order + 1] = "second" end)

local function put(name, loader)
  package.preload[name] = loader
end

local function start_functions()
  claims.equal(order, { "first", "second" })
end

local function blocking_module()
  local loads, inits = 0, 0
  put("slow.module", function()
    loads = loads + 1
    skynet.init(function()
      skynet.sleep(5)
      inits = inits + 1
    end)
    skynet.sleep(5)
    return { value = "loaded" }
  end)
  local function load() return require("slow.module").value .. inits end
  claims.equal(claims.all { load, load, load }, { "loaded1", "loaded1", "loaded1" })
  claims.equal(loads, 1)
end

local function circular()
  put("circle.a", function() return require "circle.b" end)
  put("circle.b", function() return require "circle.a" end)
  claims.raises("circular dependency", require, "circle.a")
end

local function failing()
  put("bad.module", function()
    skynet.sleep(2)
    error "this module fails"
  end)
  local seen = claims.all {
    function() return require "bad.module" end,
    function() return require "bad.module" end,
  }
  claims.equal(string.find(seen[1], "this module fails", 1, true) ~= nil, true)
  claims.equal(string.find(seen[2], "require bad.module failed", 1, true) ~= nil, true)
  claims.raises("module 'no.such.module' not found", require, "no.such.module")
end

local function misplaced()
  claims.raises("skynet.init outside", skynet.init, function() end)
end

claims.run("module loading", {
  { "start functions ran in order before the start function", start_functions },
  { "a module that blocks is loaded once, and is ready for everybody when require returns", blocking_module },
  { "a circle is an error", circular },
  { "a failing module fails everybody who waits for it", failing },
  { "skynet.init in a running task is an error", misplaced },
})
