#!/usr/bin/env bash
# usage: sweep.sh PROGRAM SCENARIO OPTION...    from the folder that holds lualib/ and service/
set -euo pipefail
SKYSIM_HOME=$PWD exec "$1" sweep "${@:2}"
