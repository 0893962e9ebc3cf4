-- Stands in for the slave service on a node without a harbor (config harbor = 0). Named .cslave.
--
-- Messages (lua):
--   REGISTER(name, handle)  binds a global name, for this node. It must be new
--   QUERYNAME(name)         -> handle; waits until the name is bound. ".name" is looked up at once
--   LINK(id)                -> nothing, at once: no other node is ever linked
--   CONNECT(id)             is logged and never answered: no other node will come
-- Text from the harbor service: "Q name" asks for a name.

local skynet = require "skynet"
local core = require "skynet.core"
require "skynet.manager"

local handles = {}
-- Name -> answers of the QUERYNAMEs that wait.
local waiting = {}
local harbor_service

-- The source of the message is the handle that the name means.
local function tell_harbor(name, handle)
  core.redirect(harbor_service, handle, skynet.PTYPE_HARBOR, 0, "N " .. name)
end

skynet.register_protocol {
  name = "text",
  id = skynet.PTYPE_TEXT,
  unpack = skynet.tostring,
  dispatch = function(_, _, text)
    local name = string.match(text or "", "^Q (.+)")
    if name and handles[name] then
      tell_harbor(name, handles[name])
    end
  end,
}

local command = {}

function command.REGISTER(name, handle)
  assert(handles[name] == nil, "the name is registered already")
  handles[name] = handle
  tell_harbor(name, handle)
  local answers = waiting[name] or {}
  waiting[name] = nil
  for _, answer in ipairs(answers) do
    answer(true, handle)
  end
end

function command.QUERYNAME(name)
  if string.byte(name) == 46 then  -- "."
    skynet.retpack(skynet.localname(name))
  elseif handles[name] then
    skynet.retpack(handles[name])
  else
    local answers = waiting[name] or {}
    waiting[name] = answers
    answers[#answers + 1] = skynet.response()
  end
end

function command.LINK()
  skynet.retpack()
end

function command.CONNECT(id)
  skynet.error(string.format("no harbor: node %s will never connect", id))
  skynet.response()  -- kept open: the caller waits
end

skynet.start(function()
  skynet.dispatch("lua", function(_, _, name, ...)
    local f = command[name]
    if not f then
      error(string.format("cdummy: unknown command %s", tostring(name)))
    end
    f(...)
  end)
  harbor_service = assert(skynet.launch("harbor", 0, skynet.self()), "no harbor service")
end)
