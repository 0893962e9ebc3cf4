-- Modules that skynet's build has and skysim leaves to others: pattern of the name -> why, and what helps. The last word
-- of `require` about a module that is nowhere (skynet.require).

local BRING_YOUR_OWN = "skysim does not have it: bring your own, Lua files in lua_path and C modules in lua_cpath"

local reasons = {
  { "^lpeg$", "a library of its own. " .. BRING_YOUR_OWN },
  { "^re$", "it belongs to lpeg. " .. BRING_YOUR_OWN },
  { "^sproto$", "a library of its own. " .. BRING_YOUR_OWN },
  { "^sproto[%.lp]", "it belongs to sproto. " .. BRING_YOUR_OWN },
  { "^skynet%.sharemap$", "it needs sproto. skynet.stm, skynet.sharedata and skynet.datasheet share data without it" },
  { "^bson$", "it belongs to the driver of MongoDB. " .. BRING_YOUR_OWN },
  { "^skynet%.db%.", "drivers of databases are not part of skysim" },
  { "^client%.socket$", "the blocking socket of test clients, for Lua outside of skynet; services have skynet.socket" },
  { "^ltls%.", "TLS is not part of skysim" },
}

--- Why the module is not here; nil: no module of skynet's has this name.
---@param name string
---@return string?
return function(name)
  for _, entry in ipairs(reasons) do
    if string.find(name, entry[1]) then
      return entry[2]
    end
  end
end
