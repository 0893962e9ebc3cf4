#!/usr/bin/env python3
"""What skynet said on the wire, and what skysim says there: every recording of this folder over sockets.

A recording is the stream of one side. As callee, a `skysim node` gets the recorded requests and has to answer with the
recorded bytes. As caller, it makes the recorded calls, has to write the recorded bytes, and gets the recorded replies.
Each stream is written in one chunk, frame by frame, and byte by byte.

usage: wire_test.py SKYSIM_PROGRAM WORKSPACE [unittest arguments]
"""
import collections
import os
import shutil
import signal
import socket
import struct
import sys
import tempfile
import unittest
import zlib

import recordings

PROGRAM, WORKSPACE = (os.path.abspath(path) for path in sys.argv[1:3])
sys.path.insert(0, os.path.join(WORKSPACE, "tests/node"))
from node_process import PATIENCE, Process, free_port  # noqa: E402

FOLDER = os.path.join(WORKSPACE, "tests/golden")
FILES = recordings.files(FOLDER)
ECHO, PING = 10, 12  # handles of the recorded services

# -- What may differ ---------------------------------------------------------------------------------


def error_text(recorded, got, _facts):
    """An error reply to the same session, with some text."""
    return len(got) == len(recorded) == 1 and got[0][2:7] == recorded[0][2:7] and len(got[0]) > 7


def own_tag(recorded, got, facts):
    """The trace frame names our host, process and service; everything else is as recorded."""
    tag = recorded[0][3:].replace(b"(vm27252-", f"({facts['process']}-".encode())
    tag = tag.replace(b":00000008-", f"{facts['caller']}-".encode())
    return got == [struct.pack(">HB", 1 + len(tag), 4) + tag] + recorded[1:]


def any_interleaving(recorded, got, _facts):
    """The frames of each session are as recorded, in their order."""
    def by_session(frames):
        sessions = collections.defaultdict(list)
        for frame in frames:
            sessions[frame[2:6]].append(frame)
        return sessions
    return by_session(got) == by_session(recorded)


def nothing_or_recorded(recorded, got, _facts):
    return got in ([], recorded)


# Stream -> what is compared instead of the bytes, and why. Everything else is the same to the last byte, with all
# session numbers, because calls are made in the recorded order and services have the recorded handles.
DIFFERENCES = {
    "cluster_err_callee.s2c": (error_text, "the text is a position in skynet's source"),
    "cluster_err_bad_addr.s2c": (error_text, "the text holds a position in skynet's source"),
    "cluster_err_bad_dotname.s2c": (error_text, "the text holds a position in skynet's source"),
    "cluster_trace_small.c2s": (own_tag, "a tag holds host name and process id of the caller"),
    "cluster_trace_large.c2s": (own_tag, "a tag holds host name and process id of the caller"),
    "cluster_trace_query_then_plain.c2s": (own_tag, "a tag holds host name and process id of the caller"),
    "probe_split_requests_large_reply.out": (any_interleaving, "a small reply may pass the parts of a large one"),
    "probe_half_close.out": (nothing_or_recorded, "whether the reply gets out is a race, in skynet too"),
}


def same(stream, got, facts=None):
    recorded = recordings.read(FOLDER, stream)
    if stream in DIFFERENCES:
        return DIFFERENCES[stream][0](recorded, got, facts)
    return got == recorded


def shown(frames):
    return "\n".join(f"  {frame[:80].hex()}{'...' if len(frame) > 80 else ''} ({len(frame)} bytes)" for frame in frames)


# Recordings in which a request was made when the reply to another one was there: after how many frames of requests each
# reply came. In the others, all requests came before all replies.
TURNS = {
    "cluster_trace_query_then_plain": [2, 3],
    "cluster_snax": [1, 2],
    "cluster_snax_post": [1],
}


def turns(name):
    """What was said in turns: pairs of requests and the replies to them, as frames."""
    requested, replied = ("in", "out") if name.startswith("probe_") else ("c2s", "s2c")
    requests = recordings.read(FOLDER, f"{name}.{requested}")
    replies = recordings.read(FOLDER, f"{name}.{replied}")
    if name not in TURNS:
        return [(requests, replies)]
    ends = TURNS[name]
    pairs = [(requests[begin:end], [reply]) for begin, end, reply in zip([0] + ends, ends, replies)]
    return pairs + [(requests[ends[-1]:], [])]


class RecordingTest(unittest.TestCase):
    def expect(self, stream, got, facts=None):
        self.assertTrue(same(stream, got, facts), f"{stream}: recorded\n{shown(recordings.read(FOLDER, stream))}\n"
                        f"but here\n{shown(got)}")


