#!/usr/bin/env python3
"""Nodes of a harbor network as processes: two of them find each other; what is wrong is said in one line, ends the node
that is wrong, and harms nobody else.

usage: harbor_test.py SKYSIM_PROGRAM WORKSPACE [unittest arguments]
"""
import os
import shutil
import socket
import sys
import tempfile
import unittest

from node_process import PATIENCE, Process, free_port

PROGRAM, WORKSPACE = (os.path.abspath(path) for path in sys.argv[1:3])

SERVICE = """
local skynet = require "skynet"
require "skynet.manager"
skynet.start(function()
  skynet.dispatch("lua", function(_, _, text)
    skynet.retpack(text .. " to " .. skynet.getenv "harbor")
  end)
  skynet.register("ECHO" .. skynet.getenv "harbor")
  print(skynet.call("ECHO1", "lua", "hello"))
end)
"""


class HarborTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        with open(os.path.join(self.folder, "main.lua"), "w") as file:
            file.write(SERVICE)
        self.master_address = f"127.0.0.1:{free_port()}"
        self.master = self.start(harbor=1, standalone=self.master_address)
        self.master.wait_for("hello to 1")

    def start(self, **config):
        """A node; `master` and `address` are as they should be unless they are given. None: not in the config."""
        config = {"master": self.master_address, "address": f"127.0.0.1:{free_port()}", **config}
        name = f"config.{len(os.listdir(self.folder))}"
        with open(os.path.join(self.folder, name), "w") as file:
            file.write('thread = 2\nluaservice = "./?.lua"\n')
            file.writelines(f'{key} = "{value}"\n' for key, value in config.items() if value is not None)
        process = Process(PROGRAM, WORKSPACE, self.folder, [name])
        self.addCleanup(process.kill)
        return process

    def expect_refused(self, reason, **config):
        process = self.start(**config)
        self.assertEqual(process.end(), 2, process.output())
        last = process.output().splitlines()[-1]
        self.assertIn(reason, last)
        self.assertNotIn("stack traceback", process.output())

    def expect_joins(self, harbor):
        self.start(harbor=harbor).wait_for("hello to 1")

    def test_a_wrong_config_is_named(self):
        self.expect_refused("config has no address", harbor=2, address=None)
        self.expect_refused("config has no master", harbor=2, master=None)
        self.expect_refused('cannot listen on "nonsense" (config: address)', harbor=2, address="nonsense")
        self.expect_refused("cannot connect to the master at nonsense", harbor=2, master="nonsense")
        self.expect_refused("must be a number in [0,255]", harbor=256)
        self.expect_refused("standalone needs a harbor id other than 0", harbor=0, standalone="127.0.0.1:1")
        self.expect_joins(2)

    def test_a_second_master_on_the_address_is_refused(self):
        self.expect_refused("Address already in use", harbor=2, standalone=self.master_address)
        self.expect_joins(2)

    def test_an_id_that_was_used_is_refused(self):
        self.expect_refused("refuses harbor id 1: it was used before", harbor=1)
        self.expect_joins(2)

    def test_a_master_that_is_not_there_is_named(self):
        self.expect_refused("Connection refused", harbor=2, master=f"127.0.0.1:{free_port()}")

    def test_a_master_that_closes_or_talks_nonsense_is_named(self):
        for word, reason in ((b"\x05hello", "does not answer as one"), (b"", "refuses harbor id 2"),
                             (b"\x04\x0cX\x0a\x01", 'it sent "X"')):
            with self.subTest(word=word), socket.create_server(("127.0.0.1", 0)) as listener:
                listener.settimeout(PATIENCE)
                process = self.start(harbor=2, master=f"127.0.0.1:{listener.getsockname()[1]}")
                connection = listener.accept()[0]
                connection.recv(100)  # hello
                connection.sendall(word)
                connection.close()
                self.assertEqual(process.end(), 2)
                self.assertIn(reason, process.output().splitlines()[-1])

    def test_a_master_that_is_fed_garbage_goes_on(self):
        host, port = self.master_address.split(":")
        said = {
            b"\0": "0 bytes that are no message", b"\3abc": "3 bytes that are no message",
            b"\x05\x0cH": "closed in the middle of a message", b"\x03\x0cH\x02": "it did not say hello",
            bytes.fromhex("070c48021c783a31"): "its harbor id is 0",
            bytes.fromhex("090c481200011c783a31"): "its harbor id is 256",
            bytes(range(200, 256)) * 5: "closed in the middle",
        }
        for data, reason in said.items():
            with self.subTest(data=data), socket.create_connection((host, int(port)), PATIENCE) as connection:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(100):
                    pass
                self.master.wait_for(reason)
        self.expect_joins(2)

    def test_a_registration_that_is_none_ends_that_slave_only(self):
        host, port = self.master_address.split(":")
        with socket.create_connection((host, int(port)), PATIENCE) as connection:
            connection.sendall(bytes.fromhex("100c480a095c3132372e302e302e313a39"))  # H 9 "127.0.0.1:9"
            self.master.wait_for("slave 9 joins")
            connection.sendall(bytes.fromhex("060c520c580c59"))  # R "X" "Y"
            self.master.wait_for("slave 9 is down: a registration that is not a name and a handle")
        self.expect_joins(2)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
