#!/usr/bin/env python3
"""What skynet's master and slaves said to each other, and what skysim's say: the recordings of harbor/ over sockets.

The test plays all nodes but one, which is a `skysim node`: the master, slave 1 (with the master), slave 2, slave 200. The
node has to write the recorded bytes and gets the recorded answers, in one chunk, frame by frame, and byte by byte.

usage: harbor_test.py SKYSIM_PROGRAM WORKSPACE [unittest arguments]
"""
import os
import shutil
import socket
import sys
import tempfile
import unittest

import recordings

PROGRAM, WORKSPACE = (os.path.abspath(path) for path in sys.argv[1:3])
sys.path.insert(0, os.path.join(WORKSPACE, "tests/node"))
from node_process import PATIENCE, Process, free_port  # noqa: E402

SERVICES = os.path.join(WORKSPACE, "tests/golden/service")
FOLDER = os.path.join(WORKSPACE, "tests/golden/harbor")
FILES = recordings.files(FOLDER)
RECORDED_PORTS = {1: b"27501", 2: b"27502", 200: b"27503"}

# What skynet wrote into a connection whose peer was gone. Here the connection is closed by then, and the call raises.
NOT_WRITTEN = {"harbor_after_kill.1to2"}


def five_digit_port():
    """A free port whose text is as long as the recorded ones."""
    while True:
        port = free_port()
        if port >= 10000:
            return port


def read_exactly(connection, count):
    data = b""
    while len(data) < count:
        chunk = connection.recv(count - len(data))
        if not chunk:
            raise AssertionError(f"the stream ended after {data[:64].hex()}, {count - len(data)} bytes are missing")
        data += chunk
    return data


class Peer:
    """One connection of the test. `ports`: harbor id -> the port that stands for the recorded one."""

    def __init__(self, connection, chunks, ports, head_bytes):
        self.connection, self.chunks, self.ports, self.head_bytes = connection, chunks, ports, head_bytes
        connection.settimeout(PATIENCE)

    def close(self):
        self.connection.close()

    def frames(self, stream):
        frames = recordings.read(FOLDER, stream)
        for harbor, port in self.ports.items():
            frames = [frame.replace(b":" + RECORDED_PORTS[harbor], b":%d" % port) for frame in frames]
        return frames

    def write(self, stream, begin=0, end=None):
        """Frames of a recording."""
        recordings.write(self.connection, self.frames(stream)[begin:end], self.chunks, PATIENCE)

    def expect(self, stream, begin=0, end=None):
        """The next bytes are these frames of a recording."""
        for frame in self.frames(stream)[begin:end]:
            got = read_exactly(self.connection, min(len(frame), self.head_bytes))
            if len(frame) > self.head_bytes:
                got += read_exactly(self.connection, int.from_bytes(got, "big"))
            if got != frame:
                raise AssertionError(f"{stream}: recorded\n{frame[:200].hex()}\nbut here\n{got[:200].hex()}")

    def expect_end(self):
        rest = self.connection.recv(100)
        if rest:
            raise AssertionError(f"{rest.hex()} is too much")


