-- The scenario language.
--
-- A scenario is a file that declares nodes, a network between them and a story, and says what must hold:
--
--     local sim = require "sim"
--
--     sim.scenario "a counter survives a slow link" {
--       nodes = {
--         a = { start = "client", cluster = "10.0.0.1:7001" },
--         b = { start = "counter", cluster = "10.0.0.2:7001" },
--       },
--       network = { delay = sim.uniform("1ms", "20ms") },
--       story = function(world)
--         world:link("b", "a"):delay("2s")
--         local seen = world:call("a", ".client", "add", 3)
--         sim.guarantee("the sum comes back", sim.equal(3, seen))
--       end,
--     }
--
-- Fields of a scenario
--   nodes     name = { start = "service",         -- the service that bootstrap starts; required without a config file
--                      cluster = "10.0.0.1:7001", -- address in the `cluster` config of all nodes
--                      ip = "10.0.0.1",           -- else the host of `cluster`, else one is given
--                      thread = 4, cpu = "10us",  -- workers; virtual time that one dispatch takes
--                      path = "gate",             -- services and modules are here too (in the project)
--                      config = { key = value },  -- any entries of a skynet config; or "etc/config", or
--                                                 -- { "etc/config", key = value }: see "Config files"
--                      env = { NAME = "value" },  -- what $NAME stands for in the config file
--                      fds = 100,                 -- so many sockets at a time; no limit if absent
--                      files = { name = text },   -- put into the node's file tree before each start
--                      harbor = true,             -- in a harbor network; or its id, else the lowest free one
--                      standalone = true,         -- the master is here too
--                      master = "a",              -- node with the master, or an address; needed if there are several
--                      address = "10.0.0.1:2526", -- where other slaves connect to; else port 2526 of its ip
--                      clock = { offset = "-2s", drift = "50ppm" },  -- how wrong the clocks of its machine are
--                    }
--             The config entry harbor is 0 unless one of these, or config, says otherwise. Masters listen on port 2013
--             (standalone = "ip:port": elsewhere) and are booted before the other nodes start.
--   network   how every link behaves: delay, jitter, loss, bandwidth, queue, mtu, mss, window, send_buffer, split,
--             duplicate, reorder (see link)
--   services  name = function(...) end: main chunks of services, as if each were a file of its own. They run
--             in the service's own VM, where this file is loaded again; files with that name are not looked at.
--   cluster   further entries of the `cluster` config: { ghost = false, __nowaiting = true }
--   project   folder of the user's services, from the folder of this file; "." if absent. Services are found as
--             ?.lua and service/?.lua there, then among skysim's own.
--   nemesis   faults that world:nemesis() draws: { time = "30s", rate = "2/s", crash = { nodes = { "b" } }, hold = false },
--             see docs/reference.md and lualib/sim/families.lua
--   swarm     true: each seed turns half of the families of faults off, and draws delays, workers and dispatch costs
--   reachable names of sim.reachable() that some run of a sweep must come by
--   order     flow = contract: which order of messages is promised and which is merely usual; see sim/order.lua
--   any_order true: the seed decides what Lua leaves open, as with --any-order: how tables are walked, when garbage is
--             collected
--   kind, source   text for the reader
--   legacy    the switch of --legacy under which a guarantee of it fails; `skysim zoo` tries it
--   story     function(world); see sim.world. Nodes start in an order that the seed chooses; the story begins when the
--             bootstrap of each has ended (or after 60 s). The run ends when it returns: what was spawned and not
--             joined is dropped, and every open sim.eventually is judged once, then and there.
--
-- Config files. A node can start from the config file that its project has for skynet, with `include`s and all; the
-- path begins at the project's folder.
--   What wins: fields and entries of the node in the scenario; then the file; then defaults. Those are skynet's, but for
--     harbor, which is 0: skynet's 1 needs a master. What the file says of harbor is kept.
--   $NAME is taken from the node's `env` and never from the environment of the command, so that a run repeats anywhere.
--   Folders are those of the file, then those of `path`. skysim's lualib/ and service/ take the place of skynet's: right
--     before the first folder of lua_path that holds skynet.lua, and of luaservice that holds launcher.lua.
--   cluster: the table of this scenario's addresses is read by a node that has a field `cluster`, and by one whose config
--     sets none. A node without the field reads the file that its config file names; give it the `ip` that it has there.
--   The file is read when the scenario begins and at each world:start or world:restart that changes the node.
--
-- Quantities have units: "50ms", "2.5s", "10us", "3min"; "1%", "1/200"; "64KB/s", "1.5MB/s", "2KiB/s". A bare
-- number is refused, but for 0. A delay may also be sim.constant(d), sim.uniform(least, most), or
-- sim.exponential(least, mean[, most]): never less than `least`, with a long tail. Loss may also be sim.bursts { ... }.
-- Numbers of bytes are 4096 or "64KB".
--
-- Properties; `name` is what reports and sweeps know them by, and a detail is a string.format.
--   sim.guarantee(name, condition, detail, ...)  must never be false.                       (also sim.always)
--   sim.liveness(name, condition(), within)      waits for the condition; false after `within` is a failure.
--                                                                                           (also sim.eventually)
--   sim.allowed(name, condition)                 both outcomes are legal: a sweep must see both.
--   sim.sometimes(name, condition)               a sweep must see it true.
--   sim.usual(name, condition, detail, ...)      mostly so, and nobody promised it: what breaks it is counted and shown.
--   sim.reachable(name)                          a sweep must come by.
--   sim.equal(expected, seen, where)             -> is it so, and "round 2: expected 1 2 3, seen 2 1 3": made to be the
--                                                last argument of sim.guarantee. Tables are compared by content.
-- With a name alone they give the property itself, to be called with the rest. It stands in the catalogue from then on,
-- so that reports name it also if nobody ever judges it. Put it at the head of the file:
--     local overtakes = sim.allowed "the push comes before the reply"
--     ...
--     overtakes(log[1] == "push")
-- `reachable` of the scenario does that for sim.reachable, whose name alone says that the run came by.
--
-- More that can be claimed: the order of messages, sim.order, sim.sent and sim.handled (sim/order.lua); that a recorded
-- history of operations could have happened one by one, sim.history (sim/history.lua, sim/models.lua); what every game
-- needs, require "sim.game".
--
-- Over real sockets (tools/skysim run --transport tcp): each node has worker threads and an address of 127.0.0.0/8 to
-- itself, services see the addresses that are declared here, and hosts that are not cannot be reached. Time is the
-- machine's, `network`, `cpu` and `fds` mean nothing, and nothing repeats. What acts on the simulated network or cuts
-- the power ends such a run with status 2: world:link, partition, heal, reset, refuse, black_hole, allow, forget_idle,
-- limit_fds, slow_accept, stall_sockets, resume_sockets, in_flight, deliver, drop, hold, release, delay_connects,
-- connections, accepted, nemesis, calm_down, and world:crash with power_off.
--
-- In a service, `require "sim"` gives sim.probe(name, ...), which reports a fact to the story (world:probes, world:on),
-- sim.setting, sim.legacy, and the properties but liveness. Outside a simulation all of them do nothing.
--
-- sim.setting(key, default) is the value of `--set key=value`, of default's type; sim.setting(key, default, values) is one
-- of a list. sim.legacy(name) says whether the run has `--legacy name`.

