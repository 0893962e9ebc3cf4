-- Claim:  a player has one session at a time, whichever gates he logs in at, also when a gate crashes.
-- Kind:   guarantee.
--
-- Two gates and a hub that knows who is where. Whoever logs in asks the hub for a session; the hub has an older one
-- closed first. The trap: the hub's answer to one gate and its call to the same gate travel on two connections, so a gate
-- may be told to close a session before it is told to open it. The careful gate remembers up to which number its
-- sessions are void; `--set naive=true` is the one that does not.

local sim = require "sim"
local game = require "sim.game"

local naive = sim.setting("naive", false)

local function login_gate()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local name = skynet.getenv "gate"
  local sessions = {}  -- player -> number of the open session
  local void = {}      -- player -> sessions up to this number must not be opened any more
  local command = {}

  local function close(player)
    if sessions[player] then
      sim.probe("logout", player, sessions[player])
      sessions[player] = nil
    end
  end

  -- A player is at the door. Returns whether he is in.
  function command.login(player)
    local ok, number = pcall(cluster.call, "hub", ".hub", "login", player, name)
    if not ok or not naive and number <= (void[player] or 0) then
      return false
    end
    close(player)
    sessions[player] = number
    sim.probe("login", player, number)
    return true
  end

  -- The player is elsewhere now: sessions up to `number` are over, also those that are still to come.
  function command.kick(player, number)
    void[player] = math.max(void[player] or 0, number)
    if (sessions[player] or math.huge) <= number then
      close(player)
    end
    return true
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, verb, ...)
      skynet.retpack(command[verb](...))
    end)
    skynet.register ".gate"
    cluster.open(name)
  end)
end

local function hub()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local new_queue = require "skynet.queue"
  local queues = {}  -- player -> his logins, one after another
  local where = {}   -- player -> { gate =, number = } of the newest session
  local numbers = 0

  -- Until the gate has answered: one that is down has no sessions, but only it can say so.
  local function kick(player, session)
    while not pcall(cluster.call, session.gate, ".gate", "kick", player, session.number) do
      skynet.sleep(10)
    end
  end

  local function login(player, gate_name)
    if where[player] then
      kick(player, where[player])
    end
    numbers = numbers + 1
    where[player] = { gate = gate_name, number = numbers }
    return numbers
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, _, player, gate_name)
      queues[player] = queues[player] or new_queue()
      skynet.retpack(queues[player](login, player, gate_name))
    end)
    skynet.register ".hub"
    cluster.open "hub"
  end)
end

sim.scenario "a player has one session at a time" {
  kind = "guarantee",
  nodes = {
    gate1 = { start = "login_gate", cluster = "10.0.0.1:7001", config = { gate = "gate1" } },
    gate2 = { start = "login_gate", cluster = "10.0.0.2:7001", config = { gate = "gate2" } },
    hub = { start = "hub", cluster = "10.0.0.3:7001" },
  },
  network = { delay = sim.uniform("1ms", "20ms") },
  services = { login_gate = login_gate, hub = hub },

  story = function(world)
    game.one_session_per_player(world)
    local function visits(gate_name)
      return function()
        for _ = 1, 5 do
          pcall(world.call, world, gate_name, ".gate", "login", "ann")
          world:sleep(("%dms"):format(world:choose(40)))
        end
      end
    end
    local function crash()
      world:sleep(("%dms"):format(20 + world:choose(200)))
      world:restart "gate1"
    end
    local function visit_gate1()
      local visit = visits "gate1"
      while not pcall(visit) do
        world:wait_until(function() return world:is_running "gate1" end)
      end
    end
    world:together(visit_gate1, visits "gate2", crash)
    sim.guarantee("in the end she gets in", world:call("gate2", ".gate", "login", "ann"))
  end,
}
