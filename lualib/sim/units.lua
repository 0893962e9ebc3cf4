-- Quantities of a scenario: durations, ratios and rates as text with a unit, to integers. No number passes through
-- a float, so that "0.1s" is exactly 100 000 000 ns on every machine. Wrong text raises at the line of the scenario.

local core = require "sim.core"

local units = {}

local NS_PER = { ns = 1, us = 1000, ms = 1000000, s = 1000000000, min = 60000000000, h = 3600000000000 }
local BYTES_PER = {
  B = 1, KB = 1000, MB = 1000000, GB = 1000000000, KiB = 1024, MiB = 1048576, GiB = 1073741824,
}
local PPB_PER = { ppm = 1000, ppb = 1 }
local DIGITS_MAX = 9        -- before and after the point
local SCALED_MAX = 1 << 62  -- sums of two do not overflow; 146 years in ns
local DRIFT_PPB_MAX = 100000000  -- simnet/world/machine_clock.h
local MTU_MIN = 68          -- RFC 791: what every link must carry
local IP_AND_TCP_BYTES = 40 -- headers of IPv4 and TCP, without options
local BUFFER_MAX = 1 << 30  -- Linux: largest window (RFC 7323)
local TAIL_PER_MEAN = 20    -- an exponential delay beyond 20 means comes once in 5e8: cut there

