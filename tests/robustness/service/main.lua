-- The node that the robustness tests torment. It prints "ready GATE CLUSTER CONTROL", its ports.
--
-- GATE answers each frame with the same frame. CLUSTER is that of skynet.cluster, with echo.lua registered as "echo".
-- CONTROL answers each line with a line:
--   echo TEXT         TEXT
--   services          how many there are
--   peer PORT         the remote node "peer" is at that port of this machine from now on
--   call WORD         what "peer" answers to ECHO(WORD), or "raised"
--   own WORD          the same through our own cluster port
local skynet = require "skynet"
local socket = require "skynet.socket"
local cluster = require "skynet.cluster"

local command = {}

function command.echo(text)
  return text
end

function command.services()
  local count = 0
  for _ in pairs(skynet.call(".launcher", "lua", "LIST")) do
    count = count + 1
  end
  return count
end

function command.peer(port)
  cluster.reload { peer = "127.0.0.1:" .. port }
  return "done"
end

local function call(node, word)
  local ok, reply = pcall(cluster.call, node, "@echo", "ECHO", word)
  return ok and reply or "raised"
end

function command.call(word)
  return call("peer", word)
end

function command.own(word)
  return call("own", word)
end

local function serve(id)
  socket.start(id)
  while true do
    local line = socket.readline(id)
    if not line then
      break
    end
    local name, argument = string.match(line, "^(%a+) ?(.*)$")
    socket.write(id, tostring(command[name](argument)) .. "\n")
  end
  socket.close(id)
end

skynet.start(function()
  local echo = skynet.newservice "echo"
  cluster.register("echo", echo)
  local _, cluster_port = cluster.open(0)
  cluster.reload { own = "127.0.0.1:" .. cluster_port }
  local gate_port = skynet.call(skynet.newservice "echo_gate", "lua", "open",
    { address = "127.0.0.1", port = 0, maxclient = 100000, backlog = 1024, nodelay = true })
  local listener, _, control_port = socket.listen("127.0.0.1", 0)
  socket.start(listener, serve)
  print("ready", gate_port, cluster_port, control_port)
end)
