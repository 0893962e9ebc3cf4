---@meta skynet.dns

-- Host names to addresses: the hosts file first, then a name server, over UDP. Answers are kept for as long as they
-- hold.

---@class skynet.dns
local dns = {}

--- Where hosts are looked up first.
dns.DEFAULT_HOSTS = "/etc/hosts"
--- Where dns.server finds the name server.
dns.DEFAULT_RESOLV_CONF = "/etc/resolv.conf"

--- Chooses the name server; without arguments the first of DEFAULT_RESOLV_CONF. Raises if that names none.
---@async
---@param ip? string
---@param port? integer default 53
function dns.server(ip, port) end

--- The addresses of a host. An address is its own. Raises when the server knows none or does not answer within 30 s,
--- and no earlier answer is left.
---@async
---@param name string
---@param ipv6? boolean true: IPv6 addresses instead of IPv4
---@return string? address the first; nil: the name cannot be one
---@return string[]|string addresses all; or "illegal name"
function dns.resolve(name, ipv6) end

--- Forgets all answers, and what the hosts file says.
function dns.flush() end

return dns
