-- skynet.request and select (runtime_api.md 4.4).
local skynet = require "skynet"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()
local self = skynet.self()

-- Answers after `ticks`, or raises for "fail"; nil arguments come back.
skynet.dispatch("lua", function(_, _, ticks, ...)
  if ticks == "fail" then
    error "fail, on purpose"
  elseif ticks == "never" then
    skynet.wait {}
  end
  skynet.sleep(ticks)
  skynet.retpack(ticks, ...)
end)

local function completion_order()
  local set, seen = skynet.request(), {}
  for _, ticks in ipairs { 50, 10, 40, 20, 30 } do
    set:add { self, "lua", ticks, name = "after " .. ticks }
  end
  for request, reply in set:select() do
    seen[#seen + 1] = request.name
    claims.equal({ reply[1], reply.n }, { request[3], 1 })
  end
  claims.equal(seen, { "after 10", "after 20", "after 30", "after 40", "after 50" })
  claims.equal(set.timeout, nil)
end

local function chained()
  local seen = {}
  for _, reply in skynet.request { self, "lua", 1, "a" } { self, "lua", 20, "b" }:select() do
    seen[#seen + 1] = reply[2]
  end
  claims.equal(seen, { "a", "b" })
end

local function failures()
  local seen = {}
  local set = skynet.request { self, "lua", 1 } { self, "lua", "fail" } { 0xdead, "lua" } { ".nobody", "lua" }
  for request, reply in set:select() do
    seen[#seen + 1] = { request[1], reply and "reply" or reply }
  end
  claims.equal(seen, { { 0xdead, nil }, { ".nobody", nil }, { self, false }, { self, "reply" } })
end

local function nils()
  for _, reply in skynet.request { self, "lua", 1, nil, "x", nil, n = 6 }:select() do
    claims.equal({ reply.n, reply[2], reply[3], reply[4] }, { 4, nil, "x", nil })
  end
end

local function timeout()
  local set, seen = skynet.request(), 0
  for index = 1, 10 do
    set:add { self, "lua", index <= 4 and index or 200 }
  end
  local began = skynet.now()
  for _ in set:select(45) do
    seen = seen + 1
  end
  claims.equal({ seen, set.timeout, skynet.now() - began >= 45 }, { 4, true, true })
  skynet.sleep(200)  -- the late replies reach nobody
end

local function in_time()
  local set, seen = skynet.request { self, "lua", 1 }, 0
  for _ in set:select(500) do
    seen = seen + 1
  end
  claims.equal({ seen, set.timeout }, { 1, nil })
end

local function left()
  local before, seen = skynet.task(), 0
  for _ in skynet.request { self, "lua", 1 } { self, "lua", "never" } { self, "lua", 20 }:select() do
    seen = seen + 1
    break
  end
  claims.equal(seen, 1)
  skynet.sleep(30)
  claims.equal(skynet.task(), before + 1, "only the handler of never is left")
  claims.raises("out of the loop", function()
    for _ in skynet.request { self, "lua", 1 }:select() do
      error "out of the loop"
    end
  end)
end

local function once()
  local set = skynet.request { self, "lua", 1 }
  for _ in set:select() do end
  claims.raises("", set.select, set)
end

local function body_blocks()
  local seen = 0
  for _, reply in skynet.request { self, "lua", 1 } { self, "lua", 2 } { self, "lua", 3 }:select() do
    claims.equal(skynet.call(self, "lua", 10, "inner"), 10)
    seen = seen + reply[1]
  end
  claims.equal(seen, 6)
end

local function empty()
  for _ in skynet.request():select() do
    error "there is nothing to iterate over"
  end
end

claims.run("requests", {
  { "select yields in the order of completion, with packed replies", completion_order },
  { "requests chain with calls", chained },
  { "an invalid address comes first with nil, an error reply is false", failures },
  { "n counts items, so that arguments may be nil", nils },
  { "a timeout ends the loop and sets timeout (testselect: 4 of 10)", timeout },
  { "a timeout that does not come leaves timeout nil", in_time },
  { "leaving the loop discards what is outstanding", left },
  { "select may be called once", once },
  { "the loop body may block", body_blocks },
  { "an empty set ends at once", empty },
})
