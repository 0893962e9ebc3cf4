---@meta skynet.queue

--- Runs f(...) alone among the calls of this section, in the order of arrival, and returns its results. A task inside
--- may enter again; one that it forks waits like everybody. An error of f leaves the section and is raised again.
---@alias skynet.queue.section async fun(f: (fun(...: any): ...), ...: any): ...

--- Makes a critical section: `local section = queue()`, then `section(f, ...)`.
---@return skynet.queue.section
local function queue() end

return queue
