-- The second service of a node: starts the others in their fixed order, then the service that the config calls `start`,
-- and ends. A node without its own services cannot go on and is aborted; a failing `start` service is logged.

local skynet = require "skynet"
require "skynet.manager"

-- Ends the node; does not return.
local function abort(text, ...)
  skynet.error(string.format(text, ...))
  skynet.abort()
  skynet.wait({})
end

local function start_or_abort(name)
  local ok, handle = pcall(skynet.newservice, name)
  if not (ok and handle) then
    abort("bootstrap: service %s failed: %s", name, ok and "it exited" or handle)
  end
  return handle
end

-- Names between nodes: a stand-in on a single node, else the slave service (and the master, where it belongs).
local function start_names(is_single, standalone)
  if is_single then
    if standalone then
      abort "init service failed: config: standalone needs a harbor id other than 0"
    end
    skynet.setenv("standalone", "true")
    skynet.name(".cslave", start_or_abort "cdummy")
    return
  end
  if standalone then
    start_or_abort "cmaster"
  end
  skynet.name(".cslave", start_or_abort "cslave")
end

local function start_services()
  local standalone = skynet.getenv "standalone"
  local is_single = (tonumber(skynet.getenv "harbor") or 0) == 0
  start_names(is_single, standalone)
  if is_single or standalone then
    skynet.name("DATACENTER", start_or_abort "datacenterd")
  end
  start_or_abort "service_mgr"
  if skynet.getenv "enablessl" == "true" then
    start_or_abort "ltls_holder"
  end
end

local function start_user_service()
  local name = skynet.getenv "start" or "main"
  local ok, reason = pcall(skynet.newservice, name)
  if not ok then
    skynet.error(string.format("bootstrap: start service %s failed: %s", name, reason))
  end
end

skynet.start(function()
  local launcher = assert(skynet.launch("snlua", "launcher"), "no launcher")
  skynet.name(".launcher", launcher)
  start_services()
  start_user_service()
  skynet.exit()
end)
