-- The login server of login.lua: "user@server:password". Told (lua) "register", server, handle of a gate.
local skynet = require "skynet"
local login = require "snax.loginserver"

local gates = {}

login {
  host = "127.0.0.1",
  port = 0,
  instance = 2,
  timeout = 100,
  auth_handler = function(token)
    local user, server, password = string.match(token, "^([^@]+)@([^:]+):(.+)$")
    assert(password == "right", "a wrong password")
    return server, user
  end,
  login_handler = function(server, uid, secret)
    if uid == "slow" then
      skynet.sleep(50)
    end
    return skynet.call(assert(gates[server], "no such server"), "lua", "login", uid, secret)
  end,
  command_handler = function(command, server, handle)
    assert(command == "register")
    gates[server] = handle
    return "registered"
  end,
}
