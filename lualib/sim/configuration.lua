-- What a seed may vary although the story stays the same: the delays of the network, workers, the cost of a dispatch,
-- and the faults that the nemesis draws. Made here from the declaration as one table of texts and numbers
-- (simnet/scenario/configuration.h), which a swarm run draws anew and --config replaces; and read back from there into
-- the nodes, the network and the nemesis. What is wrong with it raises at the line of the declaration, or with the name
-- of the file that was given.

local core = require "sim.core"
local units = require "sim.units"
local families = require "sim.families"

local configuration = {}
local sorted_keys = units.sorted_keys

local AS_DECLARED = "as declared"
local WORKERS_MAX = 1024
local PERIOD_MAX_NS = 86400 * 1000000000  -- of a rate: a day, so that no product below leaves 63 bits

-- For a complaint.
local function shown(value)
  if type(value) == "table" then
    return next(value) == nil and "an empty table" or "a table"
  end
  return units.shown(value)
end

-- -- Quantities as texts ----------------------------------------------------------------------------------------------

local NS_UNITS = {  -- the largest first
  { "h", 3600000000000 }, { "min", 60000000000 }, { "s", 1000000000 }, { "ms", 1000000 }, { "us", 1000 },
}

local function duration_text(ns)
  for _, unit in ipairs(NS_UNITS) do
    if ns > 0 and ns % unit[2] == 0 then
      return ("%d%s"):format(ns // unit[2], unit[1])
    end
  end
  return ns == 0 and 0 or ns .. "ns"
end

-- A delay of sim.uniform and so on: { uniform = { "1ms", "2ms" } }; a loss of sim.bursts: { bursts = { ... } }. Anything
-- else stays as it is.
local function plain(value)
  if type(value) ~= "table" then
    return value
  elseif value.is_bursts then
    return { bursts = value.given }
  elseif not value.shape then
    return value
  end
  local least, most, mean = duration_text(value.min_ns), duration_text(value.max_ns), duration_text(value.mean_ns)
  if value.shape == "constant" then
    return least
  end
  return { [value.shape] = value.shape == "uniform" and { least, most } or { least, mean, most } }
end

-- The reverse.
local function delay_of(value)
  if type(value) ~= "table" then
    return value
  end
  local shape, bounds = next(value)
  if next(value, shape) == nil and type(bounds) == "table" then
    if shape == "bursts" then
      return units.bursts(bounds)
    elseif shape == "uniform" and #bounds == 2 then
      return units.uniform(bounds[1], bounds[2])
    elseif shape == "exponential" and (#bounds == 2 or #bounds == 3) then
      return units.exponential(bounds[1], bounds[2], bounds[3])
    end
  end
  return value
end

-- { uniform = { "1ms", "2ms" } } -> "uniform 1ms 2ms".
local function text_of(value)
  if type(value) ~= "table" then
    return tostring(value)
  end
  local words = {}
  for _, key in ipairs(sorted_keys(value)) do
    words[#words + 1] = (math.type(key) and "" or key .. " ") .. text_of(value[key])
  end
  return table.concat(words, " ")
end

-- How often: micro-faults per ns as a ratio.
local function read_rate(what, value)
  local count, times, unit = string.match(type(value) == "string" and value or "", "^([%d.]+)/([%d.]*)(%a+)$")
  local micro = count and units.scaled(count, 1000000)
  local period = unit and units.NS_PER[unit] and #times <= 6 and
    units.scaled(times == "" and "1" or times, units.NS_PER[unit])
  if not micro or not period or period < 1000 or period > PERIOD_MAX_NS then
    core.complain(('%s is like "2/s", "1/10s" or "6/min", not %s'):format(what, shown(value)))
  end
  return micro, period
end

-- -- Fields of a family -----------------------------------------------------------------------------------------------

-- Kind of a field -> how its value is read.
local READERS = {
  rate = function(what, value)
    local micro, period = read_rate(what, value)
    -- micro-faults a period x tick / (a million x period)
    local numerator, denominator = micro * (families.TICK_NS // 1000), 1000 * period
    if micro > 1000000000 or numerator > denominator then
      core.complain(("%s is at most %d/s, not %s"):format(what, 1000000000 // families.TICK_NS, shown(value)))
    end
    return { numerator = numerator, denominator = denominator }
  end,
  span = function(what, value)
    value = delay_of(value)
    if type(value) == "table" and value.shape and value.shape ~= "uniform" then
      core.complain(what .. ' is a duration or sim.uniform(least, most)')
    end
    return type(value) == "table" and value.shape and value or units.constant(value)
  end,
  ratio = function(_, value)
    local numerator, denominator = units.ratio(value)
    return { numerator = numerator, denominator = denominator }
  end,
  count = function(what, value)
    if math.type(value) ~= "integer" or value < 1 then
      core.complain(("%s is a number, 1 or more, not %s"):format(what, shown(value)))
    end
    return value
  end,
  drift = function(_, value)
    return units.drift(value)
  end,
  nodes = function(what, value, nodes)
    if type(value) ~= "table" or #value == 0 then
      core.complain(('%s are a list like {"a", "b"}, not %s'):format(what, shown(value)))
    end
    for _, name in ipairs(value) do
      if not nodes[name] then
        core.complain(("%s: no node is called %s; there are: %s"):format(what, tostring(name),
          table.concat(sorted_keys(nodes), ", ")))
      end
    end
    return value
  end,
  names = function(what, value)
    if type(value) ~= "table" or #value == 0 then
      core.complain(('%s are a list like {".worker"}, not %s'):format(what, shown(value)))
    end
    for _, name in ipairs(value) do
      if type(name) ~= "string" then
        core.complain(("%s are a list of names, and have %s"):format(what, shown(name)))
      end
    end
    return value
  end,
  -- A field of a link, as sim.units reads it.
  link = function(_, value, _, field)
    local read = {}
    units.read_link_field(read, field, delay_of(value))
    return { fields = read, text = ("%s %s"):format(field, text_of(value)) }
  end,
}

local function fields_of(family)
  local fields = { rate = "rate", nodes = "nodes" }
  for field, about in pairs(family.fields) do
    fields[field] = about.kind
  end
  return fields
end

local function read_family(name, given, nodes)
  local what = "nemesis: " .. name
  local fields = fields_of(families.by_name[name])
  local read = {}
  for _, field in ipairs(sorted_keys(given)) do
    if not fields[field] then
      core.complain(("%s has no %s; it has %s"):format(what, field, table.concat(sorted_keys(fields), ", ")))
    end
    read[field] = READERS[fields[field]](("%s: %s"):format(what, field), given[field], nodes, field)
  end
  return read
end

local function unknown_family(name)
  local known = { "rate", "time" }
  for _, family in ipairs(families.list) do
    known[#known + 1] = family.name
  end
  table.sort(known)
  core.complain(("the nemesis has no %s; there are: %s"):format(name, table.concat(known, ", ")))
end

-- -- The declared nemesis, with everything that it leaves open --------------------------------------------------------

local function must_be_named(family)
  for _, about in pairs(family.fields) do
    if about.usual == nil then
      return true
    end
  end
  return false
end

-- The families that it has: those that are named, or all but those that are false or must be named.
local function chosen_families(given)
  local named, all = {}, {}
  for _, family in ipairs(families.list) do
    local value = given[family.name]
    if value then
      named[#named + 1] = family
    elseif value == nil and not must_be_named(family) then
      all[#all + 1] = family
    end
  end
  return #named > 0 and named or all
end

local function declared_family(family, given, rate, parts)
  local entry = {}
  for field, about in pairs(family.fields) do
    entry[field] = plain(about.usual)
  end
  if type(given) == "table" then
    for field, value in pairs(given) do
      entry[tostring(field)] = plain(value)
    end
  end
  if not entry.rate then
    local count, times, unit = string.match(rate, "^([%d.]+)/([%d.]*)(%a+)$")
    local period = units.scaled(times == "" and "1" or times, units.NS_PER[unit])
    entry.rate = ("%s/%s"):format(count, duration_text(period * parts))
  end
  return entry
end

local function declared_nemesis(given)
  if not given then
    return {}
  end
  for _, key in ipairs(sorted_keys(given)) do
    local value = given[key]
    if key ~= "rate" and key ~= "time" and not families.by_name[key] then
      unknown_family(key)
    elseif families.by_name[key] and type(value) ~= "boolean" and type(value) ~= "table" then
      core.complain(("nemesis: %s is a table of its fields, true or false, not %s"):format(key, shown(value)))
    end
  end
  read_rate("nemesis: rate", given.rate or families.RATE)
  units.duration(given.time or families.TIME)
  local chosen = chosen_families(given)
  local nemesis = { time = given.time or families.TIME }
  for _, family in ipairs(chosen) do
    nemesis[family.name] = declared_family(family, given[family.name], given.rate or families.RATE, #chosen)
  end
  return nemesis
end

-- -- Reading ----------------------------------------------------------------------------------------------------------

local function names_of(nodes)
  local names = {}
  for _, node in ipairs(nodes) do
    names[node.name] = true
  end
  return names
end

-- The nemesis as sim.nemesis wants it: { time_ns =, families = { { family =, name =, field = read value }, ... } }; nil
-- if there is none.
local function read_nemesis(given, nodes)
  if next(given) == nil then
    return nil
  end
  local nemesis = { time_ns = units.duration(given.time or families.TIME), families = {} }
  for _, name in ipairs(sorted_keys(given)) do
    local family = families.by_name[name]
    if family then
      if type(given[name]) ~= "table" then
        core.complain(("nemesis: %s is an object of its fields, not %s"):format(name, shown(given[name])))
      end
      local read = read_family(name, given[name], nodes)
      for field, about in pairs(family.fields) do
        local what = ("nemesis: %s: %s"):format(name, field)
        read[field] = read[field] or READERS[about.kind](what, plain(about.usual), nodes, field)
      end
      if not read.rate then
        core.complain(('nemesis: %s has no rate'):format(name))
      end
      read.name, read.family = name, family
      nemesis.families[#nemesis.families + 1] = read
    elseif name ~= "time" then
      unknown_family(name)
    end
  end
  return nemesis
end

local function read_network(given)
  local network = {}
  for _, field in ipairs(sorted_keys(given)) do
    units.read_link_field(network, field, delay_of(given[field]))
  end
  return network
end

local function read_workers(value)
  if value == AS_DECLARED then
    return nil
  end
  if math.type(value) ~= "integer" or value < 1 or value > WORKERS_MAX then
    core.complain(('workers are "%s", or a number from 1 to %d, not %s'):format(AS_DECLARED, WORKERS_MAX,
      shown(value)))
  end
  return value
end

--- The configuration that a declaration asks for, complete, as sim.core takes it. Complains.
---@param given table the fields of the scenario
---@param nodes table of the declaration, read
function configuration.declared(given, nodes)
  local network = {}
  for field, value in pairs(given.network or {}) do
    network[field] = plain(value)
  end
  local declared = {
    cpu = AS_DECLARED, workers = AS_DECLARED, network = network, nemesis = declared_nemesis(given.nemesis),
  }
  read_network(network)
  read_nemesis(declared.nemesis, names_of(nodes))
  return declared
end

--- Configures the run: changes the declared nodes, and sets `network` and `nemesis` of the declaration. True: the run
--- is to end here.
---@param declared table
---@return boolean
function configuration.configure(declared)
  local given = core.given()
  local place = given and core.set_place(given)
  local config, is_all = core.configure(declared.configuration, declared.swarm)
  declared.network = read_network(config.network)
  declared.nemesis = read_nemesis(config.nemesis, names_of(declared.nodes))
  local workers = read_workers(config.workers)
  local dispatch_ns = config.cpu ~= AS_DECLARED and units.duration(config.cpu) or nil
  for _, node in ipairs(declared.nodes) do
    node.config.thread = workers and tostring(workers) or node.config.thread
    node.dispatch_ns = dispatch_ns or node.dispatch_ns
  end
  if place then
    core.set_place(place)
  end
  return is_all
end

return configuration
