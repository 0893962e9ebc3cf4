-- Every function that the reference's tables list (listed_functions.lua) is there, in a running service; and what the
-- reference lists that skysim leaves to others is an error that says so.
local skynet = require "skynet"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()
local listed = assert(loadfile(SERVICE_PATH .. "listed_functions.lua"))()

-- Modules of the list that work after a step only.
local BEFORE = {
  ["skynet.datasheet"] = function()
    require "skynet.datasheet.builder".new("function names", {})
  end,
}

-- An object of each module that makes some.
local OBJECTS = {
  ["skynet"] = function() return skynet.request() end,
  ["skynet.multicast"] = function() return require "skynet.multicast".new { channel = 0 } end,
  ["skynet.debugchannel"] = function() return (require "skynet.debugchannel".create()) end,
  ["skynet.socketchannel"] = function() return require "skynet.socketchannel".channel { host = "nowhere" } end,
}

-- What the reference names and skysim does not have -> what the error says of it.
local NOT_HERE = {
  ["http.tlshelper"] = "TLS (https, wss) is not part of skysim",
  ["ltls.c"] = "TLS is not part of skysim",
  ["lpeg"] = "a library of its own. skysim does not have it: bring your own",
  ["re"] = "it belongs to lpeg",
  ["sproto"] = "a library of its own. skysim does not have it: bring your own",
  ["sproto.core"] = "it belongs to sproto",
  ["sprotoloader"] = "it belongs to sproto",
  ["sprotoparser"] = "it belongs to sproto",
  ["skynet.sharemap"] = "it needs sproto",
  ["bson"] = "it belongs to the driver of MongoDB",
  ["skynet.db.redis"] = "drivers of databases are not part of skysim",
  ["skynet.db.mysql"] = "drivers of databases are not part of skysim",
  ["skynet.db.mongo"] = "drivers of databases are not part of skysim",
  ["client.socket"] = "services have skynet.socket",
}

local MESSAGE_TYPES = {
  TEXT = 0, RESPONSE = 1, MULTICAST = 2, CLIENT = 3, SYSTEM = 4, HARBOR = 5, SOCKET = 6, ERROR = 7, QUEUE = 8,
  DEBUG = 9, LUA = 10, SNAX = 11, TRACE = 12,
}

local memlimit_of_main_chunk = skynet.memlimit

-- Raises unless all names of `names` are functions of `owner`, a table or an object.
local function expect_functions(what, owner, names)
  local missing = {}
  for name in string.gmatch(names, "%S+") do
    if type(owner[name]) ~= "function" then
      missing[#missing + 1] = name
    end
  end
  claims.equal(missing, {}, what)
end

-- Keys in order: the first that is missing is the same in every run.
local function sorted(names)
  local keys = {}
  for key in pairs(names) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

local function functions()
  for _, name in ipairs(sorted(listed.functions)) do
    if BEFORE[name] then
      BEFORE[name]()
    end
    expect_functions(name, require(name), listed.functions[name])
  end
  claims.equal(require "skynet.manager" == skynet, true)
end

local function methods()
  for _, name in ipairs(sorted(listed.methods)) do
    expect_functions("object of " .. name, OBJECTS[name](), listed.methods[name])
  end
end

local function callable()
  for name in string.gmatch(listed.callable, "%S+") do
    claims.equal(type(require(name)), "function", name)
  end
end

local function not_here()
  for _, name in ipairs(sorted(NOT_HERE)) do
    claims.raises(NOT_HERE[name], require, name)
  end
  local _, reason = pcall(require, "no.such.module")
  claims.equal(string.find(reason, "module 'no.such.module' not found:", 1, true) ~= nil, true, reason)
  claims.equal(string.find(reason, "of skysim", 1, true), nil, reason)
end

local function old_names()
  local home = string.match(package.searchpath("skynet", package.path), "^(.*)skynet%.lua$")
  for name in string.gmatch(listed.compat10, "%S+") do
    claims.equal(assert(loadfile(home .. "compat10/" .. name .. ".lua"))() == require("skynet." .. name), true, name)
  end
end

claims.run("function names", {
  { "each module has every function of the reference", functions },
  { "its objects have every method", methods },
  { "modules that are one function are one", callable },
  { "compat10 has the old names of the modules that there are", old_names },
  { "what others have to bring is an error that names it and says why", not_here },
  { "skynet.memlimit is there in the main chunk only", function()
    claims.equal({ type(memlimit_of_main_chunk), type(skynet.memlimit) }, { "function", "nil" })
  end },
  { "message types have skynet's numbers", function()
    for name, number in pairs(MESSAGE_TYPES) do
      claims.equal(skynet["PTYPE_" .. name], number, name)
    end
  end },
  { "the protocols lua, response, error and debug are registered", function()
    for name, number in pairs { lua = 10, response = 1, error = 7, debug = 9 } do
      claims.equal(skynet._proto[name].id, number, name)
      claims.equal(skynet._proto[number].name, name)
    end
    claims.equal(skynet._proto.text, nil)
  end },
  { "skynet.cache is skynet.codecache", function()
    claims.equal(skynet.cache == require "skynet.codecache", true)
  end },
  { "fields of the reference that are no functions have its values", function()
    local dns = require "skynet.dns"
    claims.equal({ dns.DEFAULT_HOSTS, dns.DEFAULT_RESOLV_CONF }, { "/etc/hosts", "/etc/resolv.conf" })
    claims.equal(tostring(require "skynet.socketchannel".error), "[Error: socket]")
    claims.equal(type(require "http.sockethelper".socket_error), "table")
  end },
})
