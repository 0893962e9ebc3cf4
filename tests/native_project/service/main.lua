-- Adds numbers, see book. Named .main.
-- add(n) -> the sum here, the sum in C

local skynet = require "skynet"
require "skynet.manager"
local book = require "book"

skynet.start(function()
  local pages = book.open(assert(skynet.launch("ledger", "of main"), "no service ledger"))
  skynet.dispatch("lua", function(_, _, verb, ...)
    if verb ~= "add" then
      error("main: unknown command " .. tostring(verb))
    end
    skynet.retpack(book.add(pages, ...))
  end)
  skynet.register ".main"
  skynet.error("the book is open at", book.add(pages, 0))
end)
