-- The families of faults that the nemesis has. A new one is one more entry in the list:
--
--   name     what scenarios, configurations, streams and the trace call it
--   fields   besides `rate` and `nodes`, which all have: name = { kind =, usual = }; the kinds are those of
--            lualib/sim/configuration.lua
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

-- A family that sets a field of some links while it lasts.
local function sets_links(name, field, usual, lasts)
  return {
    name = name, fields = { lasts = lasts, [field] = { kind = "link", usual = usual } },
    strike = function(strike)
      local links, text = strike:links()
      if links then
        strike:note(("%s %s"):format(name, text))
        return strike:set_links(links, strike.spec[field])
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

-- Dispatches of a node take so many times as long.
local function slow(strike)
  local name = strike:running_node()
  if name then
    strike:note(("slow %s"):format(name))
    core.slow(name, strike.spec.factor)
    return function() strike:when_up(name, function() core.slow(name, 1) end) end
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

-- Both clocks of a node's machine are fast or slow for a while; what they have gained stays.
local function clock_drift(strike)
  local name = strike:running_node()
  if name then
    local ppb = signed(strike, strike.spec.drift)
    strike:note(("clock_drift %s"):format(name))
    core.drift_clock(name, ppb, ppb .. " ppb")
    return function() strike:when_up(name, function() core.drift_clock(name, 0, "0") end) end
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

families.list = {
  { name = "partition", fields = { lasts = span("100ms", "5s") }, strike = partition },
  on_links("one_way", span("100ms", "5s"), function(strike, links) return strike:cut(links) end),
  on_links("hold", span("10ms", "2s"), function(strike, links) return strike:hold(links) end),
  sets_links("delay", "delay", units.uniform("10ms", "500ms"), span("100ms", "5s")),
  sets_links("loss", "loss", "20%", span("100ms", "5s")),
  sets_links("split", "split", "50%", span("100ms", "5s")),
  sets_links("throttle", "bandwidth", "16KB/s", span("100ms", "5s")),
  { name = "reset", fields = {}, strike = reset },
  on_links("refuse", span("100ms", "5s"), function(strike, links) return strike:rule(links, "refuse") end),
  on_links("black_hole", span("100ms", "5s"), function(strike, links) return strike:rule(links, "black_hole") end),
  {
    name = "slow_connect", strike = slow_connect,
    fields = { delay = span("10ms", "2s"), count = { kind = "count", usual = 3 } },
  },
  { name = "crash", fields = crash_fields(), strike = function(strike) return crash(strike, false) end },
  { name = "power_off", fields = crash_fields(), strike = function(strike) return crash(strike, true) end },
  { name = "pause", fields = { lasts = span("100ms", "3s") }, strike = pause },
  {
    name = "slow", strike = slow,
    fields = { lasts = span("100ms", "5s"), factor = { kind = "count", usual = 20 } },
  },
  { name = "clock_step", fields = { by = span("10ms", "1h") }, strike = clock_step },
  {
    name = "clock_drift", strike = clock_drift,
    fields = { lasts = span("1s", "10s"), drift = { kind = "drift", usual = "500ppm" } },
  },
}

families.by_name = {}
for _, family in ipairs(families.list) do
  families.by_name[family.name] = family
end

return families
