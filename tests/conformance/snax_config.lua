-- The config entries snax_interface_g and snax_loader (runtime_api.md 1.13, 5.16).
local skynet = require "skynet"
skynet.setenv("snax", SERVICE_PATH .. "?.lua")
skynet.setenv("snax_interface_g", "_G")
skynet.setenv("snax_loader", SERVICE_PATH .. "snax_generated_loader.lua")
local snax = require "skynet.snax"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local function loader()
  local made = snax.newservice "made_word"
  claims.equal({ made.req.shout() }, { "WORD", "./made/made_word/" })
  claims.raises("no snax service 'other': only made_NAME is made", snax.interface, "other")
end

local function globals()
  claims.equal(snax.interface("made_again").response.shout, 6)
  claims.equal(_G.accept, nil)
end

claims.run("snax config", {
  { "snax_loader gives the file of a service", loader },
  { "snax_interface_g names the globals of a file on the caller's side", globals },
})
