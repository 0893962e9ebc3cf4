-- Claim:  one node that holds the table of addresses can give it to all others: a node that starts knows nothing but
--         the center, asks it for the table, and gets every change; so a node that moves is reached by all under its
--         name, without a file and without anybody's restart.
-- Kind:   guarantee, and liveness.
-- Source: skynet wiki, Cluster: update of the configuration ("a central node that manages it", "not by files but by
--         cluster.reload alone").
--
-- The answer to a node and a push to it are two connections, so an older table may come after a newer one: each has a
-- number.

local sim = require "sim"

local BOUND = "5s"

local function center()
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"
  local addresses = {}
  local version = 0
  local command = {}

  -- A node tells where it listens. It and everybody who is known gets the new table.
  function command.join(node, address)
    addresses[node] = address
    version = version + 1
    cluster.reload(addresses)
    for other in pairs(addresses) do
      if other ~= node then
        cluster.send(other, "@config", version, addresses)
      end
    end
    return version, addresses
  end

  skynet.start(function()
    cluster.reload { center = "10.0.0.1:7000" }
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    cluster.register "center"
    cluster.open "center"
  end)
end

local function member()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local me = skynet.getenv "me"
  local known = 0

  local function take(version, addresses)
    if version > known then
      known = version
      cluster.reload(addresses)
    end
  end

  local function join()
    local ok, version, addresses = pcall(cluster.call, "center", "@center", "join", me, skynet.getenv "listen")
    if not ok then  -- the center is not there yet
      skynet.sleep(10)
      return join()
    end
    take(version, addresses)
  end

  skynet.start(function()
    skynet.dispatch("lua", function(session, _, request, addresses)
      if addresses then
        take(request, addresses)
      elseif request == "who" then
        skynet.retpack(me .. " at " .. skynet.getenv "listen")
      elseif session > 0 then
        local ok, answer = pcall(cluster.call, request, "@config", "who")
        skynet.retpack(ok and answer)
      end
    end)
    skynet.register ".member"
    cluster.register("config", skynet.self())
    cluster.reload { center = "10.0.0.1:7000" }
    local _, port = string.match(skynet.getenv "listen", "^(.*):(%d+)$")
    cluster.open(tonumber(port))
    join()
  end)
end

sim.scenario "one node gives all others their table of addresses" {
  kind = "guarantee",
  source = "skynet wiki, Cluster: update of the configuration",
  nodes = {
    center = { start = "center", ip = "10.0.0.1" },
    a = { start = "member", ip = "10.0.0.2", config = { me = "a", listen = "10.0.0.2:7001" } },
    b = { start = "member", ip = "10.0.0.3", config = { me = "b", listen = "10.0.0.3:7001" } },
    c = { start = "member", ip = "10.0.0.4", config = { me = "c", listen = "10.0.0.4:7001" } },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { center = center, member = member },

  story = function(world)
    local function ask(from, to) return world:call(from, ".member", to) end
    for _, from in ipairs { "a", "b", "c" } do
      for _, to in ipairs { "a", "b", "c" } do
        -- A name that has not come yet is waited for.
        sim.guarantee("every node reaches every other", string.sub(ask(from, to), 1, 4) == to .. " at")
      end
    end

    world:restart("b", { config = { me = "b", listen = "10.0.0.3:7002" } })
    for _, from in ipairs { "a", "c" } do
      local is_asking, answer = false, nil
      sim.liveness("a node that moved is reached by all", function()
        if not is_asking then
          is_asking = true
          world:spawn(function()
            answer = ask(from, "b")
            is_asking = false
          end)
        end
        return answer == "b at 10.0.0.3:7002"
      end, BOUND)
    end
    sim.guarantee("and reaches all", sim.equal({ "a at 10.0.0.2:7001", "c at 10.0.0.4:7001" },
      { ask("b", "a"), ask("b", "c") }))
  end,
}
