-- One of two nodes that call each other as hard as they can while their connections are torn.
--
-- What is checked, on both sides of each message:
--   Every call is answered or raises, and an answer is that of its own question.
--   Nothing is done twice. What was answered was done.
--   While nothing tears connections (file `calm`), every call is answered and every send arrives, in order.
-- A violation is a line "VIOLATION ..."; the driver fails then. A file in the working folder tells what to do: `calm`,
-- then `stop`.
local skynet = require "skynet"
local cluster = require "skynet.cluster"
require "skynet.manager"

local TASKS = 100
local LARGE_BYTES = 100 * 1024
local PEER = skynet.getenv "peer"
local WINDOW = 64  -- how far behind its newest a message of a task may come and still be told from a second copy

local issued, answered, raised, sent = 0, 0, 0, 0
local done, taken = 0, 0
local calm_sends, calm_taken = 0, 0

local function violation(text, ...)
  print("VIOLATION " .. text:format(...))
end

local function exists(name)
  local file = io.open(name)
  if file then
    file:close()
  end
  return file ~= nil
end

-- The numbers of one task's messages that came, to see a second copy. A number that is not there may have been lost with
-- its connection, or be under way in one that was torn.
local seen = {}

local function note(task, number)
  local of_task = seen[task]
  if not of_task then
    of_task = { newest = 0 }
    seen[task] = of_task
  end
  if of_task[number] then
    violation("task %d: message %d came twice", task, number)
  elseif number <= of_task.newest - WINDOW then
    violation("task %d: message %d came after %d", task, number, of_task.newest)
  end
  of_task[number] = true
  for old = of_task.newest - WINDOW, number - WINDOW - 1 do
    of_task[old] = nil
  end
  of_task.newest = math.max(of_task.newest, number)
end

local command = {}

function command.call(task, number, payload)
  note(task, number)
  done = done + 1
  skynet.retpack(number, #payload)
end

function command.send(task, number)
  note(task, number)
  taken = taken + 1
end

local calm_newest = {}

function command.calm(task, number)
  if number ~= (calm_newest[task] or 0) + 1 then
    violation("task %d: calm message %d came after %d", task, number, calm_newest[task] or 0)
  end
  calm_newest[task] = number
  calm_taken = calm_taken + 1
end

-- What the peer has taken of this node's messages.
function command.account()
  skynet.retpack(done, taken, calm_taken)
end

local function call(task, number, payload)
  issued = issued + 1
  local ok, same, bytes = pcall(cluster.call, PEER, ".soak", "call", task, number, payload)
  if not ok then
    raised = raised + 1
    skynet.sleep(math.random(10))  -- the peer may be gone for a moment
  elseif same ~= number or bytes ~= #payload then
    violation("task %d: call %d of %d bytes got the answer %s, %s", task, number, #payload, same, bytes)
  else
    answered = answered + 1
  end
  return ok
end

local is_calm, is_stopping = false, false
local running = 0

local function storm(task)
  local large = string.rep(string.char(task), LARGE_BYTES)
  local number = 0
  while not is_calm do
    number = number + 1
    local what = math.random(20)
    if what == 1 then
      call(task, number, large)
    elseif what <= 6 then
      sent = sent + 1
      cluster.send(PEER, ".soak", "send", task, number)
    else
      call(task, number, "small")
    end
    if what == 6 then
      skynet.sleep(1)
    end
  end
  return number
end

-- The connections of the storm may still be torn ones: one call may raise for it.
local function quiet(task, number)
  for _ = 1, 200 do
    number = number + 1
    if call(task, number, "small") then
      break
    end
  end
  for round = 1, 50 do
    cluster.send(PEER, ".soak", "calm", task, round)
    calm_sends = calm_sends + 1
    number = number + 1
    if not call(task, number, "calm") then
      violation("task %d: a call raised though nobody tore its connection", task)
    end
  end
end

local function play(task)
  local number = storm(task)
  while not exists "quiet" do
    skynet.sleep(10)
  end
  quiet(task, number)
  running = running - 1
end

local function report()
  local ok, peer_done, peer_taken, peer_calm = pcall(cluster.call, PEER, ".soak", "account")
  if not ok then
    violation("the account of %s did not come: %s", PEER, peer_done)
    return
  end
  if issued ~= answered + raised then
    violation("%d calls, but %d answered and %d raised", issued, answered, raised)
  end
  if peer_done < answered or peer_done > issued then
    violation("%d calls, %d answered, but %d done", issued, answered, peer_done)
  end
  if peer_taken > sent then
    violation("%d sends, but %d taken", sent, peer_taken)
  end
  if peer_calm ~= calm_sends then
    violation("%d sends in the calm, but %d taken", calm_sends, peer_calm)
  end
  print(("report: %d calls, %d answered, %d raised, %d sends, %d of them taken, %d calm"):format(
    issued, answered, raised, sent, peer_taken, calm_sends))
end

local function watch()
  while not exists "calm" do
    skynet.sleep(10)
  end
  is_calm = true
  while running > 0 do
    skynet.sleep(10)
  end
  report()
  print "is done"
  while not exists "stop" do
    skynet.sleep(10)
  end
  skynet.abort()
end

skynet.start(function()
  skynet.dispatch("lua", function(_, _, name, ...)
    command[name](...)
  end)
  skynet.register ".soak"
  cluster.open(skynet.getenv "me")
  print "is open"
  while not exists "go" do
    skynet.sleep(10)
  end
  running = TASKS
  for task = 1, TASKS do
    skynet.fork(play, task)
  end
  skynet.fork(watch)
end)
