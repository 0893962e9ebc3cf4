-- http.url, http.httpd, http.httpc, http.sockethelper, http.internal, http.tlshelper
local skynet = require "skynet"
local socket = require "skynet.socket"
local httpc = require "http.httpc"
local httpd = require "http.httpd"
local sockethelper = require "http.sockethelper"
local url = require "http.url"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()
local peers = assert(loadfile(SERVICE_PATH .. "http_peers.lua"))()

-- A server: each request is answered with handler(code, url, method, header, body) -> code, body, header.
local function serve(handler)
  local port = peers.listen(function(id)
    socket.start(id)
    local read, write = sockethelper.readfunc(id), sockethelper.writefunc(id)
    while true do
      local request = table.pack(httpd.read_request(read))
      if not request[1] then
        return
      end
      httpd.write_response(write, handler(table.unpack(request, 1, request.n)))
      if request[1] ~= 200 then
        return
      end
    end
  end)
  return "127.0.0.1:" .. port
end

-- A text table with its keys sorted.
local function sorted(fields)
  local lines = {}
  for name, value in pairs(fields) do
    lines[#lines + 1] = name .. "=" .. (type(value) == "table" and table.concat(value, "|") or value)
  end
  table.sort(lines)
  return table.concat(lines, ";")
end

---------------------------------------------------------------------------------------------------------------------

local function url_parse()
  claims.equal(table.pack(url.parse("/a%20b/c?x=1&y=%20")), { n = 2, "/a b/c", "x=1&y=%20" })
  claims.equal(table.pack(url.parse("/plain")), { n = 2, "/plain", nil })
  claims.equal(table.pack(url.parse("/?")), { n = 2, "/", "" })
  claims.equal(url.parse("/100%zz%4"), "/100%zz%4")
end

local function url_query()
  claims.equal(sorted(url.parse_query "a=1&b=x+y%21&a=2&c&d=&a=3&e=f=g&&%61b=1"), "a=1|2|3;ab=1;b=x y!;c=;d=;e=f=g")
  claims.equal(next(url.parse_query ""), nil)
end

local REQUEST = "POST /p?q=1 HTTP/1.1\r\nHost: h\r\nX-Two: 1\r\nx-two:  2 \r\nEmpty:\r\nLong: a\r\n  b\r\n" ..
  "Content-Length: 5\r\n\r\nhello"

local function request_in_pieces()
  for bytes = 1, #REQUEST do
    local code, target, method, header, body = httpd.read_request(peers.reader(REQUEST, bytes))
    claims.equal({ code, target, method, body }, { 200, "/p?q=1", "POST", "hello" })
    claims.equal(sorted(header), "content-length=5;empty=;host=h;long=a b;x-two=1|2")
  end
end

local CHUNKED = "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" ..
  "5;name=value\r\nhello\r\n00A\r\n, chunks!!\r\n0\r\nTrailer: t\r\n\r\n"

local function chunked_request()
  for bytes = 1, #CHUNKED do
    local code, _, _, header, body = httpd.read_request(peers.reader(CHUNKED, bytes))
    claims.equal({ code, body, header.trailer }, { 200, "hello, chunks!!", "t" })
  end
end

local function pipelined()
  local read = peers.reader(REQUEST .. CHUNKED .. "\r\n" .. REQUEST, 50)
  claims.equal(select(5, httpd.read_request(read)), "hello")
  claims.equal(select(5, httpd.read_request(read)), "hello, chunks!!")
  claims.equal(select(5, httpd.read_request(read)), "hello")
  claims.equal(table.pack(httpd.read_request(read)), { n = 2, nil, peers.ended })
end

local function old_version()
  local code, target, method, _, body = httpd.read_request(peers.reader "GET / HTTP/1.0\r\n\r\n")
  claims.equal({ code, target, method, body }, { 200, "/", "GET", "" })
end

-- A request whose head has so many bytes.
local function head_of(bytes)
  local head = "GET / HTTP/1.1\r\nx: %s\r\n\r\n"
  return string.format(head, string.rep("x", bytes - (#head - 2)))
end

local function limits()
  claims.equal((httpd.read_request(peers.reader(head_of(8192)))), 200)
  claims.equal(table.pack(httpd.read_request(peers.reader(head_of(8200)))), { n = 1, 413 })
  claims.equal((httpd.read_request(peers.reader(REQUEST), 5)), 200)
  claims.equal(table.pack(httpd.read_request(peers.reader(REQUEST), 4)), { n = 1, 413 })
  claims.equal((httpd.read_request(peers.reader(CHUNKED), 15)), 200)
  claims.equal(table.pack(httpd.read_request(peers.reader(CHUNKED), 14)), { n = 1, 413 })
end

-- What write_response writes, as one text.
local function written(...)
  local parts = {}
  local ok, reason = httpd.write_response(function(data) parts[#parts + 1] = data end, ...)
  return ok and table.concat(parts), reason
end

local function responses()
  claims.equal(written(200, "body"), "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody")
  claims.equal(written(404), "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
  claims.equal(written(204), "HTTP/1.1 204 No Content\r\n\r\n")
  claims.equal(written(799, "", { ["X-B"] = { "1", 2 }, ["X-A"] = 3, ["Content-Length"] = 77 }),
    "HTTP/1.1 799 \r\nX-A: 3\r\nX-B: 1\r\nX-B: 2\r\ncontent-length: 0\r\n\r\n")
end

local function chunked_response()
  local left = { "", "last", "", "first" }
  claims.equal(written(200, function() return table.remove(left) end),
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n4\r\nlast\r\n0\r\n\r\n")
end

local function bad_responses()
  claims.equal(select(2, written(200, "", { ["x"] = "a\r\nb: c" })), "http: the value of x has a line break or NUL")
  claims.equal(select(2, written(200, "", { ["x y"] = "a" })), 'http: "x y" is not the name of a header field')
  claims.equal(select(2, written(200, 5)), "http: a body is a string or a function, not a number")
  local function raise() error(sockethelper.socket_error) end
  claims.equal(table.pack(httpd.write_response(raise, 200, "x")), { n = 2, false, sockethelper.socket_error })
end

---------------------------------------------------------------------------------------------------------------------

-- Tells the client what came.
local function mirror(_, target, method, header, body)
  return 200, table.concat({ method, target, header.host, header["x-test"] or "-", body }, " "),
    { ["X-Echo"] = "yes", ["Set-Cookie"] = { "a=1", "b=2" } }
end

local function get()
  local host = serve(mirror)
  local header = {}
  local status, body = httpc.get(host, "/a?b", header, { ["X-Test"] = "t" }, "content")
  claims.equal({ status, body }, { 200, "GET /a?b " .. host .. " t content" })
  claims.equal(sorted(header), "content-length=" .. #body .. ";set-cookie=a=1|b=2;x-echo=yes")
  claims.equal(select(2, httpc.get("http://" .. host .. "/", "")), "GET / " .. host .. " - ")
  claims.equal(select(2, httpc.get("HTTP://" .. host, "/", nil, { Host = "other" })), "GET / other - ")
end

local function head()
  local host = serve(function(_, _, method) return 404, method == "HEAD" and "never sent" or "" end)
  claims.equal(table.pack(httpc.head(host, "/")), { n = 1, 404 })
end

local function post()
  local host = serve(function(_, _, method, header, body)
    return 200, method .. " " .. header["content-type"] .. " " .. body
  end)
  local _, body = httpc.post(host, "/", { name = "a b&c", list = { 1, "=" }, empty = "" })
  claims.equal(body, "POST application/x-www-form-urlencoded empty=&list=1&list=%3D&name=a%20b%26c")
end

local function request()
  local host = serve(mirror)
  local status, body = httpc.request("DELETE", host, "/x")
  claims.equal({ status, body }, { 200, "DELETE /x " .. host .. " - " })
end

local function big_bodies()
  local host = serve(function(_, _, _, _, body)
    local left = body
    return 200, function()
      if left == "" then
        return nil
      end
      local piece = string.sub(left, 1, 7777)
      left = string.sub(left, 7778)
      return piece
    end
  end)
  local content = string.rep("0123456789", 30000)
  claims.equal(select(2, httpc.request("POST", host, "/", nil, nil, content)) == content, true)
end

local function streams()
  local host = serve(function(_, target)
    if target == "/counted" then
      return 201, string.rep("x", 1000)
    end
    local left = 10
    return 202, function()
      left = left - 1
      skynet.sleep(0)
      return left >= 0 and string.rep("y", 100) or nil
    end
  end)
  for target, status in pairs { ["/counted"] = 201, ["/chunked"] = 202 } do
    local header, bytes = {}, 0
    local stream = httpc.request_stream("GET", host, target, header)
    claims.equal({ stream.status, stream.header == nil, next(header) == nil }, { status, false, false })
    for piece in stream do
      bytes = bytes + #piece
    end
    claims.equal(bytes, 1000)
    claims.equal(stream(), nil)
  end
end

local function stream_closed_early()
  local before = peers.open_sockets()
  local host = serve(function()
    return 200, function()
      skynet.sleep(0)
      return "more and more"
    end
  end)
  do
    local stream <close> = httpc.request_stream("GET", host, "/")
    claims.equal(#stream() > 0, true)
  end
  local stream = httpc.request_stream("GET", host, "/")
  stream:close()
  stream:close()
  claims.equal(stream(), nil)
  peers.await_sockets(before)
end

local function bodies_without_length()
  local function of(response, method)
    return { httpc.request(method or "GET", peers.canned(response), "/") }
  end
  claims.equal(of "HTTP/1.0 200 OK\r\n\r\nup to the end", { 200, "up to the end" })
  claims.equal(of "HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", { 204, "" })
  claims.equal(of "HTTP/1.1 304\r\nContent-Length: 9\r\n\r\n", { 304, "" })
  claims.equal(of("HTTP/1.1 100 Continue\r\nx: y\r\n\r\nHTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\n" ..
    "Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), { 200, "abc" })
  claims.equal(of("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "HEAD"), { 200, "" })
  local parts = {}
  for piece in httpc.request_stream("GET", peers.canned "HTTP/1.1 200 OK\r\n\r\nto the end", "/") do
    parts[#parts + 1] = piece
  end
  claims.equal(table.concat(parts), "to the end")
end

local function timeouts()
  local before = peers.open_sockets()
  local release = {}
  local port = peers.listen(function(id)
    socket.start(id)
    socket.write(id, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    socket.readall(id)  -- until the client gives up
    release[#release + 1] = true
  end)
  local host = "127.0.0.1:" .. port
  httpc.timeout = 100
  local ok, reason = pcall(httpc.get, host, "/")
  claims.equal({ ok, reason }, { false, sockethelper.socket_error })
  local stream = httpc.request_stream("GET", host, "/")
  claims.equal(stream(), "half")
  ok, reason = pcall(stream)
  claims.equal({ ok, reason }, { false, sockethelper.socket_error })
  httpc.timeout = 1000
  claims.equal(httpc.head(serve(mirror), "/"), 200)
  httpc.timeout = nil
  peers.await(function() return #release == 2 end)
  peers.await_sockets(before)
end

-- Where the end of the stream is the end of the body, a timeout is not.
local function timeout_without_length()
  local port = peers.listen(function(id)
    socket.start(id)
    socket.write(id, "HTTP/1.1 200 OK\r\n\r\nhalf")
    socket.readall(id)
  end)
  httpc.timeout = 50
  for _, get_all in ipairs {
    function() return httpc.get("127.0.0.1:" .. port, "/") end,
    function()
      for _ in httpc.request_stream("GET", "127.0.0.1:" .. port, "/") do
      end
    end,
  } do
    local ok, reason = pcall(get_all)
    claims.equal({ ok, reason }, { false, sockethelper.socket_error })
  end
  httpc.timeout = nil
end

local function hosts()
  claims.raises("bare IPv6 address", httpc.get, "::1", "/")
  claims.raises("bare IPv6 address", httpc.get, "http://fe80::1:80", "/")
  claims.raises("invalid protocol ftp", httpc.get, "ftp://host", "/")
  for _, host in ipairs { "", "a b", "host:port", "user@host", "[::1", "[]", "http://a/b" } do
    claims.raises("http: ", httpc.get, host, "/")
  end
  claims.raises("a blank in the url", httpc.get, serve(mirror), "/a b")
  claims.raises("a blank in the url", httpc.get, serve(mirror), "/ HTTP/1.1\r\nx: y")
  claims.raises("line break", httpc.get, serve(mirror), "/", nil, { x = "a\nb" })
end

local function resolves_names()
  local server = assert(loadfile(SERVICE_PATH .. "name_server.lua"))()
  server.reply = function(question)
    return server.answer(question, { server.record(server.A, 60, "\127\0\0\1") })
  end
  require("skynet.dns").DEFAULT_HOSTS = "/no/such/file"
  httpc.dns("127.0.0.1", server.start())
  local host = string.gsub(serve(mirror), "127.0.0.1", "www.example")
  claims.equal(select(2, httpc.get(host, "/")), "GET / " .. host .. " - ")
  claims.equal(server.queries, 1)
end

local function refused()
  local port, listener = peers.listen(function() end)
  socket.close(listener)
  for _, timeout in ipairs { false, 100 } do
    local ok, reason = pcall(sockethelper.connect, "127.0.0.1", port, timeout or nil)
    claims.equal({ ok, reason }, { false, sockethelper.socket_error })
  end
  local ok, reason = pcall(httpc.get, "127.0.0.1:" .. port, "/")
  claims.equal({ ok, reason }, { false, sockethelper.socket_error })
  claims.equal(#tostring(sockethelper.socket_error) > 0, true)
end

local function helpers()
  local port = peers.listen(function(id)
    socket.start(id)
    sockethelper.writefunc(id)(sockethelper.readfunc(id)(8) .. "tail")
  end)
  local id = sockethelper.connect("127.0.0.1", port, 1000)
  local write, read = sockethelper.writefunc(id), sockethelper.readfunc(id, "before")
  write "12345678"
  claims.equal({ read(2), read(), read(3), read(4) }, { "be", "fore", "123", "4567" })
  claims.equal(sockethelper.readfunc(id, "a")(3), "a8t")
  claims.equal(sockethelper.readall(id), "ail")
  claims.equal(sockethelper.readall(id), "")
  local ok, reason = pcall(read, 1)
  claims.equal({ ok, reason }, { false, sockethelper.socket_error })
  sockethelper.shutdown(id)
  sockethelper.close(id)
  skynet.sleep(1)  -- what was asked for in this dispatch has happened
  for _, f in ipairs { read, write } do
    ok, reason = pcall(f, "x")
    claims.equal({ ok, reason }, { false, sockethelper.socket_error })
  end
  claims.equal(sockethelper.readall(id), "")
end

local function keep_alive()
  local host = serve(mirror)
  local id = sockethelper.connect("127.0.0.1", tonumber(string.match(host, "%d+$")))
  local internal = require "http.internal"
  local reader = internal.reader(sockethelper.readfunc(id))
  for number = 1, 20 do
    socket.write(id, string.format("GET /%d HTTP/1.1\r\nhost: h\r\n\r\n", number))
  end
  for number = 1, 20 do
    local status, header = internal.read_response_head(reader)
    local body = internal.read_body(reader, header, internal.body_extent(header), 100)
    claims.equal({ status, body }, { 200, "GET /" .. number .. " h - " })
  end
  socket.close(id)
end

local function no_tls()
  local text = "http.tlshelper needs the module ltls.c: TLS (https, wss) is not part of skysim"
  claims.raises(text, require, "http.tlshelper")
  claims.raises(text, httpc.get, "https://example", "/")
  claims.raises(text, httpc.request_stream, "GET", "https://example:8443", "/")
end

claims.run("http", {
  { "url.parse unescapes the path and leaves the query", url_parse },
  { "url.parse_query makes arrays of repeated keys", url_query },
  { "a request is read the same in pieces of any size", request_in_pieces },
  { "a chunked request is read the same in pieces of any size", chunked_request },
  { "requests may follow each other on one read function", pipelined },
  { "HTTP/1.0 is read as well", old_version },
  { "a header over 8192 bytes and a body over its limit give 413", limits },
  { "a response has its length, and fields of several lines", responses },
  { "a body function is sent as chunks", chunked_response },
  { "write_response returns false and why", bad_responses },
  { "get sends header and content, and gets both back", get },
  { "head gives the status only", head },
  { "post sends a form", post },
  { "request takes any method", request },
  { "big bodies go both ways", big_bodies },
  { "a stream gives the body piece by piece", streams },
  { "a stream closed early leaves no socket", stream_closed_early },
  { "a body without a length ends as its status, method or stream says", bodies_without_length },
  { "a response that takes longer than httpc.timeout raises", timeouts },
  { "a timeout is not the end of a body without a length", timeout_without_length },
  { "a host that is none raises and says why", hosts },
  { "httpc.dns resolves names with skynet.dns", resolves_names },
  { "a refused connection raises socket_error", refused },
  { "the functions of sockethelper raise socket_error at the end", helpers },
  { "a connection serves request after request", keep_alive },
  { "what needs TLS names the missing module", no_tls },
})
