-- The world of a story: what it can do to nodes and links, ask, and wait for. Every verb is an event of the trace. A
-- name that nobody has, a negative time, or a verb that makes no sense now (a crash of a node that is down) ends the
-- run with one sentence at the line of the story.
--
-- Who waits: call, console, sleep, wait_until, start, restart, together, calm_down, task:join and what a nemesis can be
-- asked for suspend the running task of the story; other tasks and the world go on. Everything else takes effect at
-- once.

local core = require "sim.core"
local units = require "sim.units"
local declaration = require "sim.declaration"
local configuration = require "sim.configuration"
local node_faults = require "sim.node_faults"
local nemesis = require "sim.nemesis"

local BOOT_NS = 60 * 1000000000  -- a bootstrap that takes longer is not waited for

---@class sim.Task
local Task = {}
Task.__index = Task

--- Waits for the end of the task and returns what its function returned, or raises what it raised.
function Task:join()
  return core.join(self.id)
end

---@class sim.Link one direction between two nodes
local Link = {}
Link.__index = Link

---@class sim.World
local World = {}
World.__index = World

-- -- Time and tasks ---------------------------------------------------------------------------------------------------

--- Virtual nanoseconds since the run began. Compare with sim.duration("2s").
---@return integer
function World:now()
  return core.now()
end

---@param duration string
function World:sleep(duration)
  core.sleep(units.duration(duration))
end

local function check_function(verb, f)
  if type(f) ~= "function" then
    core.complain(("world:%s needs a function, not a %s"):format(verb, type(f)))
  end
end

--- Begins another task of the story, now.
---@param f function
---@return sim.Task
function World:spawn(f, ...)
  check_function("spawn", f)
  return setmetatable({ id = core.spawn(f, ...) }, Task)
end

--- Waits until condition() is true; false after `timeout` (without one: for ever). The condition is asked after each
--- event.
---@param condition fun(): any
---@param timeout? string
---@return boolean
function World:wait_until(condition, timeout)
  check_function("wait_until", condition)
  return core.wait(condition, timeout and units.duration(timeout))
end

