-- Local variables that functions share, for patches (sim.legacy) of modules that keep their state to themselves. They
-- are found by name in a function that uses them.

local locals = {}

local function find(f, wanted)
  for index = 1, 255 do
    local name, value = debug.getupvalue(f, index)
    if name == wanted then
      return index, value
    elseif not name then
      break
    end
  end
  error(string.format("the function uses no local variable %s", wanted), 3)
end

--- The value of the local `name` that `f` uses; of more names: the value of the next in the function found so far.
---@param f function
---@param name string
function locals.get(f, name, ...)
  local value = f
  for _, wanted in ipairs { name, ... } do
    local _
    _, value = find(value, wanted)
  end
  return value
end

--- Sets it, for all functions that share it.
---@param f function
---@param name string
function locals.set(f, name, value)
  debug.setupvalue(f, find(f, name), value)
end

return locals
