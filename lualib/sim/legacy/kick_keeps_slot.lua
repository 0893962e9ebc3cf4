-- skynet issues 642 and 1704, mended in 2023: a gate counted the end of a connection only if it still knew the client.
-- One that had been kicked was forgotten by then, and kept its slot.

return {
  ["snax.gateserver"] = function(gateserver)
    local locals = require "sim.locals"
    local events = locals.get(gateserver.start, "register_socket", "events")
    local clients = locals.get(gateserver.closeclient, "clients")
    local close = events.close

    function events.close(handler, fd)
      local count = locals.get(close, "client_count")
      local is_known = clients[fd] ~= nil
      close(handler, fd)
      if not is_known then
        locals.set(close, "client_count", count)
      end
    end
  end,
}
