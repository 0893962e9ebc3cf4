-- skynet.codecache for this runtime. Services share the compiled code of a file by its content, so an edited file
-- counts from the next load on and there is nothing to clear. The API answers as before.

local codecache = {}

local mode = "ON"

--- Nothing to forget: shared code always has the content of the file.
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