local has_core, core = pcall(require, "sim.core")
local is_simulated = has_core
local is_story = is_simulated and core.role == "story"

local sim = {}

---@class sim.Delay
---@field shape string
---@field min_ns integer
---@field max_ns integer
---@field mean_ns integer

-- Constructors of delays make plain tables; units are checked where the story is told, not in services.
local units = is_story and require "sim.units"

--- Always the same delay.
---@param delay string
function sim.constant(delay)
  return units and units.constant(delay)
end

--- Anything from `least` to `most`, all equally likely.
---@param least string
---@param most string
function sim.uniform(least, most)
  return units and units.uniform(least, most)
end

--- `least` and something on top that is `mean` on average and seldom much more, never beyond `most`.
---@param least string
---@param mean string
---@param most? string twenty times the mean if absent
function sim.exponential(least, mean, most)
  return units and units.exponential(least, mean, most)
end

--- Loss in bursts (Gilbert-Elliott), for the field `loss` of a link. With each segment a calm link enters a burst with
--- probability `enter` ("1/1000"), and a burst ends with `leave` ("1/10"); `loss` (1) of the segments are lost within
--- one, and `calm_loss` (0) between two.
---@param given { enter: string, leave: string?, loss: string|integer?, calm_loss: string|integer? }
function sim.bursts(given)
  return units and units.bursts(given)
