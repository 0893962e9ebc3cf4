-- Every function that the reference lists is there: skynet.core (runtime_api.md 2), skynet and skynet.manager (4.3),
-- skynet.coroutine (5.2), skynet.profile (5.12), skynet.codecache (5.14), the sets of skynet.request (4.4).
local skynet = require "skynet"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local CORE = [[send redirect genid command intcommand addresscommand error harbor callback trace tostring pack unpack
  packstring trash now hpc]]

local SKYNET = [[start init init_service exit self localname address harbor register_protocol dispatch send rawsend call
  rawcall tracecall redirect ret retpack response ignoreret context wait sleep yield wakeup timeout fork killthread now
  hpc starttime time getenv setenv genid pack packstring unpack tostring trash error newservice uniqueservice
  queryservice request stat mqlen endless info_func task uniqtask trace_timeout term dispatch_unknown_request
  dispatch_unknown_response trace tracetag tracelog traceproto pcall dispatch_message]]

local MANAGER = "launch kill abort register name forward_type filter monitor"

local MESSAGE_TYPES = {
  TEXT = 0, RESPONSE = 1, MULTICAST = 2, CLIENT = 3, SYSTEM = 4, HARBOR = 5, SOCKET = 6, ERROR = 7, QUEUE = 8,
  DEBUG = 9, LUA = 10, SNAX = 11, TRACE = 12,
}

local memlimit_of_main_chunk = skynet.memlimit

local function expect_functions(module, names)
  local missing = {}
  for name in string.gmatch(names, "%S+") do
    if type(module[name]) ~= "function" then
      missing[#missing + 1] = name
    end
  end
  claims.equal(missing, {})
end

claims.run("function names", {
  { "skynet.core has every function", function() expect_functions(require "skynet.core", CORE) end },
  { "skynet has every function", function() expect_functions(skynet, SKYNET) end },
  { "skynet.manager adds its functions to skynet", function()
    claims.equal(require "skynet.manager" == skynet, true)
    expect_functions(skynet, MANAGER)
  end },
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
  { "skynet.coroutine has every function", function()
    expect_functions(require "skynet.coroutine", "create resume yield status running isyieldable wrap close thread")
  end },
  { "skynet.profile has every function", function()
    expect_functions(require "skynet.profile", "start stop resume wrap")
  end },
  { "skynet.codecache has every function, and skynet.cache is it", function()
    expect_functions(require "skynet.codecache", "clear mode loadfile")
    claims.equal(skynet.cache == require "skynet.codecache", true)
  end },
  { "a request set has add and select", function() expect_functions(skynet.request(), "add select") end },
})
