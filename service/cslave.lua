-- Connects a node with the other nodes of its harbor network, through its master. Named .cslave. Starting it ends when
-- every slave that was there before is connected (network.md 5.3); if that cannot be, the reason is logged and it exits.
--
-- Messages (lua):
--   REGISTER(name, handle)  binds a global name in the whole network. It must be new
--   QUERYNAME(name)         -> handle; waits until the name is bound. ".name" is looked up at once
--   LINK(id)                -> nothing, when slave `id` is not connected (any more)
--   CONNECT(id)             -> nothing, when slave `id` is connected
--   LINKMASTER()            -> nothing, when the connection to the master is lost
-- Text from the harbor service: "Q name" asks for a name, "D id" tells that the connection to a slave is lost.

local skynet = require "skynet"
local core = require "skynet.core"
local socket = require "skynet.socket"
local driver = require "skynet.socketdriver"
local wire = require "skynet.harbor.wire"
require "skynet.manager"

-- All others may connect at once.
local BACKLOG = 256
-- Until the master has answered, centiseconds.
local MASTER_CS = 1000
-- Until a line tells that slaves are still waited for, centiseconds.
local SLAVES_CS = 1000

local own_id = math.tointeger(tonumber(skynet.getenv "harbor"))
local own_address, master_address = skynet.getenv "address", skynet.getenv "master"

local harbor_service
-- Connection to the master; nil before and after.
local master

-- Harbor id -> "connecting", "up" or "down"; nil: never heard of. An id that is down never comes back.
local slaves = {}
-- Harbor id -> answers of the LINKs and CONNECTs that wait for any change.
local link_waiting = {}
local master_waiting = {}

local handles = {}
-- Name -> answers of the QUERYNAMEs that wait.
local name_waiting = {}

-- Ready: every slave that was there before us is connected, or gone.
local is_ready = false
-- Slaves that were there before us and have not connected yet, and what wakes the task that waits for them.
local missing, ready_ticket = 0, {}
-- Newcomers to connect to when we are ready, in order: { id, address }.
local newcomers = {}

local function log(text, ...)
  skynet.error(string.format("slave: " .. text, ...))
end

local function tell_harbor(text)
  core.send(harbor_service, skynet.PTYPE_HARBOR, 0, text)
end

-- The source of the message is the handle that the name means.
local function tell_harbor_name(name)
  core.redirect(harbor_service, handles[name], skynet.PTYPE_HARBOR, 0, "N " .. name)
end

local function tell_master(...)
  return master ~= nil and socket.write(master, wire.pack(...))
end

local function answer_all(answers, ...)
  for _, answer in ipairs(answers or {}) do
    answer(true, ...)
  end
end

---------------------------------------------------------------------------------------------------------------------
-- Slaves

local function set_slave(id, state)
  slaves[id] = state
  local answers = link_waiting[id]
  link_waiting[id] = nil
  answer_all(answers)
end

local function count_missing()
  missing = missing - 1
  if missing <= 0 then
    skynet.wakeup(ready_ticket)
  end
end

-- Gives a connection to the harbor service, with all that the peer has sent on it already: once the socket is paused
-- everything else is in our mailbox, before the message that ends the yield.
local function hand_over(command, fd, id)
  socket.pause(fd)
  skynet.yield()
  local unread = socket.abandon(fd)
  tell_harbor(string.format("%s %d %d\n", command, fd, id) .. unread)
  set_slave(id, "up")
end

-- One that was there before us connects.
local function accept(fd, address)
  if not socket.start(fd) then
    return
  end
  driver.nodelay(fd)
  local id = socket.read(fd, 1)
  id = id and string.byte(id)
  if not id or id == 0 or id == own_id or slaves[id] ~= nil then
    log("a connection of %s is refused: %s", address, id and "its harbor id is " .. id or "it sent nothing")
    socket.close(fd)
    return
  end
  slaves[id] = "connecting"
  hand_over("A", fd, id)
  count_missing()
end

-- To one that has joined after us.
local function connect(id, address)
  if slaves[id] ~= nil then
    return
  end
  slaves[id] = "connecting"
  local ok, fd, reason = pcall(socket.open, address)
  if not (ok and fd) then
    log("cannot connect to slave %d at %s: %s", id, address, wire.plain(ok and reason or fd))
    set_slave(id, "down")
    tell_harbor("D " .. id)
  elseif slaves[id] == "connecting" then
    driver.nodelay(fd)
    hand_over("S", fd, id)
  else  -- it died meanwhile
    socket.close(fd)
  end
end

---------------------------------------------------------------------------------------------------------------------
-- Messages of the master

local from_master = {}

