-- Claim:  whatever happens to nodes and links, a cluster call that returns brings the answer to its own request, once;
--         and when the faults are over, every node reaches every other.
-- Kind:   guarantee, and liveness.
-- Source: ours: faults drawn without a plan find what no story thought of.
--
-- Three nodes call and push to each other without pause, small messages and some that are cut into parts, while nodes
-- crash, lose their power and come back, connections are reset and links are cut, held, slowed and refused.

local sim = require "sim"

local FAULTS = 24
local CALLERS = 3             -- tasks of each node that call
local LARGE_BYTES = 100 * 1024
local BOUND = "150s"          -- the slowest connect gives up after 127 s, the next one finds the network whole

local NODES = { "a", "b", "c" }

local function peer()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local me = skynet.getenv "me"
  local others = {}
  for name in string.gmatch("abc", ".") do
    if name ~= me then
      others[#others + 1] = name
    end
  end
  local command = {}

  function command.echo(id, text)
    sim.probe("served", id)
    return id, text
  end

  function command.push(id)
    sim.probe("pushed", id)
  end

  local count = 0
  local function exchange(to)
    count = count + 1
    local id = string.format("%s/%d/%d/%s", me, skynet.getenv "life", count, to)
    local text = string.rep(id, math.random(5) == 1 and LARGE_BYTES // #id or 1)
    if math.random(3) == 1 then
      cluster.send(to, ".peer", "push", id, text)
    end
    local ok, back_id, back_text = pcall(cluster.call, to, math.random(2) == 1 and "@peer" or ".peer", "echo", id, text)
    sim.probe("ended", id, ok)
    if ok then
      sim.guarantee("an answer belongs to its request", id == back_id and text == back_text,
        "%s got that of %s", id, back_id)
    end
    return ok
  end

  function command.work()
    for _ = 1, CALLERS do
      skynet.fork(function()
        while true do
          exchange(others[math.random(#others)])
          skynet.sleep(math.random(0, 40))
        end
      end)
    end
  end

  function command.reach(to)
    return exchange(to)
  end

  skynet.start(function()
    skynet.dispatch("lua", function(session, _, name, ...)
      if session == 0 then
        command[name](...)
      else
        skynet.retpack(command[name](...))
      end
    end)
    skynet.register ".peer"
    cluster.register("peer", skynet.self())
    cluster.open(me)
  end)
end

local function faults_of(world)
  local lives = 0
  local function any()
    return NODES[world:choose(#NODES)]
  end
  local function two()
    local pair = world:shuffle(NODES)
    return pair[1], pair[2]
  end
  local function revive(name)
    lives = lives + 1
    world:restart(name, { config = { life = lives } })
    world:send(name, ".peer", "work")
  end
  local faults = {
    function()
      local name = any()
      if world:is_running(name) then
        world:crash(name, { power_off = world:choose(2) == 2, lose_files = world:choose(2) == 2 })
      end
    end,
    function() revive(any()) end,
    function() world:reset(two()) end,
    function() world:reset(two()) end,
    function() world:link(two()):partition() end,
    function() world:heal() end,
    function() world:link(two()):hold() end,
    function() world:link(two()):release { one_chunk = world:choose(2) == 2 } end,
    function() world:refuse(two()) end,
    function() world:black_hole(two()) end,
    function() world:allow(two()) end,
    function() world:link(two()):delay(sim.exponential("1ms", "100ms")) end,
    function() world:link(two()):bandwidth "100KB/s" end,
  }
  return faults, revive
end

local function make_whole(world, revive)
  world:heal()
  for _, from in ipairs(NODES) do
    for _, to in ipairs(NODES) do
      if from ~= to then
        world:allow(from, to)
        world:link(from, to):delay("1ms"):bandwidth(0):loss(0):release()
      end
    end
  end
  for _, name in ipairs(NODES) do
    if not world:is_running(name) then
      revive(name)
    end
  end
end

-- Every pair at once; a call that fails is made again.
local function reach_all(world)
  local missing = 0
  for _, from in ipairs(NODES) do
    for _, to in ipairs(NODES) do
      if from ~= to then
        missing = missing + 1
        world:spawn(function()
          while not world:call(from, ".peer", "reach", to) do
            world:sleep "1s"
          end
          missing = missing - 1
        end)
      end
    end
  end
  return function() return missing == 0 end
end

-- Ids that were reported more than once.
local function first_twice(probes)
  local seen = {}
  for _, probe in ipairs(probes) do
    if seen[probe[1]] then
      return probe[1]
    end
    seen[probe[1]] = true
  end
end

local nodes = {}
for index, name in ipairs(NODES) do
  nodes[name] = { start = "peer", cluster = ("10.0.0.%d:7001"):format(index), config = { me = name, life = 0 } }
end

sim.scenario "under faults of every kind an answer belongs to its request, and after them everybody is reached" {
  kind = "guarantee",
  nodes = nodes,
  network = { delay = sim.exponential("500us", "2ms"), loss = "2%", split = "20%" },
  services = { peer = peer },

  story = function(world)
    for _, name in ipairs(NODES) do
      world:send(name, ".peer", "work")
    end
    local faults, revive = faults_of(world)
    for _ = 1, FAULTS do
      faults[world:choose(#faults)]()
      world:sleep(world:choose(1000) .. "ms")
    end

    make_whole(world, revive)
    sim.liveness("after the faults everybody is reached", reach_all(world), BOUND)
    for _, name in ipairs { "served", "pushed", "ended" } do
      local twice = first_twice(world:probes(name))
      sim.guarantee("nothing is " .. name .. " twice", not twice, "%s", twice)
    end
  end,
}
