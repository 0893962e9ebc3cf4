-- Stands for one service of another node. Arguments: node, address of the service there.
-- Messages of type lua and snax are forwarded as they are, sends as pushes; replies and errors come back.
-- It does not start if the node cannot be reached.

local skynet = require "skynet"
require "skynet.manager"

local node, address = ...
address = math.tointeger(tonumber(address)) or address

skynet.register_protocol {
  name = "system",
  id = skynet.PTYPE_SYSTEM,
  unpack = function(...) return ... end,
}

local forwarded = {
  [skynet.PTYPE_LUA] = skynet.PTYPE_SYSTEM,
  [skynet.PTYPE_SNAX] = skynet.PTYPE_SYSTEM,
}

skynet.forward_type(forwarded, function()
  local clusterd = skynet.uniqueservice "clusterd"
  local sender = skynet.call(clusterd, "lua", "sender", node)
  if not sender then
    error(string.format("cluster node [%s] is down", node))
  end

  -- `msg` stays valid after the dispatch: it goes on to the sender.
  skynet.dispatch("system", function(session, _, msg, sz)
    if session == 0 then
      skynet.send(sender, "lua", "push", address, msg, sz)
      return
    end
    local ok, reply, size = pcall(skynet.rawcall, sender, "lua", skynet.pack("req", address, msg, sz))
    if ok then
      skynet.ret(skynet.tostring(reply, size))
    else
      skynet.response()(false)  -- the sender has logged the reason
    end
  end)
end)
