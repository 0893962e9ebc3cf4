-- Asks the launcher and prints what it answers, then exits: `dbg COMMAND args...`, with a command of the launcher
-- (list, stat, mem, gc, kill ...). For starting by hand or as the `start` service.

local skynet = require "skynet"

local command = { ... }

-- "key: value" of each field, sorted by key; tables in one line.
local function lines_of(answer)
  local lines = {}
  for key, value in pairs(answer) do
    if type(value) == "table" then
      value = table.concat(lines_of(value), " ")
    end
    lines[#lines + 1] = string.format("%s: %s", key, value)
  end
  table.sort(lines)
  return lines
end

skynet.start(function()
  local ok, answer = pcall(skynet.call, ".launcher", "lua", table.unpack(command))
  if ok and type(answer) == "table" then
    for _, line in ipairs(lines_of(answer)) do
      print(line)
    end
  else
    print(answer)
  end
  skynet.exit()
end)
