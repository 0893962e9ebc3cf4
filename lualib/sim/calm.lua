-- The phase of calm behind the faults: heals the world, and demands that every open call ends.
--
-- What is healed: every nemesis is stopped and undoes what it did; all partitions and holds end, and all connects are
-- allowed; processes that are stopped go on, and machines are as fast as declared. What the story set on a link (delay,
-- loss, bandwidth) and how clocks go stays. Nodes that are down are started.
--
-- What is reset: connections that are open at one end while the kernel of the other has forgotten them, after a
-- power-off or because its RST met a partition. Nobody who waits for a reply there ever hears of it, and skynet has no
-- time limit for calls: on a real machine the keepalive of the kernel ends such a wait, two hours later. The reset does
-- that at once. With reset = false these calls count as what they are until then: calls that wait for ever.
--
-- What counts: calls (skynet.call and what is built on it: cluster.call, socketchannel requests made through services,
-- ...) of services that are not skysim's own, and of tasks of the story, that are open when the world is whole; then
-- those that are open when all of these have ended, so that a call that is made again is followed once. Not what waits
-- in skynet.wait or sleeps: nobody can tell an idle loop from one that hangs. And not calls to services of skysim that
-- answer when something happens (a value of the data center, the end of a harbor link, a new version of shared data).

local core = require "sim.core"
local units = require "sim.units"
local declaration = require "sim.declaration"
local nemesis = require "sim.nemesis"

local WITHIN = "5min"  -- TCP may pause for two minutes before it sends a segment again that was lost for long
local NAME = "every open call ends once the world is calm"
-- How often one looks: the first time soon, for runs are short if all is well.
local STEP_NS_MIN, STEP_NS_MAX = 10000000, 1000000000

local FIELDS = {
  within = "string", core = "string", keep = "table", restart = "boolean", reset = "boolean", excuse = "table",
  also = "table", name = "string",
}

local function check_fields(how)
  if type(how) ~= "table" then
    core.complain("world:calm_down takes a table of fields, not a " .. type(how))
  end
  for _, field in ipairs(units.sorted_keys(how)) do
    local value = how[field]
    if not FIELDS[field] then
      core.complain(("world:calm_down has no %s; it has %s"):format(tostring(field),
        table.concat(units.sorted_keys(FIELDS), ", ")))
    elseif type(value) ~= FIELDS[field] then
      core.complain(("world:calm_down: %s is a %s, not a %s"):format(field, FIELDS[field], type(value)))
    end
  end
  if how.core and how.core ~= "all" and how.core ~= "random" then
    core.complain(('world:calm_down: core is "all" or "random", not "%s"'):format(how.core))
  end
end

-- { "a", "b" } -> { a = true, b = true }.
local function set_of(field, list)
  local set = {}
  for _, name in ipairs(list or {}) do
    if type(name) ~= "string" then
      core.complain(("world:calm_down: %s is a list of names, and has a %s"):format(field, type(name)))
    end
    set[name] = true
  end
  return set
end

-- Names of the nodes that stay: all, or those that the seed leaves, at least one.
local function choose_core(how)
  local kept = set_of("keep", how.keep)
  for name in pairs(kept) do
    core.is_running(name)  -- complains of one that nobody has
  end
  local stays, count = {}, 0
  for _, node in ipairs(declaration.current.nodes) do
    local is_out = how.core == "random" and not kept[node.name] and core.chance("calm/out", 1, 2)
    stays[node.name] = not is_out
    count = count + (is_out and 0 or 1)
  end
  if count == 0 then
    local nodes = declaration.current.nodes
    stays[nodes[core.choose("calm/last", #nodes) + 1].name] = true
  end
  return stays
end

-- Masters of harbor networks first, as at the start of the run.
local function start_nodes(world, stays)
  local first, later = {}, {}
  for _, node in ipairs(declaration.current.nodes) do
    if stays[node.name] and not core.is_running(node.name) then
      table.insert(node.harbor and node.harbor.standalone and first or later, node.name)
    end
  end
  for _, name in ipairs(first) do
    world:start(name)
  end
  local tasks = {}
  for _, name in ipairs(later) do
    tasks[#tasks + 1] = core.spawn(world.start, world, name)
  end
  for _, task in ipairs(tasks) do
    core.join(task)
  end
end

local function stop_others(stays)
  for _, node in ipairs(declaration.current.nodes) do
    if not stays[node.name] and core.is_running(node.name) then
      core.crash(node.name, false, false)
    end
  end
end

-- Waits until none of what is open now is, at most that long. Returns what still is (key -> true) and their number.
local function wait_for_calls(excused, also, within_ns)
  local open, count = {}, 0
  for _, key in ipairs(core.open_calls(excused, also)) do
    open[key], count = true, count + 1
  end
  local until_ns, step_ns = core.now() + within_ns, STEP_NS_MIN
  while count > 0 and core.now() < until_ns do
    core.sleep(math.min(step_ns, until_ns - core.now()))
    step_ns = math.min(2 * step_ns, STEP_NS_MAX)
    local still = {}
    count = 0
    for _, key in ipairs(core.open_calls(excused, also)) do
      if open[key] then
        still[key], count = true, count + 1
      end
    end
    open = still
  end
  return open, count
end

local calm = {}

--- Gives the world of a story its verb.
function calm.extend(World)
  --- Heals the world and waits until every open call has ended; a failure ("liveness") if that takes too long. The head
  --- of lualib/sim/calm.lua says what is healed and what counts.
  ---@param how? table within, core, keep, restart, reset, excuse, also, name
  ---@return boolean # whether all ended
  function World:calm_down(how)
    core.needs_simulation "world:calm_down"
    how = how or {}
    check_fields(how)
    local within = how.within or WITHIN
    local within_ns = units.duration(within)
    local excused, also = set_of("excuse", how.excuse), set_of("also", how.also)
    local stays = choose_core(how)

    nemesis.stop_all()
    stop_others(stays)
    core.calm_world()
    if how.restart ~= false then
      start_nodes(self, stays)
    end
    if how.reset ~= false then
      core.reset_half_dead()
    end
    core.note("story", "the world is calm")

    local open, count
    for _ = 1, 2 do
      open, count = wait_for_calls(excused, also, within_ns)
      if count > 0 then
        break
      end
    end
    core.judge("eventually", "liveness", how.name or NAME, count == 0, count == 0 and "" or
      ("%d still %s after %s%s"):format(count, count == 1 and "waits" or "wait", within, core.describe_calls(open)))
    return count == 0
  end
end

return calm
