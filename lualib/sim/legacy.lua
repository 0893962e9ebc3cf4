-- Bugs of skynet's past, put back into library modules of a simulated run, to prove that scenarios find them.
--
-- The environment key sim_legacy, which only a simulation sets, holds names separated by commas. loader.lua calls
-- install() when the key is there; without it no service ever loads this file. A patch is a file
-- lualib/sim/legacy/<name>.lua, with _ for -, that returns { ["module.name"] = function(module) ... end }: the function
-- changes the module right after it was loaded, before its first user sees it. The table of all names, and of those
-- that live in the engine, is in simnet/scenario/legacy.cc.

local core = require "skynet.core"

local legacy = {}

-- Module name -> array of functions.
local function read_patches(names)
  local by_module = {}
  for name in string.gmatch(names, "[^,%s]+") do
    local patches = require("sim.legacy." .. string.gsub(name, "-", "_"))
    for module, patch in next, patches do
      by_module[module] = by_module[module] or {}
      table.insert(by_module[module], patch)
    end
  end
  return by_module
end

-- A loader that patches what `loader` has made.
local function patching(loader, patches)
  return function(...)
    local module = loader(...)
    for _, patch in ipairs(patches) do
      patch(module)
    end
    return module
  end
end

-- Wraps what the searchers behind this one find.
local function make_searcher(by_module)
  return function(name)
    local patches = by_module[name]
    if not patches then
      return nil
    end
    local loader, extra = package.searchers[3](name)  -- the searcher of Lua files, which this one has moved
    if type(loader) ~= "function" then
      return loader
    end
    return patching(loader, patches), extra
  end
end

--- Puts the chosen bugs back into the modules that this service will load.
function legacy.install()
  local by_module = read_patches(core.command("GETENV", "sim_legacy"))
  for module, patches in next, by_module do
    local made = package.preload[module]  -- a module in C
    if made then
      package.preload[module] = patching(made, patches)
    end
  end
  if next(by_module) then
    table.insert(package.searchers, 2, make_searcher(by_module))
  end
end

return legacy
