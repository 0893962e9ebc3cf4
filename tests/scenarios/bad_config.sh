#!/usr/bin/env bash
# A mistake in a config file is wrong input: status 2, and one line that says what is wrong, and where.
# usage: bad_config.sh PROGRAM    from the folder that holds lualib/ and service/
set -uo pipefail
program=$(readlink -f "$1")
export SKYSIM_HOME=$PWD
export PORT=7001  # of this process, and none of the node's business
cd "$(mktemp -d)" || exit 1
failures=0

# expect SENTENCE CONFIG : a node starts from a file with that text.
expect() {
  printf '%s\n' "$2" > config
  "$program" run scenario.lua > out 2> err
  local status=$?
  if [ "$status" != 2 ] || [ "$(cat err)" != "skysim: scenario.lua:2: node a: $1" ]; then
    echo "FAILED: status $status for: $2"
    cat out err
    failures=$((failures + 1))
  fi
}

cat > scenario.lua <<'LUA'
local sim = require "sim"
sim.scenario "it never begins" {
  nodes = { a = { config = "config" } },
  story = function() end,
}
LUA

expect "config:2: os.getenv() failed: PORT (a simulated node has the variables of its field env)" \
  $'start = "launcher"\naddress = "$PORT"'
expect "config:1: unexpected symbol near '='" 'start = = 1'
expect "config:2: Invalid config table key = start" $'\nstart = {}'
expect "config:1: the includes never end: config includes config" 'include "config"'
expect "config:1: cannot read config.path: No such file or directory" 'include "config.path"'
expect 'config: thread is "0", but must be a number in [1,1024]' $'start = "launcher"\nthread = 0'

[ "$failures" = 0 ]
