-- Compares what tools/luals declares for editors with the modules that there are. luals_test.py runs this file; it puts
-- the declarations beside it, as module "declarations": a list of { module =, text = }.
--
-- Declarations are Lua, so each file is loaded and gives a table like the module's. Every function and field of one
-- must be in the other, of the same type; functions written in Lua must take the same parameters. Names that begin with
-- _ are nobody's business. A module is loaded in the main chunk of a service of its own, which never starts.

local sim = require "sim"
local declarations = require "declarations"

-- Modules that add to the table of another.
local ADDS_TO = { ["skynet.manager"] = "skynet" }

-- What a module has for skysim itself.
local INTERNAL = {
  ["sim.declared"] = true,  -- the scenario that a service's VM has loaded
}

-- Functions whose parameters are not those declared.
local OTHER_PARAMETERS = {
  ["skynet.trace_timeout"] = true,        -- is there to be called, and ignores what it gets
  ["skynet.harbor.linkmaster"] = true,    -- made as the functions of an id are
}

-- Class -> an object of it, where the module's own table is not the class.
local OBJECTS = {
  ["skynet.multicast.channel"] = function(multicast) return multicast.new { channel = 0 } end,
  ["skynet.requests"] = function(skynet) return skynet.request() end,
  ["skynet.socketchannel.channel"] = function(channels) return channels.channel { host = "nowhere" } end,
}

-- Classes that are there in a story only.
local STORY_OBJECTS = {
  ["sim.World"] = function(world) return world end,
  ["sim.Link"] = function(world) return world:link("a", "b") end,
  ["sim.Clock"] = function(world) return world:clock("a") end,
  ["sim.Nemesis"] = function(world) return world:nemesis() end,
  ["sim.Task"] = function(world) return world:spawn(function() end) end,
  ["sim.History"] = function() return sim.history "none" end,
  ["sim.Sessions"] = function(world) return require("sim.game").one_session_per_player(world) end,
  ["sim.Grants"] = function(world) return require("sim.game").granted_once(world) end,
  ["sim.Currency"] = function(world) return require("sim.game").conserved(world, { total = 0 }) end,
  ["sim.Commands"] = function(world) return require("sim.game").hand_off_keeps_order(world) end,
}

---------------------------------------------------------------------------------------------------------------------
-- Declarations

-- Class -> the local variable that stands for it.
local function find_classes(text)
  local classes = {}
  local class
  for line in string.gmatch(text, "[^\n]+") do
    class = string.match(line, "^%-%-%-@class ([%w_.]+)") or class
    local variable = string.match(line, "^local ([%w_]+) = {}$")
    if class and variable then
      classes[class] = variable
    end
    if string.sub(line, 1, 3) ~= "---" then
      class = nil
    end
  end
  return classes
end

