-- How a snax service file is read. The file is run with an environment of its own in which
--
--   function accept.NAME(...)    defines a method that is sent to
--   function response.NAME(...)  defines a method that is called
--   function init(...), exit(...), hotfix(...)  are called by the system
--
-- Each method has a number: 1 to 4 are the system's, then the file's from 5 on, in the order of definition. Both ends
-- of a message read the file; that is how they agree.

local interface = {}

-- Group "system", by number.
local SYSTEM = { "init", "exit", "hotfix", "profile" }
-- What a file may define: profile is answered by the system itself.
local DEFINABLE = { init = true, exit = true, hotfix = true }

---------------------------------------------------------------------------------------------------------------------
-- Finding the file

-- A plain text substitution: the name may hold magic characters.
local function fill_in(pattern, name)
  return (string.gsub(pattern, "%?", function() return name end))
end

local function load_from_patterns(patterns, name, environment)
  local missing = {}
  for pattern in string.gmatch(patterns, "[^;]+") do
    local chunk, reason = loadfile(fill_in(pattern, name), "bt", environment)
    if chunk then
      return chunk, pattern
    end
    if not string.find(reason, "^cannot open ") then
      error(reason, 0)  -- a syntax error: the file is there
    end
    missing[#missing + 1] = reason
  end
  error(string.format("no snax service '%s':\n\t%s", name, table.concat(missing, "\n\t")), 0)
end

local find = load_from_patterns

--- Replaces the search: `loader(patterns, name, environment)` returns the chunk and the pattern that found it, or
--- raises.
---@param loader fun(patterns: string, name: string, environment: table): function, string
function interface.set_loader(loader)
  find = loader
end

--- Compiles the file of a service.
---@param patterns string|nil config entry "snax"
---@param name string
---@param environment table
---@return function chunk
---@return string pattern
function interface.find(patterns, name, environment)
  assert(patterns, "please set snax in config file")
  local chunk, pattern = find(patterns, name, environment)
  if type(chunk) ~= "function" then
    error(string.format("no snax service '%s': %s", name, tostring(pattern)), 0)
  end
  return chunk, pattern
end

---------------------------------------------------------------------------------------------------------------------
-- Reading it

---@class snax.definition
---@field environment table  for the chunk
---@field methods table<integer, { group: string, name: string, f?: function }>  by number
---@field groups table<string, table<string, integer>>  group -> name -> number
local Definition = {}
Definition.__index = Definition

local function set_function(self, group, name, f)
  local number = self.groups[group][name]
  if type(f) ~= "function" then
    error(string.format("%s.%s must be function", group, name), 3)
  elseif number and self.methods[number].f then
    error(string.format("%s.%s duplicate definition", group, name), 3)
  end
  if not number then
    number = #self.methods + 1
    self.groups[group][name] = number
    self.methods[number] = { group = group, name = name }
  end
  self.methods[number].f = f
end

-- The table that `group` is in the file: setting a field defines a method, reading gives its present function.
local function group_table(self, group)
  return setmetatable({}, {
    __newindex = function(_, name, f)
      if type(name) ~= "string" then
        error(string.format("%s method only support string", group), 2)
      elseif self.is_complete then
        error(string.format("%s.%s is defined too late: while the file is read only", group, name), 2)
      end
      set_function(self, group, name, f)
    end,
    __index = function(_, name)
      return self:find(group, name)
    end,
  })
end

--- What a file defines, yet empty. Its environment reads the globals `base`, and writes there what is no method.
---@param base table
---@return snax.definition
function interface.new(base)
  local self = setmetatable({ methods = {}, groups = { system = {}, accept = {}, response = {} } }, Definition)
  for number, name in ipairs(SYSTEM) do
    self.methods[number] = { group = "system", name = name }
    self.groups.system[name] = number
  end
  local groups = { accept = group_table(self, "accept"), response = group_table(self, "response") }
  self.environment = setmetatable({}, {
    __index = function(_, name)
      return groups[name] or DEFINABLE[name] and self:find("system", name) or base[name]
    end,
    __newindex = function(_, name, value)
      if groups[name] then
        error(string.format("%s is the table of methods: it cannot be replaced", name), 2)
      elseif DEFINABLE[name] and not self.is_complete then
        set_function(self, "system", name, value)
      else
        base[name] = value
      end
    end,
  })
  return self
end

--- Runs the file; methods are defined in there only.
---@param chunk function with this definition's environment
function Definition:run(chunk)
  chunk()
  self.is_complete = true
end

--- The function of a method; nil if it has none.
---@param group string
---@param name string
---@return function?
function Definition:find(group, name)
  local number = self.groups[group][name]
  return number and self.methods[number].f
end

return interface
