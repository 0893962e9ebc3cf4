-- snax service for snax_objects.lua: keeps the arguments of its init.
local given

function accept.hello() end

function init(...)
  given = { n = select("#", ...), ... }
end

function response.arguments()
  return given
end
