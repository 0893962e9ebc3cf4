---@meta http.httpc

-- The client side of HTTP/1.1: one connection for each request. A host is "[http://]name[:port]", where the name may be
-- an IPv4 address or an IPv6 one in brackets. A connection that fails, ends too early or takes too long raises
-- sockethelper.socket_error; a response that breaks the rules raises a text.

---@class http.httpc
---@field timeout? integer cs: for connecting, and then for the response, or for each piece of a stream; default: none
local httpc = {}

--- Resolves names with skynet.dns from now on, which otherwise the node does as it connects.
---@async
---@param server? string
---@param port? integer
function httpc.dns(server, port) end

--- Makes a request and waits for the whole response.
---@async
---@param method string
---@param host string
---@param url string path and query
---@param recvheader? table gets the fields of the response
---@param header? http.header to send
---@param content? string
---@return integer status
---@return string body
function httpc.request(method, host, url, recvheader, header, content) end

--- A GET.
---@async
---@param host string
---@param url string
---@param recvheader? table
---@param header? http.header
---@param content? string
---@return integer status
---@return string body
function httpc.get(host, url, recvheader, header, content) end

--- A HEAD.
---@async
---@param host string
---@param url string
---@param recvheader? table
---@param header? http.header
---@param content? string
---@return integer status
function httpc.head(host, url, recvheader, header, content) end

--- A POST of a form, as a browser sends it.
---@async
---@param host string
---@param url string
---@param form table<string, string|number|(string|number)[]>
---@param recvheader? table
---@return integer status
---@return string body
function httpc.post(host, url, form, recvheader) end

--- httpc.request that does not wait for the body: `for piece in stream do ... end`.
---@async
---@param method string
---@param host string
---@param url string
---@param recvheader? table
---@param header? http.header
---@param content? string
---@return http.stream
function httpc.request_stream(method, host, url, recvheader, header, content) end

--- The body of a response, piece by piece: calling it gives the next one, nil at the end. It may be a <close> variable.
---@class http.stream
---@field status integer
---@field header http.header
---@field close async fun(self: http.stream) gives up the rest
---@operator call: string?

return httpc
