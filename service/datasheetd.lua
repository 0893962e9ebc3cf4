-- Holds the newest version of each datasheet (skynet.datasheet.builder), so that sheets outlive their builders.
--
-- Messages (lua); the reply is packed, a failure is an error:
--   set(name, version)       -> nothing. Version: light userdata of skynet.datasheet.core
--   query(name)              -> version
--   monitor(name, version)   -> the next version, when there is one

local skynet = require "skynet"
local core = require "skynet.datasheet.core"
local sharednames = require "skynet.sharednames"

local sheets = sharednames.new()

local function check(name)
  return sheets:id(name) or error(string.format("create data first: there is no datasheet %s", tostring(name)))
end

local command = {}

function command.set(name, id)
  local handle = core.find(id) or error "the version to share is gone"
  sheets:set(name, handle, id)
  skynet.retpack()
end

function command.query(name)
  skynet.retpack(check(name))
end

function command.monitor(name, id)
  check(name)
  sheets:watch(name, id)
end

skynet.start(function()
  skynet.dispatch("lua", function(_, _, name, ...)
    local f = command[name]
    if not f then
      error(string.format("datasheetd: unknown command %s", tostring(name)))
    end
    f(...)
  end)
end)
