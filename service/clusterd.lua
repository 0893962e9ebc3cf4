-- The registry of a cluster node: addresses of other nodes, their clustersenders, the names of this node, and the
-- agents of the connections that other nodes have made. Unique service of its process.
--
-- Messages (lua); the reply is packed:
--   sender(node)            -> clustersender; connects first; nil: node is down and never had one. Raises
--   senders()               -> { node = clustersender }
--   proxy(node, name)       -> handle of the clusterproxy, one per node and name
--   reload(table or nil)    takes over addresses and options; nil: from the file of config `cluster`
--   listen(address, port, maxclient) -> ip, port;  listen(node, nil, maxclient) -> node
--   register(name, handle or nil), unregister(name), queryname(name) -> handle or nil
--   socket("open" | "close" | "error" | ..., fd, text)   from a gate, no reply

local skynet = require "skynet"
local connection_table = require "skynet.cluster.connection_table"
local cluster_core = require "skynet.cluster.core"
local node_table = require "skynet.cluster.node_table"

local config_path = skynet.getenv "cluster"
local node_name = cluster_core.nodename()

local nodes = node_table.new(function(name, address)
  return skynet.newservice("clustersender", name, node_name, address)
end)

local connections = connection_table.new(function(gate, fd)
  return skynet.newservice("clusteragent", skynet.self(), gate, fd)
end)

-- Names of this node, both ways.
local handle_of, name_of = {}, {}
-- "node name" -> handle of the proxy, or the list of tokens that wait for it.
local proxies = {}

local command = {}

---------------------------------------------------------------------------------------------------------------------
-- Nodes

local function read_config(path)
  local file = assert(io.open(path))
  local source = file:read "a"
  file:close()
  local addresses = {}
  assert(load(source, "@" .. path, "t", addresses))()
  return addresses
end

function command.reload(_, addresses)
  if addresses == nil then
    if not config_path then
      return
    end
    addresses = read_config(config_path)
  end
  nodes:update(addresses)
end

function command.sender(_, name)
  return nodes:acquire(name)
end

function command.senders()
  return nodes:senders()
end

local function end_launch(key, waiters, handle)
  proxies[key] = handle
  for _, ticket in ipairs(waiters) do
    skynet.wakeup(ticket)
  end
end

function command.proxy(source, node, name)
  local key = node .. " " .. name
  local known = proxies[key]
  if type(known) == "number" then
    return known
  elseif known then
    local ticket = {}
    known[#known + 1] = ticket
    skynet.wait(ticket)
    return command.proxy(source, node, name)
  end
  local waiters = {}
  proxies[key] = waiters
  local ok, handle = pcall(skynet.newservice, "clusterproxy", node, name)
  end_launch(key, waiters, ok and handle or nil)
  return assert(ok and handle, handle or "clusterproxy exited")
end

---------------------------------------------------------------------------------------------------------------------
-- Names

-- Agents remember names; they have to ask again.
local function forget_names()
  connections:tell_agents "namechange"
end

local function unbind(name)
  name_of[handle_of[name]] = nil
  handle_of[name] = nil
  forget_names()
end

function command.register(source, name, handle)
  handle = handle or source
  if handle_of[name] then
    error(string.format("cluster name [%s] is registered already, by %s", name, skynet.address(handle_of[name])))
  end
  if name_of[handle] then
    unbind(name_of[handle])
  end
  handle_of[name], name_of[handle] = handle, name
  skynet.error(string.format("Register [%s] %s", name, skynet.address(handle)))
end

function command.unregister(_, name)
  if handle_of[name] then
    unbind(name)
  end
end

function command.queryname(_, name)
  return handle_of[name]
end

---------------------------------------------------------------------------------------------------------------------
-- Connections

-- "[v6]:port" and "host:port".
local function split_address(address)
  local host, port = string.match(address, "^(.*):(%d+)$")
  assert(host, "Invalid address " .. address)
  return string.match(host, "^%[(.*)%]$") or host, tonumber(port)
end

-- Replies leave at once: one that waits for the acknowledgement of another costs the caller 40 ms.
local function open_gate(address, port, maxclient)
  local gate = skynet.newservice "gate"
  return skynet.call(gate, "lua", "open", { address = address, port = port, maxclient = maxclient, nodelay = true })
end

function command.listen(_, address, port, maxclient)
  if port then
    return open_gate(address, port, maxclient)
  end
  local host, real_port = split_address(nodes:address(address))
  open_gate(host, real_port, maxclient)
  return address
end

local on_socket = {}

function on_socket.open(gate, fd, address)
  skynet.error(string.format("socket accept from %s", address))
  connections:open(gate, fd)
end

function on_socket.close(_, fd)
  connections:close(fd)
end

function on_socket.error(_, fd, text)
  skynet.error(string.format("socket %d: %s", fd, text))
  connections:close(fd)
end

function on_socket.warning(_, fd, kib)
  skynet.error(string.format("socket %d: %d KiB wait to be sent", fd, kib))
end

function command.socket(gate, event, fd, text)
  local f = on_socket[event]
  if f then
    f(gate, fd, text)
  else
    skynet.error(string.format("unknown socket event %s of %s", event, skynet.address(gate)))
  end
end

skynet.start(function()
  command.reload()
  skynet.dispatch("lua", function(session, source, name, ...)
    local f = command[name]
    if not f then
      error(string.format("clusterd: unknown command %s", tostring(name)))
    end
    if session == 0 then
      f(source, ...)
    else
      skynet.retpack(f(source, ...))
    end
  end)
end)
