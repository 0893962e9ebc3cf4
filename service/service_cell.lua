-- A service whose code comes in a message (skynet.service). Argument: its name, for lists.
--
-- Its first message (lua) is init(code, ...): the code runs, then the function that it gave to skynet.start, then the
-- reply goes out, empty, or an error. From the beginning of the code on messages are its own dispatch's.

local skynet = require "skynet"

local function no_dispatch()
  error "No dispatch function"
end

-- Runs `main` as the main chunk of a service whose start function may not run before it returns.
local function run(main, ...)
  local start, begin = skynet.start, nil
  function skynet.start(f)
    begin = f
  end
  main(...)
  skynet.start = start
  if begin then
    begin()
  end
end

skynet.start(function()
  skynet.dispatch("lua", function(_, _, name, code, ...)
    if name ~= "init" then
      error(string.format("service_cell: expected init, not %s", tostring(name)))
    end
    skynet.dispatch("lua", no_dispatch)
    run(assert(load(code, "=(service)", "b")), ...)
    skynet.ret()
  end)
end)
