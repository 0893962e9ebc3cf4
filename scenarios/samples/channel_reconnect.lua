-- Claim:  a socket channel connects when it is first used, fails what is under way when its connection ends, and
--         connects again by the next request, without any callback; connect(true) raises if nobody listens; answers
--         find their requests by session, also in another order.
-- Kind:   guarantee.
-- Source: distributed services: automatic reconnect (both editions).
--
-- The first edition gives the channel two functions, connect_fail and disconnect. There are no such fields: they are
-- never called, and the channel works as it does without them.

local sim = require "sim"

local PORT = 7070

-- Lines "session text"; answers "session TEXT". "hang" gets no answer, "hold" gets it after the next one, "close" ends
-- the connection.
local function server()
  local skynet = require "skynet"
  require "skynet.manager"
  local socket = require "skynet.socket"

  local function serve(id)
    socket.start(id)
    local held
    while true do
      local line = socket.readline(id, "\n")
      if not line or string.find(line, " close$") then
        break
      end
      local answer = string.upper(line) .. "\n"
      if string.find(line, " hold$") then
        held = answer
      elseif string.find(line, " hang$") then
        sim.probe "hanging"
      else
        socket.write(id, answer)
        if held then
          socket.write(id, held)
          held = nil
        end
      end
    end
    socket.close(id)
  end

  skynet.start(function()
    skynet.dispatch("lua", function()
      local id = socket.listen(skynet.getenv "ip", PORT)
      socket.start(id, function(connection)
        sim.probe "accepted"
        skynet.fork(serve, connection)
      end)
      skynet.retpack()
    end)
    skynet.register ".server"
  end)
end

local function client()
  local skynet = require "skynet"
  require "skynet.manager"
  local socketchannel = require "skynet.socketchannel"
  local command = {}
  local session = 0

  local channel = socketchannel.channel {
    host = "10.0.0.1",
    port = PORT,
    nodelay = true,
    response = function(stream)
      local id, text = string.match(stream:readline "\n", "^(%d+) (.*)$")
      return tonumber(id), true, text
    end,
    connect_fail = function() sim.probe "connect_fail" end,
    disconnect = function() sim.probe "disconnect" end,
  }

  local function request(text)
    session = session + 1
    return channel:request(session .. " " .. text .. "\n", session)
  end

  function command.connect()
    return (pcall(channel.connect, channel, true))
  end

  -- All at once; the answers, or "socket" for those that the end of the connection failed.
  function command.request(...)
    local texts, answers, me = { ... }, {}, coroutine.running()
    local left = #texts
    for i, text in ipairs(texts) do
      skynet.fork(function()
        local ok, answer = pcall(request, text)
        answers[i] = ok and answer or answer == socketchannel.error and "socket" or answer
        left = left - 1
        if left == 0 then
          skynet.wakeup(me)
        end
      end)
    end
    skynet.wait(me)
    return answers
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    skynet.register ".client"
  end)
end

sim.scenario "a socket channel connects again by itself" {
  kind = "guarantee",
  source = "distributed services: automatic reconnect",
  nodes = {
    a = { start = "client", ip = "10.0.0.2" },
    b = { start = "server", ip = "10.0.0.1", config = { ip = "10.0.0.1" } },
  },
  network = { delay = sim.uniform("500us", "5ms"), split = "30%" },
  services = { client = client, server = server },

  story = function(world)
    local function client(...) return world:call("a", ".client", ...) end
    sim.guarantee("connect raises while nobody listens", client "connect" == false)
    sim.guarantee("so does a request", sim.equal({ "socket" }, client("request", "early")))
    world:call("b", ".server")
    sim.guarantee("when somebody listens it succeeds", client "connect")
    sim.guarantee("a request is answered", sim.equal({ "ONE" }, client("request", "one")))
    sim.guarantee("answers find their requests", sim.equal({ "HOLD", "TWO" }, client("request", "hold", "two")))
    sim.guarantee("over one connection", sim.equal(1, #world:probes "accepted"))

    local hanging = world:spawn(function() return client("request", "hang", "hang") end)
    world:wait_until(function() return #world:probes "hanging" == 2 end)
    sim.guarantee("the end of the connection fails its request", sim.equal({ "socket" }, client("request", "close")))
    sim.guarantee("and all others", sim.equal({ "socket", "socket" }, hanging:join()))
    sim.guarantee("the next request connects again", sim.equal({ "THREE", "FOUR" }, client("request", "three", "four")))
    sim.guarantee("over one more connection", sim.equal(2, #world:probes "accepted"))

    world:crash "b"
    sim.guarantee("a request fails while the server is down", sim.equal({ "socket" }, client("request", "lost")))
    world:start "b"
    world:call("b", ".server")
    sim.guarantee("a new server is found as well", sim.equal({ "FIVE" }, client("request", "five")))
    sim.guarantee("connect_fail and disconnect are never called",
      #world:probes "connect_fail" + #world:probes "disconnect" == 0)
  end,
}
