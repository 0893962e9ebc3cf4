-- HTTP messages that break the rules, for the server (http.httpd) and for the client (http.httpc): an answer or an
-- error, never an endless wait, and no more bytes kept than the limits say.
local socket = require "skynet.socket"
local httpc = require "http.httpc"
local httpd = require "http.httpd"
local sockethelper = require "http.sockethelper"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()
local peers = assert(loadfile(SERVICE_PATH .. "http_peers.lua"))()

local GET = "GET / HTTP/1.1\r\n"
local CHUNKED = GET .. "transfer-encoding: chunked\r\n\r\n"

local function of_length(text)
  return GET .. "content-length: " .. text .. "\r\n\r\nhello"
end

-- What a server gets, and the code for it.
local requests = {
  -- request lines
  { "\r\n\r\n\r\n", 400 },
  { "GET\r\n\r\n", 400 },
  { "GET /\r\n\r\n", 400 },
  { "GET  / HTTP/1.1\r\n\r\n", 400 },
  { "get / HTTP/1.1\r\n\r\n", 400 },
  { "GET / x HTTP/1.1\r\n\r\n", 400 },
  { "GET / HTTP/1.1 \r\n\r\n", 400 },
  { "GET / HTTP/11\r\n\r\n", 400 },
  { "GET / FTP/1.1\r\n\r\n", 400 },
  { "\0\1\2\3\r\n\r\n", 400 },
  { "GET / HTTP/2.0\r\n\r\n", 505 },
  { "GET / HTTP/0.9\r\n\r\n", 505 },
  { "GET /" .. string.rep("x", 8192) .. " HTTP/1.1\r\n\r\n", 413 },
  -- headers
  { GET .. "no colon\r\n\r\n", 400 },
  { GET .. ": no name\r\n\r\n", 400 },
  { GET .. "blank before : x\r\n\r\n", 400 },
  { GET .. " folded: x\r\n\r\n", 400 },
  { GET .. "nul: \0\r\n\r\n", 400 },
  { GET .. "bare: a\nb: c\r\n\r\n", 400 },
  { GET .. "bare: a\rb: c\r\n\r\n", 400 },
  { GET .. "x: " .. string.rep("x", 8192) .. "\r\n\r\n", 413 },
  { GET .. string.rep("x: y\r\n", 2000) .. "\r\n", 413 },
  -- lengths
  { of_length "-1", 400 },
  { of_length "+5", 400 },
  { of_length "5,5", 400 },
  { of_length "0x5", 400 },
  { of_length "5.0", 400 },
  { of_length "five", 400 },
  { of_length "", 400 },
  { of_length "99999999999999999999", 413 },
  { of_length "999999999999999", 413 },
  { GET .. "content-length: 5\r\ncontent-length: 6\r\n\r\nhello", 400 },
  { GET .. "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
  { GET .. "transfer-encoding: gzip\r\n\r\n", 501 },
  { GET .. "transfer-encoding: gzip, chunked\r\n\r\n", 501 },
  { GET .. "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n", 501 },
  -- chunks
  { CHUNKED .. "\r\n", 400 },
  { CHUNKED .. "-5\r\nhello\r\n", 400 },
  { CHUNKED .. "x\r\nhello\r\n", 400 },
  { CHUNKED .. "5 5\r\nhello\r\n", 400 },
  { CHUNKED .. "5\r\nhello!\r\n", 400 },
  { CHUNKED .. "3\r\nhello\r\n", 400 },
  { CHUNKED .. "5\nhello\r\n0\r\n\r\n", 400 },
  { CHUNKED .. "ffffffffffffffff\r\nhello", 413 },
  { CHUNKED .. "ffffffffffff\r\nhello", 413 },
  { CHUNKED .. "5;" .. string.rep("x", 300) .. "\r\nhello\r\n", 400 },
  { CHUNKED .. "0\r\nno colon\r\n\r\n", 400 },
}

local function refuses()
  for _, case in ipairs(requests) do
    for _, bytes in ipairs { #case[1], 1, 7 } do
      local seen = table.pack(httpd.read_request(peers.reader(case[1], bytes)))
      claims.equal(seen, { n = 1, case[2] }, string.format("%q", string.sub(case[1], 1, 100)))
    end
  end
end

local function refuses_over_sockets()
  local port = peers.listen(function(id)
    socket.start(id)
    local code = httpd.read_request(sockethelper.readfunc(id))
    httpd.write_response(sockethelper.writefunc(id), code)
    socket.readall(id)  -- closing with bytes unread could take the answer along
  end)
  for _, case in ipairs(requests) do
    local id = assert(socket.open("127.0.0.1", port))
    socket.write(id, case[1])
    local status = string.match(socket.readline(id, "\r\n\r\n"), "^HTTP/1.1 (%d+) ")
    claims.equal(status, tostring(case[2]), case[1])
    socket.close(id)
  end
end

local function early_ends()
  for _, request in ipairs {
    GET .. "x: y\r\ncontent-length: 5\r\n\r\nhello",
    CHUNKED .. "5\r\nhello\r\n0\r\nx: y\r\n\r\n",
  } do
    for bytes = 0, #request - 1 do
      local seen = table.pack(httpd.read_request(peers.reader(string.sub(request, 1, bytes))))
      claims.equal(seen, { n = 2, nil, peers.ended }, bytes)
    end
    claims.equal((httpd.read_request(peers.reader(request))), 200)
  end
end

local function early_ends_over_sockets()
  local results = {}
  local port = peers.listen(function(id)
    socket.start(id)
    local result = table.pack(httpd.read_request(sockethelper.readfunc(id)))
    results[#results + 1] = result
  end)
  local starts = { "", "GET", GET, GET .. "x: y\r\n", of_length "6", CHUNKED .. "6\r\nhello", CHUNKED .. "0\r\n" }
  for _, start in ipairs(starts) do
    local id = assert(socket.open("127.0.0.1", port))
    socket.write(id, start)
    socket.close(id)
  end
  peers.await(function() return #results == #starts end)
  for _, result in ipairs(results) do
    claims.equal(result, { n = 2, nil, sockethelper.socket_error })
  end
end

local function bounded()
  for _, case in ipairs {
    { "", "GET /", 413 },
    { GET, "x: y\r\n", 413 },
    { GET .. "x: y", "y", 413 },
    { CHUNKED, "0", 400 },
    { CHUNKED .. "5;", "ext", 400 },
    { CHUNKED .. "0\r\n", "x: y\r\n", 413 },
    { CHUNKED, "1\r\nx\r\n", 413 },
  } do
    local read, bytes_read = peers.endless_reader(case[1], case[2])
    claims.equal(table.pack(httpd.read_request(read, 10000)), { n = 1, case[3] })
    claims.equal(bytes_read() < 70000, true, bytes_read())
  end
end

---------------------------------------------------------------------------------------------------------------------

local OK = "HTTP/1.1 200 OK\r\n"
local OK_CHUNKED = OK .. "transfer-encoding: chunked\r\n\r\n"

-- What a client gets, and its error; ENDED: sockethelper.socket_error.
local ENDED = {}
local responses = {
  { "", ENDED },
  { "HTTP/1.1 200", ENDED },
  { "nonsense\r\n\r\n", "http: not a status line" },
  { "HTTP/1.1 OK 200\r\n\r\n", "http: not a status line" },
  { "HTTP/1.1 20 OK\r\n\r\n", "http: not a status line" },
  { "HTTP/1.1 2000 OK\r\n\r\n", "http: not a status line" },
  { "HTTP/2.0 200 OK\r\n\r\n", "http: not a status line" },
  { "HTTP/1.1 -20 OK\r\n\r\n", "http: not a status line" },
  { string.rep("x", 9000), "http: a line or header of more than 8192 bytes" },
  { OK .. "no colon\r\n\r\n", "http: a header line without a name" },
  { OK .. "x: \0\r\n\r\n", "http: a header with a control character" },
  { OK .. string.rep("x: y\r\n", 2000) .. "\r\n", "http: a line or header of more than" },
  { string.rep("HTTP/1.1 100 Continue\r\n\r\n", 50), "http: more than 16 interim responses" },
  { OK .. "content-length: 6\r\n\r\nhello", ENDED },
  { OK .. "content-length: -1\r\n\r\n", "http: a content-length that is not one number" },
  { OK .. "content-length: 1\r\ncontent-length: 2\r\n\r\n", "http: a content-length that is not one number" },
  { OK .. "content-length: 99999999999999999999\r\n\r\n", "http: a content-length of 20 digits" },
  { OK .. "content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", "http: a length and chunks" },
  { OK .. "transfer-encoding: br\r\n\r\n", "http: an unknown transfer encoding" },
  { OK_CHUNKED, ENDED },
  { OK_CHUNKED .. "5\r\nhel", ENDED },
  { OK_CHUNKED .. "5\r\nhello\r\n", ENDED },
  { OK_CHUNKED .. "5\r\nhello\r\n0\r\n", ENDED },
  { OK_CHUNKED .. "-1\r\n\r\n", "http: a chunk without a size" },
  { OK_CHUNKED .. "5\r\nhello!\r\n", "http: a chunk that is longer than its size" },
  { OK_CHUNKED .. "fffffffffffff\r\n\r\n", "http: a chunk size of 13 digits" },
}

local function judge(case, ok, reason)
  claims.equal(ok, false, case[1])
  if case[2] == ENDED then
    claims.equal(reason == sockethelper.socket_error, true, tostring(reason))
  else
    claims.equal(string.sub(tostring(reason), 1, #case[2]), case[2])
  end
end

local function client_raises()
  for _, case in ipairs(responses) do
    judge(case, pcall(httpc.get, peers.canned(case[1]), "/"))
  end
  peers.await_sockets(0)
end

local function drain(host)
  for _ in httpc.request_stream("GET", host, "/") do
  end
end

local function stream_raises()
  for _, case in ipairs(responses) do
    judge(case, pcall(drain, peers.canned(case[1])))
  end
  peers.await_sockets(0)
end

local function too_big()
  judge({ "", "http: a body of 999999999999 bytes, allowed are 1073741824" },
    pcall(httpc.get, peers.canned(OK .. "content-length: 999999999999\r\n\r\n"), "/"))
  judge({ "", "http: a body of more than 1073741824 bytes" },
    pcall(httpc.get, peers.canned(OK_CHUNKED .. "fffffffff\r\n"), "/"))
end

local function deterministic_noise()
  local state = 12345
  local function random(bound)
    state = (state * 1103515245 + 12345) & 0x7fffffff
    return (state >> 8) % bound
  end
  local good = CHUNKED .. "5;a=b\r\nhello\r\n0\r\nx: y\r\n\r\n"
  for _ = 1, 2000 do
    local bytes = { string.byte(good, 1, -1) }
    for _ = 1, 1 + random(3) do
      bytes[1 + random(#bytes)] = random(256)
    end
    local code, reason = httpd.read_request(peers.reader(string.char(table.unpack(bytes)), 1 + random(40)), 1000)
    claims.equal(code ~= nil or reason == peers.ended, true, tostring(reason))
  end
end

claims.run("malformed http", {
  { "the server answers each malformed request with its code", refuses },
  { "the same over sockets", refuses_over_sockets },
  { "a request that ends early gives nil and what the read function raised", early_ends },
  { "the same over sockets", early_ends_over_sockets },
  { "an endless request is refused at its limit", bounded },
  { "the client raises for each malformed or cut response", client_raises },
  { "a stream raises for each malformed or cut response", stream_raises },
  { "a response that is too big raises before it is read", too_big },
  { "a request with random bytes in it is read or refused", deterministic_noise },
})
