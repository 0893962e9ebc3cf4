---@meta sim.models

-- Models of what services keep, for history:check.

---@class sim.models
local models = {}

--- One value: read() -> value, write(value), cas { old, new } -> whether it was old and is new now.
---@type sim.Model
models.register = {}

--- A number: add(n) -> sum, read() -> sum.
---@type sim.Model
models.counter = {}

--- First in, first out: push(item), pop() -> item or nil.
---@type sim.Model
models.queue = {}

--- Items: add(item) -> whether it is new, remove(item) -> whether it was there, has(item).
---@type sim.Model
models.set = {}

--- Who holds it: acquire(who) waits, try(who) -> whether it got it, release(who) -> whether it held it.
---@type sim.Model
models.lock = {}

--- Values under keys: get { key } -> value, set { key, value }, remove { key } -> the value it had.
---@type sim.Model
models.map = {}

--- A model that begins in another state.
---@param model sim.Model
---@param init any
---@return sim.Model
function models.from(model, init) end

return models
