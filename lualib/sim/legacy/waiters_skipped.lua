-- skynet issue 1385, mended in 2021: when the task that connects a socket channel was done, its own place, the first in
-- the line of those that wait for the connection, was cleared before the line was walked. The walk ended there, and the
-- others were never woken.
--
-- Here: the line of a channel has that empty first place.

local function line_with_hole()
  local count = 1
  return setmetatable({}, {
    __newindex = function(line, _, ticket)
      count = count + 1
      rawset(line, count, ticket)
    end,
  })
end

return {
  ["skynet.socketchannel"] = function(module)
    local make = module.channel

    function module.channel(desc)
      local channel = make(desc)
      local methods = getmetatable(channel).__index
      local line = line_with_hole()
      channel.line = nil
      return setmetatable(channel, {
        __index = function(_, key)
          return key == "line" and line or methods[key]
        end,
        __newindex = function(self, key, value)
          if key == "line" then
            line = line_with_hole()
          else
            rawset(self, key, value)
          end
        end,
      })
    end
  end,
}
