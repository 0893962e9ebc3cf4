-- A login server: who connects proves a shared secret, hands over a token, and is let in to a game server.
--
--   local login = require "snax.loginserver"
--   login {
--     name = ".login",            -- of the service; ".login" if absent
--     host = "0.0.0.0", port = 8001,
--     instance = 8,               -- services that check tokens, in parallel
--     multilogin = false,         -- whether a user may log in again while a login of his is under way
--     timeout = 3000,             -- cs that a client has to hand over its token
--     auth_handler = function(token) return server, uid end,              -- raises: not let in. In a checking service
--     login_handler = function(server, uid, secret) return subid end,     -- raises: not let in. In the main service
--     command_handler = function(command, ...) return ... end,            -- messages of type lua to the main service
--   }
--
-- The script that calls this is the main service and, launched again by it, each of the checking ones.
--
-- Lines, all values in base64. s: server, c: client.
--   s  challenge (8 bytes)
--   c  dhexchange(client key)             s  dhexchange(server key)
--   c  hmac64(challenge, secret)          secret = dhsecret of both keys
--   c  desencode(secret, token)
--   s  "200 " and subid | "400 Bad Request": a line that is no base64, of wrong size, or a wrong hmac |
--      "401 Unauthorized": auth_handler | "403 Forbidden": login_handler | "406 Not Acceptable": a login is under way
-- A client whose line is longer than LINE_MAX, or who takes too long, is disconnected.

local skynet = require "skynet"
require "skynet.manager"
local socket = require "skynet.socket"
local crypt = require "skynet.crypt"

local LINE_MAX = 8192
local KEY_BYTES = 8
local INSTANCES = 8
local TIMEOUT_CS = 3000

local BAD_REQUEST = "400 Bad Request"
local UNAUTHORIZED = "401 Unauthorized"
local FORBIDDEN = "403 Forbidden"
local NOT_ACCEPTABLE = "406 Not Acceptable"

---------------------------------------------------------------------------------------------------------------------
-- A checking service: message check(fd, address) -> answer | nil, server, uid, secret. An answer is a refusal, "" for a
-- client who is gone.

local function write_value(fd, value)
  socket.write(fd, crypt.base64encode(value) .. "\n")
end

-- To be raised: what the client is told.
local function refuse(answer)
  error({ answer = answer }, 0)
end

-- The next line; `bytes`: how many it must be.
local function read_value(fd, bytes)
  local line = socket.readline(fd, "\n")
  if not line then
    refuse ""
  end
  local ok, value = pcall(crypt.base64decode, (string.gsub(line, "\r$", "")))
  if not ok or bytes and #value ~= bytes then
    refuse(BAD_REQUEST)
  end
  return value
end

-- Wrong input of a client makes a function of crypt raise.
local function compute(f, ...)
  local ok, value = pcall(f, ...)
  if not ok then
    refuse(BAD_REQUEST)
  end
  return value
end

local function handshake(fd, conf)
  local challenge = crypt.randomkey()
  write_value(fd, challenge)
  local client_key = read_value(fd, KEY_BYTES)
  local server_key = crypt.randomkey()
  write_value(fd, crypt.dhexchange(server_key))
  local secret = compute(crypt.dhsecret, client_key, server_key)
  if read_value(fd, KEY_BYTES) ~= crypt.hmac64(challenge, secret) then
    refuse(BAD_REQUEST)
  end
  local token = compute(crypt.desdecode, secret, read_value(fd))
  local ok, server, uid = pcall(conf.auth_handler, token)
  if not ok or not server then
    skynet.error(string.format("login: not let in: %s", tostring(server)))
    refuse(UNAUTHORIZED)
  end
  return server, uid, secret
end

local function check(fd, address, conf)
  if not socket.start(fd) then
    return ""
  end
  socket.limit(fd, LINE_MAX)
  local is_done = false
  skynet.timeout(conf.timeout or TIMEOUT_CS, function()
    if not is_done then
      skynet.error(string.format("login: %s takes too long", address))
      socket.shutdown(fd)
    end
  end)
  local ok, server, uid, secret = pcall(handshake, fd, conf)
  is_done = true
  socket.abandon(fd)
  if ok then
    return nil, server, uid, secret
  elseif type(server) == "table" then
    return server.answer
  end
  skynet.error(string.format("login: %s: %s", address, tostring(server)))
  return BAD_REQUEST
end

local function run_checker(conf)
  skynet.dispatch("lua", function(_, _, fd, address)
    skynet.retpack(check(fd, address, conf))
  end)
end

---------------------------------------------------------------------------------------------------------------------
-- The main service

-- Users whose login is under way.
local logging_in = {}

local function admit(conf, server, uid, secret)
  if not conf.multilogin and logging_in[uid] then
    return NOT_ACCEPTABLE
  end
  logging_in[uid] = (logging_in[uid] or 0) + 1
  local ok, subid = pcall(conf.login_handler, server, uid, secret)
  logging_in[uid] = logging_in[uid] > 1 and logging_in[uid] - 1 or nil
  if ok then
    return "200 " .. crypt.base64encode(tostring(subid or ""))
  end
  skynet.error(string.format("login: %s is not let in to %s: %s", tostring(uid), tostring(server), tostring(subid)))
  return FORBIDDEN
end

local function serve(conf, checker, fd, address)
  local ok, answer, server, uid, secret = pcall(skynet.call, checker, "lua", fd, address)
  if not ok then
    skynet.error(string.format("login: no service to check %s", address))
    socket.close_fd(fd)
    return
  end
  answer = answer or admit(conf, server, uid, secret)
  if answer == "" or not socket.start(fd) then
    socket.close_fd(fd)
    return
  end
  socket.write(fd, answer .. "\n")
  socket.close(fd)
end

local function run_main(conf)
  local checkers, next_checker = {}, 0
  skynet.dispatch("lua", function(_, _, command, ...)
    skynet.retpack(conf.command_handler(command, ...))
  end)
  for index = 1, conf.instance or INSTANCES do
    checkers[index] = skynet.newservice(SERVICE_NAME)
  end
  local host = conf.host or "0.0.0.0"
  local id, _, port = socket.listen(host, math.tointeger(conf.port))
  skynet.error(string.format("login server listen at : %s %d", host, port))
  socket.start(id, function(fd, address)
    next_checker = next_checker % #checkers + 1
    serve(conf, checkers[next_checker], fd, address)
  end)
end

--- Makes this service a login server.
---@param conf table see above
local function login(conf)
  local name = conf.name or ".login"
  assert(conf.auth_handler and conf.login_handler and conf.command_handler and conf.port,
    "a login server needs port, auth_handler, login_handler and command_handler")
  skynet.start(function()
    if skynet.localname(name) then
      run_checker(conf)
    else
      skynet.register(name)
      run_main(conf)
    end
  end)
end

return login
