-- skynet issue 1420, mended in 2021: cluster.send to a node without a sender kept its arguments as they were, and
-- packed them when the sender was there.
--
-- Here: such messages wait, in order, until clusterd knows the sender.

return {
  ["skynet.cluster"] = function(cluster)
    local skynet = require "skynet"
    local send = cluster.send
    -- Node -> messages { address, arguments... } that wait.
    local waiting = {}

    local clusterd
    skynet.init(function()
      clusterd = skynet.uniqueservice "clusterd"
    end)

    local function flush(node)
      pcall(skynet.call, clusterd, "lua", "sender", node)
      local messages = waiting[node]
      waiting[node] = nil
      for _, message in ipairs(messages) do
        send(node, table.unpack(message, 1, message.n))
      end
    end

    function cluster.send(node, ...)
      local messages = waiting[node]
      if not messages and cluster.get_sender(node) then
        return send(node, ...)
      elseif not messages then
        messages = {}
        waiting[node] = messages
        skynet.fork(flush, node)
      end
      messages[#messages + 1] = table.pack(...)
    end
  end,
}
