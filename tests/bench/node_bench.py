#!/usr/bin/env python3
"""Speed of `skysim node`, by wall time of this machine, which should do nothing else meanwhile.

usage: node_bench.py SKYSIM_PROGRAM WORKSPACE PART
  node     the workloads of bench_local.lua with 2 workers and with 1
  pair     the cluster workloads between two processes over loopback, and the CPU time of both
  profile  pair under perf(1): the kernel's and our functions in which both processes spend their time
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

PROGRAM, WORKSPACE = (os.path.abspath(path) for path in sys.argv[1:3])
sys.path.insert(0, os.path.join(WORKSPACE, "tests/node"))
from node_process import Process, free_port  # noqa: E402

SHARE_MIN_PERCENT = 1  # of the functions that a profile shows


def start(folder, service, **settings):
    path = os.path.join(folder, service)
    with open(path, "w") as config:
        config.write(f'harbor = 0\nluaservice = "{WORKSPACE}/tests/bench/?.lua"\nstart = "{service}"\n')
        config.writelines(f'{key} = "{value}"\n' for key, value in settings.items())
    return Process(PROGRAM, WORKSPACE, folder, [path])


def lines_of(process):
    """What the node prints until it ends, without its log."""
    if process.process.wait() != 0:
        raise SystemExit(process.output())
    return [line for line in process.output().splitlines() if not line.startswith("[:")]


def cpu_us(process):
    with open(f"/proc/{process.process.pid}/stat") as file:
        ticks = file.read().rsplit(")", 1)[1].split()[11:13]
    return sum(map(int, ticks)) * 1e6 / os.sysconf("SC_CLK_TCK")


def node(folder):
    speeds = {}
    for workers in (2, 1):
        print(f"-- {workers} worker{'s' if workers > 1 else ''}")
        lines = lines_of(start(folder, "bench_local", thread=workers))
        print("\n".join(lines), flush=True)
        speeds[workers] = {name: float(speed) for name, speed in
                           (re.match(r"(.+?) +(\d+) \w+/s", line).groups() for line in lines if "/s " in line)}
    print("-- 2 workers against 1")
    for name, speed in speeds[1].items():
        print(f"{name:22} {speeds[2][name] / speed:10.2f} times as fast")


def pair(folder, profiler=lambda server, client: []):
    port = free_port()
    server = start(folder, "bench_cluster_server", thread=2, bench_port=port)
    server.wait_for("ready")
    before_us = cpu_us(server)
    client = start(folder, "bench_cluster_client", thread=2, bench_port=port)
    profilers = profiler(server, client)
    client_before = os.times().children_user + os.times().children_system
    print("\n".join(lines_of(client)))
    client_us = (os.times().children_user + os.times().children_system - client_before) * 1e6
    print(f"CPU time in all: callee {(cpu_us(server) - before_us) / 1e6:.1f} s, caller {client_us / 1e6:.1f} s")
    server.process.send_signal(signal.SIGTERM)
    lines_of(server)
    for process in profilers:
        process.wait()


def profile(folder):
    if shutil.which("perf") is None:
        raise SystemExit("bench: profile needs perf(1)")

    def record(*processes):
        return [subprocess.Popen(["perf", "record", "-q", "-F", "999", "-o", os.path.join(folder, f"perf.{index}"),
                                  "-p", str(process.process.pid)], stderr=subprocess.DEVNULL)
                for index, process in enumerate(processes)]

    pair(folder, record)
    for index, name in enumerate(("callee", "caller")):
        print(f"-- {name}: share of its CPU time, function ([k]: of the kernel)", flush=True)
        report = subprocess.run(["perf", "report", "-i", os.path.join(folder, f"perf.{index}"), "--sort", "sym",
                                 "--percent-limit", str(SHARE_MIN_PERCENT)], capture_output=True, text=True, check=True)
        print("\n".join(line for line in report.stdout.splitlines() if line.strip() and not line.startswith("#")))


if __name__ == "__main__":
    temporary = tempfile.mkdtemp()
    try:
        {"node": node, "pair": pair, "profile": profile}[sys.argv[3]](temporary)
    finally:
        shutil.rmtree(temporary)
