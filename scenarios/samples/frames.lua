-- Claim:  a request is one frame below 32 KiB of payload and a header with parts from there on, a push takes a session
--         only if it is large, an answer is unpacked into session, success, data and whether more follows; the bytes
--         are skynet's.
-- Kind:   guarantee.
-- Source: distributed services: packing and unpacking, sender and agent (both editions); large messages.
--
-- The second edition describes what the functions give. The first edition's pack and unpack have another layout (length
-- of two bytes, session, address, with big-endian numbers), which no skynet understands.

local sim = require "sim"

local ADDRESS = 0x0b
local SESSION = 7
local LARGE_BYTES = 100 * 1024

local function packer()
  local skynet = require "skynet"
  require "skynet.manager"
  local core = require "skynet.cluster.core"
  local command = {}

  function command.request(text)
    return core.packrequest(ADDRESS, SESSION, text)
  end

  function command.push(text)
    return core.packpush(ADDRESS, SESSION, text)
  end

  function command.reply(text)
    local frames = core.packresponse(SESSION, true, text)
    frames = type(frames) == "table" and frames or { frames }
    local parts = {}
    for i, frame in ipairs(frames) do
      local session, ok, data, is_partial = core.unpackresponse(string.sub(frame, 3))
      parts[i] = { session = session, ok = ok, partial = is_partial or false,
        bytes = type(data) == "string" and #data or data }
    end
    return parts
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, text)
      skynet.retpack(command[name](text))
    end)
    skynet.register ".packer"
  end)
end

sim.scenario "frames of the cluster are packed and unpacked" {
  kind = "guarantee",
  source = "distributed services: packing and unpacking",
  nodes = { a = { start = "packer" } },
  services = { packer = packer },

  story = function(world)
    local function pack(...) return world:call("a", ".packer", ...) end

    local frame, next_session, parts = pack("request", "abc")
    sim.guarantee("a request: length, 0, address, session, payload",
      sim.equal(string.pack(">s2", string.pack("<BI4I4", 0, ADDRESS, SESSION) .. "abc"), frame))
    sim.guarantee("it takes a session and has no parts", next_session == SESSION + 1 and parts == nil)
    sim.guarantee("it is not what the first edition packs",
      frame ~= string.pack(">I2I4I4", 3 + 8, SESSION, ADDRESS) .. "abc")

    frame, next_session, parts = pack("push", "abc")
    sim.guarantee("a push has session 0",
      sim.equal(string.pack(">s2", string.pack("<BI4I4", 0, ADDRESS, 0) .. "abc"), frame))
    sim.guarantee("it takes no session", next_session == SESSION and parts == nil)

    for _, kind in ipairs { "request", "push" } do
      frame, next_session, parts = pack(kind, string.rep("x", LARGE_BYTES))
      local code = kind == "push" and 0x41 or 0x01
      sim.guarantee("a large one begins with a header: address, session, bytes in all",
        sim.equal(string.pack(">s2", string.pack("<BI4I4I4", code, ADDRESS, SESSION, LARGE_BYTES)), frame))
      sim.guarantee("it takes a session", sim.equal(SESSION + 1, next_session))
      local bytes = 0
      for i, part in ipairs(parts) do
        local kind_of_part, session, start = string.unpack("<BI4", part, 3)
        sim.guarantee("its parts bear the session, the last another number",
          kind_of_part == (i == #parts and 3 or 2) and session == SESSION, "%d: %d %d", i, kind_of_part, session)
        bytes = bytes + #part - start + 1
      end
      sim.guarantee("all bytes are in the parts", sim.equal(LARGE_BYTES, bytes))
    end

    sim.guarantee("a small answer is one frame",
      sim.equal({ { session = SESSION, ok = true, bytes = 3, partial = false } }, pack("reply", "abc")))
    local answer = pack("reply", string.rep("x", LARGE_BYTES))
    local last = table.remove(answer)
    sim.guarantee("the last frame of a large answer is not partial", last.ok and not last.partial)
    for _, part in ipairs(answer) do
      sim.guarantee("the others are, under the same session", part.ok and part.partial and part.session == SESSION)
    end
  end,
}
