-- snax service for snax_objects.lua: counts. init(first, mode): mode "fails", "slow", "cluster"; exit(word) tells the
-- service in `listener`.
local skynet = require "skynet"
local snax = require "skynet.snax"
local words = require "snax_counter_words"

local i = 0
local listener
local pair, other_pair

local function twice(n)
  return n * 2
end

function init(first, mode)
  if mode == "fails" then
    error "init fails, on purpose"
  elseif mode == "slow" then
    skynet.sleep(10)
  elseif mode == "cluster" then
    snax.enablecluster()
  end
  i = first or 0
end

function exit(word)
  if listener then
    skynet.send(listener, "lua", "exit", word, i)
  end
end

function accept.add(n)
  i = i + n
end

function response.get()
  return i, nil, SERVICE_NAME
end

function response.twice(n)
  return twice(n)
end

function response.words()
  return words.greeting
end

function accept.listen(handle)
  listener = handle
end

function accept.fails()
  error "accept fails, on purpose"
end

function response.fails()
  error "response fails, on purpose"
end

function response.sleep(ticks)
  skynet.sleep(ticks)
end

function response.who()
  local object = snax.self()
  return tostring(object), object.handle, SERVICE_PATH
end

function accept.quit()
  snax.exit "by itself"
end

function response.init_again()
  return pcall(skynet.call, skynet.self(), "snax", 1)
end

-- For patches: the same name twice, in two scopes.
do
  local shadow = 1
  function response.shadow_one()
    return shadow
  end
end
do
  local shadow = 2
  function response.shadow_two()
    return shadow
  end
end

function response.pairs()
  pair, other_pair = 1, 2
  return pair, other_pair
end

function response.defined()
  return accept.add ~= nil, accept.nothing, response.get(), init ~= nil
end

function response.globals(value)
  a_global = value  -- of the service, as in any Lua file
  return _G.a_global
end

function response.defines_late()
  return pcall(function()
    function accept.late() end
  end)
end
