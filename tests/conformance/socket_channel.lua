-- skynet.socketchannel
local skynet = require "skynet"
local socket = require "skynet.socket"
local socketchannel = require "skynet.socketchannel"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local LOST = "[Error: socket]"

-- A line server: `answer(line, id)` gives the reply, nil closes. Counts what it accepts.
local function serve(answer, port)
  local server = { accepted = 0 }
  server.listener, _, server.port = socket.listen("127.0.0.1", port or 0)
  socket.start(server.listener, function(id)
    server.accepted = server.accepted + 1
    server.last = id
    socket.start(id)
    local line = socket.readline(id)
    while line do
      local reply = answer(line, id)
      if not reply then
        break
      end
      socket.write(id, reply)
      line = socket.readline(id)
    end
    socket.close(id)
  end)
  return server
end

local function echo(line)
  return line .. "\n"
end

local function echo_or_quit(line)
  return line ~= "quit" and line .. "\n" or nil
end

local function read_line(stream)
  return true, stream:readline()
end

local function request(channel, line)
  return function() return channel:request(line .. "\n", read_line) end
end

local function in_order()
  local server = serve(echo)
  local channel = socketchannel.channel { host = "127.0.0.1", port = server.port }
  local seen = claims.all { request(channel, "a"), request(channel, "b"), request(channel, "c") }
  claims.equal(seen, { "a", "b", "c" })
  claims.equal(server.accepted, 1)
  channel:close()
end

local function idle_close()
  local server = serve(echo)
  local channel = socketchannel.channel { host = "127.0.0.1:" .. server.port }
  request(channel, "warm")()
  socket.close(server.last)
  skynet.sleep(10)
  claims.equal(claims.all { request(channel, "a"), request(channel, "b") }, { "a", "b" })
  claims.equal(server.accepted, 2)
  channel:close()
end

local function in_flight()
  local server = serve(echo_or_quit)
  local channel = socketchannel.channel { host = "127.0.0.1", port = server.port }
  local seen = claims.all { request(channel, "a"), request(channel, "quit"), request(channel, "c") }
  claims.equal(seen, { "a", "raised " .. LOST, "raised " .. LOST })
  claims.equal(request(channel, "d")(), "d")
  claims.equal(server.accepted, 2)
  channel:close()
end

local function response_errors()
  local server = serve(echo)
  local channel = socketchannel.channel { host = "127.0.0.1", port = server.port }
  local function bad(stream)
    stream:readline()
    error "cannot read this"
  end
  local seen = claims.all { function() return channel:request("a\n", bad) end, request(channel, "b") }
  claims.equal(string.find(seen[1], "cannot read this", 1, true) ~= nil, true)
  claims.equal(string.find(seen[2], "cannot read this", 1, true) ~= nil, true)
  claims.raises("e", channel.request, channel, "e\n", function(stream) return false, stream:readline() end)
  claims.equal(request(channel, "c")(), "c")
  channel:close()
end

local function padding()
  local server = serve(echo)
  local channel = socketchannel.channel { host = "127.0.0.1", port = server.port }
  local count = 0
  local seen = channel:request("1\n2\n", function(stream)
    count = count + 1
    return true, stream:readline(), count < 2
  end, { "3\n" })
  claims.equal(seen, { "1", "2" })
  channel:close()
end

local function close_in_handler()
  local server = serve(echo)
  local channel = socketchannel.channel { host = "127.0.0.1", port = server.port }
  local function first()
    local reply = request(channel, "a")()
    channel:close()
    return reply
  end
  local hold = function() return channel:request("", read_line) end  -- no reply will come
  local seen = claims.within(100, function() return claims.all { first, hold, hold } end)
  claims.equal(seen[1], "a")
  claims.equal(string.find(seen[2], "^raised ") and string.find(seen[3], "^raised ") and true, true)
  claims.raises("assertion failed!", request(channel, "b"))
  channel:connect(true)
  claims.equal(request(channel, "c")(), "c")
  channel:close()
end

local function refused()
  local server = serve(echo)
  socket.close(server.listener)
  local channel = socketchannel.channel { host = "127.0.0.1", port = server.port }
  local _, reason = pcall(channel.connect, channel, true)
  claims.equal(reason == socketchannel.error, true)
end

