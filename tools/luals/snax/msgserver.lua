---@meta snax.msgserver

-- A gate for users who come from a login server. A user who comes back on another connection gets the replies that he
-- missed.

---@class snax.msgserver.conf
---@field login_handler fun(uid: any, secret: string): ... message "login" of the login server; returns the reply
---@field logout_handler fun(uid: any, subid: any): ... message "logout" of an agent
---@field kick_handler fun(uid: any, subid: any): ... message "kick" of the login server
---@field register_handler fun(servername: string): ... the gate was opened
---@field request_handler fun(username: string, text: string): string? its result is the reply to the client
---@field disconnect_handler? fun(username: string)
---@field expired_number? integer replies kept for each user; default 128

---@class snax.msgserver
local msgserver = {}

--- Makes this service a message server. Raises if a handler is missing.
---@param conf snax.msgserver.conf
function msgserver.start(conf) end

--- The parts of a user name. Raises for what is none.
---@param username string
---@return string uid
---@return string subid
---@return string server
function msgserver.userid(username) end

--- The user name made of three parts.
---@param uid string|number
---@param subid string|number
---@param server string|number
---@return string username
function msgserver.username(uid, subid, server) end

--- Lets a user connect who proves the secret.
---@param username string
---@param secret string
function msgserver.login(username, secret) end

--- Forgets a user and ends his connection.
---@param username string
function msgserver.logout(username) end

--- Where a user's connection comes from.
---@param username string
---@return string? address nil: he has none
function msgserver.ip(username) end

return msgserver