class Node:
    """A skysim node that runs a service of this folder, in a folder of its own that ends with it."""

    def __init__(self, service, **config):
        self.folder = tempfile.mkdtemp()
        with open(os.path.join(self.folder, "config"), "w") as file:
            file.write(f'thread = 2\nharbor = 0\nluaservice = "{FOLDER}/service/?.lua"\n'
                       f'snax = "{FOLDER}/service/?.lua"\nstart = "{service}"\n')
            file.writelines(f'{key} = "{value}"\n' for key, value in config.items())
        self.process = Process(PROGRAM, WORKSPACE, self.folder, ["config"])

    def remove(self):
        self.process.kill()
        shutil.rmtree(self.folder)


# -- Callee ------------------------------------------------------------------------------------------

# What the recorded services got by sends: recording -> handle, text of the service's PUSHED.
PUSHED = {
    "cluster_push_small_number": (ECHO, "LEN(3)"),
    "cluster_push_small_name": (ECHO, "LEN(3)"),
    "cluster_push_large_number": (ECHO, "LEN(40000)"),
    "cluster_push_large_name": (ECHO, "LEN(40000)"),
    "cluster_proxy_send": (ECHO, "LEN(8)"),
    "cluster_snax_post": (PING, "6(5)"),
    "probe_push_large": (ECHO, "LEN(40000)"),
}
FENCE_SESSION = 0x7FFFFFFF


def fence_request(handle):
    question = b"\x0a\x07" if handle == PING else b"\x34PUSHED"  # the number 7, or a short string
    return struct.pack(">HB", 9 + len(question), 0) + struct.pack("<II", handle, FENCE_SESSION) + question


def fence_reply(text):
    payload = bytes([len(text) << 3 | 4]) + text.encode()  # a short string
    return struct.pack(">H", 5 + len(payload)) + struct.pack("<IB", FENCE_SESSION, 1) + payload


class CalleeTest(RecordingTest):
    """The cluster agent. Test methods are made below, one for each recording."""

    @classmethod
    def setUpClass(cls):
        cls.node = Node("golden_callee")
        cls.addClassCleanup(cls.node.remove)
        cls.node.process.wait_for("callee at port ")
        cls.port = int(cls.node.process.output().split("callee at port ")[1].split()[0])

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)

    def converse(self, connection, name, chunks):
        """Writes the requests, reads as many replies as were recorded, and makes sure that there are no more."""
        got = []
        for requests, replies in turns(name):
            recordings.write(connection, requests, chunks, PATIENCE)
            got += [recordings.read_frame(connection) for _ in replies]
        self.expect(f"{name}.{'out' if name.startswith('probe_') else 's2c'}", got)
        handle, pushed = PUSHED.get(name, (ECHO, ""))
        connection.sendall(fence_request(handle))
        self.assertEqual(recordings.read_frame(connection), fence_reply(pushed))

    def look_up_echo(self, connection):
        """The agent looks a name up at its first use; then requests to others may pass. Recorded calls came later."""
        self.converse(connection, "cluster_query_ok", "one chunk")

    def check(self, name):
        for chunks in recordings.CHUNKS:
            with self.subTest(chunks=chunks), self.connect() as connection:
                if name.startswith("cluster_"):
                    self.look_up_echo(connection)
                self.converse(connection, name, chunks)

    def test_all_recordings_on_one_connection(self):
        with self.connect() as connection:
            for name in CLUSTER:
                self.converse(connection, name, "one chunk")

    def test_probe_half_close(self):
        for chunks in recordings.CHUNKS:
            with self.subTest(chunks=chunks), self.connect() as connection:
                recordings.write(connection, recordings.read(FOLDER, "probe_half_close.in"), chunks, PATIENCE)
                connection.shutdown(socket.SHUT_WR)
                replies = list(iter(lambda: recordings.read_frame(connection), b""))  # until the agent closes
                self.expect("probe_half_close.out", replies)

    def test_zz_the_node_still_serves_and_ends(self):
        with self.connect() as connection:
            self.converse(connection, "cluster_after", "one chunk")
        self.node.process.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.node.process.end(), 0)


# -- Caller ------------------------------------------------------------------------------------------


def described(data):
    """As golden_caller describes a long string."""
    return f"{len(data)} bytes {zlib.adler32(data):08x}"