local function retries()
  local server = serve(echo)
  socket.close(server.listener)
  local channel = socketchannel.channel { host = "127.0.0.1", port = server.port }
  local began = skynet.now()
  skynet.fork(function()
    skynet.sleep(250)
    serve(echo, server.port)
  end)
  channel:connect()
  local waited = skynet.now() - began
  claims.equal(waited >= 290 and waited < 500, true, "pauses of 0, 1 and 2 s: " .. waited)  -- a busy machine is late
  claims.equal(request(channel, "a")(), "a")
  channel:close()
end

local function backup()
  local closed, strict, good = serve(echo), serve(function() return "no\n" end), serve(echo)
  socket.close(closed.listener)
  local channel = socketchannel.channel {
    host = "127.0.0.1",
    port = closed.port,
    backup = { { host = "127.0.0.1", port = strict.port }, { host = "127.0.0.1", port = good.port } },
    auth = function(channel)
      assert(request(channel, "yes")() == "yes", "rejected")
    end,
  }
  claims.equal(claims.all { request(channel, "a"), request(channel, "b") }, { "a", "b" })
  claims.equal({ strict.accepted, good.accepted }, { 1, 1 })
  channel:close()
end

local function other_hosts()
  local first, second = serve(echo), serve(function(line) return line .. " by the second\n" end)
  local channel = socketchannel.channel { host = "127.0.0.1", port = first.port }
  claims.equal(request(channel, "a")(), "a")
  channel:changehost("127.0.0.1", second.port)
  claims.equal(request(channel, "b")(), "b by the second")
  socket.close(first.listener)
  channel:changehost("127.0.0.1", first.port)
  claims.raises(LOST, request(channel, "c"))
  channel:changebackup { { host = "127.0.0.1", port = second.port } }
  claims.equal(request(channel, "d")(), "d by the second")
  claims.equal({ first.accepted, second.accepted }, { 1, 2 })
  channel:close()
end

-- A server that speaks first.
local function unasked()
  local listener, _, port = socket.listen("127.0.0.1", 0)
  socket.start(listener, function(id)
    socket.start(id)
    socket.write(id, "hello\nnews\n")
    socket.readline(id)
    socket.close(id)
  end)
  local channel = socketchannel.channel { host = "127.0.0.1", port = port }
  claims.equal({ channel:response(read_line), channel:response(read_line) }, { "hello", "news" })
  claims.raises("cannot read this", channel.response, channel, function()
    error "cannot read this"
  end)
  channel:close()
end

local function new_sessions(server)
  return socketchannel.channel {
    host = "127.0.0.1",
    port = server.port,
    response = function(stream)
      local session, value = string.match(stream:readline(), "^(%d+) (.*)$")
      return tonumber(session), true, value
    end,
  }
end

local function ask(channel, session, line)
  return function() return channel:request(line .. "\n", session) end
end

local function sessions()
  local held
  local server = serve(function(line, id)
    if held then
      socket.write(id, line .. "\n" .. held .. "\n")
      held = nil
    else
      held = line
    end
    return ""
  end)
  local channel = new_sessions(server)
  local order = {}
  local function note(session)
    return function()
      local reply = ask(channel, session, session .. " v")()
      order[#order + 1] = reply .. session
    end
  end
  claims.all { note(1), note(2) }
  claims.equal(order, { "v2", "v1" }, "woken in the order of the replies")
  channel:close()
end

local function lost_session()
  local server = serve(function(line) return line == "bad" and "gibberish\n" or line .. "\n" end)
  local channel = new_sessions(server)
  claims.equal(ask(channel, 1, "1 a")(), "a")
  claims.raises(LOST, ask(channel, 2, "bad"))
  skynet.sleep(5)
  claims.equal(ask(channel, 3, "3 c")(), "c")
  claims.equal(server.accepted, 2)
  channel:close()
end

claims.run("skynet.socketchannel", {
  { "requests made while disconnected leave in call order, over one connection", in_order },
  { "an idle connection that the peer closed is made anew by the next requests (#715, #1385)", idle_close },
  { "requests in flight fail with the connection, the next one reconnects", in_flight },
  { "the error of a response function reaches the requests, a false reply its own", response_errors },
  { "a reply in parts is an array", padding },
  { "close in the handler of the first reply ends the other requests (#2020)", close_in_handler },
  { "connect(true) raises the sentinel", refused },
  { "connect() tries again after 0, 1, 2 ... seconds", retries },
  { "the next address is tried after a refusal and after a failed auth (#1145)", backup },
  { "replies find their sessions, and wake in the order in which they come (#587)", sessions },
  { "a reply without a session drops the connection", lost_session },
  { "changehost and changebackup say where the next connection goes", other_hosts },
  { "response waits for what nobody has asked for", unasked },
})
