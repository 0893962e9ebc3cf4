-- snax.loginserver (login_master.lua) and snax.msgserver (login_gate.lua); this is the client.
local skynet = require "skynet"
local socket = require "skynet.socket"
local crypt = require "skynet.crypt"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local encode, decode = crypt.base64encode, crypt.base64decode
local login_port, gate, gate_port
-- Of the user who stays: { secret, username }.
local user

local function port_of(service)
  for _, facts in ipairs(socket.netstat()) do
    if facts.address == service and facts.type == "LISTEN" then
      return math.tointeger(string.match(facts.sock, ":(%d+)$"))
    end
  end
  error "it does not listen"
end

local function servers()
  local master = skynet.newservice "login_master"
  login_port = port_of(master)
  gate = skynet.newservice "login_gate"
  claims.equal(skynet.call(gate, "lua", "open", { address = "127.0.0.1", port = 0, servername = "world" }),
    "registered as world")
  gate_port = port_of(gate)
  claims.equal(skynet.call(master, "lua", "register", "world", gate), "registered")
  claims.raises("call failed", skynet.call, master, "lua", "no such command")
  claims.raises("call failed", skynet.call, gate, "lua", "no such command")
end

-- What a client sends, line by line: functions of what it has read before.
local function steps(token, key, secret)
  return {
    function() return crypt.dhexchange(key) end,
    function(challenge, server_key)
      secret[1] = crypt.dhsecret(server_key, key)
      return crypt.hmac64(challenge, secret[1])
    end,
    function() return crypt.desencode(secret[1], token) end,
  }
end

-- Logs in; a line in `change` is sent instead of the right one, and then nothing more. Returns the answer and the
-- secret.
local function log_in(token, change)
  local fd = assert(socket.open("127.0.0.1", login_port))
  local secret, seen = {}, {}
  for index, step in ipairs(steps(token, crypt.randomkey(), secret)) do
    if index < 3 then
      seen[index] = decode(socket.readline(fd))
    end
    local spoilt = change and change[index]
    socket.write(fd, (spoilt or encode(step(seen[1], seen[2]))) .. "\n")
    if spoilt then
      break
    end
  end
  local answer
  repeat
    answer = socket.readline(fd)
  until not answer or string.find(answer, "^%d%d%d ")
  socket.close(fd)
  return answer, secret[1]
end

local function let_in()
  local answer, secret = log_in "alice@world:right"
  local subid = decode(string.match(answer, "^200 (.+)$"))
  user = { secret = secret, username = string.format("%s@%s#%s", encode "alice", encode "world", encode(subid)) }
end

local function kept_out()
  claims.equal((log_in "bob@world:wrong"), "401 Unauthorized")
  claims.equal((log_in "garbage"), "401 Unauthorized")
  claims.equal((log_in "bob@nowhere:right"), "403 Forbidden")
  claims.equal((log_in "alice@world:right"), "403 Forbidden")  -- she is in already
end

local function wrong_lines()
  for _, line in ipairs { "!", "", encode "short", encode "nine bytes" } do
    claims.equal((log_in("x", { line })), "400 Bad Request")
    claims.equal((log_in("x", { nil, line })), "400 Bad Request")
  end
  claims.equal((log_in("x", { encode(string.rep("\0", 8)) })), "400 Bad Request")
  claims.equal((log_in("x", { nil, encode "12345678" })), "400 Bad Request")
  claims.equal((log_in("x", { nil, nil, "" })), "400 Bad Request")
  claims.equal((log_in("x", { nil, nil, encode "short" })), "400 Bad Request")
end

local function huge_and_slow()
  claims.equal((log_in("x", { string.rep("A", 9000) })), false)
  local fd = assert(socket.open("127.0.0.1", login_port))
  socket.readline(fd)
  claims.equal(socket.readline(fd), false)  -- after a second
  socket.close(fd)
  for _ = 1, 3 do
    local one = assert(socket.open("127.0.0.1", login_port))
    socket.close(one)
  end
end

local function at_the_same_time()
  local answers = {}
  for index = 1, 2 do
    skynet.fork(function() answers[index] = log_in "slow@world:right" end)
  end
  local ticks = 0
  while not (answers[1] and answers[2]) do
    ticks = ticks + 1
    assert(ticks < 3000)
    skynet.sleep(1)
  end
  table.sort(answers)
  claims.equal({ string.sub(answers[1], 1, 4), answers[2] }, { "200 ", "406 Not Acceptable" })
end

---------------------------------------------------------------------------------------------------------------------

local function frame(fd, text)
  socket.write(fd, string.pack(">s2", text))
end

local function read_frame(fd)
  local head = socket.read(fd, 2)
  return head and socket.read(fd, (string.unpack(">I2", head)))
end