end

--- Nanoseconds of a duration, to compare with world:now().
---@param duration string
---@return integer
function sim.duration(duration)
  return require("sim.units").duration(duration)
end

--- Declares the scenario: sim.scenario "its claim" { ... }. In a service it only remembers the table.
---@param claim string
---@return fun(declaration: table): table
function sim.scenario(claim)
  return function(declaration)
    if is_story then
      require("sim.declaration").declare(claim, declaration)
    else
      sim.declared = declaration
    end
    return declaration
  end
end

-- A name alone is no judgement: `local seen = sim.sometimes "it is full"` makes a property, to be called later.
local function is_name_alone(...)
  return select("#", ...) == 0
end

local function check_name(name)
  if type(name) ~= "string" then
    core.complain("a property needs a name, not " .. type(name))
  end
end

-- Enters a property into the catalogue and returns the function that judges it.
local function declared_property(kind, claim, name, judge)
  if is_simulated then
    check_name(name)
    core.declare(kind, claim, name)
  end
  return function(...)
    return judge(name, ...)
  end
end

local function text_of(detail, ...)
  if select("#", ...) > 0 then
    return string.format(detail, ...)
  end
  return detail and tostring(detail) or ""
end

-- The kind and claim of simnet/check/properties.h.
local function judge(kind, claim, name, condition, detail, ...)
  if not is_simulated then
    return
  end
  check_name(name)
  core.judge(kind, claim, name, condition and true or false, text_of(detail, ...))
end

--- Must never be false: sim.guarantee(name, condition[, detail, ...]), where detail is a string.format of what was
--- expected and what was seen. With a name alone: the property, to be called with the rest.
---@param name string
---@param ... any
function sim.guarantee(name, ...)
  if is_name_alone(...) then
    return declared_property("always", "guarantee", name, sim.guarantee)
  end
  judge("always", "guarantee", name, ...)
end
sim.always = sim.guarantee

--- Both outcomes are legal; a sweep must see both: sim.allowed(name, condition).
---@param name string
---@param ... any
function sim.allowed(name, ...)
  if is_name_alone(...) then
    return declared_property("sometimes", "allowed", name, sim.allowed)
  end
  judge("sometimes", "allowed", name, (...))
end

--- A sweep must see it true: sim.sometimes(name, condition).
---@param name string
---@param ... any
function sim.sometimes(name, ...)
  if is_name_alone(...) then
    return declared_property("sometimes", "guarantee", name, sim.sometimes)
  end
  judge("sometimes", "guarantee", name, (...))
end

--- Mostly so, and nobody promised it: sim.usual(name, condition[, detail, ...]). What breaks it is counted and shown,
--- and fails nothing.
---@param name string
---@param ... any
function sim.usual(name, ...)
  if is_name_alone(...) then
    return declared_property("always", "usual", name, sim.usual)
  end
  judge("always", "usual", name, ...)
end

--- A sweep must come by.
---@param name string
function sim.reachable(name)
  judge("reachable", "guarantee", name, true)
end

