#!/usr/bin/env python3
"""Torments one `skysim node` over real sockets, and asks after each torment whether it still is what it was: others are
served (all the time), no descriptor and no service is left over, it ends in order, and no sanitizer has a complaint.

usage: robustness_test.py SKYSIM_PROGRAM WORKSPACE [unittest arguments]
"""
import os
import random
import re
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM, WORKSPACE = (os.path.abspath(path) for path in sys.argv[1:3])
SERVICES = os.path.join(WORKSPACE, "tests/robustness/service")
PATIENCE = 60  # seconds until a wait counts as in vain

# -- Frames of the cluster protocol (network.md 4.2 and 4.3), and of gates ---------------------------------------------


def frame(payload):
    return struct.pack(">H", len(payload)) + payload


def packed(*words):
    """Short texts as skynet.pack writes them."""
    return b"".join(bytes([len(word) << 3 | 4]) + word for word in words)


def request(session, *words):
    """A small request to the service that is registered as "echo"."""
    return frame(b"\x80\x05@echo" + struct.pack("<I", session) + packed(*words))


def large_request(session, size):
    """ECHO of `size` nils, as frames: header and parts."""
    payload = packed(b"ECHO") + b"\x00" * size
    frames = [frame(b"\x81\x05@echo" + struct.pack("<II", session, len(payload)))]
    while len(payload) > 32768:
        frames.append(frame(b"\x02" + struct.pack("<I", session) + payload[:32768]))
        payload = payload[32768:]
    frames.append(frame(b"\x03" + struct.pack("<I", session) + payload))
    return frames


def ok_reply(session, word):
    return frame(struct.pack("<IB", session, 1) + packed(word))


def large_reply(session, word, filler):
    """The reply in parts: `word`, and `filler` nils that the caller drops."""
    payload = packed(word) + b"\x00" * filler
    middle = len(payload) // 2
    return (frame(struct.pack("<IBI", session, 2, len(payload))) +
            frame(struct.pack("<IB", session, 3) + payload[:middle]) +
            frame(struct.pack("<IB", session, 4) + payload[middle:]))


# -- Sockets -----------------------------------------------------------------------------------------------------------


class EndOfStream(Exception):
    """The other side closed the connection in the middle of an answer."""


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def receive(connection, size):
    got = b""
    while len(got) < size:
        piece = connection.recv(size - len(got))
        if not piece:
            raise EndOfStream(f"after {len(got)} of {size} bytes")
        got += piece
    return got


def receive_frame(connection):
    return receive(connection, struct.unpack(">H", receive(connection, 2))[0])


