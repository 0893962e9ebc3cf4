-- Claim:  fifty nodes in a ring, each of which calls the next few and is crashed, cut off and slowed down like all
--         others: a call is answered rightly or raises, once; what was answered was done once; and when the world is
--         calm again, whoever of the cluster is left, every open call ends and each node reaches its neighbours.
-- Kind:   guarantee, and liveness.
-- Source: skynet wiki, Cluster: a call raises when the connection breaks, and the next one connects again. Issue 1244.
--
-- A swarm: each seed turns half of the families of faults off, and draws delays, workers and the cost of a dispatch. In
-- the phase of calm the seed keeps a core of the nodes; the others stay down, and calls to them raise.

local sim = require "sim"

local SIZE = 50
local NEIGHBOURS = 2  -- that each node calls
local ROUNDS = 8      -- of each life of a node, one a second
local BOUND = "3min"  -- a connect that met silence is tried again after up to 64 s, and bytes after as long as that

local function member()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local me = skynet.getenv "me"
  local neighbours = {}
  for name in string.gmatch(skynet.getenv "neighbours", "%S+") do
    neighbours[#neighbours + 1] = name
  end
  -- Lives of one node have different names.
  local life = ("%s/%d/"):format(me, math.random(1 << 52))
  local last = 0
  local command = {}

  local function ask(name)
    last = last + 1
    local number = last
    local id = life .. number
    sim.probe("asked", id)
    local ok, answer = pcall(cluster.call, name, "@member", "double", id, number)
    sim.probe("ended", id, ok, not ok or answer == 2 * number)
    return ok
  end

  function command.double(id, number)
    sim.probe("done", id)
    return 2 * number
  end

  -- Whether all neighbours that are among the living answer.
  function command.reach(living)
    for _, name in ipairs(neighbours) do
      if living[name] and not ask(name) then
        return false
      end
    end
    return true
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    skynet.register ".member"
    cluster.register "member"
    cluster.open(me)
    skynet.fork(function()
      for _ = 1, ROUNDS do
        skynet.sleep(math.random(50, 150))
        skynet.fork(ask, neighbours[math.random(#neighbours)])
      end
    end)
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
  local ended, done = tally(world:probes "ended"), tally(world:probes "done")
  for _, probe in ipairs(world:probes "ended") do
    local id, ok, is_right = probe[1], probe[2], probe[3]
    sim.guarantee("a call ends once", ended[id] == 1, "%s ended %d times", id, ended[id])
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

local function name_of(i)
  return ("n%02d"):format((i - 1) % SIZE + 1)
end

local nodes = {}
for i = 1, SIZE do
  local neighbours = {}
  for step = 1, NEIGHBOURS do
    neighbours[step] = name_of(i + step)
  end
  nodes[name_of(i)] = {
    start = "member", cluster = ("10.0.1.%d:7001"):format(i),
    config = { me = name_of(i), neighbours = table.concat(neighbours, " ") },
  }
end

sim.scenario "fifty nodes live through the whole nemesis" {
  kind = "guarantee",
  source = "skynet wiki, Cluster; issue 1244",
  nodes = nodes,
  services = { member = member },
  network = { delay = sim.exponential("500us", "2ms") },
  nemesis = {
    time = "8s", rate = "12/s",
    crash = { down_max = 10 }, power_off = { down_max = 10 },
    partition = true, one_way = true, hold = true,
    delay = true, jitter = true, loss = true, bursts = true, split = true, throttle = true, queue = true,
    reset = true, refuse = true, black_hole = true, slow_connect = true,
    slow_accept = true, stall_sockets = true, limit_fds = true, forget_idle = true,
    pause = true, slow = true, clock_step = true, clock_drift = true,
  },
  swarm = true,

  story = function(world)
    world:nemesis():join()
    world:calm_down { within = BOUND, core = "random" }
    local living, reaching = {}, 0
    local function reach(name)
      while not world:call(name, ".member", "reach", living) do
        world:sleep "1s"
      end
      reaching = reaching - 1
    end
    for i = 1, SIZE do
      living[name_of(i)] = world:is_running(name_of(i)) or nil
    end
    for i = 1, SIZE do
      if living[name_of(i)] then
        reaching = reaching + 1
        world:spawn(reach, name_of(i))
      end
    end
    sim.liveness("each node that is left reaches its neighbours", function() return reaching == 0 end, BOUND)
    judge(world)
  end,
}
