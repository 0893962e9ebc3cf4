-- skynet.dns
local skynet = require "skynet"
local dns = require "skynet.dns"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()
local server = assert(loadfile(SERVICE_PATH .. "name_server.lua"))()

local A, AAAA, CNAME = server.A, server.AAAA, server.CNAME

-- Bytes of an IPv4 address.
local function ip(...)
  return string.char(...)
end

-- Lets the server answer each query with these records.
local function answer_with(...)
  local records = { ... }
  server.reply = function(question)
    return server.answer(question, records)
  end
end

-- The server answers with what `forge` makes of a good answer, and then with the good one: 1.2.3.4.
local function good_after(forge)
  server.reply = function(question)
    local good = server.answer(question, { server.record(A, 60, ip(1, 2, 3, 4)) })
    return forge(question, good), good
  end
end

local function with_file(field, text, f)
  local path, before = os.tmpname(), dns[field]
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  dns[field] = path
  dns.flush()
  local ok, reason = pcall(f)
  dns[field] = before
  dns.flush()
  os.remove(path)
  assert(ok, reason)
end

local function resolves()
  answer_with(server.record(A, 60, ip(10, 1, 2, 3)), server.record(A, 60, ip(10, 1, 2, 4)))
  local address, list = dns.resolve("two.example")
  claims.equal(address, "10.1.2.3")
  claims.equal(list, { "10.1.2.3", "10.1.2.4" })
end

local function resolves_ipv6()
  answer_with(server.record(AAAA, 60, "\x20\x01\x0d\xb8" .. string.rep("\0", 11) .. "\x01"))
  claims.equal(dns.resolve("six.example", true), "2001:db8:0:0:0:0:0:1")
end

local function follows_aliases()
  answer_with(
    server.record(CNAME, 60, server.name "b.example"),
    server.record(CNAME, 60, server.name "C.example", server.name "B.example"),
    server.record(A, 60, ip(9, 9, 9, 9), server.name "stranger.example"),
    server.record(16, 60, "\4text"),
    server.record(A, 60, ip(10, 0, 0, 3), server.name "c.example"))
  claims.equal(table.pack(dns.resolve("alias.example")), { n = 2, "10.0.0.3", { "10.0.0.3" } })
end

local function literals()
  local before = server.queries
  claims.equal(dns.resolve("10.2.3.4"), "10.2.3.4")
  claims.equal(dns.resolve("::1"), "::1")
  claims.equal(dns.resolve("fe80::1", true), "fe80::1")
  claims.equal(server.queries, before)
end

local function illegal_names()
  local long_label = string.rep("x", 64)
  for _, name in ipairs { "", ".", "a..b", "a b", "a/b", long_label .. ".example", string.rep("a.", 127) .. "b" } do
    claims.equal(table.pack(dns.resolve(name)), { n = 2, nil, "illegal name" })
  end
end

local function keeps_answers()
  answer_with(server.record(A, 60, ip(10, 0, 0, 1)))
  dns.resolve("kept.example")
  local before = server.queries
  claims.equal(dns.resolve("KEPT.example."), "10.0.0.1")
  claims.equal(server.queries, before)
  dns.flush()
  answer_with(server.record(A, 60, ip(10, 0, 0, 2)))
  claims.equal(dns.resolve("kept.example"), "10.0.0.2")
end

local function uses_expired()
  answer_with(server.record(A, 0, ip(10, 0, 0, 7)))
  dns.resolve("expired.example")
  local before = server.queries
  server.reply = function(question)
    return server.answer(question, {}, 3)
  end
  claims.equal(dns.resolve("expired.example"), "10.0.0.7")
  claims.equal(server.queries, before + 1)
end

local function no_such_name()
  server.reply = function(question)
    return server.answer(question, {}, 3)
  end
  claims.raises("timeout or no answer", dns.resolve, "missing.example")
  answer_with()
  claims.raises("timeout or no answer", dns.resolve, "empty.example")
end

local function one_query_for_all()
  answer_with(server.record(A, 60, ip(10, 0, 0, 5)))
  local before, tasks = server.queries, {}
  for index = 1, 20 do
    tasks[index] = function() return (dns.resolve("shared.example")) end
  end
  for _, address in ipairs(claims.all(tasks)) do
    claims.equal(address, "10.0.0.5")
  end
  claims.equal(server.queries, before + 1)
end

local function many_at_once()
  server.reply = function(question)
    local number = tonumber(string.match(question.name, "%d+"))
    return server.answer(question, { server.record(A, 60, ip(10, 0, 1, number)) })
  end
  local tasks = {}
  for index = 1, 50 do
    tasks[index] = function() return (dns.resolve("n" .. index .. ".example")) end
  end
  for index, address in ipairs(claims.all(tasks)) do
    claims.equal(address, "10.0.1." .. index)
  end
end

