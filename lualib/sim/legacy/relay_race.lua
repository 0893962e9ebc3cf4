-- skynet issues 988 and 991, mended in 2019: every task that used a node for the first time asked clusterd for its
-- sender. The first answer was remembered, so a task that began before the other answers came went ahead of the tasks
-- that still waited for theirs.

return {
  ["skynet.cluster"] = function(cluster)
    local skynet = require "skynet"
    local senders, clusterd = {}, nil
    skynet.init(function()
      clusterd = skynet.uniqueservice "clusterd"
    end)

    local function sender_of(node)
      local sender = senders[node]
      if not sender then
        sender = skynet.call(clusterd, "lua", "sender", node)
        senders[node] = sender
      end
      return sender
    end

    function cluster.call(node, address, ...)
      local payload = skynet.packstring(...)
      return skynet.call(sender_of(node), "lua", "req", address, payload)
    end

    function cluster.send(node, address, ...)
      local payload = skynet.packstring(...)
      skynet.send(sender_of(node), "lua", "push", address, payload)
    end
  end,
}
