-- The message server of login.lua. Requests: "echo TEXT", "slow", "fail", "big", "number", "nothing", "count".
local skynet = require "skynet"
local msgserver = require "snax.msgserver"

local SERVER = "world"
local subids, seen, count, gone = 0, {}, 0, 0

local requests = {}

function requests.slow()
  skynet.sleep(20)
  return "slow"
end

function requests.fail()
  error "on purpose"
end

function requests.big()
  return string.rep("x", 70000)
end

function requests.number()
  return 5
end

function requests.nothing() end

function requests.count()
  count = count + 1
  return tostring(count)
end

msgserver.start {
  expired_number = 4,
  register_handler = function(name) return "registered as " .. name end,
  login_handler = function(uid, secret)
    assert(not seen[uid], "known already")
    subids = subids + 1
    seen[uid] = msgserver.username(uid, subids, SERVER)
    msgserver.login(seen[uid], secret)
    return subids
  end,
  logout_handler = function(uid)
    msgserver.logout(seen[uid])
    seen[uid] = nil
  end,
  kick_handler = function(uid)
    return msgserver.ip(seen[uid]), gone, msgserver.userid(seen[uid])
  end,
  disconnect_handler = function() gone = gone + 1 end,
  request_handler = function(_, text)
    return requests[text] and requests[text]() or string.match(text, "^echo (.*)$")
  end,
}
