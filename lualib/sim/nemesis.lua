-- The nemesis: draws faults at their rates for a time, and undoes each after a while. What it may do is declared in the
-- scenario's field `nemesis`, drawn anew by a swarm run, or given with --config; the families are in
-- lualib/sim/families.lua. world:nemesis() lets it loose.
--
-- Each tick it is drawn, for each family by itself, whether it strikes: stream "nemesis/crash/strike", where 0 is no
-- fault at this moment. What exactly a strike does is drawn from streams of its own, "nemesis/crash/17/node" for the
-- one in tick 17. So taking one fault out of a run leaves the others as they were. A second nemesis of a run has the
-- streams "nemesis 2/...".
--
-- Several faults may be on one link at a time. It is cut, held or refused until the last of them is over. Of two that
-- set the same field the later counts; when the last is over the link is set as it was before the first, so what the
-- story sets meanwhile is undone with it.

local core = require "sim.core"
local declaration = require "sim.declaration"
local families = require "sim.families"

local nemeses = {}  -- of this run, in order

local function arrow(from, to)
  return from .. ">" .. to
end

-- -- Links that several faults are on ---------------------------------------------------------------------------------

local UNDONE_BY = { partition = "heal", hold = "release" }
local counts = { partition = {}, hold = {} }  -- what -> link -> number of faults that keep it so
local rules = {}   -- link -> list of "refuse" and "black_hole", the latest last
-- link -> { before = how it was, ... what faults set, { fields =, text = } each, the latest last }
local settings = {}

local function keep(what, links)
  local count = counts[what]
  for _, link in ipairs(links) do
    local key = arrow(link[1], link[2])
    count[key] = (count[key] or 0) + 1
    if count[key] == 1 then
      core.set_quietly(what, link[1], link[2])
    end
  end
  return function()
    for _, link in ipairs(links) do
      local key = arrow(link[1], link[2])
      count[key] = count[key] - 1
      if count[key] == 0 then
        core.set_quietly(UNDONE_BY[what], link[1], link[2])
      end
    end
  end
end

local function remove(list, value)
  for i, item in ipairs(list) do
    if item == value then
      return table.remove(list, i)
    end
  end
end

