-- skynet issue 1958, mended in 2024: a connection to the cluster port was noted when its agent was there. If it ended
-- before, nobody was told, and the agent that came then waited for requests for ever; the descriptor stayed open.
--
-- Here: the end of a connection without an agent is not noticed.

return {
  ["skynet.cluster.connection_table"] = function(module)
    local ConnectionTable = module.ConnectionTable
    local close = ConnectionTable.close

    function ConnectionTable:close(fd)
      local connection = self.connections[fd]
      if connection and connection.agent then
        close(self, fd)
      end
    end
  end,
}