local function hosts_file()
  local text = "# comment\n127.0.0.5 One.example uno # two\n10.0.0.6\tone.example\nfe80::5 one.example\nnonsense x\n"
  with_file("DEFAULT_HOSTS", text, function()
    local before = server.queries
    claims.equal(table.pack(dns.resolve("one.example")), { n = 2, "127.0.0.5", { "127.0.0.5", "10.0.0.6" } })
    claims.equal(dns.resolve("uno"), "127.0.0.5")
    claims.equal(dns.resolve("one.example", true), "fe80::5")
    claims.equal(server.queries, before)
  end)
end

local function resolv_conf()
  with_file("DEFAULT_RESOLV_CONF", "search example\n# nameserver 1.1.1.1\nnameserver 127.0.0.1\n", function()
    dns.server()
    dns.server(server.ip, server.port)
  end)
  with_file("DEFAULT_RESOLV_CONF", "search example\n", function()
    claims.raises("no nameserver in ", dns.server)
  end)
  claims.raises("no nameserver in /no/such/file", function()
    dns.DEFAULT_RESOLV_CONF = "/no/such/file"
    dns.server()
  end)
end

-- Bad answers. After each the good one is still taken.
local forgeries = {
  { "of another id", function(question, good)
    return string.pack(">I2", question.id ~ 1) .. string.sub(good, 3)
  end },
  { "to another question", function(question)
    local other = { id = question.id, text = server.name "other.example" .. string.pack(">I2I2", A, 1) }
    return server.answer(other, { server.record(A, 60, ip(6, 6, 6, 6)) })
  end },
  { "to a question of another type", function(question)
    local other = { id = question.id, text = server.name(question.name) .. string.pack(">I2I2", AAAA, 1) }
    return server.answer(other, { server.record(A, 60, ip(6, 6, 6, 6)) })
  end },
  { "that is a query", function(_, good)
    return string.sub(good, 1, 2) .. "\1\0" .. string.sub(good, 5)
  end },
  { "with more records promised than there are", function(_, good)
    return string.sub(good, 1, 6) .. "\255\255" .. string.sub(good, 9)
  end },
  { "with an address of three bytes", function(question)
    return server.answer(question, { server.record(A, 60, "\6\6\6") })
  end },
  { "whose name points at itself", function(question, good)
    return server.answer(question, { server.record(A, 60, ip(6, 6, 6, 6), string.pack(">I2", 0xc000 | #good - 16)) })
  end },
  { "whose name points forward", function(question)
    return server.answer(question, { server.record(A, 60, ip(6, 6, 6, 6), "\xff\xff") })
  end },
  { "whose names point at each other", function(question)
    local at = 12 + #question.text
    local owner = string.pack("s1>I2", "a", 0xc000 | at)
    return server.answer(question, { server.record(CNAME, 60, string.pack(">I2", 0xc000 | at), owner) })
  end },
  { "whose alias points past the end", function(question)
    return server.answer(question, { server.record(CNAME, 60, "\x3fabc") })
  end },
  { "whose label is of an unknown kind", function(question)
    return server.answer(question, { server.record(A, 60, ip(6, 6, 6, 6), "\x80") })
  end },
  { "whose name is longer than 255 bytes", function(question)
    return server.answer(question, { server.record(A, 60, ip(6, 6, 6, 6), server.name(string.rep("label.", 60))) })
  end },
}

local function cut_answers()
  local bytes = 0
  good_after(function(_, good)
    bytes = bytes + 1
    return string.sub(good, 1, bytes)
  end)
  for cut = 1, 45 do  -- the shortest good answer has 47 bytes
    claims.equal(dns.resolve("cut" .. cut .. ".example"), "1.2.3.4")
  end
end

local function forged_answers()
  for index, forgery in ipairs(forgeries) do
    good_after(forgery[2])
    claims.equal(dns.resolve("forged" .. index .. ".example"), "1.2.3.4", "an answer " .. forgery[1])
  end
end

local function alias_loop()
  answer_with(
    server.record(CNAME, 60, server.name "b.example"),
    server.record(CNAME, 60, server.name "loop.example", server.name "b.example"))
  claims.raises("timeout or no answer", dns.resolve, "loop.example")
end

skynet.init(function()
  dns.DEFAULT_HOSTS = "/no/such/file"
  dns.server(server.ip, server.start())
end)

claims.run("skynet.dns", {
  { "a name has the addresses that the server gives", resolves },
  { "IPv6 addresses come when they are asked for", resolves_ipv6 },
  { "aliases are followed, and records of strangers ignored", follows_aliases },
  { "an address is its own, without a query", literals },
  { "an illegal name gives nil and the reason", illegal_names },
  { "an answer is kept for its time, and until flush", keeps_answers },
  { "an expired answer serves if there is no new one", uses_expired },
  { "a name that does not exist raises", no_such_name },
  { "tasks that ask for one name share a query", one_query_for_all },
  { "many names at once get their own answers", many_at_once },
  { "the hosts file comes first", hosts_file },
  { "server takes the first nameserver of resolv.conf", resolv_conf },
  { "an answer cut anywhere is dropped, and the good one taken", cut_answers },
  { "a forged or malformed answer is dropped, and the good one taken", forged_answers },
  { "aliases that lead in a circle end", alias_loop },
})
