-- A tree of values that services share. Named DATACENTER.
--
-- Messages (lua); the reply is packed:
--   QUERY(k1, k2, ...)     -> value, a copied table for a branch, or nil
--   UPDATE(k1, ..., value) -> the old value; branches are made as needed
--   WAIT(k1, k2, ...)      -> value; waits until it is not nil. Fails when the key turns out to be a branch
-- A path that leads through a value which is no branch is an error.

local skynet = require "skynet"

local tree = {}

-- The same shape: a node is { children = { key = node }, answers = { response, ... } }.
local function new_node()
  return { children = {}, answers = {} }
end
local waiting = new_node()

local function check_branch(value, path, index)
  if type(value) ~= "table" then
    error(string.format("%s is a %s, not a branch", tostring(path[index]), type(value)), 0)
  end
end

-- The value at path[1..depth], or nil.
local function find(path, depth)
  local value = tree
  for index = 1, depth do
    if value == nil then
      return nil
    end
    check_branch(value, path, index - 1)
    value = value[path[index]]
  end
  return value
end

-- Before the tree is changed: a key that no table can have would leave half a path.
local function check_keys(path, depth)
  for index = 1, depth do
    local key = path[index]
    if key == nil or key ~= key then
      error(string.format("key %d of a path is %s", index, tostring(key)), 0)
    end
  end
end

local function branch_for(path, depth)
  local branch = tree
  for index = 1, depth do
    local key = path[index]
    if branch[key] == nil then
      branch[key] = {}
    end
    branch = branch[key]
    check_branch(branch, path, index)
  end
  return branch
end

local function answer_all(node, ok, value)
  local answers = node.answers
  node.answers = {}
  for _, answer in ipairs(answers) do
    answer(ok, value)
  end
end

-- A value has come to `path`: those who wait above it waited for a branch, those at its end get it.
local function tell_waiting(path, depth, value)
  local node = waiting
  for index = 1, depth do
    node = node.children[path[index]]
    if not node then
      return
    end
    if index < depth then
      answer_all(node, false)
    end
  end
  answer_all(node, true, value)
end

local command = {}

function command.QUERY(...)
  skynet.retpack(find({ ... }, select("#", ...)))
end

function command.UPDATE(...)
  local path, count = { ... }, select("#", ...)
  assert(count >= 2, "a key and a value are needed")
  local value, depth = path[count], count - 1
  check_keys(path, depth)
  local branch, key = branch_for(path, depth - 1), path[depth]
  local old = branch[key]
  branch[key] = value
  if old == nil and value ~= nil then
    tell_waiting(path, depth, value)
  end
  skynet.retpack(old)
end

function command.WAIT(...)
  local path, depth = { ... }, select("#", ...)
  assert(depth >= 1, "a key is needed")
  check_keys(path, depth)
  local value = find(path, depth)
  if value ~= nil then
    skynet.retpack(value)
    return
  end
  local node = waiting
  for index = 1, depth do
    local key = path[index]
    node.children[key] = node.children[key] or new_node()
    node = node.children[key]
  end
  node.answers[#node.answers + 1] = skynet.response()
end

skynet.start(function()
  skynet.dispatch("lua", function(_, _, name, ...)
    local f = command[name]
    if not f then
      error(string.format("datacenterd: unknown command %s", tostring(name)))
    end
    f(...)
  end)
end)
