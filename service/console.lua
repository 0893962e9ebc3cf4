-- Starts services by lines of the standard input: "NAME args" a Lua service, "snax NAME args" a snax service. What
-- fails is logged and the next line is read. When the input ends the service goes away and the node runs on.
-- A line of more than LINE_MAX bytes ends it as well.

local skynet = require "skynet"
local socket = require "skynet.socket"

local LINE_MAX = 64 * 1024

local function start(name, ...)
  if name == "snax" then
    return require("skynet.snax").rawnewservice(...)
  end
  return skynet.newservice(name, ...)
end

local function run(line)
  local words = {}
  for word in string.gmatch(line, "%S+") do
    words[#words + 1] = word
  end
  if words[1] then
    local ok, reason = pcall(start, table.unpack(words))
    if not ok then
      skynet.error(string.format("console: %s: %s", line, tostring(reason)))
    end
  end
end

local function read_lines()
  local ok, input, reason = pcall(socket.stdin)
  if not (ok and input) then
    skynet.error("console: no standard input: " .. tostring(ok and reason or input))
    return
  end
  socket.limit(input, LINE_MAX)
  local line, rest = socket.readline(input, "\n")
  while line do
    run(line)
    line, rest = socket.readline(input, "\n")
  end
  run(rest or "")
end

skynet.start(function()
  skynet.fork(function()
    read_lines()
    skynet.exit()
  end)
end)
