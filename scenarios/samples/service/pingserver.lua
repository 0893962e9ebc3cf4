-- snax service: answers a ping, counts what was posted. init(mode): mode "closed" does not open it to the cluster.

local skynet = require "skynet"
local snax = require "skynet.snax"

local posted = 0

function init(mode)
  if mode ~= "closed" then
    snax.enablecluster()
  end
end

function response.ping(text)
  return text, skynet.getenv "place"
end

function accept.post(n)
  posted = posted + n
end

function response.posted()
  return posted
end
