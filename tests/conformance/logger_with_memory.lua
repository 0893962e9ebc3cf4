-- A log service in Lua (config logservice = "snlua", logger = "logger_with_memory"): prints every line as the native
-- logger does, and keeps it.
--   TAKE(pattern, ...) -> array of the lines that match all patterns, source first (":0000000a text"); forgets all
local skynet = require "skynet"

local lines = {}

skynet.register_protocol {
  name = "text",
  id = skynet.PTYPE_TEXT,
  unpack = skynet.tostring,
  dispatch = function(_, source, text)
    local line = skynet.address(source) .. " " .. text
    lines[#lines + 1] = line
    print("[" .. skynet.address(source) .. "] " .. text)
  end,
}

skynet.register_protocol {
  name = "SYSTEM",
  id = skynet.PTYPE_SYSTEM,
  unpack = function() end,
  dispatch = function() print "reopen" end,
}

local function matches(line, ...)
  for _, pattern in ipairs { ... } do
    if not string.find(line, pattern) then
      return false
    end
  end
  return true
end

skynet.dispatch("lua", function(_, _, name, ...)
  assert(name == "TAKE", name)
  local found = {}
  for _, line in ipairs(lines) do
    if matches(line, ...) then
      found[#found + 1] = line
    end
  end
  lines = {}
  skynet.retpack(found)
end)

skynet.start(function() end)
