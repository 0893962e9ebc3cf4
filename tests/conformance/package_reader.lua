-- Takes packages of skynet.multicast.core as messages of type multicast. Sends (channel, bytes) to the source of each.
local skynet = require "skynet"
local core = require "skynet.multicast.core"

skynet.register_protocol {
  name = "multicast",
  id = skynet.PTYPE_MULTICAST,
  unpack = function(msg, sz) return msg, sz end,
  dispatch = function(channel, source, msg, sz)
    skynet.ignoreret()
    local package, bytes, size = core.unpack(msg, sz)
    skynet.send(source, "lua", channel, skynet.tostring(bytes, size))
    core.close(package)
  end,
}

skynet.start(function() end)
