-- skynet.dns and a server that is silent or late; only in virtual time.
local skynet = require "skynet"
local socket = require "skynet.socket"
local dns = require "skynet.dns"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()
local server = assert(loadfile(SERVICE_PATH .. "name_server.lua"))()

local function good(question)
  return server.answer(question, { server.record(server.A, 60, "\10\0\0\1") })
end

local function udp_sockets()
  local count = 0
  for _, info in ipairs(socket.netstat()) do
    if info.type == "UDP" then
      count = count + 1
    end
  end
  return count
end

local function silent()
  server.reply = function() end
  local before, start_cs = server.queries, skynet.now()
  claims.raises("timeout or no answer", dns.resolve, "silent.example")
  local took_cs = skynet.now() - start_cs
  claims.equal(took_cs >= 3000 and took_cs < 3100, true, took_cs)
  claims.equal(server.queries - before, 6)
end

local function second_try()
  local tries = 0
  server.reply = function(question)
    tries = tries + 1
    if tries == 3 then
      return good(question)
    end
  end
  local start_cs = skynet.now()
  claims.equal(dns.resolve("third.example"), "10.0.0.1")
  local took_cs = skynet.now() - start_cs
  claims.equal(took_cs >= 1000 and took_cs < 1100, true, took_cs)
end

local function late()
  local kept
  server.reply = function(question)
    kept = kept or question
  end
  claims.raises("timeout or no answer", dns.resolve, "late.example")
  server.reply = function(question)
    return good(kept), good(question)
  end
  claims.equal(dns.resolve("next.example"), "10.0.0.1")
end

local function idle()
  server.reply = good
  claims.equal(dns.resolve("idle.example"), "10.0.0.1")
  skynet.sleep(5900)
  claims.equal(udp_sockets(), 2)
  skynet.sleep(6200)
  claims.equal(udp_sockets(), 1)  -- the server's own
  claims.equal(dns.resolve("again.example"), "10.0.0.1")
end

local function expires()
  server.reply = good
  dns.resolve("minute.example")
  local before = server.queries
  skynet.sleep(5900)
  dns.resolve("minute.example")
  claims.equal(server.queries, before)
  skynet.sleep(200)
  dns.resolve("minute.example")
  claims.equal(server.queries, before + 1)
end

skynet.init(function()
  dns.DEFAULT_HOSTS = "/no/such/file"
  dns.server(server.ip, server.start())
end)

claims.run("skynet.dns in time", {
  { "a silent server is asked every 5 s and given up after 30 s", silent },
  { "a lost query is made good by the next", second_try },
  { "an answer that comes too late is dropped", late },
  { "the socket is closed after a minute or two without use", idle },
  { "an answer serves for its time to live", expires },
})
