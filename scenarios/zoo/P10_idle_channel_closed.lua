-- Claim:  when the server has closed an idle socket channel, two requests in one handler make one connection anew, and
--         both are answered.
-- Kind:   liveness.
-- Source: skynet issue 1385 (2021): the database closed idle connections, and then one of two requests at a time never
--         came back, because the tasks that wait for the connection were not all woken. Put back by
--         `--legacy waiters-skipped`.
--
-- Scripted: the server closes at 10 s, two requests at 11 s. Else one to five requests, in the second around the close.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"
local PORT = 6379

local function database()
  local skynet = require "skynet"
  require "skynet.manager"
  local socket = require "skynet.socket"
  local open

  local function serve(id)
    open = id
    socket.start(id)
    sim.probe "accepted"
    local line = socket.readline(id, "\n")
    while line do
      socket.write(id, line .. "!\n")
      line = socket.readline(id, "\n")
    end
    socket.close(id)
  end

  skynet.start(function()
    socket.start(socket.listen("0.0.0.0", PORT), serve)
    skynet.dispatch("lua", function()
      socket.close(open)
      skynet.retpack()
    end)
    skynet.register ".database"
  end)
end

local function client()
  local skynet = require "skynet"
  require "skynet.manager"
  local socketchannel = require "skynet.socketchannel"
  local channel = socketchannel.channel { host = "10.0.0.2", port = PORT }

  local function read_answer(stream)
    return true, stream:readline "\n"
  end

  -- All in one tick; each reports its end.
  local function request(texts)
    for _, text in ipairs(texts) do
      skynet.fork(function()
        local ok, answer = pcall(channel.request, channel, text .. "\n", read_answer)
        sim.probe("finished", text, ok and answer or "raised")
      end)
    end
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, texts)
      request(texts)
      skynet.retpack()
    end)
    skynet.register ".client"
  end)
end

sim.scenario "requests at a channel that was closed while idle are all answered, over one new connection" {
  kind = "liveness",
  source = "skynet issue 1385",
  legacy = "waiters-skipped",
  nodes = {
    a = { start = "client", ip = "10.0.0.1" },
    db = { start = "database", ip = "10.0.0.2" },
  },
  network = { delay = sim.uniform("500us", "20ms") },
  services = { client = client, database = database },

  story = function(world)
    local finished = 0
    local function request(count)
      local texts = {}
      for i = 1, count do
        texts[i] = "request " .. finished + i
      end
      finished = finished + count
      world:call("a", ".client", texts)
      sim.liveness("all requests end", function() return #world:probes "finished" == finished end, "1s")
    end

    request(1)
    world:sleep "10s"
    world:call("db", ".database")
    local count = 2
    if IS_SCRIPTED then
      world:sleep "1s"
    else
      world:sleep(("%dms"):format(world:choose(100)))
      count = world:choose(5)
    end
    request(count)
    for i, probe in ipairs(world:probes "finished") do
      local text, answer = probe[1], probe[2]
      local is_answered = answer == text .. "!"
      -- Nothing promises that the close is noticed at once.
      local may_raise = not IS_SCRIPTED and i > 1
      sim.guarantee("requests are answered", is_answered or may_raise and answer == "raised", "%s: %s", text, answer)
    end
    sim.guarantee("one new connection is made at most", #world:probes "accepted" <= 2)
  end,
}
