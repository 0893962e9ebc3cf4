-- Host names to addresses: the hosts file first, then a name server, over UDP.
--
-- Answers are kept for their time to live; one that has expired still serves if no new one comes. A query is repeated
-- every 5 s and given up after 30 s. A datagram that is not the answer to a query under way (wrong sender, id or
-- question, or bytes that cannot be read) is dropped, and the query goes on waiting. The socket is closed when it has
-- not been used for 60 to 120 s. Both files are read through `io` when they are first needed.

local skynet = require "skynet"
local socket = require "skynet.socket"

local string_format, string_pack, string_unpack = string.format, string.pack, string.unpack

local PORT = 53
-- How long a query is repeated, and the pause between two tries, in cs.
local ANSWER_CS = 3000
local REPEAT_CS = 500
-- A socket unused for this long is closed, in cs.
local IDLE_CS = 6000
-- Of RFC 1035: a name with its length bytes.
local NAME_BYTES_MAX = 255

-- Record types, and the class "internet".
local TYPE_A <const> = 1
local TYPE_CNAME <const> = 5
local TYPE_AAAA <const> = 28
local CLASS_IN <const> = 1

-- Bits of a message's flags: a query that wants recursion; the bit that marks an answer; its verdict.
local FLAGS_QUERY <const> = 0x0100
local FLAG_ANSWER <const> = 0x8000
local VERDICT_MASK <const> = 0x000f

---@class skynet.dns
local dns = {
  DEFAULT_HOSTS = "/etc/hosts",
  DEFAULT_RESOLV_CONF = "/etc/resolv.conf",
}

-- { ip, port } of the name server; nil: not chosen yet.
local server
-- The UDP socket; nil: closed. used_cs: when it last sent or got something.
local channel, used_cs
-- Query id -> { id, name, kind, tasks = tokens of those who wait with the first, answer }
local by_id = {}
-- Key (see key_of) -> the same queries.
local by_key = {}
-- Key -> { list, expires_cs }
local cache = {}
-- Key -> list of addresses of the hosts file; nil: not read yet.
local hosts

local function key_of(name, kind)
  return kind .. " " .. name
end

---------------------------------------------------------------------------------------------------------------------
-- Names and addresses as text

local function is_ipv4(text)
  local count = 0
  for part in string.gmatch(text .. ".", "(%d+)%.") do
    count = count + 1
    if #part > 3 or tonumber(part) > 255 then
      return false
    end
  end
  return count == 4 and string.find(text, "^%d+%.%d+%.%d+%.%d+$") ~= nil
end

local function is_ipv6(text)
  return string.find(text, ":", 1, true) ~= nil and string.find(text, "^[%x:.]+$") ~= nil
end

-- Without the dot at the end and in lower case; nil: not a name.
local function normal_name(name)
  name = string.lower(string.gsub(name, "%.$", ""))
  if name == "" or #name > NAME_BYTES_MAX - 2 then
    return nil
  end
  for label in string.gmatch(name .. ".", "([^.]*)%.") do
    if #label == 0 or #label > 63 or string.find(label, "[^%w_-]") then
      return nil
    end
  end
  return name
end

---------------------------------------------------------------------------------------------------------------------
-- Files

