-- Reads what sim.scenario declares into plain, complete tables in a fixed order, and refuses what makes no sense, at
-- the line of the declaration. Runs in the VM of the story only.

local core = require "sim.core"
local order = require "sim.order"
local units = require "sim.units"
local configuration = require "sim.configuration"

local declaration = {}
local sorted_keys = units.sorted_keys

local DISPATCH_NS = 10000  -- 10 us: what a small handler takes on a server of today
local CLUSTER_FILE = "/sim/cluster.lua"  -- in the file tree of every node
-- Where the master of a harbor network and its slaves listen if nobody says: those of skynet's examples.
local MASTER_PORT, SLAVE_PORT = 2013, 2526
local HARBOR_MAX = 255

local SCENARIO_FIELDS = {
  nodes = "table", network = "table", services = "table", cluster = "table", reachable = "table", order = "table",
  project = "string", kind = "string", source = "string", legacy = "string", story = "function",
  any_order = "boolean", nemesis = "table", swarm = "boolean",
}
local NODE_FIELDS = {
  start = "string", cluster = "string", ip = "string", thread = "number", cpu = "string",
  path = "string", config = "string or table", env = "table", files = "table", fds = "number",
  harbor = "number or boolean", standalone = "boolean or string", master = "string", address = "string",
  clock = "table",
}
local CHANGE_FIELDS = {  -- of a node that is started again
  start = "string", thread = "number", cpu = "string", path = "string", config = "string or table", env = "table",
  files = "table", harbor = "number", clock = "table",
}
local CLOCK_FIELDS = { offset = "string or number", drift = "string or number" }
local KINDS = { guarantee = true, allowed = true, liveness = true }

-- Every key of `given` is a field, of the right type.
local function check_fields(what, given, fields)
  for _, key in ipairs(sorted_keys(given)) do
    local wanted = fields[key]
    if not wanted then
      core.complain(("%s has no field %s; there are: %s"):format(what, tostring(key),
        table.concat(sorted_keys(fields), ", ")))
    elseif not string.find(wanted, type(given[key]), 1, true) then
      core.complain(("%s: %s is a %s, not a %s"):format(what, key, wanted, type(given[key])))
    end
  end
end

-- Plain values under names, as strings.
local function read_entries(what, given)
  local entries = {}
  for _, key in ipairs(sorted_keys(given)) do
    local value = given[key]
    local kind = type(value)
    if type(key) ~= "string" or kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
      core.complain(("%s entry %s is neither a string, a number nor a boolean"):format(what, tostring(key)))
    end
    entries[key] = tostring(value)
  end
  return entries
end

-- A config is the path of a skynet config file, or a table of entries where [1] may be such a path. Returns the entries
-- as skynet keeps them, as strings, and the path.
local function read_config(what, config)
  local file
  local entries = {}
  for key, value in pairs(type(config) == "string" and { config } or config) do
    if key == 1 then
      file = value
    else
      entries[key] = value
    end
  end
  if file ~= nil and (type(file) ~= "string" or file == "") then
    core.complain(what .. ": config is the path of a skynet config file, or a table of entries behind such a path or none")
  end
  return read_entries(what .. ": config", entries), file
end

-- The variables of a config file.
local function read_env(what, env, file)
  if env and not file then
    core.complain(what .. ": env is what $NAME stands for in a config file, and config names no file")
  end
  return read_entries(what .. ": env", env or {})
end

-- The host of an address; `field` is what gives it.
local function read_address(what, field, text)
  local host, port = string.match(text, "^([^:]+):(%d+)$")
  port = port and math.tointeger(tonumber(port, 10))
  if not port or port < 1 or port > 65535 then
    core.complain(('%s: %s is an address like "10.0.0.1:7001", not "%s"'):format(what, field, text))
  end
  return host
end

-- Entries of a node's config that its fields stand for. The table of the scenario's addresses is for a node that gives
-- its own there, and for one whose config has no other.
local function complete_config(entries, given)
  entries.start = given.start or entries.start
  if given.thread then
    entries.thread = tostring(given.thread)
  end
  if given.cluster then
    entries.cluster = entries.cluster or CLUSTER_FILE
  end
end

-- Entries that neither the node nor its config file gives.
local function default_config(has_cluster)
  return { start = "main", harbor = "0", cluster = has_cluster and CLUSTER_FILE or nil }
end

local function check_harbor_id(what, id)
  if math.type(id) == "float" or math.type(id) == "integer" and (id < 1 or id > HARBOR_MAX) then
    core.complain(("%s: a harbor id is from 1 to %d, not %s"):format(what, HARBOR_MAX, id))
  end
end

-- Of a node in a harbor network: its id, if given, and what it says of addresses.
local function read_harbor(what, given, ip)
  local id, standalone = given.harbor, given.standalone
  if not id and not standalone then
    if given.master or given.address then
      core.complain(what .. ": master and address are for nodes with harbor = true, or their id")
    end
    return nil
  end
  check_harbor_id(what, id)
  if type(standalone) == "string" then
    read_address(what, "standalone", standalone)
  end
  if given.address then
    read_address(what, "address", given.address)
  end
  return {
    id = math.tointeger(id), master = given.master, address = given.address or ip .. ":" .. SLAVE_PORT,
    standalone = standalone == true and ip .. ":" .. MASTER_PORT or standalone or nil,
  }
