-- Services that stand in a scenario file. lualib/loader.lua asks here first in a node whose env `sim_scenario` names
-- one.

local inline = {}

--- The main chunk of a service that the scenario declares in `services`; nil: it declares none of that name.
---@param name string
---@return function|nil
function inline.find(name)
  local path = require("skynet.core").command("GETENV", "sim_scenario")
  if not path then
    return nil
  end
  local sim = require "sim"
  if not sim.declared then
    assert(loadfile(path))()
  end
  return sim.declared and sim.declared.services and sim.declared.services[name]
end

return inline
