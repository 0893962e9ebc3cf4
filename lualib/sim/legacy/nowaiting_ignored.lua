-- skynet issues 803, 819 and 856, mended in 2018: a call to a name that the table of the cluster does not have waited
-- until a reload brought it, silently and perhaps for ever, and there was no way to be told instead.
--
-- Here: clusterd does not know the option __nowaiting.

return {
  ["skynet.cluster.node_table"] = function(module)
    local update = module.NodeTable.update

    function module.NodeTable:update(addresses)
      local known = {}
      for name, address in next, addresses do
        if name ~= "__nowaiting" then
          known[name] = address
        end
      end
      return update(self, known)
    end
  end,
}
