-- Models of what services keep, for history:check (sim/history.lua): what each operation does if one comes after another.
--
--     local models = require "sim.models"
--     history:check(models.queue)
--
-- Each is { init =, step = function(state, op, args) -> next state, result }. A result of nil is a result like others.
-- Write your own in the same way; to begin elsewhere: models.from(models.counter, 100).

local models = {}

local function unknown(model, op)
  error(("the model %s has no operation %s"):format(model, tostring(op)), 0)
end

--- One value: read() -> value, write(value) -> nil, cas { old, new } -> whether it was old and is new now.
models.register = {
  init = {},
  step = function(state, op, args)
    if op == "read" then
      return state, state.value
    elseif op == "write" then
      return { value = args }, nil
    elseif op == "cas" then
      if state.value == args[1] then
        return { value = args[2] }, true
      end
      return state, false
    end
    unknown("register", op)
  end,
}

--- A number: add(n) -> the sum, read() -> the sum.
models.counter = {
  init = 0,
  step = function(state, op, args)
    if op == "add" then
      return state + args, state + args
    elseif op == "read" then
      return state, state
    end
    unknown("counter", op)
  end,
}

--- First in, first out: push(item) -> nil, pop() -> item, or nil if there is none.
models.queue = {
  init = {},
  step = function(state, op, args)
    if op == "push" then
      table.insert(state, args)
      return state, nil
    elseif op == "pop" then
      local item = table.remove(state, 1)
      return state, item
    end
    unknown("queue", op)
  end,
}

--- Items: add(item) -> whether it is new, remove(item) -> whether it was there, has(item). Each item is independent.
models.set = {
  init = false,
  key = function(_, args) return args end,
  step = function(state, op)
    if op == "add" then
      return true, not state
    elseif op == "remove" then
      return false, state
    elseif op == "has" then
      return state, state
    end
    unknown("set", op)
  end,
}

--- Who holds it: acquire(who) waits until it is free, try(who) -> whether it got it, release(who) -> whether it held it.
models.lock = {
  init = {},
  step = function(state, op, args)
    if op == "acquire" then
      if state.holder == nil then
        return { holder = args }, nil
      end
      return nil
    elseif op == "try" then
      if state.holder == nil then
        return { holder = args }, true
      end
      return state, false
    elseif op == "release" then
      if state.holder == args then
        return {}, true
      end
      return state, false
    end
    unknown("lock", op)
  end,
}

--- Values under keys: get { key } -> value, set { key, value } -> nil, remove { key } -> the value it had. Each key is
--- independent.
models.map = {
  init = {},
  key = function(_, args) return args[1] end,
  step = function(state, op, args)
    if op == "get" then
      return state, state.value
    elseif op == "set" then
      return { value = args[2] }, nil
    elseif op == "remove" then
      return {}, state.value
    end
    unknown("map", op)
  end,
}

--- A model that begins in another state.
---@param model table
---@param init any
---@return table
function models.from(model, init)
  return { init = init, key = model.key, step = model.step }
end

return models
