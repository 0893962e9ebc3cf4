"""A `skysim node` process under test, for tests in Python."""
import os
import socket
import subprocess
import tempfile
import time

PATIENCE = 60  # seconds until a wait counts as in vain


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """One skysim node. Its output goes to a file, which can be waited for."""

    def __init__(self, program, workspace, folder, arguments, env=None, stdin=subprocess.DEVNULL):
        self.output_path = tempfile.mktemp(dir=folder, prefix="output.")
        self.output_file = open(self.output_path, "w")
        self.process = subprocess.Popen(
            [program, "node", *arguments], cwd=folder, stdin=stdin, stdout=self.output_file,
            stderr=subprocess.STDOUT, env={**os.environ, "SKYSIM_HOME": workspace, **(env or {})})

    def output(self):
        with open(self.output_path, errors="replace") as file:
            return file.read()

    def wait_for(self, text, path=None):
        begin = time.monotonic()
        while time.monotonic() - begin < PATIENCE:
            with open(path or self.output_path, errors="replace") as file:
                if text in file.read():
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        if text not in self.output():
            raise AssertionError(f"{text!r} did not come; the output is:\n{self.output()}")

    def end(self):
        """The exit status, once it ends by itself."""
        return self.process.wait(PATIENCE)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.output_file.close()
