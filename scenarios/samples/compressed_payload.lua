-- Claim:  texts that are longer than 1 KiB and lose a tenth or more by compression travel compressed, all others as
--         they are; a byte in front says which; each arrives as it was sent, and one that is damaged is refused.
-- Kind:   guarantee.
-- Source: distributed services: compression of messages (both editions).
--
-- Neither skynet nor skysim has a module zlib, so the codec is a parameter. By default it is a few lines of Lua that
-- shorten runs of a byte. `--set codec=deflate` takes a module in C over zlib, the one in deflate/, as a project would
-- bring its own; deflate/BUILD.bazel says how to build it.
--
-- The documents show the sending side only, and send a plain text; so does this, and shows the other side.

local sim = require "sim"

local LENGTH_MIN = 1024      -- shorter ones are not worth the work
local TEXT_BYTES_MAX = 1024 * 1024
local LARGE_BYTES = 200 * 1024

-- Compresses runs of one byte: pairs of a length and that byte.
local function make_runs()
  local runs = {}

  function runs.compress(text)
    local pairs_of_run, at = {}, 1
    while at <= #text do
      local byte, length = string.byte(text, at), 1
      while length < 255 and string.byte(text, at + length) == byte do
        length = length + 1
      end
      pairs_of_run[#pairs_of_run + 1] = string.char(length, byte)
      at = at + length
    end
    return table.concat(pairs_of_run)
  end

  function runs.decompress(bytes, size_max)
    local parts, size = {}, 0
    if #bytes % 2 ~= 0 then
      return nil, "damaged"
    end
    for at = 1, #bytes, 2 do
      local length, byte = string.byte(bytes, at, at + 1)
      size = size + length
      if length == 0 or size > size_max then
        return nil, length == 0 and "damaged" or "too long a text"
      end
      parts[#parts + 1] = string.rep(string.char(byte), length)
    end
    return table.concat(parts)
  end

  return runs
end

local function make_codec()
  local name = sim.setting("codec", "runs")
  return name == "runs" and make_runs() or require(name)
end

local function pack_text(codec, text)
  if #text > LENGTH_MIN then
    local compressed = codec.compress(text)
    if #compressed < #text * 0.9 then
      return "\1" .. compressed
    end
  end
  return "\0" .. text
end

local function unpack_text(codec, bytes)
  local mark, data = string.sub(bytes, 1, 1), string.sub(bytes, 2)
  if mark == "\0" then
    return data
  elseif mark == "\1" then
    return codec.decompress(data, TEXT_BYTES_MAX)
  end
  return nil, "no mark"
end

local function receiver()
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"
  local codec = make_codec()
  local texts = {}

  skynet.start(function()
    skynet.dispatch("lua", function(session, _, bytes)
      local text, reason = unpack_text(codec, bytes)
      texts[#texts + 1] = text
      sim.probe("received", #bytes, text and #text, reason)
      if session > 0 then
        skynet.retpack(texts)
      end
    end)
    cluster.register "receiver"
    cluster.open "db"
  end)
end

local function sender()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local codec = make_codec()

  local function noise(size)
    local bytes = {}
    for i = 1, size do
      bytes[i] = string.char(math.random(0, 255))
    end
    return table.concat(bytes)
  end

  local texts = {
    "",
    "short",
    string.rep("x", LENGTH_MIN),                  -- not longer than it
    string.rep("x", LENGTH_MIN + 1),
    noise(4096),                                  -- does not become shorter
    string.rep("a", 3000) .. string.rep("\0", 3000),
    string.rep("y", LARGE_BYTES),                 -- in parts, if it were not compressed
    noise(LARGE_BYTES),                           -- in parts
  }

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      if name == "send" then
        for _, text in ipairs(texts) do
          cluster.send("db", "@receiver", pack_text(codec, text))
        end
      elseif name == "damaged" then
        cluster.send("db", "@receiver", "\1" .. string.sub(codec.compress(texts[4]), 1, -2))
        cluster.send("db", "@receiver", "\2" .. texts[2])
        cluster.send("db", "@receiver", "\1" .. codec.compress(string.rep("x", TEXT_BYTES_MAX + 1)))
      elseif name == "compare" then
        local received = cluster.call("db", "@receiver", pack_text(codec, "last"))
        table.remove(received)
        for i, text in ipairs(texts) do
          if received[i] ~= text then
            return skynet.retpack(i)
          end
        end
        return skynet.retpack(#received == #texts)
      end
      skynet.retpack(#texts)
    end)
    skynet.register ".sender"
  end)
end

sim.scenario "long texts travel compressed" {
  kind = "guarantee",
  source = "distributed services: compression of messages",
  nodes = {
    db = { start = "receiver", cluster = "10.0.0.1:9001", config = { lua_cpath = "./deflate/?.so" } },
    game = { start = "sender", cluster = "10.0.0.2:7001", config = { lua_cpath = "./deflate/?.so" } },
  },
  network = { delay = "1ms" },
  services = { receiver = receiver, sender = sender },

  story = function(world)
    local function received_after(name, count)
      local before = #world:probes "received"
      world:call("game", ".sender", name)
      sim.liveness("all texts arrive", function() return #world:probes "received" == before + count end, "10s")
      return table.move(world:probes "received", before + 1, before + count, 1, {})
    end

    local count = world:call("game", ".sender", "count")
    local is_shorter = {}
    for i, probe in ipairs(received_after("send", count)) do
      is_shorter[i] = probe[1] < probe[2]
      sim.guarantee("nothing becomes longer but by its mark", probe[1] <= probe[2] + 1, "%d of %d", probe[1], probe[2])
    end
    sim.guarantee("what is long and regular is compressed",
      sim.equal({ false, false, false, true, false, true, true, false }, is_shorter))
    sim.guarantee("each text arrives as it was sent", sim.equal(true, world:call("game", ".sender", "compare")))

    local reasons = {}
    for i, probe in ipairs(received_after("damaged", 3)) do
      reasons[i] = probe[3] or probe[4]
    end
    sim.guarantee("what is damaged, unmarked or too long is refused",
      sim.equal({ "damaged", "no mark", "too long a text" }, reasons))
  end,
}