def reset(connection):
    """Closes with an RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Node:
    def __init__(self, settings=()):
        self.folder = tempfile.mkdtemp()
        config = os.path.join(self.folder, "config")
        with open(config, "w") as file:
            file.write(f'thread = 4\nharbor = 0\nstart = "main"\nluaservice = "{SERVICES}/?.lua"\n')
        self.log_path = os.path.join(self.folder, "log")
        self.log_file = open(self.log_path, "w")
        # What was freed must not look like a leak.
        sanitizer = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=8"]))
        arguments = [word for setting in settings for word in ("--set", setting)]
        self.process = subprocess.Popen(
            [PROGRAM, "node", config, *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self.log_file,
            stderr=subprocess.STDOUT, env={**os.environ, "SKYSIM_HOME": WORKSPACE, "ASAN_OPTIONS": sanitizer})
        ready = self.wait_for_log(r"ready\t(\d+)\t(\d+)\t(\d+)")
        self.gate, self.cluster, self.control_port = map(int, ready.groups())
        self.control = connect(self.control_port).makefile("rw", newline="\n")
        self.ask("own hello")  # makes the connection to itself, and its agent
        self.services = int(self.ask("services"))
        self.descriptors = self.count_descriptors()

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def wait_for_log(self, pattern):
        def found():
            if self.process.poll() is not None:
                raise AssertionError(f"the node has ended:\n{self.log()}")
            return re.search(pattern, self.log())

        return wait_until(found, lambda: f"{pattern!r} in the log:\n{self.log()}")

    def ask(self, line):
        print(line, file=self.control, flush=True)
        return self.control.readline().rstrip("\n")

    def count_descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident_mib(self):
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize() >> 20

    def limit_descriptors(self, count):
        hard = resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (count, hard))

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        self.log_file.close()
        log = self.log()
        shutil.rmtree(self.folder)
        return status, log

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log_file.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def wait_until(condition, what):
    """Polls what only can be looked at: a log file, /proc."""
    begin = time.monotonic()
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() - begin > PATIENCE:
            raise AssertionError(f"waited in vain for {what()}")
        select.select([], [], [], 0.005)


class RobustnessTest(unittest.TestCase):
    def start(self, *settings):
        self.node = Node(settings)
        self.addCleanup(self.node.kill)
        self.gate_client = connect(self.node.gate)
        self.cluster_client = connect(self.node.cluster)
        self.addCleanup(self.gate_client.close)
        self.addCleanup(self.cluster_client.close)
        self.session = 0
        self.check_others_are_served()
        return self.node

    def check_others_are_served(self):
        """Well-behaved clients of every kind, which have been there from the beginning."""
        self.session += 1
        word = b"word %d" % self.session
        self.gate_client.sendall(frame(word))
        self.cluster_client.sendall(request(self.session, b"ECHO", word))
        self.assertEqual(receive_frame(self.gate_client), word)
        self.assertEqual(receive_frame(self.cluster_client), struct.pack("<IB", self.session, 1) + packed(word))
        self.assertEqual(self.node.ask("echo word"), "word")

    def finish(self):
        """Nothing is left over, and the node ends in order."""
        node = self.node
        self.check_others_are_served()
        self.assertEqual(node.ask("own word"), "word")
        self.gate_client.close()
        self.cluster_client.close()
        wait_until(lambda: node.count_descriptors() == node.descriptors,
                   lambda: f"{node.descriptors} descriptors; there are {node.count_descriptors()}\n{node.log()[-2000:]}")
        wait_until(lambda: int(node.ask("services")) == node.services,
                   lambda: f"{node.services} services; there are {node.ask('services')}\n{node.log()[-2000:]}")
        status, log = node.end()
        self.assertEqual(status, 0, log[-4000:])
        self.assertNotIn("Sanitizer", log)
        return log

    def exchange_bytewise(self, port, message):
        """Sends one byte at a time; the others are served between any two. Returns the connection."""
        connection = connect(port)
        for byte in message:
            connection.sendall(bytes([byte]))
            self.check_others_are_served()
        return connection

    # -- Bytes that mean nothing, or too little ------------------------------------------------------------------------

    def test_garbage_harms_only_its_connection(self):
        node = self.start()
        generator = random.Random(1)
        for round_number in range(60):
            for port in (node.gate, node.cluster, node.control_port):
                if port == node.control_port:
                    data = generator.randbytes(generator.randrange(5000)).replace(b"\n", b" ")
                else:
                    data = generator.randbytes(generator.randrange(1, 70_000))
                connection = connect(port)
                connection.setblocking(False)
                try:
                    connection.send(data)
                except BlockingIOError:
                    pass
                if round_number % 2:
                    reset(connection)
                else:
                    connection.close()
            self.check_others_are_served()
        self.finish()

    def test_half_frames_wait_and_are_dropped_with_their_connection(self):
        node = self.start()
        connections = []
        for port, whole in ((node.gate, frame(b"half")), (node.cluster, request(7, b"ECHO", b"half")),
                            (node.cluster, b"".join(large_request(8, 40_000)))):
            for size in {1, 2, 3, len(whole) // 2, len(whole) - 1}:
                connection = connect(port)
                connection.sendall(whole[:size])
                connections.append(connection)
        self.check_others_are_served()
        for connection in connections:
            self.assertEqual(select.select([connection], [], [], 0)[0], [])  # neither answered nor closed
            connection.close()
        self.finish()

    def test_frames_of_no_bytes_are_empty_messages_of_a_gate(self):
        node = self.start()
        connection = connect(node.gate)
        connection.sendall(frame(b"") * 1000 + frame(b"end"))
        self.assertEqual(receive(connection, 2005), frame(b"") * 1000 + frame(b"end"))
        connection.close()
        self.finish()

    def test_frames_of_no_bytes_are_malformed_requests_of_an_agent(self):
        node = self.start()
        connection = connect(node.cluster)
        connection.sendall(frame(b"") * 100 + request(7, b"ECHO", b"alive"))
        self.assertEqual(receive_frame(connection), struct.pack("<IB", 7, 1) + packed(b"alive"))
        connection.close()
        self.assertEqual(self.finish().count("malformed request"), 100)

    def test_malformed_requests_leak_nothing(self):  # B9; under AddressSanitizer not one block
        node = self.start()
        connection = connect(node.cluster)
        malformed = frame(b"\x05" + bytes(60_000)) + frame(b"\x00ab") + frame(b"\x80\x05@a") + frame(b"\x01\x01")

        def exchange(count):
            for _ in range(count):
                connection.sendall(malformed + request(7, b"ECHO", b"alive"))
                receive_frame(connection)

        exchange(100)
        before = node.resident_mib()
        exchange(1500)  # 90 MB
        self.assertLess(node.resident_mib(), before + 45)
        connection.close()
        self.finish()

    def test_large_requests_that_never_end_close_their_connection(self):
        node = self.start("cluster_request_max=1000000")
        connection = connect(node.cluster)
        ended = None
        try:
            for session in range(1, 100):
                connection.sendall(b"".join(large_request(session, 300_000)[:-1]))  # without the last part
            ended = connection.recv(1) == b""
        except ConnectionError:
            ended = True
        self.assertTrue(ended)
        connection.close()
        self.assertEqual(self.finish().count("(config: cluster_request_max)"), 1)

    # -- Slow peers ----------------------------------------------------------------------------------------------------

    def test_a_peer_that_never_reads_is_closed_at_the_limit(self):
        node = self.start("socket_queue_max=1000000")
        for port, message in ((node.gate, frame(b"x" * 60_000)), (node.cluster, request(7, b"REP", b"30000"))):
            connection = connect(port)
            connection.setblocking(False)
            closed = node.log().count("(config: socket_queue_max)")
            unsent = b""

            def flood():
                nonlocal unsent
                try:
                    unsent = unsent or message * 20
                    unsent = unsent[connection.send(unsent):]
                except BlockingIOError:
                    pass
                except OSError:
                    return True  # reset
                return node.log().count("(config: socket_queue_max)") > closed

            wait_until(flood, lambda: f"the limit\n{node.log()[-2000:]}")
            self.check_others_are_served()
            connection.close()
        self.assertEqual(self.finish().count("(config: socket_queue_max)"), 2)

    def test_a_peer_that_sends_a_byte_at_a_time_is_served(self):
        node = self.start()
        connection = self.exchange_bytewise(node.gate, frame(b"slow"))
        self.assertEqual(receive_frame(connection), b"slow")
        connection.close()
        connection = self.exchange_bytewise(node.cluster, request(7, b"ECHO", b"slow"))
        self.assertEqual(receive_frame(connection), struct.pack("<IB", 7, 1) + packed(b"slow"))
        connection.close()
        self.finish()

    # -- Many connections ----------------------------------------------------------------------------------------------

    def test_10000_connections_come_and_go(self):
        node = self.start()
        for round_number in range(100):
            connections = [connect(node.gate) for _ in range(95)] + [connect(node.cluster) for _ in range(5)]
            for index, connection in enumerate(connections):
                if index % 3 == 0:
                    connection.sendall(frame(b"bye"))
                if index % 2 == 0:
                    connection.close()
                else:
                    reset(connection)
            if round_number % 10 == 0:
                self.check_others_are_served()
        self.finish()

    def check_listener_without_descriptors(self, port, message, answer, served_min):
        node = self.node
        before = node.count_descriptors()
        for _ in range(2):  # it comes back each time
            node.limit_descriptors(before + 10)
            connections = [connect(port) for _ in range(60)]
            served = 0
            for connection in connections:
                try:
                    connection.sendall(message)
                    self.assertEqual(receive(connection, len(answer)), answer)
                    served += 1
                except (ConnectionError, EndOfStream):
                    pass
            self.assertGreaterEqual(served, served_min)
            self.assertLessEqual(served, 10)
            self.check_others_are_served()
            for connection in connections:
                connection.close()
            wait_until(lambda: node.count_descriptors() == before, lambda: "descriptors to come back")
            with connect(port) as connection:
                connection.sendall(message)
                self.assertEqual(receive(connection, len(answer)), answer)
            wait_until(lambda: node.count_descriptors() == before, lambda: "the last descriptor")

    def test_without_descriptors_a_gate_refuses_with_one_line_in_the_log(self):
        node = self.start()
        self.check_listener_without_descriptors(node.gate, frame(b"word"), frame(b"word"), served_min=1)
        self.assertEqual(self.finish().count("Too many open files"), 2)  # once each time

    def test_without_descriptors_a_cluster_port_refuses_or_closes(self):
        node = self.start()
        # Connections may take the last descriptors before an agent of theirs has read its files: then none is served.
        self.check_listener_without_descriptors(node.cluster, request(7, b"ECHO", b"word"), ok_reply(7, b"word"),
                                                served_min=0)
        self.finish()

    def test_without_descriptors_a_connect_fails_and_a_later_one_does_not(self):
        node = self.start()
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(PATIENCE)
        self.addCleanup(listener.close)
        node.ask(f"peer {listener.getsockname()[1]}")
        node.limit_descriptors(node.count_descriptors())
        self.assertEqual(node.ask("call word"), "raised")
        node.limit_descriptors(node.count_descriptors() + 10)

        print("call word", file=node.control, flush=True)
        with listener.accept()[0] as connection:
            session = struct.unpack("<I", receive_frame(connection)[7:11])[0]
            connection.sendall(ok_reply(session, b"word"))
            self.assertEqual(node.control.readline(), "word\n")
        node.services += 1  # the clustersender
        self.finish()

    # -- Resets at every point of a call -------------------------------------------------------------------------------

    def test_a_caller_that_resets_after_any_byte_of_its_request_leaves_nothing(self):
        node = self.start()
        small = frame(b"\x04tag") + request(7, b"ECHO", b"word")
        large = b"".join(large_request(8, 40_000))
        cuts = [(small, size) for size in range(len(small) + 1)]
        cuts += [(large, size) for size in (*range(0, 30), 20_000, 32_800, *range(len(large) - 3, len(large) + 1))]
        for message, size in cuts:
            connection = connect(node.cluster)
            connection.sendall(message[:size])
            self.check_others_are_served()
            reset(connection)
        self.finish()

    def test_a_callee_that_resets_after_any_byte_of_its_reply_makes_the_call_raise(self):
        node = self.start()
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(PATIENCE)
        self.addCleanup(listener.close)
        self.assertEqual(node.ask(f"peer {listener.getsockname()[1]}"), "done")
        caller = connect(node.control_port).makefile("rw", newline="\n")
        self.addCleanup(caller.close)
        connection = None

        def begin():
            """A call, up to its request. Returns the session."""
            nonlocal connection
            print("call word", file=caller, flush=True)
            if connection is None:
                connection = listener.accept()[0]
                connection.settimeout(PATIENCE)
            return struct.unpack("<I", receive_frame(connection)[7:11])[0]

        for make in (ok_reply, lambda session, word: large_reply(session, word, 40)):
            for size in range(len(make(1, b"word"))):
                reply = make(begin(), b"word")
                connection.sendall(reply[:size])
                self.check_others_are_served()
                reset(connection)
                connection = None
                self.assertEqual(caller.readline(), "raised\n", f"{size} bytes of {reply.hex()}")
            reply = make(begin(), b"word")
            connection.sendall(reply)
            self.assertEqual(caller.readline(), "word\n")
        connection.close()
        caller.close()
        node.services += 1  # the clustersender
        self.finish()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
