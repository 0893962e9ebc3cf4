-- The project of tests/native_project, from its config file: services, modules, and code in C.

local sim = require "sim"

sim.scenario "a project with modules in C runs in a simulation, and again after a crash" {
  project = "../native_project",
  nodes = {
    a = { config = "config", ip = "10.0.0.1" },
    b = { config = "config", ip = "10.0.0.2" },
  },

  story = function(world)
    local here, there = world:call("a", ".main", "add", 40)
    sim.guarantee("both sums are there", here == 40 and there == 40, "%s %s", here, there)
    here, there = world:call("a", ".main", "add", 2)
    sim.guarantee("and go on", here == 42 and there == 42, "%s %s", here, there)
    here, there = world:call("b", ".main", "add", 1)
    sim.guarantee("each node has its own", here == 1 and there == 1, "%s %s", here, there)
    world:restart "a"
    here, there = world:call("a", ".main", "add", 1)
    sim.guarantee("a new life begins at nothing", here == 1 and there == 1, "%s %s", here, there)
  end,
}
