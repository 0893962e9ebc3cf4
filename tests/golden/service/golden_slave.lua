-- The start service of the recorded slaves of a harbor network (../README.md), at the handle that it had there, with its
-- session numbers. Config `harbor` says which one it is. Prints how each of its calls ended, and "done".
local skynet = require "skynet"
local core = require "skynet.core"
require "skynet.manager"

-- The start of the service takes session 1, launching golden_echo 2.
local last_session = 2

-- Until the next session is `session`.
local function skip_to(session)
  while last_session < session - 1 do
    last_session = core.genid()
  end
end

local function call(session, ...)
  skip_to(session)
  last_session = session
  local ok, result = pcall(skynet.call, ...)
  local shown = tostring(result)
  print("call", session, ok, ok and (#shown > 20 and #shown .. " bytes" or shown) or nil)
end

local role = {}

role["1"] = function()
  local echo = skynet.newservice "golden_echo"
  local far, nobody = 0x02000008, 0x02ffff00
  call(4, "GNAME2", "lua", "ECHO", "queued")
  skynet.name("GNAME1", echo)
  skynet.name("0123456789abcde", echo)
  call(0x12, "GNAME2", "lua", "ECHO", "byname")
  call(0x15, far, "lua", "ECHO", "byhandle")
  skynet.send(far, "lua", "LEN", "xyz")
  call(0x1a, far, "lua", "ERR")
  call(0x1d, nobody, "lua", "ECHO")
  skynet.send(nobody, "lua", "ECHO")
  call(0x22, far, "lua", "ECHO", string.rep("z", 102400))
  call(0x25, far, "lua", "EMPTY")
  call(0x28, far, "lua", "CALLBACK", echo)
  local traced = {}
  skynet.fork(function()  -- a task of its own: what comes behind is not traced
    skip_to(0x2c)
    skynet.trace()
    call(0x2c, far, "lua", "ECHO", "traced")
    skynet.wakeup(traced)
  end)
  skynet.wait(traced)
  call(0x37, far, "lua", "HANG")
  call(0x39, far, "lua", "ECHO", "dead")
end

role["2"] = function()
  skynet.name("GNAME2", skynet.newservice "golden_echo")
end

role["200"] = function()
  skynet.name("G200", skynet.newservice "golden_echo")
  call(3, "GNAME2", "lua", "ECHO", "from200")
end

skynet.start(function()
  skynet.fork(function()
    role[skynet.getenv "harbor"]()
    print "done"
  end)
end)
