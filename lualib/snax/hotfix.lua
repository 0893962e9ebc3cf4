-- Replaces functions of a running snax service. A patch defines methods as a service file does. Its functions see the
-- local variables of the functions that they replace, by name: `local x` in the patch is the service's x.
--
-- A local function of the patch replaces the service's local function of that name, for all who use it. Nothing has
-- changed if a patch is refused. When it is in, its own function hotfix(...) runs, if it has one.

local interface = require "snax.interface"

local hotfix = {}

-- Sources of the service's functions: its file and earlier patches. Upvalues of other functions are not its own.
local sources = {}
local patches = 0

local function source_of(f)
  return debug.getinfo(f, "S").source
end

local function upvalues(f)
  local index = 0
  return function()
    index = index + 1
    local name, value = debug.getupvalue(f, index)
    if name then
      return index, name, value
    end
  end
end

-- Adds what `f`, and the service's functions that it uses, know: name -> { f, index, id }; two that share a name are
-- one entry { is_ambiguous }.
local function collect(f, known, seen)
  if seen[f] then
    return
  end
  seen[f] = true
  for index, name, value in upvalues(f) do
    local id = debug.upvalueid(f, index)
    if not known[name] then
      known[name] = { f = f, index = index, id = id }
    elseif known[name].id ~= id then
      known[name] = { is_ambiguous = true }
    end
    if type(value) == "function" and sources[source_of(value)] then
      collect(value, known, seen)
    end
  end
end

local function known_to(definition)
  local known, seen = {}, {}
  for _, method in ipairs(definition.methods) do
    if method.f then
      sources[source_of(method.f)] = true
    end
  end
  for _, method in ipairs(definition.methods) do
    if method.f then
      collect(method.f, known, seen)
    end
  end
  return known
end

-- Gives `f` of the patch the service's variables. Adds to `replaced` the local functions that the service gets.
local function join(f, known, replaced, seen)
  if seen[f] then
    return
  end
  seen[f] = true
  for index, name, value in upvalues(f) do
    local old = known[name]
    local is_new_function = type(value) == "function" and source_of(value) == source_of(f)
    if is_new_function then
      join(value, known, replaced, seen)
    end
    if old and old.is_ambiguous then
      error(string.format("ambiguity local value %s", name), 0)
    elseif old then
      if is_new_function then
        replaced[#replaced + 1] = { old, value }
      end
      debug.upvaluejoin(f, index, old.f, old.index)
    end
  end
end

-- The method that a function of the patch replaces.
local function method_for(definition, fresh)
  local number = definition.groups[fresh.group][fresh.name]
  local method = number and definition.methods[number]
  if not (method and method.f) then
    error(string.format("Patch mismatch %s.%s", fresh.group, fresh.name), 0)
  end
  return method
end

-- Runs the patch; its globals are the service's.
local function read_patch(source, base)
  local patch = interface.new(base)
  patches = patches + 1
  local name = string.format("=(hotfix %d)", patches)
  sources[name] = true
  patch:run(assert(load(source, name, "t", patch.environment)))
  return patch
end

--- Puts a patch into the service of `definition`; raises if it does not fit.
---@param definition snax.definition
---@param source string
---@param ... any arguments of the patch's hotfix function
---@return any ... its results
function hotfix.apply(definition, source, ...)
  assert(type(source) == "string", "a patch is Lua source, a string")
  local patch = read_patch(source, _G)
  local known, replaced, seen = known_to(definition), {}, {}
  local run, changes = nil, {}
  for _, fresh in ipairs(patch.methods) do
    if fresh.f then
      if fresh.group == "system" and fresh.name == "hotfix" then
        run = fresh.f
      else
        changes[#changes + 1] = { method_for(definition, fresh), fresh.f }
      end
      join(fresh.f, known, replaced, seen)
    end
  end
  for _, change in ipairs(changes) do
    change[1].f = change[2]
  end
  for _, change in ipairs(replaced) do
    debug.setupvalue(change[1].f, change[1].index, change[2])
  end
  if run then
    return run(...)
  end
end

return hotfix