-- Calls f(words) for each line that is not empty; "#" begins a comment. No such file: no lines.
local function each_line(path, f)
  local file = io.open(path)
  if not file then
    return
  end
  for line in file:lines() do
    local words = {}
    for word in string.gmatch(string.gsub(line, "#.*", ""), "%S+") do
      words[#words + 1] = word
    end
    if words[1] then
      f(words)
    end
  end
  file:close()
end

local function read_hosts()
  local found = {}
  each_line(dns.DEFAULT_HOSTS, function(words)
    local address = words[1]
    local kind = is_ipv4(address) and TYPE_A or is_ipv6(address) and TYPE_AAAA
    for index = 2, kind and #words or 0 do
      local name = normal_name(words[index])
      if name then
        local key = key_of(name, kind)
        found[key] = found[key] or {}
        table.insert(found[key], address)
      end
    end
  end)
  return found
end

local function configured_server()
  local ip
  each_line(dns.DEFAULT_RESOLV_CONF, function(words)
    if words[1] == "nameserver" then
      ip = ip or words[2]
    end
  end)
  return ip or error(string_format("dns: no nameserver in %s", dns.DEFAULT_RESOLV_CONF), 3)
end

---------------------------------------------------------------------------------------------------------------------
-- Messages of RFC 1035. Reading raises where the bytes end too early or make no sense.

local function encode_query(query)
  local labels = {}
  for label in string.gmatch(query.name, "[^.]+") do
    labels[#labels + 1] = string_pack("s1", label)
  end
  return string_pack(">I2I2I2I2I2I2", query.id, FLAGS_QUERY, 1, 0, 0, 0) .. table.concat(labels) ..
    string_pack(">BI2I2", 0, query.kind, CLASS_IN)
end

-- Returns the name at `at` in lower case, and where the bytes after it begin. A pointer must lead back, and each
-- further than the one before, so that no chain of them is endless.
local function decode_name(message, at)
  local labels, bytes, after, bound = {}, 0, nil, at
  while true do
    local size = string_unpack("B", message, at)
    if size == 0 then
      return string.lower(table.concat(labels, ".")), after or at + 1
    elseif size < 64 then
      labels[#labels + 1], at = string_unpack("s1", message, at)
      bytes = bytes + size + 1
      assert(bytes < NAME_BYTES_MAX, "a name is too long")
    else
      assert(size >= 0xc0, "a label of an unknown kind")
      local pointer, behind = string_unpack(">I2", message, at)
      after = after or behind
      at = (pointer & 0x3fff) + 1
      assert(at < bound, "a pointer that does not lead back")
      bound = at
    end
  end
end

local decode_address = {
  [TYPE_A] = function(data)
    assert(#data == 4, "an address of a wrong length")
    return string_format("%d.%d.%d.%d", string.byte(data, 1, 4))
  end,
  [TYPE_AAAA] = function(data)
    assert(#data == 16, "an address of a wrong length")
    return string_format("%x:%x:%x:%x:%x:%x:%x:%x", string_unpack(">I2I2I2I2I2I2I2I2", data))
  end,
}

-- Returns { owner, kind, ttl, value } and where the bytes after it begin. value: an address or a name; nil for others.
local function decode_record(message, at)
  local owner, kind, class, ttl, data, value
  owner, at = decode_name(message, at)
  kind, class, ttl, data, at = string_unpack(">I2I2I4s2", message, at)
  if class == CLASS_IN and kind == TYPE_CNAME then
    value = decode_name(message, at - #data)
  elseif class == CLASS_IN and decode_address[kind] then
    value = decode_address[kind](data)
  end
  return { owner = owner, kind = kind, ttl = ttl, value = value }, at
end

-- Returns { id, verdict, name, kind, records }.
local function decode_answer(message)
  local id, flags, questions, answers, _, _, at = string_unpack(">I2I2I2I2I2I2", message)
  assert(flags & FLAG_ANSWER ~= 0, "not an answer")
  assert(questions == 1, "not one question")
  local name, kind, class
  name, at = decode_name(message, at)
  kind, class, at = string_unpack(">I2I2", message, at)
  assert(class == CLASS_IN, "a question of another class")
  local records = {}
  for index = 1, answers do
    records[index], at = decode_record(message, at)
  end
  return { id = id, verdict = flags & VERDICT_MASK, name = name, kind = kind, records = records }
end

-- The addresses of a name, also through aliases, and for how many seconds they hold.
local function addresses_of(answer)
  local alias, owners, ttl = {}, {}, math.huge
  for _, record in ipairs(answer.records) do
    if record.kind == TYPE_CNAME and record.value then
      alias[record.owner] = record
    end
  end
  local name = answer.name
  while name and not owners[name] do
    owners[name] = true
    local record = alias[name]
    ttl = record and math.min(ttl, record.ttl) or ttl
    name = record and record.value
  end
  local list = {}
  for _, record in ipairs(answer.records) do
    if record.kind == answer.kind and record.value and owners[record.owner] then
      list[#list + 1] = record.value
      ttl = math.min(ttl, record.ttl)
    end
  end
  return list, ttl
end

---------------------------------------------------------------------------------------------------------------------
-- The socket

local function is_server(from)
  local ip, port = socket.udp_address(from)
  -- An IPv6 address has many spellings: of such a server only the port is compared.
  return port == server.port and (ip == server.ip or is_ipv6(server.ip))
end

local function on_datagram(message, from)
  used_cs = skynet.now()
  local ok, answer = pcall(decode_answer, message)
  local query = ok and is_server(from) and by_id[answer.id]
  if not query or answer.name ~= query.name or answer.kind ~= query.kind then
    skynet.error(string_format("dns: drop a datagram of %d bytes: %s", #message,
      ok and "no query under way has its sender, id and question" or answer))
    return
  end
  query.answer = answer
  skynet.wakeup(query)
end

local function close_channel()
  local id = channel
  channel = nil
  if id then
    socket.close(id)
  end
end

local function close_when_idle(id)
  if channel ~= id then
    return
  elseif skynet.now() - used_cs >= IDLE_CS and next(by_id) == nil then
    close_channel()
  else
    skynet.timeout(IDLE_CS, function() close_when_idle(id) end)
  end
end

local function send(query)
  used_cs = skynet.now()
  if not channel then
    local id = socket.udp_dial(server.ip, server.port, on_datagram)
    channel = id
    skynet.timeout(IDLE_CS, function() close_when_idle(id) end)
  end
  socket.write(channel, encode_query(query))
end

---------------------------------------------------------------------------------------------------------------------
-- Queries

local function new_query(name, kind)
  local id
  repeat
    id = math.random(0, 0xffff)
  until not by_id[id]
  local query = { id = id, name = name, kind = kind, tasks = {} }
  by_id[id], by_key[key_of(name, kind)] = query, query
  return query
end

local function end_query(query)
  by_id[query.id], by_key[key_of(query.name, query.kind)] = nil, nil
  for _, token in ipairs(query.tasks) do
    skynet.wakeup(token)
  end
end

local function run_query(name, kind)
  local query = new_query(name, kind)
  local deadline_cs = skynet.now() + ANSWER_CS
  local ok, reason
  repeat
    ok, reason = pcall(send, query)
    if not ok then
      break
    end
    skynet.sleep(REPEAT_CS, query)
  until query.answer or skynet.now() >= deadline_cs
  end_query(query)
  if not ok then
    skynet.error(string_format("dns: cannot ask %s: %s", server.ip, reason))
  end
  return query
end

-- Asks the server, or waits with the task that does already. Returns the addresses, and for how many seconds they
-- hold; nil if there are none.
local function ask(name, kind)
  local query = by_key[key_of(name, kind)]
  if query then
    local token = {}
    table.insert(query.tasks, token)
    skynet.wait(token)
  else
    query = run_query(name, kind)
  end
  if query.answer and query.answer.verdict == 0 then
    local list, ttl = addresses_of(query.answer)
    if list[1] then
      return list, ttl
    end
  end
end

---------------------------------------------------------------------------------------------------------------------

--- Chooses the name server; without arguments the first of DEFAULT_RESOLV_CONF.
---@param ip? string
---@param port? integer default 53
function dns.server(ip, port)
  server = { ip = ip or configured_server(), port = port or PORT }
  close_channel()
end

--- Forgets all answers and the hosts file.
function dns.flush()
  cache, hosts = {}, nil
end

--- Finds the addresses of a host; waits for the server if need be. An address is its own. Raises when the server does
--- not answer or knows no address, and no earlier answer is left.
---@param name string
---@param ipv6? boolean IPv6 addresses instead of IPv4
---@return string? address the first of the list
---@return string[]|string addresses or "illegal name"
function dns.resolve(name, ipv6)
  if is_ipv4(name) or is_ipv6(name) then
    return name, { name }
  end
  local host = normal_name(name)
  if not host then
    return nil, "illegal name"
  end
  hosts = hosts or read_hosts()
  local kind = ipv6 and TYPE_AAAA or TYPE_A
  local key = key_of(host, kind)
  if hosts[key] then
    return hosts[key][1], hosts[key]
  end
  local known = cache[key]
  if known and skynet.now() < known.expires_cs then
    return known.list[1], known.list
  end
  if not server then
    dns.server()
  end
  local list, ttl = ask(host, kind)
  if list then
    known = { list = list, expires_cs = skynet.now() + ttl * 100 }
    cache[key] = known
  elseif not known then
    error(string_format("dns: %s: timeout or no answer", name))
  end
  return known.list[1], known.list
end

return dns
