-- A name server for dns.lua and dns_silence.lua, on a port of its own in the service that loads it:
-- assert(loadfile(SERVICE_PATH .. "name_server.lua"))(). server.reply decides what it answers.

local socket = require "skynet.socket"

local server = { ip = "127.0.0.1", queries = 0 }

-- Types of records.
server.A, server.CNAME, server.AAAA = 1, 5, 28

--- Called with a question { id, name, kind, text = its bytes } for each query; returns the datagrams to send.
---@type fun(question: table): string ...
server.reply = nil

--- A name as bytes, without compression.
function server.name(text)
  return string.gsub(text, "([^.]+)%.?", function(label)
    return string.pack("s1", label)
  end) .. "\0"
end

--- A record about the name of the question (or `owner`, as bytes).
function server.record(kind, ttl, data, owner)
  return (owner or "\xc0\x0c") .. string.pack(">I2I2I4s2", kind, 1, ttl, data)
end

--- An answer with records. `verdict`: 3 = no such name.
function server.answer(question, records, verdict)
  return string.pack(">I2I2I2I2I2I2", question.id, 0x8180 | (verdict or 0), 1, #records, 0, 0) ..
    question.text .. table.concat(records)
end

local function parse(query)
  local id, _, _, _, _, _, at = string.unpack(">I2I2I2I2I2I2", query)
  local labels, start = {}, at
  while true do
    local label
    label, at = string.unpack("s1", query, at)
    if label == "" then
      break
    end
    labels[#labels + 1] = label
  end
  local kind = string.unpack(">I2", query, at)
  return { id = id, name = table.concat(labels, "."), kind = kind, text = string.sub(query, start, at + 3) }
end

local id

local function on_query(query, from)
  server.queries = server.queries + 1
  for _, datagram in ipairs { server.reply(parse(query)) } do
    socket.sendto(id, from, datagram)
  end
end

--- Listens on a port that is free for TCP and UDP, which it returns.
function server.start()
  repeat
    local listener, _, port = socket.listen(server.ip, 0)
    local ok, opened = pcall(socket.udp_listen, server.ip, port, on_query)
    socket.close(listener)
    id, server.port = ok and opened, port
  until ok
  return server.port
end

return server
