---@meta skynet.socketchannel

-- A client connection that many tasks share: requests leave in the order of the calls, replies find their requests, and
-- a lost connection is made again by the next request. Nothing is sent twice.
--
-- Session mode (desc.response is given): it reads each reply and returns its session, ok, the value, and whether the
-- reply goes on. Order mode: each request brings a function that reads its reply and returns all this but the session.
-- A reply in parts has the array of its parts as its value.

---@class skynet.socketchannel
local socketchannel = {}

--- What is raised when the connection ended or none could be made; compare by identity.
---@type table
socketchannel.error = {}

--- A further address.
---@alias skynet.socketchannel.backup string|{ host: string, port: integer? }

---@class skynet.socketchannel.desc
---@field host string name, address, or "host:port" without a port
---@field port? integer
---@field backup? skynet.socketchannel.backup[] further addresses, tried in order; a string has the same port
---@field auth? fun(channel: skynet.socketchannel.channel) runs on each new connection before anybody else may use it
---@field response? fun(stream: skynet.socketchannel.stream): any, boolean, any, boolean? see skynet.socketchannel
---@field nodelay? boolean send small segments at once
---@field overload? fun(is_overloaded: boolean) called when too many bytes wait to be sent, and when they are gone
---@field socket_read? fun(id: skynet.socket.id, size?: integer): string|false instead of socket.read
---@field socket_readline? fun(id: skynet.socket.id, separator?: string): string|false instead of socket.readline
---@field new_batch? fun(id: skynet.socket.id): table what writes without padding go through; not in skynet

--- What response functions read from. The end of the connection is raised as socketchannel.error.
---@class skynet.socketchannel.stream
---@field read fun(self: skynet.socketchannel.stream, size?: integer): string
---@field readline fun(self: skynet.socketchannel.stream, separator?: string): string

--- Reads one reply in order mode: ok, value, and whether the reply goes on.
---@alias skynet.socketchannel.reader fun(stream: skynet.socketchannel.stream): boolean, any, boolean?

--- Makes a channel; it connects when it is first used.
---@param desc skynet.socketchannel.desc
---@return skynet.socketchannel.channel
function socketchannel.channel(desc) end

---@class skynet.socketchannel.channel
local Channel = {}

--- Sends `data`, connecting first if need be (one round over all addresses), and waits for the reply unless `response`
--- is nil. Raises socketchannel.error if there is no connection or it ends, the reply's value if the reply is not ok,
--- and an assertion if the channel is closed.
---@async
---@param data string|table what socket.write takes
---@param response? integer|string|skynet.socketchannel.reader the session, or a function that reads the reply
---@param padding? string[] written after `data`, and all of it behind what is written without padding
---@return any value
function Channel:request(data, response, padding) end

--- Waits for a reply without sending anything; tries to connect for as long as it takes. Raises as request.
---@async
---@param response integer|string|skynet.socketchannel.reader
---@return any value
function Channel:response(response) end

--- Connects now; also opens a closed channel again.
---@async
---@param once? boolean true: one round over the addresses, and raises if it fails; otherwise tries for ever
function Channel:connect(once) end

--- Ends the connection; requests raise until connect() is called.
function Channel:close() end

--- Ends the connection and uses another address from now on.
---@param host string
---@param port? integer default: as before
function Channel:changehost(host, port) end

--- Replaces the list of further addresses.
---@param backup? skynet.socketchannel.backup[]
function Channel:changebackup(backup) end

return socketchannel
