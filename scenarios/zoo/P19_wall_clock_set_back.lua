-- Claim:  sleeps and timeouts take as long as they should, skynet.now() never goes back, and skynet.time() counts what
--         has passed, also if somebody sets the machine's clock meanwhile.
-- Kind:   guarantee.
-- Source: skynet, 2014: ticks were counted by the wall clock. When it was set back timers stood still until it had
--         caught up; when it was set forward they all fired. Put back by `--legacy wall-clock-ticks`.
--
-- Scripted: it is set back by an hour after 0.5 s, and forward by two after 1.2 s. Else the seed says when and how far
-- it is set, three times.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"
local SLEEP_CS, TIMEOUT_CS = 100, 200
local LOOK = "50ms"
local LATE = sim.duration "30ms"  -- a tick, and time to come to one's turn
local STEPS = { "-1h", "-1s", "-50ms", "50ms", "1s", "2h" }

local function sleeper()
  local skynet = require "skynet"
  require "skynet.manager"
  local command = {}

  function command.begin()
    skynet.fork(function()
      skynet.sleep(SLEEP_CS)
      sim.probe "sleep"
    end)
    skynet.timeout(TIMEOUT_CS, function()
      sim.probe "timeout"
    end)
  end

  -- Centiseconds since the node began, and seconds since 1970.
  function command.look()
    return skynet.now(), skynet.time()
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      skynet.retpack(command[name]())
    end)
    skynet.register ".sleeper"
  end)
end

-- Sets the clock at these times after the beginning, in another task of the story.
local function set_clock(world, times_ms, steps)
  world:spawn(function()
    local passed_ms = 0
    for i, at_ms in ipairs(times_ms) do
      world:sleep(("%dms"):format(at_ms - passed_ms))
      world:clock("n"):step(steps[i])
      passed_ms = at_ms
    end
  end)
end

local function random_times(world)
  local times_ms = {}
  for i = 1, 3 do
    times_ms[i] = 10 * world:choose(220)
  end
  table.sort(times_ms)
  return times_ms
end

-- Looks at the node's clocks for 2.5 s.
local function watch(world, began_ns)
  local last_cs, time_at_begin = world:call("n", ".sleeper", "look")
  while world:now() < began_ns + sim.duration "2500ms" do
    world:sleep(LOOK)
    local now_cs, time = world:call("n", ".sleeper", "look")
    sim.guarantee("skynet.now() never goes back", now_cs >= last_cs, "from %d to %d", last_cs, now_cs)
    local error_ns = (time - time_at_begin) * 1e9 - (world:now() - began_ns)
    sim.guarantee("skynet.time() counts what has passed", math.abs(error_ns) < LATE, "it is wrong by %.3f s",
      error_ns / 1e9)
    last_cs = now_cs
  end
end

local function check(world, what, began_ns, wanted_cs)
  local probe = world:probes(what)[1]
  sim.guarantee("what waits for a time does not wait for ever", probe ~= nil, what)
  if probe then
    local late_ns = probe.time - began_ns - wanted_cs * sim.duration "10ms"
    sim.guarantee("what waits for a time waits as long as it should", math.abs(late_ns) < LATE,
      "the %s of %d cs ended %.3f s late", what, wanted_cs, late_ns / 1e9)
  end
end

sim.scenario "sleeps, timeouts and skynet.now() do not notice that the clock is set" {
  kind = "guarantee",
  source = "skynet, 2014",
  legacy = "wall-clock-ticks",
  nodes = { n = { start = "sleeper" } },
  services = { sleeper = sleeper },

  story = function(world)
    world:call("n", ".sleeper", "begin")
    local began_ns = world:now()
    if IS_SCRIPTED then
      set_clock(world, { 500, 1200 }, { "-1h", "2h" })
    else
      set_clock(world, random_times(world), world:shuffle(STEPS))
    end
    watch(world, began_ns)
    check(world, "sleep", began_ns, SLEEP_CS)
    check(world, "timeout", began_ns, TIMEOUT_CS)
  end,
}
