-- Prints what each Lua service of the node took from its memory, and their sum, then exits.

local skynet = require "skynet"
local memory = require "skynet.memory"

skynet.start(function()
  local bytes_of, handles, total = memory.info(), {}, 0
  for handle, bytes in pairs(bytes_of) do
    handles[#handles + 1] = handle
    total = total + bytes
  end
  table.sort(handles)
  for _, handle in ipairs(handles) do
    print(string.format("%s %.2f Kb", skynet.address(handle), bytes_of[handle] / 1024))
  end
  print(string.format("total %.2f Kb", total / 1024))
  skynet.exit()
end)