local function set_rule(links, rule)
  for _, link in ipairs(links) do
    local key = arrow(link[1], link[2])
    rules[key] = rules[key] or {}
    table.insert(rules[key], rule)
    core.set_quietly(rule, link[1], link[2])
  end
  return function()
    for _, link in ipairs(links) do
      local list = rules[arrow(link[1], link[2])]
      remove(list, rule)
      core.set_quietly(list[#list] or "allow", link[1], link[2])
    end
  end
end

local function set_fields(links, setting)
  for _, link in ipairs(links) do
    local key = arrow(link[1], link[2])
    settings[key] = settings[key] or { before = core.get_link(link[1], link[2]) }
    table.insert(settings[key], setting)
    core.set_link(link[1], link[2], setting.fields, setting.text)
  end
  return function()
    for _, link in ipairs(links) do
      local key = arrow(link[1], link[2])
      local list = settings[key]
      remove(list, setting)
      core.put_link(link[1], link[2], list.before)
      for _, other in ipairs(list) do
        core.set_link(link[1], link[2], other.fields, other.text)
      end
      settings[key] = #list > 0 and list or nil
    end
  end
end

-- -- One strike -------------------------------------------------------------------------------------------------------

local down = {}  -- node -> true: a nemesis took it down
local down_count = 0

local Strike = {}
Strike.__index = Strike

--- 1 .. n; 1 is the mildest.
function Strike:choose(what, n)
  return core.choose(self.stream .. what, n) + 1
end

function Strike:chance(what, ratio)
  return ratio.numerator > 0 and core.chance(self.stream .. what, ratio.numerator, ratio.denominator)
end

--- Nanoseconds.
function Strike:span(what, span)
  return span.min_ns + core.choose(self.stream .. what, span.max_ns - span.min_ns + 1)
end

--- One line of the trace that says what this fault is.
function Strike:note(text)
  self.text = text
  core.note_fault("nemesis: " .. text)
end

--- Names of the nodes that it may be about.
function Strike:nodes()
  if self.spec.nodes then
    return self.spec.nodes
  end
  local names = {}
  for i, node in ipairs(declaration.current.nodes) do
    names[i] = node.name
  end
  return names
end

--- The declaration of a node.
function Strike:declared(name)
  for _, node in ipairs(declaration.current.nodes) do
    if node.name == name then
      return node
    end
  end
end

--- One of them that runs, or nil.
function Strike:running_node()
  local running = {}
  for _, name in ipairs(self:nodes()) do
    if core.is_running(name) then
      running[#running + 1] = name
    end
  end
  return running[1] and running[self:choose("node", #running)]
end

-- Nodes that `name` has connections with, in order of the connections; all others if there are none.
local function peers_of(name)
  local peers, known = {}, { [name] = true }
  for _, connection in ipairs(core.connections()) do
    local peer = connection.from == name and connection.to or connection.to == name and connection.from
    if peer and not known[peer] then
      known[peer] = true
      peers[#peers + 1] = peer
    end
  end
  for _, node in ipairs(#peers == 0 and declaration.current.nodes or {}) do
    if node.name ~= name then
      peers[#peers + 1] = node.name
    end
  end
  return peers
end

--- Two nodes, the second preferably one that the first talks to; nil if there is only one node.
function Strike:pair()
  local nodes = self:nodes()
  local one = nodes[self:choose("node", #nodes)]
  local peers = peers_of(one)
  if #peers > 0 then
    return one, peers[self:choose("peer", #peers)]
  end
end

--- Links as a list of { from, to }, and in words: one, both between two nodes, or those from, to or around a node.
function Strike:links()
  local one, other = self:pair()
  if not one then
    return nil
  end
  local scope = self:choose("scope", 6)
  if scope <= 2 then
    local from, to = one, other
    if scope == 2 then
      from, to = other, one
    end
    return { { from, to } }, arrow(from, to)
  elseif scope == 3 then
    return { { one, other }, { other, one } }, one .. "<>" .. other
  end
  local links = {}
  for _, node in ipairs(declaration.current.nodes) do
    if node.name ~= one and scope ~= 5 then
      links[#links + 1] = { one, node.name }
    end
    if node.name ~= one and scope ~= 4 then
      links[#links + 1] = { node.name, one }
    end
  end
  return links, scope == 4 and one .. ">all" or scope == 5 and "all>" .. one or one .. "<>all"
end

--- Pairs of nodes { from, to } with connections that `from` made, and in words: one pair, or all of a node. Nil: none.
function Strike:connected_pairs()
  local is_wanted = {}
  for _, name in ipairs(self:nodes()) do
    is_wanted[name] = true
  end
  local pairs_of, known = {}, {}
  for _, connection in ipairs(core.connections()) do
    local key = arrow(connection.from, connection.to)
    local is_ours = connection.from ~= connection.to and (is_wanted[connection.from] or is_wanted[connection.to])
    if is_ours and not known[key] then
      known[key] = true
      pairs_of[#pairs_of + 1] = { connection.from, connection.to }
    end
  end
  if #pairs_of == 0 then
    return nil
  end
  local one = pairs_of[self:choose("connection", #pairs_of)]
  if self:choose("scope", 2) == 1 then
    return { one }, arrow(one[1], one[2])
  end
  local all = {}
  for _, pair in ipairs(pairs_of) do
    if pair[1] == one[1] or pair[2] == one[1] then
      all[#all + 1] = pair
    end
  end
  return all, one[1] .. "<>all"
end

-- What can be done. Each returns the function that undoes it.

function Strike:cut(links) return keep("partition", links) end
function Strike:hold(links) return keep("hold", links) end
function Strike:rule(links, rule) return set_rule(links, rule) end
function Strike:set_links(links, setting) return set_fields(links, setting) end

local postponed = {}  -- node -> list of functions

--- Does something to a node that must run for it, now or when it is started again.
function Strike:when_up(name, f)
  if core.is_running(name) then
    return f()
  end
  postponed[name] = postponed[name] or {}
  table.insert(postponed[name], f)
end

--- How many nodes are down by a nemesis.
function Strike:count_down()
  return down_count
end

--- The undoing starts it again, unless the story has, and waits for the end of its bootstrap.
function Strike:take_down(name, is_power_off, loses_files)
  core.crash(name, is_power_off, loses_files)
  down[name] = true
  down_count = down_count + 1
  return function()
    down[name] = nil
    down_count = down_count - 1
    if not core.is_running(name) then
      self.world:start(name)
    end
  end
end

-- Undoes it, if it stands. `task` is the caller's.
function Strike:finish(task)
  local undo = self.undo
  if undo then
    self.undo, self.finisher = nil, task
    core.note_fault("nemesis: end of " .. self.text)
    undo()
    self.finisher = nil
  end
end

-- -- The nemesis ------------------------------------------------------------------------------------------------------

---@class sim.Nemesis
local Nemesis = {}
Nemesis.__index = Nemesis

-- The task of one strike.
local function strike_once(nemesis, strike)
  core.sleep(core.choose(strike.stream .. "when", families.TICK_NS))
  if nemesis.is_over then
    return
  end
  strike.undo = strike.spec.family.strike(strike)
  if strike.undo then
    core.sleep(strike:span("lasts", strike.spec.lasts))
    strike:finish(strike.task)
  end
end

local function draw_strikes(nemesis, tick)
  for _, spec in ipairs(nemesis.families) do
    local stream = nemesis.stream .. spec.name .. "/"
    if core.chance(stream .. "strike", spec.rate.numerator, spec.rate.denominator) then
      local strike = setmetatable({ stream = stream .. tick .. "/", spec = spec, world = nemesis.world }, Strike)
      nemesis.strikes[#nemesis.strikes + 1] = strike
      strike.task = core.spawn(strike_once, nemesis, strike)
    end
  end
end

-- The nemesis's own task.
local function run(nemesis)
  for tick = 1, nemesis.time_ns // families.TICK_NS do
    if nemesis.is_over then
      return
    end
    draw_strikes(nemesis, tick)
    core.sleep(families.TICK_NS)
  end
  nemesis.is_over = true
  for _, strike in ipairs(nemesis.strikes) do
    core.join(strike.task)
  end
end

--- Waits until its time is over and everything that it did is undone.
function Nemesis:join()
  core.join(self.task)
end

--- Ends it now: undoes everything that it did, and waits for nodes that it starts again.
function Nemesis:stop()
  self.is_over = true
  for _, strike in ipairs(self.strikes) do
    if strike.undo then
      strike.stopper = core.spawn(function() strike:finish(strike.stopper) end)
    end
  end
  for _, strike in ipairs(self.strikes) do
    local task = strike.stopper or strike.finisher
    if task then
      core.join(task)
    end
  end
end

local nemesis = {}

--- A node was started: does what has waited for it.
---@param name string
function nemesis.settle(name)
  local waiting = postponed[name] or {}
  postponed[name] = nil
  for _, f in ipairs(waiting) do
    f()
  end
end

--- Stops every nemesis of the run.
function nemesis.stop_all()
  for _, one in ipairs(nemeses) do
    one:stop()
  end
end

--- Gives the world of a story its verb.
function nemesis.extend(World)
  --- Lets the nemesis loose that the scenario declares. It goes on beside the story until its time is over.
  ---@return sim.Nemesis
  function World:nemesis()
    core.needs_simulation "world:nemesis"
    local declared = declaration.current
    if next(declared.configuration.nemesis) == nil and not declared.nemesis then
      core.complain "world:nemesis: the scenario declares none; its field nemesis = { ... } says what it does"
    end
    local config = declared.nemesis or { time_ns = 0, families = {} }
    local index = #nemeses + 1
    local one = setmetatable({
      world = self, families = config.families, time_ns = config.time_ns, strikes = {}, is_over = false,
      stream = index == 1 and "nemesis/" or ("nemesis %d/"):format(index),
    }, Nemesis)
    nemeses[index] = one
    one.task = core.spawn(run, one)
    return one
  end
end

return nemesis
