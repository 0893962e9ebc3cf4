-- skynet issue 371, mended in 2015: there was one way to end a connection, which sends what is queued first. To a peer
-- that has stopped reading it never comes to an end.

return {
  ["skynet.socket"] = function(socket)
    local driver = require "skynet.socketdriver"

    function socket.shutdown(id)
      if not socket.invalid(id) then
        driver.close(id)
      end
    end
  end,
}