local function wait_for(name, condition, within)
  if not is_story then
    if is_simulated then
      core.complain("sim.liveness waits, which only a story can do")
    end
    return true
  end
  check_name(name)
  if type(condition) ~= "function" then
    core.complain("sim.liveness needs a function as its condition, not " .. type(condition))
  end
  return core.liveness(name, condition, units.duration(within), tostring(within))
end

--- Waits until condition() is true, at most `within`: sim.liveness(name, condition, within) -> whether it became true.
--- Only in a story.
---@param name string
---@param ... any
function sim.liveness(name, ...)
  if is_name_alone(...) then
    return declared_property("eventually", "liveness", name, sim.liveness)
  end
  return wait_for(name, ...)
end
sim.eventually = sim.liveness

local function show(value, depth)
  if type(value) ~= "table" then
    return tostring(value)
  end
  local words = {}
  for i = 1, #value do
    words[i] = show(value[i], depth + 1)
  end
  local keys = {}
  for key in pairs(value) do
    if not (math.type(key) == "integer" and key >= 1 and key <= #value) then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for _, key in ipairs(keys) do
    words[#words + 1] = tostring(key) .. "=" .. show(value[key], depth + 1)
  end
  local text = table.concat(words, " ")
  return depth > 0 and "{" .. text .. "}" or text ~= "" and text or "nothing"
end

local function is_same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  end
  for key, value in pairs(a) do
    if not is_same(value, b[key]) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

--- Whether two values are the same, tables by content, and a text that says what was expected and seen.
---@param expected any
---@param seen any
---@param where? string put in front of the text: "round 2"
---@return boolean, string
function sim.equal(expected, seen, where)
  local text = "expected " .. show(expected, 0) .. ", seen " .. show(seen, 0)
  return is_same(expected, seen), where and where .. ": " .. text or text
end

local function check_value(key, text, values)
  for _, value in ipairs(values) do
    if text == value then
      return
    end
  end
  core.complain(("--set %s=%s: it is one of %s"):format(key, text, table.concat(values, ", ")))
end

--- The value of `--set key=value`, converted to the type of `default`; `default` if it was not set.
---@param key string
---@param default any
---@param values? string[] those that there are, if they are texts
function sim.setting(key, default, values)
  local text = is_simulated and core.setting(key)
  if not text then
    return default
  end
  if type(default) == "number" then
    return tonumber(text) or core.complain("--set " .. key .. "=" .. text .. ": a number is wanted")
  elseif type(default) == "boolean" then
    if text ~= "true" and text ~= "false" then
      core.complain("--set " .. key .. "=" .. text .. ": true or false is wanted")
    end
    return text == "true"
  end
  if values then
    check_value(key, text, values)
  end
  return text
end

-- Contracts for the `order` of a scenario: sim.order.cluster, sim.order.harbor, sim.order.node.
sim.order = require "sim.order"

--- Says that a message of a flow is about to be sent. Only in a service.
---@param flow string
---@param id string|integer of this message alone
---@param kind? "send"|"call"|"reply" "send" if absent
---@param bytes? integer packed size, #skynet.packstring(...); small if absent
function sim.sent(flow, id, kind, bytes)
  sim.order._sent(flow, id, kind, bytes)
end

--- Says that a message of a flow is handled, now. Only in a service.
---@param flow string
---@param id string|integer
function sim.handled(flow, id)
  sim.order._handled(flow, id)
end

--- A recorded history of operations, by its name; see sim/history.lua.
---@param name string
---@return sim.History
function sim.history(name)
  return require("sim.history").open(name)
end

--- Whether the run has the switch `--legacy name`. For scenarios that show what users did; what skynet did is put back
--- behind their back.
---@param name string
---@return boolean
function sim.legacy(name)
  return is_simulated and core.legacy(name)
end

--- Reports a fact to the story and to the trace. The values must be what skynet.pack takes.
---@param name string
function sim.probe(name, ...)
  if is_simulated then
    core.probe(name, ...)
  end
end

return sim