end

-- Where the clocks of a node's machine are set: two fields of the plain table, or none.
local function read_clock(what, clock, plain)
  if clock then
    check_fields(what .. ": clock", clock, CLOCK_FIELDS)
    plain.clock_offset_ns = units.signed_duration(clock.offset or 0)
    plain.clock_drift_ppb = units.drift(clock.drift or 0)
  end
end

local function read_node(name, given, free_ip, has_cluster)
  if type(name) ~= "string" or not string.find(name, "^[%w_.-]+$") then
    core.complain("a node needs a name of letters, digits, _, . and -, not " .. tostring(name))
  end
  local what = "node " .. name
  if type(given) ~= "table" then
    core.complain(('%s is a table like { start = "main" }, not a %s'):format(what, type(given)))
  end
  check_fields(what, given, NODE_FIELDS)
  local entries, file = read_config(what, given.config or {})
  if not given.start and not file then
    core.complain(what .. ': start is missing, the service that its bootstrap starts')
  end
  if given.thread and (math.type(given.thread) ~= "integer" or given.thread < 1 or given.thread > 1024) then
    core.complain(("%s: thread is a number of workers from 1 to 1024, not %s"):format(what, given.thread))
  end
  if given.fds and (math.type(given.fds) ~= "integer" or given.fds < 1) then
    core.complain(("%s: fds is a number of descriptors, 1 or more, not %s"):format(what, given.fds))
  end
  local host = given.cluster and read_address(what, "cluster", given.cluster)
  complete_config(entries, given)
  local files = {}
  for _, path in ipairs(sorted_keys(given.files or {})) do
    if type(path) ~= "string" or type(given.files[path]) ~= "string" then
      core.complain(what .. ": files are a table of path = text")
    end
    files[path] = given.files[path]
  end
  local ip = given.ip or host or free_ip()
  local node = {
    name = name, ip = ip, path = given.path or "", files = files,
    config = entries, config_file = file, env = read_env(what, given.env, file), defaults = default_config(has_cluster),
    dispatch_ns = given.cpu and units.duration(given.cpu) or DISPATCH_NS, cluster = given.cluster,
    harbor = read_harbor(what, given, ip), fds = given.fds,
  }
  read_clock(what, given.clock, node)
  return node
end

---------------------------------------------------------------------------------------------------------------------
-- Harbor networks

-- Nodes that have a master of their own, by name; and the only one, false if there are several, nil if none.
local function find_masters(nodes)
  local masters = {}
  local only
  for _, node in ipairs(nodes) do
    if node.harbor and node.harbor.standalone then
      masters[node.name] = node.harbor
      only = only == nil and node.harbor
    end
  end
  return masters, only
end

-- The address of a node's master: its own, one that it names by node or address, else the only one there is.
local function find_master_address(node, masters, only)
  local wanted = node.harbor.master
  if masters[node.name] then
    return node.harbor.standalone
  elseif not wanted and only then
    return only.standalone
  elseif not wanted then
    core.complain(("node %s: harbor needs a master: %s"):format(node.name, only == nil and
      "one node with standalone = true" or "there are several; name one with master"))
  elseif masters[wanted] then
    return masters[wanted].standalone
  end
  read_address("node " .. node.name, "master (if it is no node with standalone)", wanted)
  return wanted
end

-- The lowest id that nobody of the network has.
local function free_id(taken, what)
  for id = 1, HARBOR_MAX do
    if not taken[id] then
      return id
    end
  end
  core.complain(("%s: a harbor network has at most %d nodes"):format(what, HARBOR_MAX))
end

-- Gives the nodes of harbor networks what their config needs.
local function complete_harbors(nodes)
  local masters, only = find_masters(nodes)
  local taken = {}  -- master -> harbor id -> node
  for _, node in ipairs(nodes) do
    local harbor = node.harbor
    if harbor then
      harbor.master = find_master_address(node, masters, only)
      local ids = taken[harbor.master] or {}
      taken[harbor.master] = ids
      if harbor.id and ids[harbor.id] then
        core.complain(("node %s: harbor id %d is that of node %s"):format(node.name, harbor.id, ids[harbor.id]))
      end
      ids[harbor.id or 0] = node.name
    end
  end
  for _, node in ipairs(nodes) do
    local harbor = node.harbor
    if harbor then
      local ids = taken[harbor.master]
      local id = harbor.id or free_id(ids, "node " .. node.name)
      ids[id] = node.name
      node.config.harbor = tostring(id)
      node.config.master = harbor.master
      node.config.address = harbor.address
      node.config.standalone = harbor.standalone
    end
  end
end