-- A connection whose first frame has been answered, and the answer.
local function connect(index, change)
  change = change or {}
  local fd = assert(socket.open("127.0.0.1", gate_port))
  local username = change.username or user.username
  local text = username .. ":" .. (change.index or index)
  local hmac = encode(crypt.hmac_hash(change.secret or user.secret, text))
  frame(fd, change.frame or text .. ":" .. (change.hmac or hmac))
  return fd, read_frame(fd)
end

local function ask(fd, text, session)
  frame(fd, text .. string.pack(">I4", session))
end

-- The text, and whether it is good, of the next reply; the session must be that.
local function reply(fd, session)
  local text = assert(read_frame(fd), "the connection has ended")
  local good, its_session = string.unpack(">BI4", text, -5)
  claims.equal(its_session, session)
  return string.sub(text, 1, -6), good == 1
end

local connection

local function handshakes()
  local answer
  connection, answer = connect(1)
  claims.equal(answer, "200 OK")
  for wanted, changes in pairs {
    ["400 Bad Request"] = { { frame = "" }, { frame = "a:b" }, { index = "x" }, { index = "1.5" }, { index = "-1" },
      { frame = "::::" }, { hmac = "A" }, { frame = string.rep("\0", 65535) } },
    ["401 Unauthorized"] = { { secret = "12345678" }, { hmac = "" } },
    ["403 Index Expired"] = { { index = "1" }, { index = "0" } },
    ["404 User Not Found"] = { { username = "nobody" }, { username = "" } },
  } do
    for _, change in ipairs(changes) do
      local fd, seen = connect(9, change)
      claims.equal(seen, wanted)
      claims.equal(socket.read(fd), false)
      socket.close(fd)
    end
  end
end

local function requests()
  ask(connection, "echo hello", 1)
  claims.equal({ reply(connection, 1) }, { "hello", true })
  ask(connection, "echo again", 1)  -- an answered session may be used again
  claims.equal({ reply(connection, 1) }, { "again", true })
  ask(connection, "nothing", 0xffffffff)
  claims.equal({ reply(connection, 0xffffffff) }, { "", true })
  for session, text in ipairs { "fail", "big", "number" } do
    ask(connection, text, session)
    claims.equal({ reply(connection, session) }, { "", false })
  end
  local ip, gone, uid, _, server = skynet.call(gate, "lua", "kick", "alice")
  claims.equal({ string.match(ip, "^(.*):%d+$"), gone, uid, server }, { "127.0.0.1", 0, "alice", "world" })
end

local function coming_back()
  ask(connection, "count", 10)
  claims.equal({ reply(connection, 10) }, { "1", true })
  ask(connection, "slow", 11)
  skynet.sleep(2)
  local answer
  connection, answer = connect(2)
  claims.equal(answer, "200 OK")
  ask(connection, "slow", 11)  -- is under way, and answered here
  claims.equal({ reply(connection, 11) }, { "slow", true })
  ask(connection, "count", 10)  -- is not done again
  claims.equal({ reply(connection, 10) }, { "1", true })
  for session = 20, 24 do
    ask(connection, "count", session)
    reply(connection, session)
  end
  connection = connect(3)
  ask(connection, "count", 24)
  claims.equal({ reply(connection, 24) }, { "6", true })
  ask(connection, "count", 10)  -- too many replies came since
  claims.equal({ reply(connection, 10) }, { "7", true })
end

local function rules_broken()
  for index, text in ipairs { "", "abc" } do
    connection = connect(3 + index)
    frame(connection, text)
    claims.equal(socket.read(connection), false)
    socket.close(connection)
  end
  connection = connect(6)
  ask(connection, "slow", 30)
  ask(connection, "slow", 30)
  claims.equal(socket.read(connection), false)
  socket.close(connection)
end

local function logout()
  connection = connect(7)
  skynet.call(gate, "lua", "logout", "alice")
  claims.equal(socket.read(connection), false)
  socket.close(connection)
  local fd, answer = connect(8)
  claims.equal(answer, "404 User Not Found")
  socket.close(fd)
  let_in()
  fd, answer = connect(1)
  claims.equal(answer, "200 OK")
  socket.close(fd)
end

claims.run("login", {
  { "a gate registers with the login server", servers },
  { "who proves his token is let in", let_in },
  { "wrong tokens and refusals are 401 and 403", kept_out },
  { "lines that are wrong in any way are 400", wrong_lines },
  { "long lines and slow clients are disconnected", huge_and_slow },
  { "a second login at the same time is 406", at_the_same_time },
  { "the gate wants a proof and a new index", handshakes },
  { "requests are answered by session; what cannot be answered is 0", requests },
  { "who comes back gets the replies he missed, and nothing is done twice", coming_back },
  { "frames that break the rules end the connection", rules_broken },
  { "logout ends the connection and forgets the user", logout },
})
