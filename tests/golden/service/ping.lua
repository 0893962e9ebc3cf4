-- The recorded snax service: method 5 is a call, 6 a send. Method 7 is ours: the sends since it was asked last, each
-- "method(bytes of its argument)", with a comma between.
local snax = require "skynet.snax"

local pushed = {}

function response.echo(text)
  return text
end

function accept.note(text)
  pushed[#pushed + 1] = string.format("6(%d)", #text)
end

function response.pushed()
  local text = table.concat(pushed, ",")
  pushed = {}
  return text
end

function init()
  snax.enablecluster()
end
