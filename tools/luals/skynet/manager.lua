---@meta skynet.manager

-- What `require "skynet.manager"` adds to the table of skynet, for services that manage others.

---@class skynet
local skynet = {}

--- Needs skynet.manager. Launches a service by its module ("snlua", "logger", ...) without waiting: its script has not
--- run yet.
---@param ... string|number module and words
---@return skynet.handle? handle nil: there is no such module
function skynet.launch(...) end

--- Needs skynet.manager. Ends a service at once. What it was working on is never answered: prefer that it exits by
--- itself.
---@param address skynet.address
function skynet.kill(address) end

--- Needs skynet.manager. Ends the node.
function skynet.abort() end

--- Needs skynet.manager. Names this service: ".name" on this node (nothing happens if the name is taken), another name
--- in the whole harbor network. Raises if that is longer than 15 bytes, a number, or begins with ":".
---@param name string
function skynet.register(name) end

--- Needs skynet.manager. Names another service, as skynet.register.
---@param name string
---@param handle skynet.handle
function skynet.name(name, handle) end

--- Needs skynet.manager. Starts as skynet.start does, but messages of a type in `map` are dispatched as map[type], and
--- their bytes become the handler's: it must send them on or trash them.
---@param map table<integer, integer> type -> type
---@param start fun()
function skynet.forward_type(map, start) end

--- Needs skynet.manager. Starts as skynet.start does, but every message goes through `f` first, which returns the five
--- values to dispatch.
---@param f fun(type: integer, msg: lightuserdata, sz: integer, session: integer, source: integer): ...
---@param start fun()
function skynet.filter(f, start) end

--- Needs skynet.manager. Makes the unique service `name` of the network the one that is told of every service's end on
--- this node, by an empty message of type client from it.
---@async
---@param name string
---@param query? boolean true: wait for it, do not start it
---@return skynet.handle handle
function skynet.monitor(name, query) end

return skynet
