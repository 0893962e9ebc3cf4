#!/usr/bin/env bash
# usage: tcp.sh PROGRAM SCENARIO...    from the folder that holds lualib/ and service/
# Plays each scenario over real sockets, three times.
set -euo pipefail
program=$1
shift
for scenario in "$@"; do
  for _ in 1 2 3; do
    SKYSIM_HOME=$PWD "$program" run "$scenario" --transport tcp
  done
done
