-- Histories of operations, and whether they could have happened one by one.
--
--     local bank = sim.history "bank"
--
--     -- in the story, or in a service that is somebody's client:
--     local balance = bank:call("client 1", "add", 5, function()
--       return world:call("front", ".bank", "add", 5)
--     end)
--
--     -- in the story, when all have ended:
--     bank:check(models.counter)
--
-- A history is *linearizable* if there is one order of its operations in which each takes place between its invocation
-- and its return, and in which a service that does one thing after another, the model, would have given the very
-- results that were seen. It is what "behaves as if there were one of it" means.
--
-- An operation that raised, or never returned, is open: it may have happened, at any later time, or not.
--
-- A model says what the service does if it is asked one thing after another:
--     { init = state,                           -- any value but nil
--       step = function(state, op, args)        -- -> next state, result; or nothing: it cannot happen now, and waits
--       key = function(op, args) end,           -- if there are many independent ones: which of them this is about
--     }
-- States, arguments and results are what skynet.pack takes; tables are compared by content. `step` may change the state
-- that it is given, which is a copy. sim/models.lua has the usual ones.
--
-- The search for an order may take for ever, so it has a limit: of steps and not of time, so that a verdict repeats. What
-- exceeds it is *unknown*, which is no failure; it is counted and shown as broken usual property.

local has_core, core = pcall(require, "sim.core")
local is_story = has_core and core.role == "story"

local STEPS_MAX = 1000000   -- of one check: a few seconds at most
local SHOWN_MAX = 12        -- operations in a text; the data has all

-- -- Values as text ---------------------------------------------------------------------------------------------------

local text_of

-- A string that is no name has quotes, so that 1 and "1" differ.
local function key_text(key)
  local is_name = type(key) == "string" and string.find(key, "^[%a_][%w_]*$")
  return is_name and key or "[" .. text_of(key) .. "]"
end

