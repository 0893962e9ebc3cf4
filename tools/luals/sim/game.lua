---@meta sim.game

-- What every game claims, ready made: services report with sim.probe, and these watch it.

---@class sim.game
local game = {}

--- A player has one session at a time: sim.probe("login", player, session), sim.probe("logout", player, session).
---@param world sim.World
---@param names? { login: string?, logout: string? } of the probes
---@return sim.Sessions
function game.one_session_per_player(world, names) end

--- What a player is owed he gets once: sim.probe("granted", player, order).
---@param world sim.World
---@param names? { granted: string? } of the probe
---@return sim.Grants
function game.granted_once(world, names) end

--- Currency is neither made nor lost: sim.probe("balance", account, balance) after each change.
---@param world sim.World
---@param given { total: number, balance: string? } how much there is; the name of the probe
---@return sim.Currency
function game.conserved(world, given) end

--- A player's commands are carried out in order, each once: sim.probe("command", player, number), from 1 on.
---@param world sim.World
---@param names? { command: string? } of the probe
---@return sim.Commands
function game.hand_off_keeps_order(world, names) end

--- Who is logged in where.
---@class sim.Sessions
local Sessions = {}

--- Where a player has a session, and which.
---@param player string|integer
---@return string? node
---@return any session
function Sessions:of(player) end

--- What was granted.
---@class sim.Grants
---@field count integer how often something was granted
local Grants = {}

--- Whether a player has got something.
---@param player string|integer
---@param order any
---@return boolean
function Grants:has(player, order) end

--- What is in all accounts.
---@class sim.Currency
local Currency = {}

--- How much there is, as last reported.
---@return number
function Currency:sum() end

--- Claims that all of it is in the accounts, and nothing under way.
function Currency:settled() end

--- What was carried out.
---@class sim.Commands
local Commands = {}

--- The number of the last command; 0: none.
---@param player string|integer
---@return integer
function Commands:carried_out(player) end

--- Claims that all commands up to this one were carried out.
---@param player string|integer
---@param number integer
function Commands:complete(player, number) end

return game
