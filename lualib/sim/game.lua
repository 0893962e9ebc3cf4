-- What every game claims, ready made: services report what they do with sim.probe, and these watch it.
--
--     local game = require "sim.game"
--
--     story = function(world)
--       game.one_session_per_player(world)
--       local gold = game.conserved(world, { total = 200 })
--       ...
--       gold:settled()
--     end,
--
-- Make them at the beginning of the story: they hear what is reported from then on. Each judges at every report, so that
-- a failure stands in the trace right where it happened. The probes have the names below unless `names` says otherwise.
-- scenarios/game has an example of each, with a careless variant that it finds out.

local core = require "sim.core"
local sim = require "sim"

local game = {}

local function names_of(what, given, defaults)
  local names = {}
  for key, default in pairs(defaults) do
    names[key] = default
  end
  for key, value in pairs(given or {}) do
    if defaults[key] == nil or type(value) ~= "string" then
      core.complain(("game.%s: the name of a probe is a string, and none is called %s"):format(what, tostring(key)))
    end
    names[key] = value
  end
  return names
end

local function check_values(what, probe, example)
  if probe.n < 2 or probe[1] == nil or probe[2] == nil then
    core.complain(("game.%s: a probe looks like %s"):format(what, example))
  end
end

---------------------------------------------------------------------------------------------------------------------
-- One session per player

---@class sim.Sessions
local Sessions = {}
Sessions.__index = Sessions

-- What a service that has crashed with its node had open is closed.
local function is_open(world, session)
  return world:is_running(session.node) and core.starts(session.node) == session.start
end

--- A player has one session at a time: services report sim.probe("login", player, session) when one is open, and
--- sim.probe("logout", player, session) when it is closed. A node that crashes closes its sessions.
---@param world sim.World
---@param names? { login: string?, logout: string? }
---@return sim.Sessions
function game.one_session_per_player(world, names)
  names = names_of("one_session_per_player", names, { login = "login", logout = "logout" })
  local is_alone = sim.guarantee "one session per player"
  local open = {}  -- player -> session

  world:on(names.login, function(probe)
    check_values("one_session_per_player", probe, 'sim.probe("login", player, session)')
    local player = probe[1]
    local new = { id = probe[2], node = probe.node, start = probe.start }
    local old = open[player]
    local has_old = old ~= nil and is_open(world, old)
    is_alone(not has_old, "%s: session %s on %s is opened, and session %s on %s is open", player, new.id, new.node,
      has_old and old.id or "", has_old and old.node or "")
    open[player] = new
  end)
  world:on(names.logout, function(probe)
    check_values("one_session_per_player", probe, 'sim.probe("logout", player, session)')
    local old = open[probe[1]]
    if old and old.id == probe[2] and old.node == probe.node then
      open[probe[1]] = nil
    end
  end)
  return setmetatable({ world = world, open = open }, Sessions)
end

--- The node where a player has a session, and the session; nil: he has none.
---@param player string|integer
---@return string? node
---@return any session
function Sessions:of(player)
  local session = self.open[player]
  if session and is_open(self.world, session) then
    return session.node, session.id
  end
end

---------------------------------------------------------------------------------------------------------------------
-- Granted once

---@class sim.Grants
local Grants = {}
Grants.__index = Grants

--- What a player is owed he gets once: services report sim.probe("granted", player, order) when they give what an order,
--- a quest or a mail stands for.
---@param world sim.World
---@param names? { granted: string? }
---@return sim.Grants
function game.granted_once(world, names)
  names = names_of("granted_once", names, { granted = "granted" })
  local is_first = sim.guarantee "what is owed is granted once"
  local grants = { count = 0, by_player = {} }

  world:on(names.granted, function(probe)
    check_values("granted_once", probe, 'sim.probe("granted", player, order)')
    local player, order = probe[1], probe[2]
    local of = grants.by_player[player] or {}
    grants.by_player[player] = of
    is_first(not of[order], "%s got %s on %s, and had got it on %s", player, order, probe.node, of[order])
    of[order] = probe.node
    grants.count = grants.count + 1
  end)
  return setmetatable(grants, Grants)
end

--- Whether a player has got it.
---@param player string|integer
---@param order any
---@return boolean
function Grants:has(player, order)
  local of = self.by_player[player]
  return of ~= nil and of[order] ~= nil
end

---------------------------------------------------------------------------------------------------------------------
-- Conserved

---@class sim.Currency
local Currency = {}
Currency.__index = Currency

local function sum_of(balances)
  local sum = 0
  for _, balance in pairs(balances) do
    sum = sum + balance
  end
  return sum
end

--- Currency moves between accounts, and is neither made nor lost: services report sim.probe("balance", account, balance)
--- after each change, and when they open an account or load it again. There may be less than `total` while a transfer is
--- under way, and never more.
---@param world sim.World
---@param given { total: number, balance: string? } how much there is; the name of the probe
---@return sim.Currency
function game.conserved(world, given)
  if type(given) ~= "table" or type(given.total) ~= "number" then
    core.complain "game.conserved needs to know how much there is: { total = 200 }"
  end
  local names = names_of("conserved", { balance = given.balance }, { balance = "balance" })
  local is_not_made = sim.guarantee "no currency is made"
  local currency = setmetatable({ total = given.total, balances = {}, is_kept = sim.guarantee "no currency is lost" },
    Currency)

  world:on(names.balance, function(probe)
    check_values("conserved", probe, 'sim.probe("balance", account, balance)')
    currency.balances[probe[1]] = probe[2]
    local sum = currency:sum()
    is_not_made(sum <= currency.total, "%s has %s on %s: %s in all, of %s", probe[1], probe[2], probe.node, sum,
      currency.total)
  end)
  return currency
end

--- What is in the accounts.
---@return number
function Currency:sum()
  return sum_of(self.balances)
end

--- Claims that nothing is under way any more: all of it is in the accounts.
function Currency:settled()
  self.is_kept(self:sum() == self.total, "%s is left of %s", self:sum(), self.total)
end

---------------------------------------------------------------------------------------------------------------------
-- A hand-off keeps order

---@class sim.Commands
local Commands = {}
Commands.__index = Commands

--- The commands of a player are carried out one after another, whichever node he is on by then: services report
--- sim.probe("command", player, number) when they carry one out, and the player's are numbered 1, 2, 3, ...
---@param world sim.World
---@param names? { command: string? }
---@return sim.Commands
function game.hand_off_keeps_order(world, names)
  names = names_of("hand_off_keeps_order", names, { command = "command" })
  local is_next = sim.guarantee "commands are carried out in order, each once"
  local commands = setmetatable({ last = {}, place = {}, is_whole = sim.guarantee "no command is lost" }, Commands)

  world:on(names.command, function(probe)
    check_values("hand_off_keeps_order", probe, 'sim.probe("command", player, number)')
    local player, number = probe[1], probe[2]
    local last = commands.last[player] or 0
    is_next(number == last + 1, "%s: command %s on %s after command %s%s", player, number, probe.node, last,
      last > 0 and " on " .. commands.place[player] or "")
    commands.last[player], commands.place[player] = number, probe.node
  end)
  return commands
end

--- The number of the command of a player that was carried out last; 0: none was.
---@param player string|integer
---@return integer
function Commands:carried_out(player)
  return self.last[player] or 0
end

--- Claims that all commands of a player up to this one were carried out.
---@param player string|integer
---@param number integer
function Commands:complete(player, number)
  self.is_whole(self:carried_out(player) == number, "%s: command %s is the last of %s", player,
    self:carried_out(player), number)
end

return game
