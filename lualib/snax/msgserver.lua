-- A gate for users who come from a login server: it knows them by a secret, and a user who comes back on another
-- connection gets the replies that he missed.
--
--   local msgserver = require "snax.msgserver"
--   msgserver.start {
--     login_handler = function(uid, secret) ... end,       -- message login, of the login server; returns the reply
--     logout_handler = function(uid, subid) ... end,       -- message logout, of an agent
--     kick_handler = function(uid, subid) ... end,         -- message kick, of the login server
--     register_handler = function(servername) ... end,     -- the gate was opened: open { servername =, ... }
--     request_handler = function(username, text) return reply end,
--     disconnect_handler = function(username) ... end,     -- may be absent
--     expired_number = 128,                                -- replies kept for each user
--   }
--
-- Frames, each behind a 16-bit big-endian length:
--   first     "<username>:<index>:<base64 of hmac_hash(secret, "<username>:<index>")>", where the index is greater
--             than that of the user's last connection  -> "200 OK" | "400 Bad Request" | "401 Unauthorized" |
--             "403 Index Expired" | "404 User Not Found"; all but the first end the connection
--   request   text, session (4 bytes, big-endian)      -> reply, 1, session; or 0, session: the handler has raised
-- A session may be used again on one connection when it was answered. Given again on a later connection, it asks for
-- the reply to the request of before: nothing is done twice. A frame of less than 4 bytes, or a session that still
-- waits on this connection, ends it.

local skynet = require "skynet"
local gateserver = require "snax.gateserver"
local netpack = require "skynet.netpack"
local driver = require "skynet.socketdriver"
local crypt = require "skynet.crypt"

local REPLIES_KEPT = 128
local REPLY_MAX = 65535 - 5  -- bytes of text in one frame

local encode, decode = crypt.base64encode, crypt.base64decode

local msgserver = {}

-- User name -> { username, secret, version, fd, ip, replies, finished, first }.
--   version   index of the last connection
--   replies   session -> { version, fd, frame }: connection of the request or of who asked last; frame when it is done
--   finished  sessions whose frame is there, oldest at `first`
local online = {}
-- Connection -> address, before the handshake; -> user, after it.
local newcomers, users = {}, {}

---------------------------------------------------------------------------------------------------------------------
-- Users

--- The parts of a user name.
---@param username string
---@return string uid
---@return string subid
---@return string server
function msgserver.userid(username)
  local uid, server, subid = string.match(username, "^([^@]*)@([^#]*)#(.*)$")
  assert(uid, "a user name is base64(uid)@base64(server)#base64(subid)")
  return decode(uid), decode(subid), decode(server)
end

---@return string username
function msgserver.username(uid, subid, server)
  return string.format("%s@%s#%s", encode(tostring(uid)), encode(tostring(server)), encode(tostring(subid)))
end

--- Lets a user connect who proves the secret.
---@param username string
---@param secret string
function msgserver.login(username, secret)
  assert(not online[username], "the user is logged in already")
  online[username] = { username = username, secret = secret, version = 0, replies = {}, finished = {}, first = 1 }
end

local function drop_connection(user)
  local fd = user.fd
  if fd then
    user.fd, users[fd] = nil, nil
    gateserver.closeclient(fd)
  end
end

--- Forgets a user and ends his connection.
---@param username string
function msgserver.logout(username)
  local user = online[username]
  if user then
    online[username] = nil
    drop_connection(user)
  end
end

--- Where a user's connection comes from; nil if he has none.
---@param username string
---@return string? address
function msgserver.ip(username)
  local user = online[username]
  return user and user.fd and user.ip
end

---------------------------------------------------------------------------------------------------------------------
-- Frames of clients

local function send_text(fd, text)
  driver.send(fd, netpack.pack(text))
end

-- Checks the first frame; returns the answer, and the user and his index if that is good.
local function authenticate(text)
  local username, index_text, proof = string.match(text, "^([^:]*):([^:]*):([^:]*)$")
  local index = index_text and string.find(index_text, "^%d+$") and math.tointeger(tonumber(index_text))
  local ok, hmac = pcall(decode, proof or "")
  if not index or not ok then
    return "400 Bad Request"
  end
  local user = online[username]
  if not user then
    return "404 User Not Found"
  elseif crypt.hmac_hash(user.secret, username .. ":" .. index_text) ~= hmac then
    return "401 Unauthorized"
  elseif index <= user.version then
    return "403 Index Expired"
  end
  return "200 OK", user, index
