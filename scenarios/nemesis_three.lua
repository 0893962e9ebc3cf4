-- Claim:  three nodes that call and push to each other live through everything that the nemesis does: a call is
--         answered rightly or raises, once; what was answered was done once, what raised at most once; pushes over one
--         connection come in order and without a hole; and when the world is calm again every open call ends, and each
--         node reaches each other one.
-- Kind:   guarantee, and liveness.
-- Source: skynet wiki, Cluster: a call raises when the connection breaks, and the next one connects again; requests and
--         pushes from one node to another share a connection. Issues 548, 1244.
--
-- A swarm: each seed turns half of the families of faults off, and draws delays, workers and the cost of a dispatch.

local sim = require "sim"

local NODES = { "a", "b", "c" }
local ROUNDS = 60     -- of each life of a node, one each half second: as long as the nemesis, and a little longer
local BOUND = "3min"  -- a connect that met silence is tried again after up to 64 s, and bytes after as long as that

-- Each node: calls and pushes to the others, and answers theirs.
local function peer()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local me, peers = skynet.getenv "me", {}
  for name in string.gmatch(skynet.getenv "peers", "%S+") do
    peers[#peers + 1] = name ~= me and name or nil
  end
  -- Lives of one node have different names.
  local life = ("%s/%d/"):format(me, math.random(1 << 52))
  local last, last_push = 0, {}
  local command = {}

  local function double(name)
    last = last + 1
    local number = last
    local id = life .. number
    sim.probe("asked", id)
    local ok, answer = pcall(cluster.call, name, "@peer", "double", id, number)
    sim.probe("ended", id, ok, not ok or answer == 2 * number)
    return ok
  end

  local function push(name)
    last_push[name] = (last_push[name] or 0) + 1
    cluster.send(name, "@peer", "note", life, last_push[name])
  end

  -- The source of what comes over a connection is the service that serves it.
  function command.double(_, id, number)
    sim.probe("done", id)
    skynet.sleep(math.random(0, 5))
    return 2 * number
  end

  local noted = {}
  function command.note(source, from, number)
    local key = skynet.address(source) .. " " .. from
    sim.guarantee("pushes over a connection come in order, without a hole", number == (noted[key] or number - 1) + 1,
      "%s: %d came after %d", key, number, noted[key] or 0)
    noted[key] = number
  end

  function command.reach()
    for _, name in ipairs(peers) do
      if not double(name) then
        return false
      end
    end
    return true
  end

  local function work()
    for _ = 1, ROUNDS do
      local name = peers[math.random(#peers)]
      skynet.fork(double, name)
      push(name)
      push(name)
      skynet.sleep(math.random(20, 80))
    end
  end

  skynet.start(function()
    skynet.dispatch("lua", function(session, source, name, ...)
      local answer = command[name](source, ...)
      if session > 0 then
        skynet.retpack(answer)
      end
    end)
    skynet.register ".peer"
    cluster.register "peer"
    cluster.open(me)
    skynet.fork(work)
  end)
end

local function tally(probes)
  local times = {}
  for _, probe in ipairs(probes) do
    times[probe[1]] = (times[probe[1]] or 0) + 1
  end
  return times
end

local function judge(world)
  local asked, ended, done = tally(world:probes "asked"), tally(world:probes "ended"), tally(world:probes "done")
  for _, probe in ipairs(world:probes "ended") do
    local id, ok, is_right = probe[1], probe[2], probe[3]
    sim.guarantee("a call ends once", asked[id] == 1 and ended[id] == 1, "%s ended %d times", id, ended[id])
    sim.guarantee("an answer is right", is_right, "%s got something else", id)
    if ok then
      sim.guarantee("what was answered was done", done[id] == 1, "%s was done %d times", id, done[id] or 0)
    end
    sim.allowed("a call fails", not ok)
  end
  for id, times in pairs(done) do
    sim.guarantee("nothing is done twice", times == 1, "%s was done %d times", id, times)
  end
end

local nodes = {}
for i, name in ipairs(NODES) do
  nodes[name] = {
    start = "peer", cluster = ("10.0.0.%d:7001"):format(i),
    config = { me = name, peers = table.concat(NODES, " ") },
  }
end

sim.scenario "three nodes live through the whole nemesis" {
  kind = "guarantee",
  source = "skynet wiki, Cluster; issues 548, 1244",
  nodes = nodes,
  services = { peer = peer },
  network = { delay = sim.exponential("500us", "2ms"), loss = "0.1%" },
  nemesis = { time = "25s", rate = "2/s" },
  swarm = true,

  story = function(world)
    world:nemesis():join()
    world:calm_down { within = BOUND }
    for _, name in ipairs(NODES) do
      local reaches = false
      world:spawn(function()
        repeat
          reaches = world:call(name, ".peer", "reach")
          world:sleep "1s"
        until reaches
      end)
      sim.liveness("each node reaches the others", function() return reaches end, BOUND)
    end
    judge(world)
  end,
}
