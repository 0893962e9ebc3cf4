-- skynet.mqueue (runtime_api.md 5.11).
local skynet = require "skynet"
local mqueue = require "skynet.mqueue"

if (...) == "unregistered" then
  return skynet.start(function() end)
end

local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()
local self = skynet.self()

local seen = {}

-- What requests here do: "add", ticks, word -> word; "size" -> size(); "push", word -> nothing; "value" -> 1; "fail".
local function handle(what, ticks, word)
  if what == "fail" then
    error "on purpose"
  elseif what == "size" then
    return mqueue.size()
  elseif what == "push" then
    seen[#seen + 1] = ticks
    return
  elseif what == "value" then
    return 1
  end
  seen[#seen + 1] = "begin " .. word
  skynet.sleep(ticks)
  seen[#seen + 1] = "end " .. word
  return word, nil
end

mqueue.register(handle)

local function one_by_one()
  seen = {}
  local tasks = {}
  for index, ticks in ipairs { 3, 1, 2 } do
    tasks[index] = function()
      return mqueue.call(self, "add", ticks, "request " .. index)
    end
  end
  claims.equal(claims.all(tasks), { n = 3, "request 1", "request 2", "request 3" })
  claims.equal(seen, {
    "begin request 1", "end request 1", "begin request 2", "end request 2", "begin request 3", "end request 3",
  })
end

local function replies()
  claims.equal(select("#", mqueue.call(self, "add", 1, "x")), 2)
  claims.equal(select("#", mqueue.call(self, "push", "y")), 0)
end

local function sends()
  seen = {}
  for index = 1, 5 do
    mqueue.send(self, "push", index)
  end
  mqueue.call(self, "size")
  claims.equal(seen, { 1, 2, 3, 4, 5 })
end

local function sizes()
  claims.equal(mqueue.size(), 0)
  skynet.fork(mqueue.call, self, "add", 5, "first")
  for _ = 1, 3 do
    skynet.fork(mqueue.send, self, "push", "x")
  end
  skynet.sleep(2)
  claims.equal(mqueue.size(), 3)
  claims.equal({ mqueue.call(self, "size"), mqueue.size() }, { 0, 0 })
end

local function failures()
  claims.raises("call failed", mqueue.call, self, "fail")
  mqueue.send(self, "fail")
  mqueue.send(self, "value")  -- an error in the log: nobody waits for it
  claims.equal({ mqueue.call(self, "value"), mqueue.size() }, { 1, 0 })
end

local function malformed()
  claims.raises("registered already", mqueue.register, function() end)
  claims.raises("needs a function", mqueue.register)
  claims.raises("needs a function", mqueue.register, {})
  claims.raises("call to invalid address", mqueue.call, 0xdead, "x")
  claims.equal(mqueue.send(0xdead, "x"), nil)
  local stranger = skynet.newservice("queued_requests", "unregistered")
  claims.raises("call failed", mqueue.call, stranger, "x")
end

claims.run("queued requests", {
  { "requests are handled one at a time, in order, also when the function waits", one_by_one },
  { "the function's results are the reply", replies },
  { "sends stand in the same line", sends },
  { "size counts what waits", sizes },
  { "an error is the caller's, and the line goes on; a send has no result", failures },
  { "malformed use is an error", malformed },
})