def fill(size):
    alphabet = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
    return (alphabet * (size // 64 + 1))[:size]


# A recording of the caller's side. `results` are what golden_caller has to report.
#   opens      the caller makes a new connection
#   ends       who ends the connection behind the recorded reply: "server", "caller", nobody, or "server, and its port"
#   any_order  it is not said in which order callers are resumed
#   log        what the caller's node logs
Step = collections.namedtuple("Step", "results opens ends any_order log", defaults=(False, None, False, None))

FAILED = ["failed"]
# In the recorded order: session numbers go on from one to the next.
STEPS = {
    "cluster_query_ok": Step(["10"], opens=True),
    "cluster_query_fail": Step(FAILED, log="name not found"),
    "cluster_call_small_number": Step(["hello 42 true"]),
    "cluster_call_small_atname": Step(["hello"]),
    "cluster_call_small_dotname": Step(["hello"]),
    "cluster_call_empty_response": Step([""]),
    "cluster_call_large_number": Step([described(fill(102400))]),
    "cluster_call_large_name": Step(["102400"]),
    "cluster_call_large_response": Step([described(b"R" * 102400)]),
    "cluster_req_32767": Step(["32760"]),
    "cluster_req_32768": Step(["32761"]),
    "cluster_req_65536": Step(["65529"]),
    "cluster_resp_32768": Step([described(b"a" * 32765)]),
    "cluster_resp_32769": Step([described(b"a" * 32766)]),
    "cluster_push_small_number": Step([]),
    "cluster_push_small_name": Step([]),
    "cluster_push_large_number": Step([]),
    "cluster_push_large_name": Step([]),
    "cluster_push_invalid_name": Step([], log="unknown session : 0"),
    "cluster_push_invalid_addr": Step([]),
    "cluster_err_callee": Step(FAILED, log="call failed"),
    "cluster_err_bad_addr": Step(FAILED, log="call to invalid address"),
    "cluster_err_bad_dotname": Step(FAILED, log="call to invalid address"),
    "cluster_err_bad_atname": Step(FAILED, log="Invalid name"),
    "cluster_after": Step(["again"]),
    "cluster_trace_small": Step(["traced"]),
    "cluster_trace_large": Step(["33000"]),
    "cluster_trace_query_then_plain": Step(["10", "plain"]),
    "cluster_proxy_call": Step(["viaproxy"]),
    "cluster_proxy_send": Step([]),
    "cluster_snax": Step(["pong?"]),
    "cluster_snax_post": Step([]),
    "cluster_u_r_order": Step(["u", "r"]),
    "client_01_first_contact": Step(["C1: r", "C2: r", "C3: r", "C4: r"], opens=True),
    "client_02_eight_in_one_segment": Step([f"a{i}: va{i}" for i in range(1, 9)]),
    "client_03_reversed": Step([f"b{i}: vb{i}" for i in range(5, 0, -1)]),
    "client_04_interleaved_multipart": Step(
        ["c3: small", f"c2: {described(b'B' * 90000)}", f"c1: {described(b'A' * 70000)}"]),
    "client_05_unknown_session": Step(["d1: fine"], log="unknown session : 99999"),
    "client_06_size_mismatch": Step(["e1: failed"], log="announced"),  # skynet: an empty result (defect B6)
    "client_07_short_reply": Step(["f1: first", "f2: failed", "f3: failed"], ends="caller", any_order=True),
    "client_08_after_reconnect": Step(["g1: g"], opens=True),
    "client_09_close_in_flight": Step([f"h{i}: failed" for i in range(1, 7)], ends="server", any_order=True),
    "client_10_close_mid_multipart": Step(["i1: failed"], opens=True, ends="server"),
    "client_11_bad_reply_type": Step(["j1: failed"], opens=True, ends="caller"),
    "client_12_error_after_parts": Step(["k1: failed"], opens=True, log="oops"),
    "client_13_server_goes": Step(["l0: failed", "l1: failed", "l2: failed"], ends="server, and its port"),
    "client_14_back": Step(["m1: m"], opens=True),
    "client_15_close": Step(["n0: failed"], ends="server"),
    "client_16_push_after_reconnect": Step(["n3: n"], opens=True),
    "client_17_big_segment": Step([f"o{i}: {described(b'o%d' % i * 40000)}" for i in range(1, 5)]),
    "client_18_zero_length": Step(["p1: failed"], ends="caller"),
}


class Conversation:
    """All steps of one caller, in their order. What came of each is kept in `done`, or, in `broken`, why it ended."""

    def __init__(self, chunks):
        self.chunks = chunks
        self.done = {}    # recording -> frames that the caller wrote, results
        self.broken = None
        self.connection = None
        # A port that was asked for by number stays bound while it is shut down.
        port = free_port()
        self.listener = socket.create_server(("127.0.0.1", port))
        self.listener.settimeout(PATIENCE)
        with socket.create_server(("127.0.0.1", 0)) as control:
            control.settimeout(PATIENCE)
            self.node = Node("golden_caller", golden_port=port, control_port=control.getsockname()[1])
            self.control, _ = control.accept()
        self.control.settimeout(PATIENCE)
        self.lines = self.control.makefile("r")
        self.facts = {"process": f"{socket.gethostname()}{self.node.process.process.pid}",
                      "caller": self.lines.readline().strip()}
        try:
            for name in STEPS:
                step = f"{name} ({chunks})"
                self.run(name)
            step = "the end"
            self.finish()
        except (AssertionError, OSError) as error:
            self.broken = f"{step}: {error}"
        self.log = self.node.process.output()

    def remove(self):
        for end in (self.connection, self.lines, self.control, self.listener):
            if end:
                end.close()
        self.node.remove()

    def run(self, name):
        step = STEPS[name]
        self.control.sendall(f"{name}\n".encode())
        if step.opens:
            self.close()
            self.connection, _ = self.listener.accept()
            self.connection.settimeout(PATIENCE)
        requests = self.answer(name)
        if step.ends == "server, and its port":
            self.listener.shutdown(socket.SHUT_RDWR)
        if step.ends and step.ends.startswith("server"):
            self.close()
        results = list(iter(lambda: self.lines.readline().rstrip("\n"), "."))
        self.done[name] = (requests, sorted(results) if step.any_order else results)
        if step.ends == "caller":
            self.expect_the_end()
        elif step.ends == "server, and its port":
            self.listener.listen()

    def answer(self, name):
        """Reads as many frames as were recorded, writes the recorded replies."""
        got = []
        for requests, replies in turns(name):
            got += [recordings.read_frame(self.connection) for _ in requests]
            recordings.write(self.connection, replies, self.chunks, PATIENCE)
        return got

    def expect_the_end(self):
        """The caller closes, and has written nothing more."""
        try:
            frame = recordings.read_frame(self.connection)
        except ConnectionResetError:  # it closed before it read everything
            frame = b""
        if frame:
            raise AssertionError(f"unexpected frame {frame[:80].hex()}")

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def finish(self):
        """Ends the node; it has made no other connection, and sent nothing that was not asked for."""
        self.control.shutdown(socket.SHUT_WR)
        if self.node.process.end() != 0:
            raise AssertionError(self.node.process.output())
        self.listener.settimeout(0)
        try:
            self.listener.accept()
        except BlockingIOError:
            return
        raise AssertionError("a connection too many")


class CallerTest(RecordingTest):
    """The cluster sender. Test methods are made below, one for each recording."""

    @classmethod
    def setUpClass(cls):
        cls.conversations = {}
        for chunks in recordings.CHUNKS:
            conversation = Conversation(chunks)
            cls.addClassCleanup(conversation.remove)
            cls.conversations[chunks] = conversation

    def check(self, name):
        for chunks, conversation in self.conversations.items():
            with self.subTest(chunks=chunks):
                self.assertIn(name, conversation.done, f"not reached: {conversation.broken}")
                requests, results = conversation.done[name]
                self.expect(f"{name}.c2s", requests, conversation.facts)
                self.assertEqual(results, STEPS[name].results)
                if STEPS[name].log:
                    self.assertIn(STEPS[name].log, conversation.log)

    def test_the_conversations_reach_their_end(self):
        for conversation in self.conversations.values():
            self.assertIsNone(conversation.broken)


# -- Every recording is tested -----------------------------------------------------------------------


class CoverageTest(unittest.TestCase):
    def test_every_file_belongs_to_a_case(self):
        used = {f"{name}.{side}" for name in STEPS for side in ("c2s", "s2c")}
        used |= {f"{name}.{side}" for name in PROBES for side in ("in", "out")}
        self.assertEqual(FILES - used, set())

    def test_every_case_has_a_file(self):
        self.assertEqual({name for name in STEPS if f"{name}.c2s" not in FILES}, set())
        self.assertEqual(set(DIFFERENCES) - FILES, set())


def add_tests(test_class, names):
    for name in names:
        if not hasattr(test_class, f"test_{name}"):
            setattr(test_class, f"test_{name}", lambda self, name=name: self.check(name))


CLUSTER = [name for name in STEPS if name.startswith("cluster_")]
PROBES = sorted(file[:-len(".in")] for file in FILES if file.endswith(".in"))
add_tests(CalleeTest, CLUSTER + PROBES)
add_tests(CallerTest, STEPS)

if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