--- Runs steps that do not depend on each other: they begin in an order that the seed chooses, and it returns when all
--- have ended.
---@param ... function
function World:together(...)
  local steps = { ... }
  for _, step in ipairs(steps) do
    check_function("together", step)
  end
  local tasks = {}
  for _, index in ipairs(core.permutation("story/together", #steps)) do
    tasks[#tasks + 1] = core.spawn(steps[index])
  end
  for _, id in ipairs(tasks) do
    core.join(id)
  end
end

--- One of 1 .. n, as the seed says; 1 where nothing unusual happens.
---@param n integer
---@return integer
function World:choose(n)
  if math.type(n) ~= "integer" or n < 1 then
    core.complain("world:choose needs a number of possibilities, 1 or more, not " .. tostring(n))
  end
  return core.choose("story", n) + 1
end

--- A copy of the list in an order that the seed chooses.
---@param list table
---@return table
function World:shuffle(list)
  if type(list) ~= "table" then
    core.complain("world:shuffle needs a list, not a " .. type(list))
  end
  local shuffled = {}
  for place, index in ipairs(core.permutation("story/shuffle", #list)) do
    shuffled[place] = list[index]
  end
  return shuffled
end

-- -- Messages ---------------------------------------------------------------------------------------------------------

--- Calls a service of a node as skynet.call does, and returns what it answers. Raises if the call fails; if nobody
--- catches it, the run has failed.
---@param node string
---@param address string ".name" or ":handle"
function World:call(node, address, ...)
  return core.call(node, address, ...)
end

--- Sends a message of type lua to a service of a node.
---@param node string
---@param address string
function World:send(node, address, ...)
  core.send(node, address, ...)
end

--- Runs a line of the debug console on a node, as a user of a real node would through service debug_console: "stat",
--- "task :0000000a", "call .gate 'list'", ... ("help" lists them; lualib/skynet/console.lua). Returns the text that it
--- shows, or nil and what is wrong. The first time it starts a service on the node, sim_console, which takes a handle.
---@param node string
---@param line string
---@return string|nil text
---@return string? problem
function World:console(node, line)
  if type(line) ~= "string" then
    core.complain("world:console needs a line of text, not a " .. type(line))
  end
  local ok, text = core.call(node, node_faults.console(node), "RUN", line)
  if ok then
    return text
  end
  return nil, text
end

--- Everything that services reported with sim.probe(name, ...), in order, each
--- { node =, service =, time =, n =, ... }.
---@param name string
---@return table
function World:probes(name)
  return core.probes(name)
end

--- Calls f(probe) as a new task of the story for each sim.probe(name, ...) from now on.
---@param name string
---@param f fun(probe: table)
function World:on(name, f)
  check_function("on", f)
  core.on_probe(name, f)
end

--- Writes a line into the trace.
function World:note(text, ...)
  core.note("story", select("#", ...) > 0 and string.format(text, ...) or tostring(text))
end

-- -- Nodes ------------------------------------------------------------------------------------------------------------

local function find_node(name)
  for _, node in ipairs(declaration.current.nodes) do
    if node.name == name then
      return node
    end
  end
  core.complain(core.no_node(name))
end

local function wait_for_boot(name)
  core.wait(function() return core.is_booted(name) end, BOOT_NS)
end

--- Kills a node. Its kernel closes its connections, unless the power is off: then there is silence.
---@param name string
---@param how? { power_off: boolean?, lose_files: boolean? }
function World:crash(name, how)
  how = how or {}
  if type(how) ~= "table" then
    core.complain("world:crash takes a table like { power_off = true }, not a " .. type(how))
  end
  for _, key in ipairs(units.sorted_keys(how)) do
    local value = how[key]
    if key ~= "power_off" and key ~= "lose_files" then
      core.complain(("world:crash has no %s; it has lose_files, power_off"):format(tostring(key)))
    elseif type(value) ~= "boolean" then
      core.complain(("world:crash: %s is true or false, not %s"):format(key, tostring(value)))
    end
  end
  core.crash(name, how.power_off or false, how.lose_files or false)
end

--- Starts a node that is down and waits for the end of its bootstrap.
---@param name string
---@param changes? table fields of its declaration: start, thread, cpu, path, config, env, files, harbor, clock
function World:start(name, changes)
  local node = find_node(name)
  if changes then
    if type(changes) ~= "table" then
      core.complain('world:start takes changes like { start = "main" }, not a ' .. type(changes))
    end
    core.change_node(declaration.changed_node(node, changes))
  end
  core.start(name)
  nemesis.settle(name)
  wait_for_boot(name)
end

--- Starts a node, after killing it if it runs, and waits for the end of its bootstrap.
---@param name string
---@param changes? table
function World:restart(name, changes)
  if core.is_running(name) then
    core.crash(name, false, false)
  end
  self:start(name, changes)
end

---@param name string
---@return boolean
function World:is_running(name)
  return core.is_running(name)
end

-- -- Links ------------------------------------------------------------------------------------------------------------

--- One direction between two nodes.
---@param from string
---@param to string
---@return sim.Link
function World:link(from, to)
  core.check_link(from, to)
  return setmetatable({ from = from, to = to }, Link)
end

local function set(link, field, value)
  local plain = {}
  units.read_link_field(plain, field, value)
  local shown = type(value) == "table" and (value.shape or value.shown) or tostring(value)
  core.set_link(link.from, link.to, plain, ("%s %s"):format(field, shown))
  return link
end

--- How long a segment is under way: "50ms", or sim.uniform(...), sim.exponential(...).
function Link:delay(delay) return set(self, "delay", delay) end
--- Added to any delay: nothing to this much, all equally likely.
function Link:jitter(jitter) return set(self, "jitter", jitter) end
--- Share of segments that are lost: "1%", or sim.bursts { ... }; over TCP they come later.
function Link:loss(ratio) return set(self, "loss", ratio) end
--- "64KB/s"; 0: unlimited.
function Link:bandwidth(rate) return set(self, "bandwidth", rate) end
--- With a bandwidth: bytes that may wait for it; what would be more is lost. 0: no limit.
function Link:queue(bytes) return set(self, "queue", bytes) end
--- Share of deliveries that are cut in two at a chosen byte.
function Link:split(ratio) return set(self, "split", ratio) end
--- Largest segment in bytes.
function Link:mss(bytes) return set(self, "mss", bytes) end
--- Largest packet in bytes: TCP segments have 40 less, and a larger datagram travels in fragments.
function Link:mtu(bytes) return set(self, "mtu", bytes) end
--- What the receiver of a stream takes without being read, in bytes.
function Link:window(bytes) return set(self, "window", bytes) end
--- What the sender of a stream takes before it is acknowledged, in bytes.
function Link:send_buffer(bytes) return set(self, "send_buffer", bytes) end
--- UDP: share of datagrams that come twice.
function Link:duplicate(ratio) return set(self, "duplicate", ratio) end
--- UDP: share of datagrams that are overtaken.
function Link:reorder(ratio) return set(self, "reorder", ratio) end

--- Loses everything from now on, until healed.
function Link:partition() core.partition(self.from, self.to) return self end
function Link:heal() core.heal(self.from, self.to) return self end

--- Keeps what arrives, until released; nothing is lost.
function Link:hold() core.hold(self.from, self.to) return self end

--- Bytes that are held now.
---@return integer
function Link:held()
  return core.held(self.from, self.to)
end

--- Cuts every link between nodes of different groups, both ways: world:partition { {"a"}, {"b", "c"} }. A node in no
--- group keeps its links. For one way, world:link("a", "b"):partition().
---@param groups string[][]
function World:partition(groups)
  if type(groups) ~= "table" or #groups < 2 then
    core.complain 'world:partition needs two groups or more, like { {"a"}, {"b", "c"} }'
  end
  local group_of = {}
  for index, group in ipairs(groups) do
    if type(group) ~= "table" then
      core.complain('a group of world:partition is a list like {"a", "b"}, not a ' .. type(group))
    end
    for _, name in ipairs(group) do
      find_node(name)
      if group_of[name] then
        core.complain(("world:partition: node %s is in two groups"):format(name))
      end
      group_of[name] = index
    end
  end
  for _, from in ipairs(declaration.current.nodes) do
    for _, to in ipairs(declaration.current.nodes) do
      local one, other = group_of[from.name], group_of[to.name]
      if one and other and one ~= other then
        core.partition(from.name, to.name)
      end
    end
  end
end

--- Heals every link that is partitioned.
function World:heal()
  core.heal_all()
end

-- -- Connections ------------------------------------------------------------------------------------------------------

--- Resets every connection that `from` made to `to`: both ends see "Connection reset by peer". Returns how many.
---@return integer
function World:reset(from, to)
  return core.reset(from, to)
end

--- New connects are refused, or get no answer at all, until allowed again.
function World:refuse(from, to) core.connect_rule(from, to, "refuse") end
function World:black_hole(from, to) core.connect_rule(from, to, "black hole") end
function World:allow(from, to) core.connect_rule(from, to, "allow") end

--- The next `count` connects take longer by `delay`, and so do the bytes on them; later connects do not.
---@param delay string
---@param count? integer 1 if absent
function World:delay_connects(from, to, delay, count)
  if count ~= nil and (math.type(count) ~= "integer" or count < 1) then
    core.complain("world:delay_connects: the count is 1 or more, not " .. tostring(count))
  end
  core.delay_connects(from, to, units.duration(delay), count or 1)
end

--- Every connection that is not wholly closed: { { id =, from =, to =, from_address =, to_address =,
--- state = }, ... }.
---@return table
function World:connections()
  return core.connections()
end

--- How many connects of `from` to `to` were accepted so far.
---@return integer
function World:accepted(from, to)
  return core.accepted(from, to)
end

require "sim.network" (World, Link)
nemesis.extend(World)
require("sim.calm").extend(World)
node_faults.add_verbs(World)

-- -- The run ----------------------------------------------------------------------------------------------------------

local world = {}

--- The first task of the story: boots the declared world and tells the story.
function world.run()
  local declared = declaration.current
  if not declared then
    core.complain 'no scenario is declared here; sim.scenario "..." { ... } declares one'
  end
  core.open_world(declared)
  for _, contract in ipairs(declared.order) do
    core.declare_order(contract.flow, contract.rules)
  end
  if configuration.configure(declared) then
    return
  end
  for _, node in ipairs(declared.nodes) do
    core.add_node(node)
    if node.fds then
      core.declare_fds(node.name, node.fds)
    end
  end
  core.set_default_link(declared.network)
  -- A slave whose master is not there yet would fail.
  local later = {}
  for _, index in ipairs(core.permutation("story/boot", #declared.nodes)) do
    local node = declared.nodes[index]
    if node.harbor and node.harbor.standalone then
      core.start(node.name)
      wait_for_boot(node.name)
    else
      later[#later + 1] = node
    end
  end
  for _, node in ipairs(later) do
    core.start(node.name)
  end
  for _, node in ipairs(declared.nodes) do
    wait_for_boot(node.name)
    local failure = core.boot_failure(node.name)
    if failure then
      error(failure, 0)
    end
  end
  core.note("story", "the story begins")
  declared.story(setmetatable({}, World))
end

return world