-- Returns what a file declares: { module = its value, classes = { class = table }, globals = {} }.
local function read_declaration(name)
  local declaration
  for _, candidate in ipairs(declarations) do
    declaration = candidate.module == name and candidate or declaration
  end
  local words = {}
  for class, variable in pairs(find_classes(declaration.text)) do
    words[#words + 1] = string.format("[%q] = %s", class, variable)
  end
  local globals = {}
  local text, count = string.gsub(declaration.text, "\nreturn (%w+)\n$", function(value)
    return string.format("\nreturn %s, { %s }\n", value, table.concat(words, ", "))
  end)
  assert(count == 1, name .. ": the last line must return the module")
  local module, classes = assert(load(text, "=tools/luals: " .. name, "t", globals))()
  return { module = module, classes = classes, globals = globals }
end

---------------------------------------------------------------------------------------------------------------------
-- Comparison; each function adds to a list of complaints.

local function complain(complaints, text, ...)
  complaints[#complaints + 1] = string.format(text, ...)
end

local function is_public(name)
  return type(name) == "string" and string.sub(name, 1, 1) ~= "_"
end

local function parameters(f)
  local facts = debug.getinfo(f, "u")
  return facts.nparams, facts.isvararg
end

local function has_same_parameters(declared, real)
  if debug.getinfo(real, "S").what == "C" then
    return true
  end
  local declared_count, declares_more = parameters(declared)
  local real_count, takes_more = parameters(real)
  if takes_more then
    return declared_count >= real_count  -- some may have got a name
  end
  return declared_count == real_count and not declares_more
end

local function compare_value(complaints, what, declared, real)
  local wanted, seen = type(declared), type(real)
  if wanted ~= seen then
    complain(complaints, "%s is declared as a %s and is a %s", what, wanted, seen)
  elseif wanted == "function" then
    if not OTHER_PARAMETERS[what] and not has_same_parameters(declared, real) then
      complain(complaints, "%s takes %d parameters%s, and is declared with %d", what,
        parameters(real), select(2, parameters(real)) and " or more" or "", (parameters(declared)))
    end
  elseif wanted ~= "table" and declared ~= real then
    complain(complaints, "%s is declared as %s and is %s", what, tostring(declared),
      tostring(real))
  end
end

local function compare_tables(complaints, what, declared, real)
  local names = {}
  for _, side in ipairs { declared, real } do
    for name in pairs(side) do
      names[name] = true
    end
  end
  for name in pairs(names) do
    local member = string.format("%s.%s", what, tostring(name))
    if not is_public(name) or INTERNAL[member] then
      goto continue
    elseif declared[name] == nil then
      complain(complaints, "%s is not declared", member)
    elseif real[name] == nil then
      complain(complaints, "%s is declared, and does not exist", member)
    else
      compare_value(complaints, member, declared[name], real[name])
    end
    ::continue::
  end
end

local function methods_of(object)
  return getmetatable(object).__index
end

---------------------------------------------------------------------------------------------------------------------
-- Services

local function check_globals(complaints, globals)
  for name, value in pairs(globals) do
    compare_value(complaints, name, type(value), type(_G[name]))
  end
end

local function check_classes(complaints, declaration, real)
  for class, declared in pairs(declaration.classes) do
    if declared ~= declaration.module and OBJECTS[class] then
      compare_tables(complaints, class, declared, methods_of(OBJECTS[class](real)))
    elseif declared ~= declaration.module and not STORY_OBJECTS[class] then
      complain(complaints, "%s: this test knows no object to compare it with", class)
    end
  end
end

local function check_module(complaints, name)
  local declaration = read_declaration(name)
  local real = require(name)
  local declared = declaration.module
  local base = ADDS_TO[name]
  for member, value in pairs(base and read_declaration(base).module or {}) do
    declared[member] = value
  end
  if type(declared) == "table" and type(real) == "table" then
    compare_tables(complaints, base or name, declared, real)
  else
    compare_value(complaints, name, declared, real)
  end
  check_globals(complaints, declaration.globals)
  check_classes(complaints, declaration, real)
end

local function checker(name)
  local complaints = {}
  local ok, reason = pcall(check_module, complaints, name)
  if not ok then
    complain(complaints, "%s: %s", name, string.match(tostring(reason), "[^\n]*"))  -- without where it was looked for
  end
  table.sort(complaints)
  sim.probe("checked", name, table.unpack(complaints))
end

local function main()
  local skynet = require "skynet"
  require "skynet.manager"
  skynet.start(function()
    for _, declaration in ipairs(declarations) do
      skynet.launch("snlua", "checker", declaration.module)
    end
  end)
end

---------------------------------------------------------------------------------------------------------------------

local function check_story(complaints, world)
  local classes = read_declaration("sim").classes
  for class, methods in pairs(read_declaration("sim.game").classes) do
    classes[class] = methods
  end
  for class, make in pairs(STORY_OBJECTS) do
    compare_tables(complaints, class, classes[class] or {}, methods_of(make(world)))
  end
  table.sort(complaints)
end

sim.scenario "what is declared for editors is what there is" {
  nodes = { a = { start = "main" }, b = { start = "idle" } },
  nemesis = { time = 0 },
  services = {
    main = main,
    checker = checker,
    idle = function() require("skynet").start(function() end) end,
  },

  story = function(world)
    sim.liveness("each module was looked at", function() return #world:probes "checked" == #declarations end, "10s")
    local complaints = {}
    check_story(complaints, world)
    for _, probe in ipairs(world:probes "checked") do
      table.move(probe, 2, probe.n, #complaints + 1, complaints)
    end
    sim.guarantee("declarations and modules agree", #complaints == 0, "\n  %s", table.concat(complaints, "\n  "))
  end,
}
