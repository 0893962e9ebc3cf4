-- A story looks into its nodes with the commands of the debug console.

local sim = require "sim"

local function counter()
  local skynet = require "skynet"
  require "skynet.manager"
  local state = { count = 0 }
  skynet.start(function()
    skynet.dispatch("lua", function(_, _, verb)
      if verb == "wait" then
        skynet.wait {}
      end
      state.count = state.count + 1
      skynet.retpack(state.count)
    end)
    skynet.info_func(function() return { count = state.count } end)
    skynet.register ".counter"
  end)
end

sim.scenario "the story uses the debug console of a node" {
  nodes = {
    a = { start = "counter", ip = "10.0.0.1" },
  },
  services = { counter = counter },

  story = function(world)
    world:call("a", ".counter", "add")
    sim.guarantee("info asks a service", world:console("a", "info .counter") == "count\t1")
    sim.guarantee("call calls it", world:console("a", "call .counter 'add'") == "1\t2\nn\t1")
    world:send("a", ".counter", "wait")
    world:sleep "10ms"
    local tasks = world:console("a", "task .counter")
    sim.guarantee("task shows where it waits", tasks:find("session", 1, true) ~= nil, "%s", tasks)
    local stat = world:console("a", "stat")
    sim.guarantee("stat shows everybody", stat:find("\ttask:1", 1, true) ~= nil, "%s", stat)
    local text, problem = world:console("a", "nonsense")
    sim.guarantee("a wrong line is nil and why",
      text == nil and problem == "Invalid command nonsense, type help for command list", "%s", problem)
    world:restart "a"
    sim.guarantee("a new life has a new console", world:console("a", "info .counter") == "count\t0")
  end,
}
