-- skynet.codecache for a runtime that shares no compiled code between services: every load reads the file, so an edited
-- file counts from the next load on and there is nothing to clear. The API answers as before.

local codecache = {}

local mode = "ON"

--- Forgets shared code: there is none.
function codecache.clear() end

--- Sets ("OFF", "EXIST", "ON") or returns the mode. It has no effect.
---@param wanted string|nil
function codecache.mode(wanted)
  if wanted == nil then
    return mode
  end
  assert(wanted == "OFF" or wanted == "EXIST" or wanted == "ON", "unknown mode " .. tostring(wanted))
  mode = wanted
end

codecache.loadfile = loadfile

return codecache
