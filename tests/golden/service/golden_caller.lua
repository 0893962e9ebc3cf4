-- Makes the recorded calls (../README.md), each when it is told to, by lines on a connection that it opens to the port
-- of config `control_port`. A line is the name of a recording, the answer is a line for each result, in the order in
-- which the callers were resumed, and a line with a dot. Nodes: "db" in recordings cluster_*, "probe" in client_*.
local skynet = require "skynet"
local cluster = require "skynet.cluster"
local socket = require "skynet.socket"
require "skynet.manager"

local ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
-- The echo service of the recordings, and a handle that nobody has.
local ECHO, DEAD = 10, 0x7fffff
local KIB100 = 100 * 1024

local function fill(size)
  return string.sub(string.rep(ALPHABET, size // #ALPHABET + 1), 1, size)
end

---------------------------------------------------------------------------------------------------------------------
-- Results as text

local function adler32(text)
  local low, high = 1, 0
  for index = 1, #text do
    low = (low + string.byte(text, index)) % 65521
    high = (high + low) % 65521
  end
  return high << 16 | low
end

-- A value; a long string as its length and checksum.
local function describe(value)
  if type(value) == "string" and #value > 100 then
    return string.format("%d bytes %08x", #value, adler32(value))
  end
  return tostring(value)
end

local function result(ok, ...)
  if not ok then
    return "failed"
  end
  local values = table.pack(...)
  for index = 1, values.n do
    values[index] = describe(values[index])
  end
  return table.concat(values, " ")
end

-- Runs the functions as tasks of their own. The results of those that have one, in the order in which the tasks end.
local function together(functions)
  local results, left, all = {}, #functions, {}
  for _, f in ipairs(functions) do
    skynet.fork(function()
      local text = f()
      results[#results + 1] = text
      left = left - 1
      if left == 0 then
        skynet.wakeup(all)
      end
    end)
  end
  skynet.wait(all)
  return results
end

---------------------------------------------------------------------------------------------------------------------
-- Recordings cluster_*

local function calls(address, ...)
  local arguments = table.pack(...)
  return function()
    return { result(pcall(cluster.call, "db", address, table.unpack(arguments, 1, arguments.n))) }
  end
end

local function sends(address, ...)
  local arguments = table.pack(...)
  return function()
    cluster.send("db", address, table.unpack(arguments, 1, arguments.n))
    return {}
  end
end

local function traced(f)
  return function()
    return together { function()
      skynet.trace()
      return f()[1]
    end }
  end
end

local function query(name)
  return function()
    return { result(pcall(cluster.query, "db", name)) }
  end
end

local recording = {
  cluster_query_ok = query "echo",
  cluster_query_fail = query "nosuchname",
  cluster_call_small_number = calls(ECHO, "ECHO", "hello", 42, true),
  cluster_call_small_atname = calls("@echo", "ECHO", "hello"),
  cluster_call_small_dotname = calls(".echo", "ECHO", "hello"),
  cluster_call_empty_response = calls(ECHO, "EMPTY"),
  cluster_call_large_number = calls(ECHO, "ECHO", fill(KIB100)),
  cluster_call_large_name = calls("@echo", "LEN", fill(KIB100)),
  cluster_call_large_response = calls(ECHO, "REP", "R", KIB100),
  cluster_req_32767 = calls(ECHO, "LEN", fill(32767 - 7)),  -- "LEN" packs into 4 bytes, a length of 16 bits into 3
  cluster_req_32768 = calls(ECHO, "LEN", fill(32768 - 7)),
  cluster_req_65536 = calls(ECHO, "LEN", fill(65536 - 7)),
  cluster_resp_32768 = calls(ECHO, "REP", "a", 32768 - 3),
  cluster_resp_32769 = calls(ECHO, "REP", "a", 32769 - 3),
  cluster_push_small_number = sends(ECHO, "LEN", "abc"),
  cluster_push_small_name = sends("@echo", "LEN", "abc"),
  cluster_push_large_number = sends(ECHO, "LEN", fill(40000)),
  cluster_push_large_name = sends("@echo", "LEN", fill(40000)),
  cluster_push_invalid_name = sends("@nosuch", "LEN", "abc"),
  cluster_push_invalid_addr = sends(DEAD, "LEN", "abc"),
  cluster_err_callee = calls(ECHO, "ERR"),
  cluster_err_bad_addr = calls(DEAD, "ECHO"),
  cluster_err_bad_dotname = calls(".nosuch", "ECHO"),
  cluster_err_bad_atname = calls("@nosuch", "ECHO"),
  cluster_after = calls(ECHO, "ECHO", "again"),
  cluster_trace_small = traced(calls(ECHO, "ECHO", "traced")),
  cluster_trace_large = traced(calls(ECHO, "LEN", fill(33000))),
}

function recording.cluster_trace_query_then_plain()
  return { traced(query "echo")()[1], calls(ECHO, "ECHO", "plain")()[1] }
end

function recording.cluster_proxy_call()
  return { result(pcall(skynet.call, cluster.proxy("db@echo"), "lua", "ECHO", "viaproxy")) }
end

function recording.cluster_proxy_send()
  skynet.send(cluster.proxy("db@echo"), "lua", "LEN", "viaproxy")
  return {}
end

function recording.cluster_snax()
  return { result(pcall(cluster.snax("db", "ping").req.echo, "pong?")) }
end

function recording.cluster_snax_post()
  cluster.snax("db", "ping").post.note("note!")
  return {}
end

function recording.cluster_u_r_order()
  return together {
    function() return calls(ECHO, "U")()[1] end,
    function() return calls(ECHO, "R")()[1] end,
  }
end

---------------------------------------------------------------------------------------------------------------------
-- Recordings client_*: messages whose only argument is their name

-- The name of a call, and what came of it.
local function probe(name)
  return name .. ": " .. result(pcall(cluster.call, "probe", ECHO, name))
end

local function probe_sends(...)
  for _, name in ipairs { ... } do
    cluster.send("probe", ECHO, name)
  end
end

-- Overlapping calls.
local function probes(...)
  local functions = {}
  for index, name in ipairs { ... } do
    functions[index] = function() return probe(name) end
  end
  return function() return together(functions) end
end

function recording.client_01_first_contact()
  local functions = {}
  for index = 1, 4 do
    functions[#functions + 1] = function() probe_sends("S" .. index) end
    functions[#functions + 1] = function() return probe("C" .. index) end
  end
  return together(functions)
end

recording.client_02_eight_in_one_segment = probes("a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8")
recording.client_03_reversed = probes("b1", "b2", "b3", "b4", "b5")
recording.client_04_interleaved_multipart = probes("c1", "c2", "c3")
recording.client_05_unknown_session = probes "d1"
recording.client_06_size_mismatch = probes "e1"
recording.client_07_short_reply = probes("f1", "f2", "f3")
recording.client_08_after_reconnect = probes "g1"
recording.client_09_close_in_flight = probes("h1", "h2", "h3", "h4", "h5", "h6")
recording.client_10_close_mid_multipart = probes "i1"
recording.client_11_bad_reply_type = probes "j1"
recording.client_12_error_after_parts = probes "k1"
recording.client_14_back = probes "m1"
recording.client_15_close = probes "n0"
recording.client_17_big_segment = probes("o1", "o2", "o3", "o4")
recording.client_18_zero_length = probes "p1"

function recording.client_13_server_goes()
  return { probe "l0", probe "l1", probe "l2" }
end

function recording.client_16_push_after_reconnect()
  probe_sends("n1", "n2")
  return { probe "n3" }
end

---------------------------------------------------------------------------------------------------------------------

skynet.start(function()
  local peer = "127.0.0.1:" .. skynet.getenv "golden_port"
  cluster.reload { db = peer, probe = peer }
  local control = assert(socket.open("127.0.0.1", tonumber(skynet.getenv "control_port")))
  skynet.fork(function()
    socket.write(control, skynet.address(skynet.self()) .. "\n")
    local name = socket.readline(control)
    while name do
      local lines = recording[name]()
      lines[#lines + 1] = ".\n"
      socket.write(control, table.concat(lines, "\n"))
      name = socket.readline(control)
    end
    skynet.abort()
  end)
end)
