#!/usr/bin/env python3
"""Two nodes call each other for a long time while a proxy between them tears their connections.

usage: soak.py SKYSIM_PROGRAM WORKSPACE [--seconds N] [--seed N]

Each node has 100 tasks that call, send, and call with 100 KiB. Fails if a call neither returns nor
raises, if anything is done twice, if anything is lost or comes out of order after the storm, if a
node ends by itself or logs an error of its own, or if descriptors or memory have grown at the end.
"""
import argparse
import asyncio
import os
import random
import shutil
import struct
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../node"))
from node_process import PATIENCE, Process, free_port  # noqa: E402

CONFIG = """
thread = 2
harbor = 0
start = "soak_main"
cluster = "names.lua"
luaservice = "{service}/?.lua"
me = "{me}"
peer = "{peer}"
"""
NAMES = """
__nowaiting = true
{me} = "127.0.0.1:{port}"
{peer} = "127.0.0.1:{peer_port}"
"""
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST
MIB = 1 << 20


class Proxy:
    """Forwards a port and tears its connections, each after a time and in a way of its own."""

    def __init__(self, to_port, draw):
        self.to_port = to_port
        self.draw = draw
        self.is_calm = False
        self.torn = 0
        self.tasks = set()  # the loop alone does not keep them alive

    async def open(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        self.tasks.add(asyncio.current_task())
        try:
            await self.forward(reader, writer)
        except asyncio.CancelledError:
            pass  # the program ends
        finally:
            self.tasks.discard(asyncio.current_task())

    async def forward(self, reader, writer):
        try:
            other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self.to_port)
        except OSError:
            writer.transport.abort()
            return
        pumps = [asyncio.ensure_future(self.pump(reader, other_writer)),
                 asyncio.ensure_future(self.pump(other_reader, writer))]
        tear = asyncio.ensure_future(self.tear(writer, other_writer))
        await asyncio.gather(*pumps, return_exceptions=True)
        tear.cancel()
        for end in writer, other_writer:
            end.close()

    async def pump(self, reader, writer):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()

    async def tear(self, writer, other_writer):
        await asyncio.sleep(self.draw.uniform(0.01, 2))
        if self.is_calm:
            return
        self.torn += 1
        how = self.draw.randrange(3)
        for end in (writer, other_writer) if how else (writer,):
            if how == 1:
                end.close()
            else:
                end.get_extra_info("socket").setsockopt(1, 13, RESET)  # SOL_SOCKET, SO_LINGER
                end.transport.abort()


async def knock(ports, draw, is_calm):
    """Strangers who connect, say nothing or half a frame, and leave."""
    while not is_calm():
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", draw.choice(ports))
            writer.write(draw.choice([b"", b"\x00", b"\x00\x20\x80half", b"\x00\x00", b"GET / HTTP/1.1\r\n"]))
            await asyncio.sleep(0.02)
            writer.transport.abort()
        except OSError:
            pass
        await asyncio.sleep(0.05)


