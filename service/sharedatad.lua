-- Holds the newest version of each shared tree (skynet.sharedata). A version is named by light userdata, which
-- skynet.sharedtree turns into the tree as long as somebody holds it.
--
-- Messages (lua); the reply is packed, a failure is an error:
--   new(name, value, ...)      -> nothing; an error if the name is taken. value: the name of a version, a table, or Lua
--                                 source text or "@file", which is run with the rest as arguments
--   update(name, value, ...)   -> nothing; the same for a name that may be taken
--   delete(name)               -> nothing
--   query(name)                -> version
--   confirm(version)           -> nothing; for services that were written for skynet, where it ends a reference
--   monitor(name, version)     -> the next version, when there is one; nil when the name is deleted

local skynet = require "skynet"
local sharednames = require "skynet.sharednames"
local tree = require "skynet.sharedtree"

local names = sharednames.new()

-- Runs a text with globals of its own over ours.
local function run(text, ...)
  local globals = setmetatable({}, { __index = _ENV })
  local chunk, reason
  if string.byte(text) == 64 then  -- "@"
    chunk, reason = loadfile(string.sub(text, 2), "bt", globals)
  else
    chunk, reason = load(text, "=(shared data)", "bt", globals)
  end
  if not chunk then
    error(reason, 0)
  end
  local result = chunk(...)
  if type(result) == "table" then
    return result
  end
  return setmetatable(globals, nil)
end

local function make_handle(value, ...)
  if value == nil then
    return tree.data {}
  elseif type(value) == "userdata" then
    return tree.find(value) or error "the version to share is gone"
  elseif type(value) == "string" then
    return tree.data(run(value, ...))
  elseif type(value) == "table" then
    return tree.data(value)
  end
  error(string.format("shared data is a table or Lua source text, not a %s", type(value)))
end

local function check(name)
  return names:id(name) or error(string.format("there is no shared data %s", tostring(name)))
end

local command = {}

function command.new(name, ...)
  local handle = make_handle(...)  -- may block: the name could be taken meanwhile
  if names:id(name) then
    error(string.format("there is shared data %s already", name))
  end
  names:set(name, handle, tree.id(handle))
  skynet.retpack()
end

function command.update(name, ...)
  local handle = make_handle(...)
  names:set(name, handle, tree.id(handle))
  skynet.retpack()
end

function command.delete(name)
  check(name)
  names:remove(name)
  skynet.retpack()
end

function command.query(name)
  skynet.retpack(check(name))
end

function command.confirm()
  skynet.retpack()
end

function command.monitor(name, id)
  check(name)
  names:watch(name, id)
end

skynet.start(function()
  skynet.dispatch("lua", function(_, _, name, ...)
    local f = command[name]
    if not f then
      error(string.format("sharedatad: unknown command %s", tostring(name)))
    end
    f(...)
  end)
end)
