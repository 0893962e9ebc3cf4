-- Reads versions of stm: "handle" (light userdata) gives the one to read, "read" answers the value packed in its newest
-- version, or false.
local skynet = require "skynet"
local stm = require "skynet.stm"

local reader

skynet.start(function()
  skynet.dispatch("lua", function(_, _, command, handle)
    if command == "handle" then
      reader = stm.newcopy(handle)
    end
    local is_new, value = reader(skynet.unpack)
    skynet.retpack(is_new and value)
  end)
end)
