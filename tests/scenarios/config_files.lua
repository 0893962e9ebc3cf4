-- Two nodes from the config file of a project that brings its own copy of skynet along; every file of that copy which
-- skysim has as well raises an error when it is loaded.

local sim = require "sim"

local function expect(world, what, expected, ...)
  local seen = world:call("front", ".front", ...)
  sim.guarantee(what, sim.equal(expected, seen))
end

sim.scenario "a project runs from its own config file, with skysim where skynet was" {
  project = "config_project",
  nodes = {
    front = { config = "config", env = { ROLE = "front" }, ip = "10.0.0.1" },
    back = { config = { "config", colour = "red" }, env = { ROLE = "back" }, ip = "10.0.0.2" },
  },
  network = { delay = sim.uniform("1ms", "5ms") },

  story = function(world)
    expect(world, "entries come from the file", "from the file", "env", "greeting")
    expect(world, "and from the scenario", "red", "env", "colour")
    expect(world, "the file's word on threads counts", "2", "env", "thread")
    expect(world, "modules of the project are found", "the project's", "module", "rules")
    expect(world, "and win over skysim's", "the project's own", "module", "skynet.queue")
    expect(world, "what only skynet has is found", "only in skynet", "module", "rarity")

    world:restart("back", { config = { greeting = "from the story" } })
    world:restart "front"  -- or its next call would meet the connection that back's crash has ended
    expect(world, "what the scenario says wins", "from the story", "env", "greeting")
    expect(world, "the file is still behind it", "./", "env", "project")
  end,
}