class Node:
    def __init__(self, arguments, folder, me, peer):
        self.me, self.peer = me, peer
        self.folder = os.path.join(folder, me)
        os.mkdir(self.folder)
        self.port = free_port()
        self.arguments = arguments
        self.memory = []  # bytes, each second of the storm

    def start(self, peer_port):
        service = os.path.join(os.path.abspath(self.arguments.workspace), "tests/soak/service")
        with open(os.path.join(self.folder, "config"), "w") as file:
            file.write(CONFIG.format(service=service, me=self.me, peer=self.peer))
        with open(os.path.join(self.folder, "names.lua"), "w") as file:
            file.write(NAMES.format(me=self.me, port=self.port, peer=self.peer, peer_port=peer_port))
        self.process = Process(os.path.abspath(self.arguments.program),
                               os.path.abspath(self.arguments.workspace), self.folder, ["config"])

    def say(self, word):
        open(os.path.join(self.folder, word), "w").close()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.process.pid}/fd"))

    def resident_bytes(self):
        with open(f"/proc/{self.process.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def wait_for(node, text, patience=PATIENCE):
    end = time.monotonic() + patience
    while text not in node.process.output():
        if node.process.process.poll() is not None or time.monotonic() > end:
            sys.exit(f"node {node.me} did not say {text!r}; its output ends:\n{node.process.output()[-4000:]}")
        await asyncio.sleep(0.1)


async def storm(nodes, proxies, seconds, draw):
    knocking = asyncio.ensure_future(knock([node.port for node in nodes], draw, lambda: proxies[0].is_calm))
    for _ in range(seconds):
        await asyncio.sleep(1)
        for node in nodes:
            if node.process.process.poll() is not None:
                sys.exit(f"node {node.me} ended in the storm:\n{node.process.output()[-4000:]}")
            node.memory.append(node.resident_bytes())
    for proxy in proxies:
        proxy.is_calm = True
    await knocking


def mean(values):
    return sum(values) / len(values)


def faulty_lines(lines):
    """Violations, and errors that are not of a connection that was torn, under a send or before its agent was there."""
    faults = [line for line in lines if "VIOLATION" in line]
    for before, line in zip(lines, lines[1:]):
        is_torn = "[Error: socket]" in before or "gate: no connection" in before
        if line.startswith("stack traceback") and not is_torn:
            faults.append(before)
    return faults


def judge(node, begin_descriptors, seconds):
    faults = faulty_lines(node.process.output().splitlines())
    left = node.descriptors() - begin_descriptors
    if left > 2:  # the connection to the peer and the one from it
        faults.append(f"{left} descriptors more than at the start")
    third = max(1, len(node.memory) // 3)
    early, late = mean(node.memory[third:2 * third]), mean(node.memory[-third:])
    print(f"{node.me}: {node.descriptors()} descriptors, {left} more than at the start; "
          f"memory {early / MIB:.1f} MiB in the middle third, {late / MIB:.1f} MiB in the last")
    # The large payloads under way differ from second to second.
    allowance = 8 * MIB + 0.1 * early if seconds >= 120 else 32 * MIB + 0.5 * early
    if late > early + allowance:
        faults.append(f"memory has grown by {(late - early) / MIB:.1f} MiB")
    return [f"{node.me}: {fault}" for fault in faults]


async def soak(arguments, folder):
    draw = random.Random(arguments.seed)
    nodes = [Node(arguments, folder, "left", "right"), Node(arguments, folder, "right", "left")]
    proxies = [Proxy(node.port, draw) for node in nodes]
    ports = [await proxy.open() for proxy in proxies]
    try:
        nodes[0].start(ports[1])
        nodes[1].start(ports[0])
        for node in nodes:
            await wait_for(node, "is open")
        descriptors = [node.descriptors() for node in nodes]
        for node in nodes:
            node.say("go")
        await storm(nodes, proxies, arguments.seconds, draw)
        for node in nodes:
            node.say("calm")
        await asyncio.sleep(3)  # what was torn shows; a connection of the storm lives at most two seconds
        for node in nodes:
            node.say("quiet")
        for node in nodes:
            await wait_for(node, "is done", 120)
        print(f"{sum(proxy.torn for proxy in proxies)} connections torn")
        faults = []
        for node, count in zip(nodes, descriptors):
            print(node.me + ": " + next(line for line in node.process.output().splitlines() if "report: " in line))
            faults += judge(node, count, arguments.seconds)
        for node in nodes:
            node.say("stop")
        for node in nodes:
            if (status := node.process.end()) != 0:
                faults.append(f"{node.me}: ended with status {status}")
        return faults
    finally:
        for node in nodes:
            node.process.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("workspace")
    parser.add_argument("--seconds", type=int, default=600, help="of the storm (600)")
    parser.add_argument("--seed", type=int, default=1, help="of the proxy's draws (1); threads draw for themselves")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="soak.")
    try:
        faults = asyncio.run(soak(arguments, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for fault in faults[:20]:
        print("FAULT", fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
