-- Claim:  the Lua API and the services behave as runtime_api.md, network.md and the mended issues of skynet say.
-- Kind:   guarantee. Each file of this folder is the start service of a node of its own.
-- Source: the claims name theirs.
--
-- One file alone: tools/skysim run tests/conformance/lua_api.lua --set only=cluster_calls

local sim = require "sim"

local FILES = {
  "boot_services", "cluster_caller", "cluster_calls", "cluster_wire", "critical_section", "gate_events", "module_loading",
  "socket_channel", "socket_streams",
}

local only = sim.setting("only", "")
local nodes, count = {}, 0
for _, file in ipairs(FILES) do
  if only == "" or only == file then
    nodes[file] = { start = file, thread = 4 }
    count = count + 1
  end
end

sim.scenario "the Lua API keeps its claims" {
  kind = "guarantee",
  source = "the references of the runtime and of the network",
  nodes = nodes,
  network = { delay = sim.uniform("50us", "5ms"), split = "10%" },

  story = function(world)
    sim.liveness("every file ends", function()
      return #world:probes "checked" == count
    end, "120s")
  end,
}
