#!/usr/bin/env bash
# usage: zoo_run.sh PROGRAM ARGS...    skysim zoo run ARGS..., which must pass
set -euo pipefail
SKYSIM_HOME=$PWD exec "$@"
