---@meta snax.loginserver

--- A login server: a client proves a shared secret, hands over a token, and is let in to a game server. A handler that
--- raises does not let him in.
---@class snax.loginserver.conf
---@field port integer|string
---@field host? string default "0.0.0.0"
---@field name? string of the service; default ".login"
---@field instance? integer services that check tokens, in parallel; default 8
---@field multilogin? boolean true: a user may log in while a login of his is under way
---@field timeout? integer cs that a client has to hand over its token; not in skynet
---@field auth_handler fun(token: string): string, any server and user id of a token; in a checking service
---@field login_handler fun(server: string, uid: any, secret: string): any what the client is told; in the main service
---@field command_handler fun(command: any, ...: any): ... other messages of type lua to the main service

--- Makes this service a login server. Raises if a handler or the port is missing.
---@param conf snax.loginserver.conf
local function login(conf) end

return login
