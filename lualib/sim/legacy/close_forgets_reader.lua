-- skynet issues 1709, 1710 and 1845, mended in 2023: a task inside close() waited until the reading task had its
-- result. That one could read on; when it had to wait again, this counted as the result, the socket was forgotten, and
-- nothing that happened to it could wake the reader any more.
--
-- Here: a read of a socket that is being closed takes what is there, and waits when that is too little.

return {
  ["skynet.socket"] = function(socket)
    local skynet = require "skynet"
    local driver = require "skynet.socketdriver"
    local locals = require "sim.locals"
    local held = locals.get(socket.read, "held")
    local read = socket.read

    function socket.read(id, size)
      local record = held[id]
      if not size or not record or not record.closers then
        return read(id, size)
      end
      local data = driver.pop(record.buffer, record.pool, size)
      if data then
        return data
      end
      record.stage = "down"
      for _, closer in ipairs(record.closers) do
        skynet.wakeup(closer)
      end
      skynet.wait(record)
    end
  end,
}