-- One text for each value, whatever the order of a table's keys.
function text_of(value)
  local kind = math.type(value) or type(value)
  if kind == "string" then
    return ("%q"):format(value)
  elseif kind == "float" then
    return math.tointeger(value) and tostring(math.tointeger(value)) or ("%.17g"):format(value)
  elseif kind ~= "table" then
    return tostring(value)
  end
  local words, keys = {}, {}
  for i = 1, #value do
    words[i] = text_of(value[i])
  end
  for key, item in pairs(value) do
    if not (math.type(key) == "integer" and key >= 1 and key <= #value) then
      keys[#keys + 1] = ("%s = %s"):format(key_text(key), text_of(item))
    end
  end
  table.sort(keys)
  table.move(keys, 1, #keys, #words + 1, words)
  return "{" .. table.concat(words, ", ") .. "}"
end

local function copy_of(value)
  if type(value) ~= "table" then
    return value
  end
  local copy = {}
  for key, item in pairs(value) do
    copy[key] = copy_of(item)
  end
  return copy
end

-- -- Recording --------------------------------------------------------------------------------------------------------

---@class sim.History
local History = {}
History.__index = History

local operations_begun = 0  -- in this Lua state

-- A step of an operation, in the one order that the steps of all clients have.
local function record(history, what, token, ...)
  if is_story then
    core.record(history.probe, what, token, ...)
  elseif has_core then
    core.probe(history.probe, what, token, ...)
  end
end

local function check_text(verb, what, value)
  if has_core and type(value) ~= "string" then
    core.complain(("history:%s needs %s, not a %s"):format(verb, what, type(value)))
  end
end

--- An operation begins. Returns it, for ok, fail or info.
---@param client string|integer who asks, for the reader
---@param op string
---@param args any a table if there are several
---@return table operation
function History:invoke(client, op, args)
  check_text("invoke", "the name of an operation", op)
  operations_begun = operations_begun + 1
  local operation = { token = operations_begun }
  record(self, "invoke", operation.token, tostring(client), op, args)
  return operation
end

--- It returned `result`.
---@param operation table
---@param result any
function History:ok(operation, result)
  record(self, "ok", operation.token, result)
end

--- It certainly did not happen.
---@param operation table
function History:fail(operation)
  record(self, "fail", operation.token)
end

--- Nobody knows whether it happened, or whether it still will: the client asks no more.
---@param operation table
function History:info(operation)
  record(self, "info", operation.token)
end

--- Does an operation by calling f(), which returns its result. If f raises, the operation is open and the error goes on.
---@param client string|integer
---@param op string
---@param args any
---@param f fun(): any
---@return any result
function History:call(client, op, args, f)
  if has_core and type(f) ~= "function" then
    core.complain("history:call needs the function that does the operation, not a " .. type(f))
  end
  local operation = self:invoke(client, op, args)
  local ok, result = pcall(f)
  if not ok then
    self:info(operation)
    error(result, 0)
  end
  self:ok(operation, result)
  return result
end

-- -- Reading ----------------------------------------------------------------------------------------------------------

--- What was recorded so far, in order of invocation: { client =, op =, args =, result =, outcome = "ok", "fail" or "open",
--- invoked =, returned =, invoked_ns =, returned_ns = } each. Only in the story.
---@return table[]
function History:operations()
  local list, under_way = {}, {}
  for position, step in ipairs(core.probes(self.probe)) do
    local what, token = step[1], ("%s %d %d"):format(step.node, step.service, step[2])
    if what == "invoke" then
      under_way[token] = {
        client = step[3], op = step[4], args = step[5], outcome = "open", invoked = position, invoked_ns = step.time,
      }
      list[#list + 1] = under_way[token]
    else
      local operation = under_way[token]
      under_way[token] = nil
      if operation == nil then
        core.complain(("history %s: %s for an operation that is not under way"):format(self.name, what))
      elseif what ~= "info" then
        operation.outcome = what
        operation.result = step[3]
        operation.returned, operation.returned_ns = position, step.time
      end
    end
  end
  return list
end

-- -- Checking ---------------------------------------------------------------------------------------------------------

local function check_model(model)
  if not is_story then
    core.complain "history:check is for the story"
  elseif type(model) ~= "table" or model.init == nil or type(model.step) ~= "function" then
    core.complain "history:check needs a model, { init = state, step = function(state, op, args) ... end }"
  end
end

-- What happened, or may have, by key: of each key a history of its own.
local function split(operations, model)
  local parts, part_of = {}, {}
  for _, operation in ipairs(operations) do
    if operation.outcome ~= "fail" then
      local key = model.key and model.key(operation.op, operation.args)
      local text = text_of(key)
      if not part_of[text] then
        part_of[text] = { key = key, operations = {} }
        parts[#parts + 1] = part_of[text]
      end
      local of = part_of[text].operations
      of[#of + 1] = operation
    end
  end
  return parts
end

-- The model over texts, as the search wants it.
local function apply_of(model, operations)
  local states = { [text_of(model.init)] = model.init }
  local calls = {}
  for _, operation in ipairs(operations) do
    calls[operation.op .. " " .. text_of(operation.args)] = operation
  end
  return function(state, call)
    local next_state, result = model.step(copy_of(states[state]), calls[call].op, copy_of(calls[call].args))
    if next_state == nil then
      return nil
    end
    local text = text_of(next_state)
    states[text] = next_state
    return text, text_of(result)
  end, states
end

local function linearize(part, model, steps_max)
  local apply, states = apply_of(model, part.operations)
  local plain = {}
  for i, operation in ipairs(part.operations) do
    plain[i] = {
      call = operation.op .. " " .. text_of(operation.args), invoked = operation.invoked, returned = operation.returned,
      result = operation.outcome == "ok" and text_of(operation.result) or nil,
    }
  end
  local found = core.linearize(plain, text_of(model.init), apply, steps_max)
  local order = {}
  for i, index in ipairs(found.order) do
    order[i] = part.operations[index]
  end
  return {
    verdict = found.verdict, steps = found.steps, order = order, key = part.key, state = states[found.state],
    culprit = found.verdict == "illegal" and part.operations[found.culprit] or nil,
  }
end

-- The operations that were begun before the culprit's return, as they were known then.
local function prefix_of(operations, culprit)
  local prefix = {}
  for _, operation in ipairs(operations) do
    if operation.invoked < culprit.returned then
      local copy = copy_of(operation)
      if copy.returned and copy.returned > culprit.returned then
        copy.outcome, copy.result, copy.returned, copy.returned_ns = "open", nil, nil, nil
      end
      prefix[#prefix + 1] = copy
    end
  end
  return prefix
end

local function show_call(operation)
  return ("%s(%s)"):format(operation.op, operation.args == nil and "" or text_of(operation.args))
end

local function show(operation)
  local outcome = operation.outcome == "ok" and "gave " .. text_of(operation.result) or "was not answered"
  return ("%s: %s %s"):format(operation.client, show_call(operation), outcome)
end

-- The last of a list, one a line.
local function show_last(lines, operations, indent)
  if #operations > SHOWN_MAX then
    lines[#lines + 1] = ("%s(%d before these)"):format(indent, #operations - SHOWN_MAX)
  end
  for i = math.max(1, #operations - SHOWN_MAX + 1), #operations do
    lines[#lines + 1] = indent .. show(operations[i])
  end
end

local function describe(report, model)
  local culprit = report.culprit
  local after, result = model.step(copy_of(report.state), culprit.op, copy_of(culprit.args))
  local happened, under_way = {}, {}
  for _, operation in ipairs(report.order) do
    happened[operation.invoked] = true
  end
  for _, operation in ipairs(report.prefix) do
    if not happened[operation.invoked] and operation.invoked ~= culprit.invoked then
      under_way[#under_way + 1] = operation
    end
  end
  local lines = {
    ("no order explains %s%s"):format(show(culprit), report.key ~= nil and ", key " .. text_of(report.key) or ""),
    #report.order > 0 and "what was answered before, in an order that explains it:" or "nothing was answered before",
  }
  show_last(lines, report.order, "  ")
  lines[#lines + 1] = ("then the state is %s, and %s %s"):format(text_of(report.state), show_call(culprit),
    after == nil and "cannot happen" or "gives " .. text_of(result))
  if #under_way > 0 then
    lines[#lines + 1] = "under way, and no help:"
    show_last(lines, under_way, "  ")
  end
  return table.concat(lines, "\n")
end

--- Judges the guarantee `history NAME is linearizable`, and returns the verdict, "linearizable", "illegal" or
--- "unknown", and a report: { verdict =, steps =, key =, and if it is illegal
---   prefix = the shortest illegal prefix, as operations() has them; culprit = the operation whose return ends it;
---   order = an order that explains all that returned before; state = what that leads to; text = all this in words }.
--- Only in the story.
---@param model table
---@param limits? { steps: integer? } how long to search; 1 million steps
---@return string verdict
---@return table report
function History:check(model, limits)
  check_model(model)
  local steps_left = limits and limits.steps or STEPS_MAX
  if math.type(steps_left) ~= "integer" or steps_left < 1 then
    core.complain("history:check: steps is a number of steps, 1 or more, not " .. tostring(steps_left))
  end
  local name = ("history %s is linearizable"):format(self.name)
  local unknown = ("the search in history %s comes to an end"):format(self.name)
  local report = { verdict = "linearizable", steps = 0 }
  for _, part in ipairs(split(self:operations(), model)) do
    local found = linearize(part, model, math.max(steps_left, 1))
    steps_left = steps_left - found.steps
    found.steps = found.steps + report.steps
    if found.verdict == "illegal" then
      found.prefix = prefix_of(part.operations, found.culprit)
      found.text = describe(found, model)
      core.judge("always", "guarantee", name, false, found.text)
      return "illegal", found
    end
    report.steps = found.steps
    report.verdict = found.verdict == "unknown" and "unknown" or report.verdict
  end
  if report.verdict == "linearizable" then
    core.judge("always", "guarantee", name, true, "")
  end
  core.judge("always", "usual", unknown, report.verdict ~= "unknown",
    report.verdict == "unknown" and ("given up after %d steps: unknown"):format(report.steps) or "")
  return report.verdict, report
end

local histories = {}

-- sim.history(name)
local function open(name)
  if has_core and type(name) ~= "string" then
    core.complain("a history needs a name, not " .. type(name))
  end
  histories[name] = histories[name] or setmetatable({ name = name, probe = "history " .. tostring(name) }, History)
  return histories[name]
end

return { open = open, History = History }