class HarborTest(unittest.TestCase):
    def each_way(self, story):
        """A story is told once for each way to cut the stream."""
        for chunks in recordings.CHUNKS:
            with self.subTest(chunks=chunks):
                self.chunks, self.cleanups = chunks, []
                self.ports = {harbor: five_digit_port() for harbor in RECORDED_PORTS}
                try:
                    story()
                except (AssertionError, OSError) as error:
                    output = self.process.output() if self.process else ""
                    raise AssertionError(f"{error}\nThe node's output:\n{output}") from error
                finally:
                    for cleanup in reversed(self.cleanups):
                        cleanup()

    def start_node(self, **config):
        folder = tempfile.mkdtemp()
        self.cleanups.append(lambda: shutil.rmtree(folder))
        with open(os.path.join(folder, "config"), "w") as file:
            file.write(f'thread = 2\nluaservice = "{SERVICES}/?.lua"\nstart = "golden_slave"\n')
            file.writelines(f'{key} = "{value}"\n' for key, value in config.items())
        self.process = Process(PROGRAM, WORKSPACE, folder, ["config"])
        self.cleanups.append(self.process.kill)

    def peer(self, connection, head_bytes):
        peer = Peer(connection, self.chunks, self.ports, head_bytes)
        self.cleanups.append(peer.close)
        return peer

    def listen(self, port=0):
        listener = socket.create_server(("127.0.0.1", port))
        listener.settimeout(PATIENCE)
        self.cleanups.append(listener.close)
        return listener

    def accept(self, listener, head_bytes):
        return self.peer(listener.accept()[0], head_bytes)

    def connect(self, port, head_bytes):
        return self.peer(socket.create_connection(("127.0.0.1", port), PATIENCE), head_bytes)

    def connect_slave(self, port, stream):
        """A connection of another slave to the node, which accepts and tells its id."""
        link = self.connect(port, 4)
        link.write(stream[0], 0, 1)
        link.expect(stream[1], 0, 1)
        return link

    # -- The master ----------------------------------------------------------------------------------

    def start_master(self):
        port = five_digit_port()
        self.start_node(harbor=1, standalone=f"127.0.0.1:{port}", bootstrap="snlua cmaster")
        self.process.wait_for("master: listens on")
        return port

    def test_master_of_two_slaves(self):
        def story():
            port = self.start_master()
            one = self.connect(port, 1)
            one.write("harbor_slave1_master.s2m", 0, 3)  # H 1, R DATACENTER, R SERVICE
            one.expect("harbor_slave1_master.m2s", 0, 3)
            two = self.connect(port, 1)
            two.write("harbor_slave2_master.s2m", 0, 2)  # H 2, Q SERVICE
            two.expect("harbor_slave2_master.m2s", 0, 2)
            one.expect("harbor_slave1_master.m2s", 3, 4)  # C 2
            one.write("harbor_slave1_master.s2m", 3, 5)  # Q GNAME2, twice: nobody has it
            one.write("harbor_slave2_master.s2m", 1, 2)  # Q SERVICE: when it is answered those before were heard
            one.expect("harbor_slave2_master.m2s", 1, 2)
            two.write("harbor_slave2_master.s2m", 2)  # R GNAME2
            one.expect("harbor_slave1_master.m2s", 4, 5)
            two.expect("harbor_slave2_master.m2s", 2, 3)
            one.write("harbor_slave1_master.s2m", 5)
            two.expect("harbor_slave2_master.m2s", 3)
            two.close()
            one.expect("harbor_slave1_master.m2s", 5)  # and D 2 at the end
            again = self.connect(port, 1)
            again.write("harbor_rejoin_master.s2m")
            again.expect_end()
        self.each_way(story)

    def test_master_of_three_slaves(self):
        def story():
            port = self.start_master()
            one = self.connect(port, 1)
            one.write("harbor3_slave1_master.s2m")
            one.expect("harbor3_slave1_master.m2s", 0, 3)
            two = self.connect(port, 1)
            two.write("harbor3_slave2_master.s2m")
            two.expect("harbor3_slave2_master.m2s", 0, 3)
            far = self.connect(port, 1)
            far.write("harbor3_slave200_master.s2m")
            far.expect("harbor3_slave200_master.m2s")
            one.expect("harbor3_slave1_master.m2s", 3)
            two.expect("harbor3_slave2_master.m2s", 3)
        self.each_way(story)

    # -- Slaves --------------------------------------------------------------------------------------

    def test_slave_2(self):
        def story():
            listener = self.listen()
            self.start_node(harbor=2, master=f"127.0.0.1:{listener.getsockname()[1]}",
                            address=f"127.0.0.1:{self.ports[2]}")
            master = self.accept(listener, 1)
            master.expect("harbor_slave2_master.s2m", 0, 1)
            master.write("harbor_slave2_master.m2s", 0, 1)  # W 1
            one = self.connect_slave(self.ports[2], ("harbor_slave2_joins.1to2", "harbor_slave2_joins.2to1"))
            master.expect("harbor_slave2_master.s2m", 1, 2)
            master.write("harbor_slave2_master.m2s", 1, 2)
            one.expect("harbor_slave2_joins.2to1", 1, 2)
            one.write("harbor_slave2_joins.1to2", 1, 2)
            master.expect("harbor_slave2_master.s2m", 2)
            master.write("harbor_slave2_master.m2s", 2)
            one.write("harbor_slave2_joins.1to2", 2)
            one.expect("harbor_slave2_joins.2to1", 2)
            for name in ("call_by_name", "call_by_handle", "send_by_handle", "call_error", "call_bad_handle",
                         "send_bad_handle", "call_100k", "call_empty_resp"):
                one.write(f"harbor_{name}.1to2")
                one.expect(f"harbor_{name}.2to1")
            one.write("harbor_call_back.1to2", 0, 1)
            one.expect("harbor_call_back.2to1", 0, 1)
            one.write("harbor_call_back.1to2", 1)
            one.expect("harbor_call_back.2to1", 1)
            one.write("harbor_traced.1to2")
            one.expect("harbor_traced.2to1")
            one.write("harbor_slave2_killed.1to2")  # HANG
            one.write("harbor_call_by_name.1to2")
            one.expect("harbor_call_by_name.2to1")
        self.each_way(story)

    def test_frames_right_behind_the_id_byte_are_not_lost(self):
        def story():
            listener = self.listen()
            self.start_node(harbor=2, master=f"127.0.0.1:{listener.getsockname()[1]}",
                            address=f"127.0.0.1:{self.ports[2]}")
            master = self.accept(listener, 1)
            master.expect("harbor_slave2_master.s2m", 0, 1)
            master.write("harbor_slave2_master.m2s", 0, 1)
            one = self.connect(self.ports[2], 4)
            early = one.frames("harbor_slave2_joins.1to2")[:1] + one.frames("harbor_call_bad_handle.1to2")
            recordings.write(one.connection, early, self.chunks, PATIENCE)
            one.expect("harbor_slave2_joins.2to1", 0, 1)
            one.expect("harbor_call_bad_handle.2to1")
        self.each_way(story)

    def test_slave_1_with_the_master(self):
        def story():
            listener = self.listen(self.ports[2])
            master_port = five_digit_port()
            self.start_node(harbor=1, standalone=f"127.0.0.1:{master_port}", master=f"127.0.0.1:{master_port}",
                            address=f"127.0.0.1:{self.ports[1]}")
            self.process.wait_for("LAUNCH snlua golden_echo")
            master = self.connect(master_port, 1)
            master.write("harbor_slave2_master.s2m", 0, 2)
            master.expect("harbor_slave2_master.m2s", 0, 2)
            two = self.accept(listener, 4)
            two.expect("harbor_slave2_joins.1to2", 0, 1)
            two.write("harbor_slave2_joins.2to1", 0, 2)
            two.expect("harbor_slave2_joins.1to2", 1, 2)
            master.write("harbor_slave2_master.s2m", 2)
            master.expect("harbor_slave2_master.m2s", 2, 3)
            two.expect("harbor_slave2_joins.1to2", 2)
            two.write("harbor_slave2_joins.2to1", 2)
            master.expect("harbor_slave2_master.m2s", 3)
            for name in ("call_by_name", "call_by_handle", "send_by_handle", "call_error", "call_bad_handle",
                         "send_bad_handle", "call_100k", "call_empty_resp"):
                two.expect(f"harbor_{name}.1to2")
                two.write(f"harbor_{name}.2to1")
            two.expect("harbor_call_back.1to2", 0, 1)
            two.write("harbor_call_back.2to1", 0, 1)
            two.expect("harbor_call_back.1to2", 1)
            two.write("harbor_call_back.2to1", 1)
            two.expect("harbor_traced.1to2")
            two.write("harbor_traced.2to1")
            two.expect("harbor_slave2_killed.1to2")
            two.close()
            self.process.wait_for("done")
            calls = [line.split("\t") for line in self.process.output().splitlines() if line.startswith("call\t")]
            self.assertEqual([call[1:] for call in calls], [
                ["4", "true", "queued"], ["18", "true", "byname"], ["21", "true", "byhandle"], ["26", "false", "nil"],
                ["29", "false", "nil"], ["34", "true", "102400 bytes"], ["37", "true", "nil"], ["40", "true", "cb"],
                ["44", "true", "traced"], ["55", "false", "nil"], ["57", "false", "nil"]])
        self.each_way(story)

    def test_slave_200(self):
        def story():
            listener = self.listen()
            self.start_node(harbor=200, master=f"127.0.0.1:{listener.getsockname()[1]}",
                            address=f"127.0.0.1:{self.ports[200]}")
            master = self.accept(listener, 1)
            master.expect("harbor3_slave200_master.s2m", 0, 1)
            master.write("harbor3_slave200_master.m2s", 0, 1)  # W 2
            one = self.connect_slave(self.ports[200], ("harbor3_slave1_slave200.out", "harbor3_slave1_slave200.in"))
            two = self.connect_slave(self.ports[200], ("harbor3_slave2_slave200.out", "harbor3_slave2_slave200.in"))
            master.expect("harbor3_slave200_master.s2m", 1, 2)
            master.write("harbor3_slave200_master.m2s", 1, 2)
            one.expect("harbor3_slave1_slave200.in", 1, 2)
            one.write("harbor3_slave1_slave200.out", 1, 2)
            master.expect("harbor3_slave200_master.s2m", 2)
            master.write("harbor3_slave200_master.m2s", 2)
            two.expect("harbor3_slave2_slave200.in", 1)
            two.write("harbor3_slave2_slave200.out", 1)
            one.write("harbor3_slave1_slave200.out", 2)
            one.expect("harbor3_slave1_slave200.in", 2)
            self.process.wait_for("call\t3\ttrue\tfrom200")
        self.each_way(story)

    # -- Every recording is tested -------------------------------------------------------------------

    def test_every_recording_is_in_a_story(self):
        with open(os.path.join(WORKSPACE, "tests/golden/harbor_test.py")) as file:
            source = file.read()
        unused = {name for name in FILES - NOT_WRITTEN
                  if f'"{name}"' not in source and f'"{name.split(".")[0][len("harbor_"):]}"' not in source}
        self.assertEqual(unused, set())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
