-- skynet issues 773 and 809, mended in 2018: the next number of a request was the last one plus 1, and 1 if that was
-- negative. The compiler left the test out; after 2^31-1 came -2^31, and every request failed.

local LAST = 2^31 - 1 | 0

-- `pack` returns a frame, the next number, and more.
local function overflowing(pack)
  local function overflow(number, frame, next_number, ...)
    return frame, number == LAST and -LAST - 1 or next_number, ...
  end

  return function(address, number, ...)
    return overflow(number, pack(address, number, ...))
  end
end

return {
  ["skynet.cluster.core"] = function(core)
    core.packrequest = overflowing(core.packrequest)
    core.packpush = overflowing(core.packpush)
  end,
}
