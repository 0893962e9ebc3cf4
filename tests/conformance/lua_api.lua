-- Claim:  the Lua API and the services behave as runtime_api.md, network.md and the mended issues of skynet say.
-- Kind:   guarantee. Each file of this folder is the start service of a node of its own.
-- Source: the claims name theirs.
--
-- One file alone: tools/skysim run tests/conformance/lua_api.lua --set only=cluster_calls

local sim = require "sim"

local FILES = {
  "boot_services", "calls", "cluster_caller", "cluster_calls", "cluster_wire", "core_module", "critical_section",
  "data_center", "debug_protocol", "function_names", "gate_events", "logged_lines", "module_loading", "multicast",
  "named_functions", "protocols", "queued_requests", "requests", "service_exit", "service_facts", "snax_cluster",
  "snax_config", "snax_objects", "socket_channel", "socket_streams", "task_order", "user_coroutines",
}

-- Files that need more than the name of their start service.
local CONFIGS = {
  logged_lines = { logservice = "snlua", logger = "logger_with_memory" },
}

local only = sim.setting("only", "")
local nodes, count = {}, 0
for _, file in ipairs(FILES) do
  if only == "" or only == file then
    nodes[file] = { start = file, thread = 4, config = CONFIGS[file] }
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