function from_master.C(id, address)
  if not wire.is_id(id) or type(address) ~= "string" then
    log "the master tells of a newcomer without id and address"
  elseif is_ready then
    skynet.fork(connect, id, address)
  else
    newcomers[#newcomers + 1] = { id, address }
  end
end

function from_master.N(name, handle)
  if type(name) ~= "string" or math.type(handle) ~= "integer" then
    log "the master tells of a name without name and handle"
    return
  end
  handles[name] = handle
  if is_ready then
    tell_harbor_name(name)
  end
  local answers = name_waiting[name]
  name_waiting[name] = nil
  answer_all(answers, handle)
end

-- Whether it was one of those that we wait for.
local function forget_newcomer(id)
  for index, newcomer in ipairs(newcomers) do
    if newcomer[1] == id then
      table.remove(newcomers, index)
      return true
    end
  end
  return false
end

function from_master.D(id)
  if not wire.is_id(id) or slaves[id] == "down" then
    return
  end
  local was_known = slaves[id] ~= nil or forget_newcomer(id)
  set_slave(id, "down")
  tell_harbor("D " .. id)  -- a connection that stands goes on
  if not is_ready and not was_known then
    count_missing()
  end
end

-- Until the connection is lost.
local function follow_master()
  while true do
    local message, reason = wire.read(master)
    if not message then
      return reason
    end
    local handle = from_master[message[1]]
    if handle then
      handle(table.unpack(message, 2, message.n))
    else
      log("the master sent an unknown message %q", message[1])
    end
  end
end

---------------------------------------------------------------------------------------------------------------------
-- Joining

-- Our node cannot join: says why and ends the service, and with it the start of the node.
local function give_up(text, ...)
  skynet.error(string.format("init service failed: slave: " .. text, ...))
  skynet.exit()
end

local function check_config()
  if not own_address then
    give_up("harbor = %s, but config has no address: \"ip:port\" where this node waits for the other slaves", own_id)
  elseif not master_address then
    give_up("harbor = %s, but config has no master: \"ip:port\" of the network's master", own_id)
  end
end

local function listen()
  local ok, listener = pcall(socket.listen, own_address, nil, BACKLOG)
  if not ok or not listener then
    give_up("cannot listen on %q (config: address): %s", own_address, wire.plain(listener))
  end
  return listener
end

-- Says hello and returns how many slaves are there already.
local function meet_master()
  local is_met = false
  skynet.timeout(MASTER_CS, function()
    if not is_met then
      give_up("the master at %s does not answer for %d s", master_address, MASTER_CS // 100)
    end
  end)
  local ok, fd, reason = pcall(socket.open, master_address)
  if not (ok and fd) then
    give_up("cannot connect to the master at %s (config: master): %s", master_address, wire.plain(ok and reason or fd))
  end
  driver.nodelay(fd)
  master = fd
  harbor_service = assert(skynet.launch("harbor", own_id, skynet.self()), "no harbor service")
  tell_master("H", own_id, own_address)
  local message, failure = wire.read(fd)
  if not message and failure == "closed" then
    give_up("the master at %s refuses harbor id %d: it was used before, and comes back only with a new master",
      master_address, own_id)
  elseif not message then
    give_up("the master at %s does not answer as one: %s", master_address, failure)
  elseif message[1] ~= "W" or math.type(message[2]) ~= "integer" then
    give_up("the master at %s does not answer as one: it sent %q", master_address, message[1])
  end
  is_met = true
  return message[2]
end

local function lose_master(reason)
  log("Master disconnect (%s)", reason)
  local fd = master
  master = nil
  if not is_ready then
    give_up("the master was lost while %d other slaves were still to connect", missing)
  end
  local answers = master_waiting
  master_waiting = {}
  answer_all(answers)
  socket.close(fd)
end

local function wait_for_slaves(listener)
  socket.start(listener, accept)
  skynet.timeout(SLAVES_CS, function()
    if not is_ready then
      log("still waits for the connections of %d other slaves", missing)
    end
  end)
  if missing > 0 then
    skynet.wait(ready_ticket)
  end
end

local function become_ready()
  is_ready = true
  local names = {}
  for name in next, handles do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    tell_harbor_name(name)
  end
  for _, newcomer in ipairs(newcomers) do
    skynet.fork(connect, newcomer[1], newcomer[2])
  end
  newcomers = {}
end

---------------------------------------------------------------------------------------------------------------------
-- Messages

local command = {}

function command.REGISTER(name, handle)
  assert(handles[name] == nil, "the name is registered already")
  handles[name] = handle
  if not tell_master("R", name, handle) then
    log("the master is lost: %s is known to this node only", name)
  end
  tell_harbor_name(name)
  local answers = name_waiting[name]
  name_waiting[name] = nil
  answer_all(answers, handle)
end

function command.QUERYNAME(name)
  if string.byte(name) == 46 then  -- "."
    skynet.retpack(skynet.localname(name))
  elseif handles[name] then
    skynet.retpack(handles[name])
  elseif name_waiting[name] then
    table.insert(name_waiting[name], skynet.response())
  else
    name_waiting[name] = { skynet.response() }
    tell_master("Q", name)
  end
end

local function wait_for_change(id)
  link_waiting[id] = link_waiting[id] or {}
  table.insert(link_waiting[id], skynet.response())
end

function command.LINK(id)
  if slaves[id] == "up" then
    wait_for_change(id)
  else
    skynet.retpack()
  end
end

function command.CONNECT(id)
  if slaves[id] == "up" then
    skynet.retpack()
  else
    wait_for_change(id)
  end
end

function command.LINKMASTER()
  if master then
    table.insert(master_waiting, skynet.response())
  else
    skynet.retpack()
  end
end

skynet.register_protocol {
  name = "text",
  id = skynet.PTYPE_TEXT,
  unpack = skynet.tostring,
  dispatch = function(_, _, text)
    local letter, argument = string.match(text or "", "^([QD]) (.+)")
    if letter == "D" then
      set_slave(tonumber(argument), "down")
    elseif letter == "Q" and handles[argument] then
      tell_harbor_name(argument)
    elseif letter == "Q" then
      tell_master("Q", argument)
    end
  end,
}

skynet.start(function()
  check_config()
  skynet.dispatch("lua", function(_, _, name, ...)
    local f = command[name]
    if not f then
      error(string.format("cslave: unknown command %s", tostring(name)))
    end
    f(...)
  end)
  local listener = listen()
  missing = meet_master()
  skynet.fork(function()
    lose_master(follow_master())
  end)
  wait_for_slaves(listener)
  socket.close(listener)
  become_ready()
end)
