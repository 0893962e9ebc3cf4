-- Stands where the recorded snax service "ping" stood, at handle 12. A snax message that comes through a cluster is a
-- lua message here.
--
-- Messages (lua):
--   5(text) -> text   method 5 of the recorded service
--   6(text)           its method 6, a send
--   PUSHED() -> the sends since the last PUSHED, each "method(bytes of its argument)", with a comma between
local skynet = require "skynet"

local pushed = {}

skynet.start(function()
  skynet.dispatch("lua", function(session, _, method, text)
    if session == 0 then
      pushed[#pushed + 1] = string.format("%d(%d)", method, #text)
    elseif method == "PUSHED" then
      skynet.retpack(table.concat(pushed, ","))
      pushed = {}
    else
      assert(method == 5)
      skynet.retpack(text)
    end
  end)
end)
