-- What sharetable.loadfile runs.
local count, flag = ...
local rows = {}
for id = 1, count do
  rows[id] = { id = id }
end
return { count = count, flag = flag, rows = rows }
