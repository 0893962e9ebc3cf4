-- Holds the newest version of each shared table (skynet.sharetable).
--
-- Messages (lua); the reply is packed, a failure is an error:
--   set(name, version)     -> nothing. Version: light userdata of skynet.sharedtree
--   query(name)            -> version, or nil
--   queryall(names | nil)  -> { name = version }, of those that there are; nil: of all

local skynet = require "skynet"
local tree = require "skynet.sharedtree"

-- Name -> { handle, id }.
local tables = {}

local command = {}

function command.set(name, id)
  tables[name] = { handle = tree.find(id) or error "the version to share is gone", id = id }
  return nil
end

function command.query(name)
  return tables[name] and tables[name].id
end

function command.queryall(names)
  local ids = {}
  if names then
    for _, name in ipairs(names) do
      ids[name] = command.query(name)
    end
  else
    for name, entry in pairs(tables) do
      ids[name] = entry.id
    end
  end
  return ids
end

skynet.start(function()
  skynet.dispatch("lua", function(_, _, name, ...)
    local f = command[name]
    if not f then
      error(string.format("sharetabled: unknown command %s", tostring(name)))
    end
    skynet.retpack(f(...))
  end)
end)
