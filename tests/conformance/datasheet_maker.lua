-- Makes a datasheet under the name of its argument.
local skynet = require "skynet"
local builder = require "skynet.datasheet.builder"

local name = ...

skynet.start(function()
  builder.new(name, { a = { b = 1 } })
end)
