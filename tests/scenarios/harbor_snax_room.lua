-- snax service for harbor_snax.lua: a room of the node that it runs on.
local skynet = require "skynet"

local topic
local words = {}

function init(first)
  topic = first.topic
end

function accept.say(word)
  words[#words + 1] = word
end

function response.heard()
  return topic, words, skynet.self()
end

function response.fails()
  error "on purpose"
end
