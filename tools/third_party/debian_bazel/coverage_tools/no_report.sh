#!/bin/sh
# Never runs: `bazel coverage` needs the real program, a download.
exit 0
