-- Starts one Lua service. The host calls this chunk once per service with the whole argument string of the launch
-- ("name arg arg ..."), before any message is handled.
--
-- The name is looked up in the patterns of the global LUA_SERVICE. A file that cannot be opened counts as missing and
-- the next pattern is tried; a file that is there but does not compile is the error, and nothing else is tried.
--
-- Sets for the service: SERVICE_NAME; SERVICE_PATH (folder of the script, with a slash at its end); package.path and
-- package.cpath; a `require` that may be used inside tasks (skynet.require). LUA_PATH, LUA_CPATH, LUA_SERVICE and
-- LUA_PRELOAD are gone when the script starts.

local words = {}
for word in string.gmatch((...), "%S+") do
  words[#words + 1] = word
end
SERVICE_NAME = assert(words[1], "a service needs a name")

-- A plain text substitution: the name may hold magic characters of patterns and of replacements.
local function fill_in(pattern, name)
  return (string.gsub(pattern, "%?", function() return name end))
end

-- Compiles the script of `name`; also returns the pattern that found it.
local function find_script(name, patterns)
  local missing = {}
  for pattern in string.gmatch(patterns, "[^;]+") do
    local file = fill_in(pattern, name)
    local script, reason = loadfile(file)
    if script then
      return script, pattern
    end
    if not string.find(reason, "^cannot open ") then
      error(reason, 0)
    end
    missing[#missing + 1] = reason
  end
  error(string.format("no service '%s':\n\t%s", name, table.concat(missing, "\n\t")), 0)
end

local patterns = LUA_SERVICE
package.path, package.cpath = LUA_PATH, LUA_CPATH
LUA_PATH, LUA_CPATH, LUA_SERVICE = nil, nil, nil

-- A simulated run may put a bug of the past back into a library module.
if require("skynet.core").command("GETENV", "sim_legacy") then
  require("sim.legacy").install()
end

-- In a simulated run the script may stand in the scenario file.
local scenario = require("skynet.core").command("GETENV", "sim_scenario")
local script, pattern = scenario and require("sim.inline").find(SERVICE_NAME), scenario
if not script then
  script, pattern = find_script(SERVICE_NAME, patterns)
end

local folder, file = string.match(pattern, "^(.*/)([^/]*)$")
if not folder then
  folder, file = "./", pattern
end
SERVICE_PATH = fill_in(folder, SERVICE_NAME)
if not string.find(file, "?", 1, true) then
  -- The service is a folder of its own ("./test/?/init.lua"); its modules come first.
  package.path = SERVICE_PATH .. "?.lua;" .. package.path
end

if LUA_PRELOAD then
  local preload = assert(loadfile(LUA_PRELOAD))
  preload(table.unpack(words))
  LUA_PRELOAD = nil
end

_G.require = require("skynet.require").require

script(table.unpack(words, 2))
