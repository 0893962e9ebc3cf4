-- Claim:  what tostring, %p and the order of pairs show of where values are is the same in every process.
-- Kind:   guarantee; to be run with --check-determinism.
-- Source: ours: "no address reaches a message, a choice or a trace".

local sim = require "sim"

local function main()
  local skynet = require "skynet"
  require "skynet.manager"
  local driver = require "skynet.socketdriver"

  local function keys()
    local set = { [io.stdout] = true, [coroutine.running()] = true, [_G] = true, [(driver.str2p "x")] = true }
    for _, library in ipairs { _G, string, table, math, coroutine, skynet } do
      for _, value in pairs(library) do
        if type(value) == "function" then
          set[value] = true
        end
      end
    end
    local shown = {}
    for key in pairs(set) do
      shown[#shown + 1] = tostring(key) .. string.format("%p", key)
    end
    return shown
  end

  skynet.start(function()
    sim.probe("keys", table.concat(keys(), " "))
    skynet.register ".main"
  end)
end

sim.scenario "addresses are the same in every process" {
  kind = "guarantee",
  nodes = { a = { start = "main" } },
  services = { main = main },

  story = function(world)
    sim.guarantee("a service shows its keys", #world:probes "keys" == 1)
  end,
}
