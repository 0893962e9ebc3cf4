-- What the conformance services share. A file here is a `start` service: it checks its claims one after another, logs
-- each ("holds: ..." or "BROKEN: ..." with the reason), then "<subject>: N claims, M broken", and ends the node. In a
-- simulation (lua_api.lua) each claim is a guarantee, and the probe "checked" tells the story that a file is done.
-- Load it with `assert(loadfile(SERVICE_PATH .. "claims.lua"))()`.

local skynet = require "skynet"
local sim = require "sim"
require "skynet.manager"

local claims = {}

-- Characters of a text that a report shows.
local SHOWN_MAX = 300

local function show(value)
  if type(value) == "string" and #value > SHOWN_MAX then
    return string.format("%q... (%d bytes)", string.sub(value, 1, SHOWN_MAX), #value)
  end
  if type(value) ~= "table" then
    return type(value) == "string" and string.format("%q", value) or tostring(value)
  end
  local words = {}
  for index = 1, value.n or #value do
    words[index] = show(value[index])
  end
  return "{" .. table.concat(words, ", ") .. "}"
end

--- Raises unless both are the same, arrays item by item.
function claims.equal(seen, expected, what)
  local is_same = seen == expected or type(seen) == "table" and show(seen) == show(expected)
  if not is_same then
    error(string.format("%sexpected %s, seen %s", what and what .. ": " or "", show(expected), show(seen)), 2)
  end
end

--- Raises unless f(...) raises an error that contains `text`.
function claims.raises(text, f, ...)
  local ok, reason = pcall(f, ...)
  if ok then
    error("expected an error with " .. show(text) .. ", seen none", 2)
  end
  if not string.find(tostring(reason), text, 1, true) then
    error(string.format("expected an error with %s, seen %s", show(text), show(tostring(reason))), 2)
  end
end

--- Runs every function in a task of its own and waits until all have ended. Returns their results by position.
function claims.all(functions)
  local results, left, done = { n = #functions }, #functions, {}
  for index, f in ipairs(functions) do
    skynet.fork(function()
      local ok, result = pcall(f)
      results[index] = ok and result or not ok and "raised " .. tostring(result) or result
      left = left - 1
      if left == 0 then
        skynet.wakeup(done)
      end
    end)
  end
  if left > 0 then
    skynet.wait(done)
  end
  return results
end

--- Runs f in a task; raises if it has not ended after `limit_cs`.
function claims.within(limit_cs, f)
  local token, ended, ok, result = {}, false, nil, nil
  skynet.fork(function()
    ok, result = xpcall(f, debug.traceback)
    ended = true
    skynet.wakeup(token)
  end)
  skynet.sleep(limit_cs, token)
  if not ended then
    error(string.format("not done after %d cs", limit_cs), 2)
  elseif not ok then
    error(result, 0)
  end
  return result
end

local function check(subject, claim)
  local ok, reason = xpcall(claim[2], debug.traceback)
  sim.guarantee(subject .. ": " .. claim[1], ok, "%s", reason)
  if ok then
    skynet.error("holds: " .. claim[1])
  else
    skynet.error(string.format("BROKEN: %s\n%s", claim[1], reason))
  end
  return ok
end

--- Checks { text, function } pairs in order; the service ends the node after that.
function claims.run(subject, list)
  skynet.start(function()
    skynet.fork(function()
      local broken = 0
      for _, claim in ipairs(list) do
        if not check(subject, claim) then
          broken = broken + 1
        end
      end
      skynet.error(string.format("%s: %d claims, %d broken", subject, #list, broken))
      sim.probe("checked", subject, #list, broken)
      skynet.sleep(1)  -- the lines above are out
      skynet.abort()
    end)
  end)
end

return claims
