-- skynet.stm (runtime_api.md 5.9).
local skynet = require "skynet"
local stm = require "skynet.stm"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local function read(reader)
  return reader(skynet.tostring)
end

local function versions()
  local writer = stm.new "one"
  local reader = stm.newcopy(stm.copy(writer))
  claims.equal({ read(reader) }, { true, "one" })
  claims.equal({ read(reader) }, { false })
  writer "two"
  writer "three"
  claims.equal({ read(reader) }, { true, "three" })
  claims.equal({ read(reader) }, { false })
  writer "three"
  claims.equal({ read(reader) }, { true, "three" }, "the same bytes are a new version")
  writer ""
  claims.equal({ reader(function(_, size) return size end) }, { true, 0 })
end

local function blocks()
  local writer = stm.new(skynet.pack { 1, x = "y" })
  local reader = stm.newcopy(stm.copy(writer))
  local ok, value, extra = reader(function(ptr, size, ud) return skynet.unpack(ptr, size), ud end, "ud")
  claims.equal({ ok, value[1], value.x, extra }, { true, 1, "y", "ud" })
  writer(skynet.pack(1, 2, 3))
  claims.equal({ reader(skynet.unpack) }, { true, 1, 2, 3 })
end

local function readers()
  local writer = stm.new "x"
  local handle = stm.copy(writer)
  claims.equal(type(handle), "userdata")
  local one, two = stm.newcopy(handle), stm.newcopy(stm.copy(writer))
  claims.equal({ read(one) }, { true, "x" })
  claims.equal({ read(two) }, { true, "x" })
  claims.equal({ read(stm.newcopy(handle)) }, { true, "x" }, "a handle is good for any number of readers")
end

local function writer_gone()
  local handle, reader, kept
  do
    local writer = stm.new "last"
    handle = stm.copy(writer)
    reader = stm.newcopy(handle)
    kept = stm.newcopy(handle)
    claims.equal({ read(kept) }, { true, "last" })
  end
  collectgarbage()
  collectgarbage()
  claims.equal({ read(reader), read(kept) }, { false, false })
  claims.equal({ read(stm.newcopy(handle)) }, { false })
end

-- Light userdata that names nothing.
local function made_up()
  return skynet.unpack(string.char(3) .. string.rep("\xf0", 8))
end

local function errors()
  local writer = stm.new "x"
  local reader = stm.newcopy(stm.copy(writer))
  claims.raises("raised inside", reader, function() error "raised inside" end)
  claims.equal({ read(reader) }, { false }, "it was read")
  claims.raises("function expected", reader)
  claims.raises("string expected", writer)
  claims.raises("string expected", stm.new)
  claims.raises("no copy of a stm writer", stm.newcopy, made_up())
  claims.raises("userdata expected, got number", stm.newcopy, 1)
  writer "y"
  claims.raises("attempt to yield", reader, function() skynet.sleep(1) end)
end

local function between_services()
  local writer = stm.new(skynet.pack(0))
  local services = {}
  for index = 1, 4 do
    services[index] = skynet.newservice "stm_reader"
    claims.equal(skynet.call(services[index], "lua", "handle", stm.copy(writer)), 0)
  end
  for version = 1, 100 do
    writer(skynet.pack(version))
  end
  for _, service in ipairs(services) do
    claims.equal(skynet.call(service, "lua", "read"), 100)
    claims.equal(skynet.call(service, "lua", "read"), false)
  end
end

claims.run("stm versions", {
  { "a reader gets the newest version once", versions },
  { "a block is taken over, and read where it lies", blocks },
  { "every reader counts for itself", readers },
  { "nothing is new when the writer is gone", writer_gone },
  { "wrong use and errors of the reading function are raised", errors },
  { "services read what another writes", between_services },
})
