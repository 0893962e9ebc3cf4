-- skynet issue 757, mended in 2017-11: each request for a node that was made before its link existed opened a
-- connection of its own. They came up in any order, so the first messages overtook each other.
--
-- Here: clusterd starts and connects a clustersender for each such request instead of one for all; and services do not
-- queue what they send before they know a sender.

local function open_alone(self, name)
  local skynet = require "skynet"
  local node = self:node(name)
  if node.channel then
    return node.channel
  end
  local address = assert(node.address, "cluster node is absent")
  local sender = self.start_sender(name, address)
  skynet.call(sender, "lua", "changenode", address)
  node.sender, node.channel = sender, sender
  return sender
end

local function send_without_queue(cluster)
  local skynet = require "skynet"
  local senders, clusterd = {}, nil
  skynet.init(function()
    clusterd = skynet.uniqueservice "clusterd"
  end)

  local function deliver(node, address, payload)
    local sender = senders[node]
    if not sender then
      sender = skynet.call(clusterd, "lua", "sender", node)
      senders[node] = sender
    end
    skynet.send(sender, "lua", "push", address, payload)
  end

  function cluster.send(node, address, ...)
    if senders[node] then
      deliver(node, address, skynet.packstring(...))
    else
      skynet.fork(deliver, node, address, skynet.packstring(...))
    end
  end
end

return {
  ["skynet.cluster.node_table"] = function(module)
    module.NodeTable.acquire = open_alone
  end,
  ["skynet.cluster"] = send_without_queue,
}
