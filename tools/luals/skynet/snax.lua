---@meta skynet.snax

-- Services whose file defines methods, and objects through which others use them. A service file sets globals:
--
--   function accept.NAME(...)    a method that is posted to
--   function response.NAME(...)  a method that is requested
--   function init(...)           runs when the service starts; what snax.newservice got
--   function exit(...)           runs when it ends; what snax.kill got
--   function hotfix(...)         of a patch only: runs in the service, its results are those of snax.hotfix
--
-- To make an editor accept these globals, add "accept" and "response" to diagnostics.globals. Both ends of a message
-- read the file; on the side of the caller its top level runs with hardly any globals.

--- A snax service, for others: `object.req.NAME(...)` calls response.NAME, `object.post.NAME(...)` sends to
--- accept.NAME. An unknown method raises.
---@class skynet.snax.object
---@field post table<string, fun(...: any)>
---@field req table<string, async fun(...: any): ...>
---@field type string
---@field handle skynet.handle

--- The methods of a service type, each with its number.
---@class skynet.snax.interface
---@field name string
---@field accept table<string, integer>
---@field response table<string, integer>
---@field system table<string, integer>

---@class skynet.snax
local snax = {}

--- Starts a service and runs its init(...). What fails there fails here, and the service ends.
---@async
---@param name string type of the service: the name of its file in the config entry `snax`
---@param ... any arguments of init
---@return skynet.snax.object
function snax.newservice(name, ...) end

--- snax.newservice without making an object.
---@async
---@param name string
---@param ... any arguments of init
---@return skynet.handle handle
function snax.rawnewservice(name, ...) end

--- The service of a type that is there once per node; it is started if it is not there.
---@async
---@param name string
---@param ... any arguments of init
---@return skynet.snax.object
function snax.uniqueservice(name, ...) end

--- The service of a type that is there once per harbor network; it is started if it is not there.
---@async
---@param name string
---@param ... any arguments of init
---@return skynet.snax.object
function snax.globalservice(name, ...) end

--- The unique service of a type; waits until somebody starts it.
---@async
---@param name string
---@return skynet.snax.object
function snax.queryservice(name) end

--- The global service of a type; waits until somebody starts it.
---@async
---@param name string
---@return skynet.snax.object
function snax.queryglobal(name) end

--- An object for a service that is there. Raises if there is one for that handle of another type.
---@param handle skynet.handle
---@param type string
---@return skynet.snax.object
function snax.bind(handle, type) end

--- The object of this service, in a snax service.
---@return skynet.snax.object
function snax.self() end

--- Runs a service's exit(...); then it ends.
---@async
---@param object skynet.snax.object
---@param ... any
function snax.kill(object, ...) end

--- snax.kill for this service.
---@async
---@param ... any
function snax.exit(...) end

--- Replaces functions of a running service by those of a patch. Their upvalues are those of the old ones, by name: a
--- patch declares `local x` without a value. Raises for a method that the service does not have.
---@async
---@param object skynet.snax.object
---@param source string Lua source text
---@param ... any arguments of the patch's hotfix
---@return any ... what hotfix returned
function snax.hotfix(object, source, ...) end

--- How often each method ran, and what CPU time it took.
---@async
---@param object skynet.snax.object
---@return table<string, { count: integer, time: number }> profile time in seconds
function snax.profile_info(object) end

--- Writes a line to the log.
---@param format string a string.format
---@param ... any
function snax.printf(format, ...) end

--- The methods of a service type.
---@param name string
---@return skynet.snax.interface
function snax.interface(name) end

--- In a snax service: it can also be called from other nodes of a cluster (cluster.snax). Raises elsewhere.
function snax.enablecluster() end

return snax
