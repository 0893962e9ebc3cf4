-- skynet issue 1130, mended in 2019: a clustersender whose new address refused the first connect was left without a
-- channel, and its requests waited for one that nobody made any more.
--
-- Here: after a connect that failed, the requests of a clustersender wait, until another changenode succeeds.

return {
  ["skynet.socketchannel"] = function(module)
    if SERVICE_NAME ~= "clustersender" then
      return
    end
    local skynet = require "skynet"
    local make = module.channel

    function module.channel(desc)
      local channel = make(desc)
      local connect, request = channel.connect, channel.request
      local is_lost = false

      function channel:connect(once)
        is_lost = true
        connect(self, once)
        is_lost = false
      end

      function channel:request(...)
        if is_lost then
          skynet.wait {}
        end
        return request(self, ...)
      end

      return channel
    end
  end,
}
