-- What snax_config.lua names as `snax_loader`: makes the file of a service up from its name, "made_NAME".
return function(patterns, name, environment)
  local word = string.match(name, "^made_(%w+)$")
  if not word then
    return nil, "only made_NAME is made, from " .. patterns
  end
  local source = string.format([[
    local shout = string.upper %q
    function accept.nothing() end
    function response.shout() return shout, SERVICE_PATH end
  ]], word)
  return assert(load(source, "=" .. name, "t", environment)), "./made/?.lua"
end