end

local function welcome(fd, text)
  local address = newcomers[fd]
  newcomers[fd] = nil
  local answer, user, index = authenticate(text)
  if user then
    drop_connection(user)  -- one connection for each user
    user.version, user.fd, user.ip = index, fd, address
    users[fd] = user
  end
  send_text(fd, answer)
  if not user then
    gateserver.closeclient(fd)
  end
end

-- Keeps a finished reply, and forgets the oldest of too many.
local function keep(user, session, kept_max)
  local finished = user.finished
  finished[#finished + 1] = session
  if #finished - user.first + 1 > kept_max then
    local oldest = finished[user.first]
    user.first = user.first + 1
    user.replies[oldest] = nil
  end
  if user.first > kept_max then
    user.finished, user.first = table.move(finished, user.first, #finished, 1, {}), 1
  end
end

-- A session that is used again is the newest.
local function forget(user, session)
  user.replies[session] = nil
  for place = user.first, #user.finished do
    if user.finished[place] == session then
      table.remove(user.finished, place)
      return
    end
  end
end

local function answer(conf, user, text, session)
  local ok, result = pcall(conf.request_handler, user.username, text)
  if ok and result ~= nil and type(result) ~= "string" then
    ok, result = false, "a reply is text, not a " .. type(result)
  elseif ok and #(result or "") > REPLY_MAX then
    ok, result = false, string.format("a reply of %d bytes is too long", #result)
  end
  if ok then
    return (result or "") .. string.pack(">BI4", 1, session)
  end
  skynet.error(string.format("msgserver: request of %s: %s", user.username, tostring(result)))
  return string.pack(">BI4", 0, session)
end

-- Returns false if the frame breaks the rules.
local function request(conf, fd, user, frame)
  if #frame < 4 then
    return false
  end
  local text, session = string.sub(frame, 1, -5), string.unpack(">I4", frame, -4)
  local reply = user.replies[session]
  if reply and reply.version == user.version then
    if not reply.frame then
      return false
    end
    forget(user, session)
    reply = nil
  end
  if reply then
    reply.version, reply.fd = user.version, fd
  else
    reply = { version = user.version, fd = fd }
    user.replies[session] = reply
    reply.frame = answer(conf, user, text, session)
    keep(user, session, conf.expired_number or REPLIES_KEPT)
  end
  if reply.frame and users[reply.fd] == user then
    send_text(reply.fd, reply.frame)
  end
  return true
end

---------------------------------------------------------------------------------------------------------------------
-- The gate

local function end_connection(conf, fd)
  newcomers[fd] = nil
  local user = users[fd]
  if user then
    users[fd], user.fd = nil, nil
    if conf.disconnect_handler then
      conf.disconnect_handler(user.username)
    end
  end
  gateserver.closeclient(fd)
end

local function make_handler(conf)
  local handler = {}
  local command = { login = conf.login_handler, logout = conf.logout_handler, kick = conf.kick_handler }

  function handler.open(_, gate_conf)
    return conf.register_handler(assert(gate_conf.servername, "a message server needs a servername"))
  end

  function handler.connect(fd, address)
    newcomers[fd] = address
    gateserver.openclient(fd)
  end

  function handler.disconnect(fd)
    end_connection(conf, fd)
  end

  function handler.error(fd)
    end_connection(conf, fd)
  end

  function handler.command(name, _, ...)
    local f = command[name]
    if not f then
      error("msgserver: unknown command " .. tostring(name))
    end
    return f(...)
  end

  function handler.message(fd, msg, sz)
    local text = netpack.tostring(msg, sz)
    if newcomers[fd] then
      return welcome(fd, text)
    end
    local user = users[fd]
    if user and not request(conf, fd, user, text) then
      skynet.error(string.format("msgserver: a wrong frame of %s (%d bytes)", user.username, #text))
      end_connection(conf, fd)
    end
  end

  return handler
end

--- Makes this service a message server.
---@param conf table see above
function msgserver.start(conf)
  for _, name in ipairs { "login_handler", "logout_handler", "kick_handler", "register_handler", "request_handler" } do
    assert(conf[name], "a message server needs " .. name)
  end
  gateserver.start(make_handler(conf))
end

return msgserver
