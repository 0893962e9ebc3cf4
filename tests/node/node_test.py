#!/usr/bin/env python3
"""Runs `skysim node` as its users do: processes, config files, signals, files, ports.

usage: node_test.py SKYSIM_PROGRAM WORKSPACE [unittest arguments]
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from node_process import PATIENCE, Process, free_port

PROGRAM, WORKSPACE = (os.path.abspath(path) for path in sys.argv[1:3])
PAIR = os.path.join(WORKSPACE, "tests/node/pair")


class NodeTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.processes = []

    def tearDown(self):
        for process in self.processes:
            process.kill()
        shutil.rmtree(self.folder)

    def start(self, *arguments, **options):
        process = Process(PROGRAM, WORKSPACE, self.folder, arguments, **options)
        self.processes.append(process)
        return process

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    def node(self, main, *arguments, config="", **options):
        """Starts a node whose start service has the text `main` inside skynet.start."""
        self.write("service/main.lua", 'local skynet = require "skynet"\nrequire "skynet.manager"\n'
                   f"skynet.start(function()\n{main}\nend)\n")
        self.write("config", f"thread = 2\nharbor = 0\n{config}\n")
        return self.start("config", *arguments, **options)

    def refused(self, process):
        """The one line of a node that could not start."""
        self.assertEqual(process.end(), 2, process.output())
        lines = [line for line in process.output().splitlines() if line.startswith("skysim: ")]
        self.assertEqual(len(lines), 1, process.output())
        return lines[0]

    # -- Running -------------------------------------------------------------------------------------

    def test_two_processes_are_a_cluster_from_their_config_files(self):
        root = os.path.join(self.folder, "pair")
        shutil.copytree(PAIR, root)
        port = free_port()
        with open(os.path.join(root, "cluster_names.lua"), "w") as names:
            names.write(f'db = "127.0.0.1:{port}"\n')
        env = {"PAIR_ROOT": root}

        db = self.start(os.path.join(root, "config.db"), env=env)
        db.wait_for("db is open")
        client = self.start(os.path.join(root, "config.client"), env=env)

        self.assertEqual(client.end(), 0, client.output())
        printed = [line for line in client.output().splitlines() if not line.startswith("[:")]
        self.assertEqual(printed, ["foobar", "foobar"])
        printed = [line for line in db.output().splitlines() if not line.startswith("[:")]
        self.assertEqual(printed, ["nil", "foobar", "db is open"])
        db.process.send_signal(signal.SIGTERM)
        self.assertEqual(db.end(), 0)

    def test_a_project_brings_services_modules_and_code_in_c(self):
        root = os.path.join(self.folder, "project")
        shutil.copytree(os.path.join(WORKSPACE, "tests/native_project"), root)
        node = Process(PROGRAM, WORKSPACE, root, ["config"])
        self.processes.append(node)

        node.wait_for("the book is open at 0 0")

        self.assertIn("LAUNCH ledger of main", node.output())
        node.process.send_signal(signal.SIGTERM)
        self.assertEqual(node.end(), 0)

    def test_a_library_that_does_not_load_says_why(self):
        self.write("luaclib/broken.so", "this is no library")
        node = self.node('local ok, why = pcall(require, "broken") skynet.error(why)\n'
                         'skynet.launch("none") skynet.abort()')

        self.assertEqual(node.end(), 0)

        self.assertIn("error loading module 'broken' from file './luaclib/broken.so':", node.output())
        self.assertIn("try open none failed : no file './cservice/none.so'", node.output())

    # -- Consoles ------------------------------------------------------------------------------------

    def test_the_console_starts_services_by_lines_and_outlives_the_end_of_its_input(self):
        self.write("service/greet.lua", 'local skynet = require "skynet"\n'
                   'local name = ...\nskynet.start(function() skynet.error("hello " .. name) end)\n')
        node = self.node('skynet.newservice "console"', stdin=subprocess.PIPE)
        node.wait_for("LAUNCH snlua console")

        node.process.stdin.write(b"greet one\nno_such_service\n\n\0\xff\nsnax no_such_snax\ngreet t")
        node.process.stdin.flush()
        node.wait_for("hello one")
        node.process.stdin.write(b"wo")  # the last line has no end
        node.process.stdin.close()
        node.wait_for("hello two")

        node.wait_for("[:00000009] KILL self")
        self.assertIn("console: no_such_service: ", node.output())
        self.assertIn("console: snax no_such_snax: ", node.output())
        self.assertIsNone(node.process.poll())
        node.process.send_signal(signal.SIGTERM)
        self.assertEqual(node.end(), 0)

    def test_a_console_without_input_goes_away(self):
        node = self.node('skynet.newservice "console"')

        node.wait_for("[:00000009] KILL self")
        node.process.send_signal(signal.SIGTERM)
        self.assertEqual(node.end(), 0)

    def test_a_console_with_a_huge_line_goes_away(self):
        node = self.node('skynet.newservice "console"', stdin=subprocess.PIPE)
        node.wait_for("LAUNCH snlua console")

        node.process.stdin.write(b"x" * 66000)
        node.process.stdin.flush()

        node.wait_for("[:00000009] KILL self")
        node.process.send_signal(signal.SIGTERM)
        self.assertEqual(node.end(), 0)
        node.process.stdin.close()

    def test_abort_ends_the_process_and_what_was_logged_is_there(self):
        node = self.node('for i = 1, 100 do skynet.error("line", i) end skynet.abort()')
        self.assertEqual(node.end(), 0)
        self.assertIn("line 100", node.output())

    def test_set_overrides_the_file(self):
        node = self.node('print("answer", skynet.getenv "answer", skynet.getenv "thread") skynet.abort()',
                         "--set", "answer=42", "--set", "thread=3", config='answer = "no"')
        self.assertEqual(node.end(), 0)
        self.assertIn("answer\t42\t3", node.output())

    def test_os_exit_and_timers_work_on_real_time(self):
        node = self.node("local begin = skynet.now() skynet.timeout(20, function() "
                         'print(skynet.now() - begin >= 20, os.time() > 1.7e9) skynet.abort() end)')
        self.assertEqual(node.end(), 0)
        self.assertIn("true\ttrue", node.output())

    # -- Signals -------------------------------------------------------------------------------------

    def test_sigint_and_sigterm_end_the_node(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            node = self.node('print "up"')
            node.wait_for("up")
            node.process.send_signal(number)
            self.assertEqual(node.end(), 0)

    def test_a_second_sigterm_ends_a_node_that_cannot_end(self):
        node = self.node('skynet.fork(function() print "looping" while true do end end)')
        node.wait_for("looping")
        node.process.send_signal(signal.SIGTERM)
        begin = time.monotonic()
        while node.process.poll() is None and time.monotonic() - begin < PATIENCE:
            node.process.send_signal(signal.SIGTERM)
            time.sleep(0.05)
        self.assertEqual(node.end(), -signal.SIGTERM)

    def test_sighup_opens_the_log_file_again(self):
        node = self.node('print "up" skynet.fork(function() while true do skynet.error "tick" skynet.sleep(1) end end)',
                         config='logger = "node.log"')
        path = os.path.join(self.folder, "node.log")
        node.wait_for("up")
        node.wait_for("tick", path)
        os.rename(path, path + ".1")
        node.process.send_signal(signal.SIGHUP)
        begin = time.monotonic()
        while not os.path.exists(path) and time.monotonic() - begin < PATIENCE:
            time.sleep(0.01)
        node.wait_for("tick", path)
        with open(path) as file:
            self.assertRegex(file.readline(), r"^\d\d/\d\d/\d\d \d\d:\d\d:\d\d\.\d\d \[:0000000\w\] ")

    # -- A daemon ------------------------------------------------------------------------------------

    def test_a_daemon_leaves_its_starter_keeps_its_pid_file_and_removes_it(self):
        node = self.node("", config='daemon = "node.pid"\nlogger = "node.log"')
        self.assertEqual(node.end(), 0, node.output())
        with open(os.path.join(self.folder, "node.pid")) as file:
            pid = int(file.read())
        try:
            os.kill(pid, 0)
            second = self.start("config")
            self.assertEqual(self.refused(second), f"skysim: Skynet is already running, pid = {pid}.")
        finally:
            os.kill(pid, signal.SIGTERM)
        begin = time.monotonic()
        while os.path.exists(os.path.join(self.folder, "node.pid")) and time.monotonic() - begin < PATIENCE:
            time.sleep(0.01)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "node.pid")))

    def test_a_daemon_that_cannot_start_says_so_before_its_starter_ends(self):
        node = self.node('error "no luck"', config='daemon = "node.pid"')
        self.assertIn("its start service main failed: ", self.refused(node))

    # -- What cannot start ---------------------------------------------------------------------------

    def test_a_config_that_is_not_there(self):
        self.assertEqual(self.refused(self.start("nothing")), "skysim: cannot read nothing: No such file or directory")

    def test_a_config_with_a_syntax_error(self):
        self.write("config", "thread = = 2\n")
        self.assertIn("config:1: ", self.refused(self.start("config")))

    def test_a_variable_that_is_not_set(self):
        self.write("config", 'x = "$SKYSIM_NOT_SET"\n')
        self.assertIn("os.getenv() failed: SKYSIM_NOT_SET", self.refused(self.start("config")))

    def test_a_thread_count_out_of_range(self):
        node = self.node("", "--set", "thread=5000")
        self.assertIn('config: thread is "5000", but must be a number in [1,1024]', self.refused(node))

    def test_a_setting_without_a_value(self):
        self.assertIn('"thread" is not KEY=VALUE', self.refused(self.node("", "--set", "thread")))

    def test_a_start_service_that_is_not_there(self):
        self.write("config", 'harbor = 0\nstart = "nobody"\n')
        line = self.refused(self.start("config"))
        self.assertIn("its start service nobody failed: ", line)

    def test_a_start_service_that_raises(self):
        line = self.refused(self.node('error "no luck"'))
        self.assertRegex(line, r"its start service main failed: .*main\.lua:4: no luck")

    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            line = self.refused(self.node(f'require("skynet.socket").listen("127.0.0.1", {port})'))
        self.assertIn("Address already in use", line)

    def test_a_log_file_that_cannot_be_written(self):
        self.assertIn("Can't launch logger service", self.refused(self.node("", config='logger = "/nowhere/log"')))

    def test_a_bootstrap_that_is_not_there(self):
        line = self.refused(self.node("", config='bootstrap = "snlua nothing"'))
        self.assertIn("its bootstrap failed: ", line)

    def test_a_module_that_is_not_there(self):
        self.assertIn("Bootstrap error : nothing", self.refused(self.node("", config='bootstrap = "nothing"')))

    # -- Watching ------------------------------------------------------------------------------------

    def test_an_endless_loop_is_reported_and_others_go_on(self):
        self.write("service/other.lua", 'local skynet = require "skynet"\nskynet.start(function() '
                   "skynet.fork(function() while true do print 'alive' skynet.sleep(10) end end) end)")
        node = self.node('skynet.newservice "other" skynet.fork(function() while true do end end)')
        node.wait_for("maybe in an endless loop")
        count = node.output().count("alive")
        begin = time.monotonic()
        while node.output().count("alive") <= count and time.monotonic() - begin < PATIENCE:
            time.sleep(0.01)
        self.assertGreater(node.output().count("alive"), count)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
