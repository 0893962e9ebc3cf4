-- Requires the client of datasheets.
local skynet = require "skynet"
require "skynet.datasheet"

skynet.start(function() end)
