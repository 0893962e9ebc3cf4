-- skynet.queue
local skynet = require "skynet"
local queue = require "skynet.queue"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local function fifo()
  local section, order = queue(), {}
  local tasks = {}
  for index = 1, 5 do
    tasks[index] = function()
      section(function()
        order[#order + 1] = index
        skynet.sleep(1)
        order[#order + 1] = index
      end)
    end
  end
  claims.all(tasks)
  claims.equal(order, { 1, 1, 2, 2, 3, 3, 4, 4, 5, 5 })
end

local function reentrant()
  local section = queue()
  local seen = claims.within(500, function()
    return section(function() return section(function(a, b) return a + b end, 1, 2) end)
  end)
  claims.equal(seen, 3)
end

local function errors()
  local section, object = queue(), {}
  claims.raises("some text", section, function() error "some text" end)
  local _, seen = pcall(section, function() error(object) end)
  claims.equal(seen == object, true)
  claims.equal(claims.within(500, function() return section(function() return "free" end) end), "free")
end

-- runtime_api.md 5.1: a task forked inside is another one.
local function forked_inside()
  local section, order = queue(), {}
  section(function()
    skynet.fork(section, function() order[#order + 1] = "forked" end)
    skynet.sleep(2)
    order[#order + 1] = "inside"
  end)
  claims.within(500, function() section(function() order[#order + 1] = "after" end) end)
  claims.equal(order, { "inside", "forked", "after" })
end

local function killed_holder()
  local section = queue()
  local holder = skynet.fork(function() section(skynet.wait, {}) end)
  skynet.sleep(1)
  skynet.fork(function()
    skynet.sleep(1)
    skynet.killthread(holder)
  end)
  claims.equal(claims.within(500, function() return section(function() return "entered" end) end), "entered")
end

local function killed_waiter()
  local section, token = queue(), {}
  skynet.fork(section, skynet.wait, token)
  local waiter = skynet.fork(section, function() end)
  skynet.sleep(1)
  skynet.killthread(waiter)
  skynet.wakeup(token)
  claims.equal(claims.within(500, function() return section(function() return "entered" end) end), "entered")
end

claims.run("skynet.queue", {
  { "tasks enter in the order of arrival, one at a time", fifo },
  { "the task inside enters again", reentrant },
  { "an error leaves the section, and objects stay what they are", errors },
  { "a task forked inside waits in the line", forked_inside },
  { "a killed holder leaves the section", killed_holder },
  { "a killed waiter leaves the line", killed_waiter },
})
