-- The families of faults that the nemesis has. A new one is one more entry in the list:
--
--   name     what scenarios, configurations, streams and the trace call it
--   fields   besides `rate` and `nodes`, which all have: name = { kind =, usual = }; the kinds are those of
--            lualib/sim/configuration.lua. Without `usual` a scenario must give it, and the family strikes only where
--            it is named.
--   strike   function(strike): draws what exactly happens (strike:choose ...), notes and does it, and returns the
--            function that undoes it, or nothing if there is nothing to undo. Nothing can be done now: it returns
--            without doing anything. The first choice, 1, is always the mildest. `strike`: lualib/sim/nemesis.lua.

local core = require "sim.core"
local units = require "sim.units"

local families = {
  TICK_NS = 100000000,  -- each 100 ms it is drawn whether a family strikes: at most ten faults a second
  RATE = "1/s",         -- of all families together, if nobody says otherwise
  TIME = "30s",
}

local function span(least, most)
  return { kind = "span", usual = units.uniform(least, most) }
end

-- Cuts what is between nodes of different groups.
local function cut_groups(strike, groups)
  local links, words = {}, {}
  for i, group in ipairs(groups) do
    words[i] = #group > 8 and #group .. " nodes" or table.concat(group, " ")
    for j, other in ipairs(groups) do
      for _, from in ipairs(i ~= j and group or {}) do
        for _, to in ipairs(other) do
          links[#links + 1] = { from, to }
        end
      end
    end
  end
  strike:note("partition " .. table.concat(words, " | "))
  return strike:cut(links)
end

-- One node alone, or everybody in one of two or three groups.
local function partition(strike)
  local nodes = strike:nodes()
  local count = strike:choose("groups", 3)
  local groups = { {}, {}, {} }
  if count == 1 then
    local alone = strike:choose("alone", #nodes)
    for i, name in ipairs(nodes) do
      table.insert(groups[i == alone and 1 or 2], name)
    end
  else
    for _, name in ipairs(nodes) do
      table.insert(groups[strike:choose("group", count)], name)
    end
  end
  local filled = {}
  for _, group in ipairs(groups) do
    if #group > 0 then
      filled[#filled + 1] = group
    end
  end
  if #filled > 1 then
    return cut_groups(strike, filled)
  end
end

-- A family that does one thing to some links while it lasts.
local function on_links(name, lasts, act)
  return {
    name = name, fields = { lasts = lasts },
    strike = function(strike)
      local links, text = strike:links()
      if links then
        strike:note(("%s %s"):format(name, text))
        return act(strike, links)
      end
    end,
  }
end

-- A family that sets fields of some links while it lasts. `usual`: field -> value.
local function sets_links(name, usual, lasts)
  local fields, set = { lasts = lasts }, {}
  for field, value in pairs(usual) do
    fields[field] = { kind = "link", usual = value }
    set[#set + 1] = field
  end
  table.sort(set)
  return {
    name = name, fields = fields,
    strike = function(strike)
      local links, text = strike:links()
      if not links then
        return
      end
      strike:note(("%s %s"):format(name, text))
      local setting, words = { fields = {} }, {}
      for i, field in ipairs(set) do
        words[i] = strike.spec[field].text
        for key, value in pairs(strike.spec[field].fields) do
          setting.fields[key] = value
        end
      end
      setting.text = table.concat(words, ", ")
      return strike:set_links(links, setting)
    end,
  }
end

-- A family that does something to one node while it lasts. If the node is down at the end, it is undone when it is up.
local function on_node(name, fields, act, undo)
  return {
    name = name, fields = fields,
    strike = function(strike)
      local node = strike:running_node()
      if node then
        strike:note(("%s %s"):format(name, node))
        act(node, strike)
        return function() strike:when_up(node, function() undo(node, strike) end) end
      end
    end,
  }
end

-- A node dies and comes back when the fault is over.
local function crash(strike, is_power_off)
  local name = strike:running_node()
  if not name or strike:count_down() >= strike.spec.down_max then
    return
  end
  local loses_files = strike:chance("lose_files", strike.spec.lose_files)
  strike:note(("crash %s%s%s"):format(name, is_power_off and ", power off" or "", loses_files and ", files lost" or ""))
  return strike:take_down(name, is_power_off, loses_files)
end

local function crash_fields()
  return {
    lasts = span("100ms", "5s"),
    lose_files = { kind = "ratio", usual = 0 },
    down_max = { kind = "count", usual = 1 },  -- so many nodes at most are down at a time
  }
end

-- A process is stopped, and goes on when the fault is over, unless it was killed meanwhile.
local function pause(strike)
  local name = strike:running_node()
  if name and core.set_paused(name, true) then
    strike:note("pause " .. name)
    return function() core.set_paused(name, false) end
  end
end

local function signed(strike, ns)
  return strike:choose("sign", 2) == 1 and ns or -ns
end

-- The wall clock of a node's machine is set; nothing sets it back.
local function clock_step(strike)
  local name = strike:running_node()
  if name then
    local ns = signed(strike, strike:span("by", strike.spec.by))
    strike:note(("clock_step %s"):format(name))
    core.step_clock(name, ns, ns .. " ns")
  end
end

local function reset(strike)
  local ends, text = strike:connected_pairs()
  if ends then
    strike:note("reset " .. text)
    for _, pair in ipairs(ends) do
      core.reset(pair[1], pair[2])
    end
  end
end

local function slow_connect(strike)
  local from, to = strike:pair()
  if from then
    strike:note(("slow_connect %s>%s"):format(from, to))
    core.delay_connects(from, to, strike:span("delay", strike.spec.delay), strike.spec.count)
  end
end

-- Many sockets of a process are open anyway, so that only new ones feel the limit.
local function limit_fds(node, strike)
  core.limit_fds(node, strike.spec.count)
end

-- A middle box between two nodes forgets connections that are idle, and is taken away again: those that it has
-- forgotten and has not reset are well then.
local function forget_idle(strike)
  local from, to = strike:pair()
  if from then
    strike:note(("forget_idle %s>%s"):format(from, to))
    core.forget_idle(from, to, strike:span("idle", strike.spec.idle), strike:chance("resets", strike.spec.resets))
    return function() core.forget_idle(from, to, 0, false) end
  end
end

-- One of the named services of a node, if it is there. What starts it again is the scenario's.
local function kill(strike)
  local node = strike:running_node()
  local service = node and strike.spec.services[strike:choose("service", #strike.spec.services)]
  if node and core.is_alive(node, service) and core.is_alive(node, ".launcher") then
    strike:note(("kill %s of %s"):format(service, node))
    core.send(node, ".launcher", "KILL", core.fault_service(node, service, "kill"))
  end
end

families.list = {
  { name = "partition", fields = { lasts = span("100ms", "5s") }, strike = partition },
  on_links("one_way", span("100ms", "5s"), function(strike, links) return strike:cut(links) end),
  on_links("hold", span("10ms", "2s"), function(strike, links) return strike:hold(links) end),
  sets_links("delay", { delay = units.uniform("10ms", "500ms") }, span("100ms", "5s")),
  sets_links("jitter", { jitter = "100ms" }, span("100ms", "5s")),
  sets_links("loss", { loss = "20%" }, span("100ms", "5s")),
  sets_links("bursts", { loss = units.bursts { enter = "5%", leave = "20%" } }, span("100ms", "5s")),
  sets_links("split", { split = "50%" }, span("100ms", "5s")),
  sets_links("throttle", { bandwidth = "16KB/s" }, span("100ms", "5s")),
  sets_links("queue", { bandwidth = "64KB/s", queue = "3000B" }, span("100ms", "5s")),
  sets_links("datagrams", { duplicate = "10%", reorder = "10%" }, span("100ms", "5s")),
  { name = "reset", fields = {}, strike = reset },
  on_links("refuse", span("100ms", "5s"), function(strike, links) return strike:rule(links, "refuse") end),
  on_links("black_hole", span("100ms", "5s"), function(strike, links) return strike:rule(links, "black_hole") end),
  {
    name = "slow_connect", strike = slow_connect,
    fields = { delay = span("10ms", "2s"), count = { kind = "count", usual = 3 } },
  },
  on_node("slow_accept", { lasts = span("100ms", "5s"), delay = span("10ms", "2s") },
    function(node, strike) core.slow_accept(node, strike:span("delay", strike.spec.delay)) end,
    function(node) core.slow_accept(node, 0) end),
  on_node("stall_sockets", { lasts = span("100ms", "5s") },
    function(node) core.stall_sockets(node, true) end,
    function(node) core.stall_sockets(node, false) end),
  on_node("limit_fds", { lasts = span("100ms", "5s"), count = { kind = "count", usual = 4 } },
    limit_fds,
    function(node, strike) core.limit_fds(node, strike:declared(node).fds or 0) end),
  {
    name = "forget_idle", strike = forget_idle,
    fields = { lasts = span("1s", "10s"), idle = span("500ms", "5s"), resets = { kind = "ratio", usual = "50%" } },
  },
  { name = "crash", fields = crash_fields(), strike = function(strike) return crash(strike, false) end },
  { name = "power_off", fields = crash_fields(), strike = function(strike) return crash(strike, true) end },
  { name = "pause", fields = { lasts = span("100ms", "3s") }, strike = pause },
  on_node("slow", { lasts = span("100ms", "5s"), factor = { kind = "count", usual = 20 } },
    function(node, strike) core.slow(node, strike.spec.factor) end,
    function(node) core.slow(node, 1) end),
  { name = "kill", fields = { services = { kind = "names" } }, strike = kill },
  { name = "clock_step", fields = { by = span("10ms", "1h") }, strike = clock_step },
  on_node("clock_drift", { lasts = span("1s", "10s"), drift = { kind = "drift", usual = "500ppm" } },
    function(node, strike)
      local ppb = signed(strike, strike.spec.drift)
      core.drift_clock(node, ppb, ppb .. " ppb")
    end,
    function(node) core.drift_clock(node, 0, "0") end),
}

families.by_name = {}
for _, family in ipairs(families.list) do
  families.by_name[family.name] = family
end

return families