-- Addresses for nodes that name none. 10.99 is nobody's habit.
local function ip_giver()
  local count = 0
  return function()
    count = count + 1
    return ("10.99.%d.%d"):format(count // 250, count % 250 + 1)
  end
end

-- The text of the `cluster` config file: one line for each node, in order.
local function cluster_text(nodes, extra)
  local lines = {}
  for _, node in ipairs(nodes) do
    if node.cluster then
      lines[#lines + 1] = ("_ENV[%q] = %q"):format(node.name, node.cluster)
    end
  end
  for _, key in ipairs(sorted_keys(extra)) do
    local value = extra[key]
    if type(key) ~= "string" or type(value) ~= "string" and type(value) ~= "boolean" then
      core.complain('cluster: an entry is name = "ip:port", name = false, or __option = value')
    end
    local text = type(value) == "string" and ("%q"):format(value) or tostring(value)
    lines[#lines + 1] = ("_ENV[%q] = %s"):format(key, text)
  end
  return #lines > 0 and table.concat(lines, "\n") .. "\n" or nil
end

local function has_cluster_entries(given)
  if given.cluster and next(given.cluster) ~= nil then
    return true
  end
  for _, node in pairs(given.nodes) do
    if type(node) == "table" and node.cluster then
      return true
    end
  end
  return false
end

local function read_nodes(given)
  local nodes = {}
  local free_ip = ip_giver()
  local has_cluster = has_cluster_entries(given)
  for _, name in ipairs(sorted_keys(given.nodes)) do
    nodes[#nodes + 1] = read_node(name, given.nodes[name], free_ip, has_cluster)
  end
  if #nodes == 0 then
    core.complain "a scenario needs at least one node"
  end
  complete_harbors(nodes)
  local text = cluster_text(nodes, given.cluster or {})
  for _, node in ipairs(nodes) do
    if text then
      node.files[CLUSTER_FILE] = node.files[CLUSTER_FILE] or text
    end
  end
  return nodes
end

local function read_services(services)
  for _, name in ipairs(sorted_keys(services)) do
    if type(name) ~= "string" or type(services[name]) ~= "function" then
      core.complain("services are a table of name = function, the main chunk of the service")
    end
  end
  return sorted_keys(services)
end

--- Called by sim.scenario while the file is loaded.
---@param claim string
---@param given table
function declaration.declare(claim, given)
  if declaration.current then
    core.complain "a file declares one scenario, and this is the second"
  end
  if type(claim) ~= "string" or claim == "" then
    core.complain 'a scenario begins with its claim: sim.scenario "nothing is lost" { ... }'
  end
  if type(given) ~= "table" then
    core.complain('after the claim of a scenario comes a table, not a ' .. type(given))
  end
  check_fields("the scenario", given, SCENARIO_FIELDS)
  for _, field in ipairs { "nodes", "story" } do
    if not given[field] then
      core.complain("the scenario has no " .. field)
    end
  end
  if given.kind and not KINDS[given.kind] then
    core.complain(('kind is guarantee, allowed or liveness, not "%s"'):format(given.kind))
  end
  if given.legacy then
    core.legacy(given.legacy)  -- refuses a name that no switch has
  end
  core.set_place()
  core.describe(claim, given.kind or "", given.source or "", given.legacy or "")
  declaration.current = {
    claim = claim, story = given.story, project = given.project or ".", nodes = read_nodes(given),
    services = read_services(given.services or {}), reachable = given.reachable or {},
    order = order._read(given.order or {}), any_order = given.any_order, swarm = given.swarm or false,
  }
  declaration.current.configuration = configuration.declared(given, declaration.current.nodes)
end

local function merge(below, above)
  local merged = {}
  for _, layer in ipairs { below, above } do
    for key, value in pairs(layer) do
      merged[key] = value
    end
  end
  return merged
end

--- The spec of a declared node with some fields of its declaration changed, as world:restart takes them.
---@param node table
---@param changes table
function declaration.changed_node(node, changes)
  local what = "node " .. node.name
  check_fields(what, changes, CHANGE_FIELDS)
  local entries, file = read_config(what, changes.config or {})
  file = file or node.config_file
  local merged = {}
  for key, value in pairs(node) do
    merged[key] = value
  end
  merged.config_file = file
  merged.config = merge(node.config, entries)
  merged.env = merge(node.env, read_env(what, changes.env, file))
  merged.files = merge(node.files, changes.files or {})
  merged.config.start = changes.start or merged.config.start
  if changes.harbor then
    check_harbor_id(what, changes.harbor)
    merged.config.harbor = tostring(changes.harbor)
  end
  merged.config.thread = changes.thread and tostring(changes.thread) or merged.config.thread
  merged.path = changes.path or node.path
  merged.clock_offset_ns, merged.clock_drift_ppb = nil, nil  -- a machine's clocks stay as they are
  read_clock(what, changes.clock, merged)
  merged.dispatch_ns = changes.cpu and units.duration(changes.cpu) or node.dispatch_ns
  return merged
end

return declaration
