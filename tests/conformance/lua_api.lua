-- Claim:  the Lua API and the services behave as runtime_api.md, network.md and the mended issues of skynet say.
-- Kind:   guarantee. Each file of this folder is the start service of a node of its own.
-- Source: the claims name theirs.
--
-- One file alone: tools/skysim run tests/conformance/lua_api.lua --set only=cluster_calls

local sim = require "sim"

local FILES = {
  "boot_services", "calls", "cluster_batch", "cluster_caller", "cluster_calls", "cluster_wire", "core_module",
  "critical_section", "crypt", "data_center", "datasheets", "debug_protocol", "dns", "dns_silence", "function_names",
  "gate_events", "gate_module", "gate_server", "http", "http_malformed", "logged_lines", "login", "module_loading", "multicast",
  "named_functions", "node_services", "node_tools", "protocols", "queued_requests", "remote_debug", "requests", "service_exit",
  "service_facts", "shared_data", "shared_tables", "snax_cluster", "snax_config", "snax_objects", "socket_channel",
  "socket_driver", "socket_streams", "socket_uses", "stm_versions", "task_order", "upstream_defects", "user_coroutines", "websocket",
  "websocket_malformed",
}

-- Files that need more than the name of their start service.
local CONFIGS = {
  cluster_wire = { cluster_request_max = "300000" },
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
    end, "600s")
  end,
}
