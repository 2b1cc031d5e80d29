"""A process that runs steps of one workload when it is asked to."""

import json
import os
import select
import subprocess
import tempfile

TICK = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A contender cannot do the work."""


class Contender:
    """Lives from `start` to `stop`; in between it does as many steps as each call of `burst` asks for, and sleeps."""

    def __init__(self, name, command, cpus, environment):
        self.name = name
        self.command = command
        self.cpus = cpus
        self.environment = {**os.environ, **environment}
        self.process = None

    def start(self, timeout):
        """Starts the process and waits for the end of its first step; returns what it tells of it."""
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=self.environment,
            preexec_fn=lambda: os.sched_setaffinity(0, self.cpus),
        )
        return self._answer(timeout)

    def burst(self, steps, timeout=600):
        """Does `steps` steps; returns their times in milliseconds and the process's highest resident memory."""
        self.process.stdin.write(f"{steps}\n".encode())
        self.process.stdin.flush()
        answer = self._answer(timeout)
        return answer["step_ms"], answer["resident_bytes"]

    def cpu_seconds(self):
        """Processor time that the process has used."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def stop(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            try:
                stream.close()
            except BrokenPipeError:
                pass
        self.process = None

    def _answer(self, timeout):
        if not select.select([self.process.stdout], [], [], timeout)[0]:
            raise Failed(f"no answer in {timeout} s")
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.errors.seek(0)
            said = [text.strip() for text in self.errors if text.strip()]
            raise Failed(said[-1] if said else f"ended with status {self.process.returncode}")
        return json.loads(line)
