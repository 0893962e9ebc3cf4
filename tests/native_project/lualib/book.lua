-- Keeps two sums of the same numbers: one in userdata of this service, one in a service in C.

local skynet = require "skynet"
local tally = require "tally"

local book = {}

skynet.register_protocol {
  name = "text",
  id = skynet.PTYPE_TEXT,
  pack = function(text) return text end,
  unpack = skynet.tostring,
}

---@param ledger integer handle of the service in C
function book.open(ledger)
  return { ledger = ledger, counter = tally.new() }
end

--- Adds a number in both places and returns both sums.
---@param number integer
---@return integer here
---@return integer there
function book.add(pages, number)
  local here = pages.counter:add(number)
  local there = skynet.tostring(skynet.rawcall(pages.ledger, "text", "add " .. number))
  return here, math.tointeger(there)
end

return book