-- "2.5" x 1000 -> 2500; nil if it is no decimal number or does not come out even.
local function scaled(text, factor)
  local whole, fraction = string.match(text, "^(%d+)%.?(%d*)$")
  if not whole or #whole > DIGITS_MAX or #fraction > DIGITS_MAX then
    return nil
  end
  local power = math.tointeger(10 ^ #fraction)
  local ones = math.tointeger(tonumber(whole, 10))
  local numerator = fraction == "" and 0 or math.tointeger(tonumber(fraction, 10))
  if ones >= SCALED_MAX // factor or numerator > SCALED_MAX // factor or numerator * factor % power ~= 0 then
    return nil
  end
  return ones * factor + numerator * factor // power
end

local function shown(value)
  return type(value) == "string" and '"' .. value .. '"' or tostring(value)
end

--- Nanoseconds of "50ms", "2.5s", "10us", "3min". 0 is allowed without a unit.
---@param value string|integer
---@return integer
function units.duration(value)
  if value == 0 then
    return 0
  end
  if type(value) == "number" then
    core.complain(('a duration needs a unit, like "%sms" or "%ss", not the number %s'):format(value, value, value))
  end
  if type(value) == "string" then
    if string.find(value, "^%s*-") then
      core.complain("a duration cannot be negative: " .. shown(value))
    end
    local number, unit = string.match(value, "^([%d.]+)%s*(%a+)$")
    local ns = number and NS_PER[unit] and scaled(number, NS_PER[unit])
    if ns then
      return ns
    end
  end
  core.complain('a duration looks like "50ms", "2.5s" or "10us", not ' .. shown(value))
end

--- Nanoseconds of "-1h" or "+50ms": how far something is moved.
---@param value string|integer
---@return integer
function units.signed_duration(value)
  if type(value) ~= "string" then
    return units.duration(value)
  end
  local sign, rest = string.match(value, "^%s*([+-]?)%s*(.*)$")
  local ns = units.duration(rest)
  return sign == "-" and -ns or ns
end

--- Nanoseconds per second of "50ppm" or "-0.5ppm": how fast a clock is. 0 is allowed without a unit.
---@param value string|integer
---@return integer
function units.drift(value)
  if value == 0 then
    return 0
  end
  if type(value) == "string" then
    local sign, number, unit = string.match(value, "^%s*([+-]?)([%d.]+)%s*(%a+)$")
    local ppb = number and PPB_PER[unit] and scaled(number, PPB_PER[unit])
    if ppb and ppb <= DRIFT_PPB_MAX then
      return sign == "-" and -ppb or ppb
    elseif ppb then
      core.complain("a clock drifts by 100000ppm (10 %) at most, not " .. shown(value))
    end
  end
  core.complain('a drift looks like "50ppm", "-50ppm" or "10ppb", not ' .. shown(value))
end

--- Numerator and denominator of "1%", "0.5%", "1/200". 0 and 1 are allowed as numbers.
---@param value string|integer
---@return integer, integer
function units.ratio(value)
  if value == 0 or value == 1 then
    return math.tointeger(value), 1
  end
  if type(value) == "string" then
    local percent = string.match(value, "^([%d.]+)%s*%%$")
    local numerator = percent and scaled(percent, 1000000)
    local denominator = 100000000
    if not numerator then
      local above, below = string.match(value, "^(%d+)/(%d+)$")
      numerator, denominator = above and scaled(above, 1), below and scaled(below, 1)
    end
    if numerator and denominator and denominator > 0 and numerator <= denominator then
      return numerator, denominator
    end
  end
  core.complain('a probability looks like "1%" or "1/200", not ' .. shown(value))
end

--- Bytes per second of "64KB/s", "1.5MB/s". 0: unlimited.
---@param value string|integer
---@return integer
function units.rate(value)
  if value == 0 then
    return 0
  end
  if type(value) == "string" then
    local number, unit = string.match(value, "^([%d.]+)%s*(%a+)/s$")
    local bytes = number and BYTES_PER[unit] and scaled(number, BYTES_PER[unit])
    if bytes and bytes > 0 then
      return bytes
    end
  end
  core.complain('a bandwidth looks like "64KB/s" or "1.5MB/s", or 0 for unlimited, not ' .. shown(value))
end

--- Bytes of 4096, "64KB", "1.5MiB".
---@param what string
---@param value string|integer
---@param least integer
---@param most integer
---@return integer
function units.bytes(what, value, least, most)
  local bytes = math.type(value) == "integer" and value
  if type(value) == "string" then
    local number, unit = string.match(value, "^([%d.]+)%s*(%a+)$")
    bytes = number and BYTES_PER[unit] and scaled(number, BYTES_PER[unit])
  end
  if not bytes then
    core.complain(('%s is a number of bytes, like 4096 or "64KB", not %s'):format(what, shown(value)))
  elseif bytes < least or bytes > most then
    core.complain(("%s is a number of bytes from %d to %d, not %s"):format(what, least, most, shown(value)))
  end
  return bytes
end

local BURST_FIELDS = { enter = "enter", leave = "leave", loss = "burst_loss", calm_loss = "calm_loss" }

--- Loss in bursts: the link enters one with `enter`, leaves it with `leave`, each asked for every segment; `loss` of
--- the segments are lost within one, `calm_loss` otherwise.
---@param given table
---@return table
function units.bursts(given)
  if type(given) ~= "table" or given.enter == nil then
    core.complain('sim.bursts needs a table like { enter = "1/1000", leave = "1/10", loss = 1, calm_loss = 0 }; '
      .. "enter is required")
  end
  local bursts = { is_bursts = true, shown = "bursts", given = given }
  for field in pairs(given) do
    if not BURST_FIELDS[field] then
      core.complain(("sim.bursts has no %s; it has calm_loss, enter, leave, loss"):format(shown(field)))
    end
  end
  for field, default in pairs { enter = 0, leave = "1/10", loss = 1, calm_loss = 0 } do
    local plain = BURST_FIELDS[field]
    bursts[plain], bursts[plain .. "_of"] = units.ratio(given[field] or default)
  end
  return bursts
end

function units.constant(delay)
  local ns = units.duration(delay)
  return { shape = "constant", min_ns = ns, max_ns = ns, mean_ns = 0 }
end

function units.uniform(least, most)
  local min_ns, max_ns = units.duration(least), units.duration(most)
  if min_ns > max_ns then
    core.complain(("sim.uniform: %s is more than %s"):format(shown(least), shown(most)))
  end
  return { shape = "uniform", min_ns = min_ns, max_ns = max_ns, mean_ns = 0 }
end

function units.exponential(least, mean, most)
  local min_ns, mean_ns = units.duration(least), units.duration(mean)
  local max_ns = most and units.duration(most) or min_ns + TAIL_PER_MEAN * mean_ns
  if max_ns < min_ns then
    core.complain(("sim.exponential: %s is more than %s"):format(shown(least), shown(most)))
  end
  return { shape = "exponential", min_ns = min_ns, max_ns = max_ns, mean_ns = mean_ns }
end

-- Field of a link -> how its value is read into the plain table that sim.core takes.
local LINK_FIELDS = {
  delay = function(plain, value)
    local delay = type(value) == "table" and value.shape and value or units.constant(value)
    for key, part in pairs(delay) do
      plain[key] = part
    end
  end,
  jitter = function(plain, value) plain.jitter_ns = units.duration(value) end,
  loss = function(plain, value)
    if type(value) ~= "table" then
      plain.loss, plain.loss_of = units.ratio(value)
      plain.enter = 0
    elseif value.is_bursts then
      for key, part in pairs(value) do
        if key ~= "given" then
          plain[key] = part
        end
      end
    else
      core.complain 'loss is a share like "1%", or sim.bursts { ... }'
    end
  end,
  bandwidth = function(plain, value) plain.bandwidth = units.rate(value) end,
  queue = function(plain, value) plain.queue = units.bytes("queue", value, 0, BUFFER_MAX) end,
  mss = function(plain, value) plain.mss = units.bytes("mss", value, 1, 65536) end,
  mtu = function(plain, value)
    plain.mtu = units.bytes("mtu", value, MTU_MIN, 65536)
    plain.mss = math.min(plain.mss or plain.mtu, plain.mtu - IP_AND_TCP_BYTES)
  end,
  window = function(plain, value) plain.window = units.bytes("window", value, 1, BUFFER_MAX) end,
  send_buffer = function(plain, value) plain.send_buffer = units.bytes("send_buffer", value, 1, BUFFER_MAX) end,
}
for _, field in ipairs { "split", "duplicate", "reorder" } do
  LINK_FIELDS[field] = function(plain, value)
    plain[field], plain[field .. "_of"] = units.ratio(value)
  end
end

--- Reads one field of a link into `plain`.
---@param plain table
---@param field string
---@param value any
function units.read_link_field(plain, field, value)
  local read = LINK_FIELDS[field]
  if not read then
    core.complain(("a link has no %s; it has bandwidth, delay, duplicate, jitter, loss, mss, mtu, queue, reorder, "
      .. "send_buffer, split, window"):format(shown(field)))
  end
  read(plain, value)
end

--- The keys of a table in the order of their texts.
---@param of table
---@return any[]
function units.sorted_keys(of)
  local keys = {}
  for key in pairs(of) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

-- For those who read other quantities.
units.scaled, units.shown, units.NS_PER = scaled, shown, NS_PER

return units
