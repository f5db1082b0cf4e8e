# SPDX-License-Identifier: GPL-2.0-or-later
"""dom0 from outside: run commands, start guests, reach their consoles.

Commands go over TCP to the agent in dom0's initramfs; when dom0 has no network, they are typed at
the shell on its console instead (slower, and kernel messages may mix in).
"""

import base64
import re
import shlex
import socket
import time

from .machine import MachineError

STATUS = re.compile(r"\n?@@STATUS (\d+)\n?$")
CHUNK = 512
# What hypervisor and kernel say on the console that the answers, in base64, come over.
BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
INTERLUDE = re.compile(r"(d\d+(v\d+)?: |\[ *\d+\.\d{6}\] |Serial input goes to ).*\n")
# So long before a command's time is up without an answer the hypervisor is asked what it does.
ASK_BEFORE_S = 10
# Its console takes keys after three times Ctrl-A: CPUs and run queues, vCPUs, timers, events.
ASK_KEYS = "\x01\x01\x01" + "radqe" + "\x01\x01\x01"


class CommandFailed(MachineError):
    """A command in dom0 ended with a status other than 0."""


class Dom0:
    """A booted dom0. `boot_timeout_s` covers everything up to a working agent or shell; all later time limits
    are multiplied by `slowness`."""

    def __init__(self, machine, boot_timeout_s=180, slowness=1):
        self.machine, self.slowness = machine, slowness
        fail = r"^.*(Kernel panic - not syncing|@@ FAIL|Domain 0 crashed|FATAL|Panic on CPU|dom0 powers the machine off).*$"
        machine.wait(r"@@ DOM0-READY", boot_timeout_s, fail=fail)
        self.has_agent = "@@ AGENT" in machine.text
        if self.has_agent:
            self._greet(30)
        else:
            self.command("dmesg -n 1")

    def _greet(self, timeout_s):
        """The agent may need a moment to listen, and the network card to have its link."""
        end = time.monotonic() + timeout_s
        while True:
            try:
                if STATUS.search(self._over_tcp(base64.b64encode(b"true").decode(), 10)):
                    return
            except (OSError, MachineError) as error:
                self.machine.note(f"agent: {error}")
            if time.monotonic() > end:
                raise MachineError("dom0's agent does not answer over the network")
            time.sleep(0.3)

    def command(self, text, timeout_s=60):
        """Run shell text as root; returns (exit status, output)."""
        timeout_s *= self.slowness
        self.machine.note(f"dom0# {text.strip().splitlines()[0][:100]}")
        script = base64.b64encode(text.encode()).decode()
        if self.has_agent:
            output = self._over_tcp(script, timeout_s)
        else:
            output = self._over_console(script, timeout_s)
        status = STATUS.search(output)
        if not status:
            raise MachineError(f"dom0 gave no status for {text[:80]!r}: {output[-400:]!r}")
        return int(status.group(1)), output[:status.start()]

    def _over_tcp(self, script, timeout_s):
        end = time.monotonic() + timeout_s
        ask = timeout_s > 2 * ASK_BEFORE_S
        received = []
        with socket.create_connection(("127.0.0.1", self.machine.agent_port), timeout_s) as link:
            link.sendall(f"{script}\n\n".encode())
            while True:
                left = end - time.monotonic()
                if left <= 0:
                    raise MachineError(f"a command in dom0 took over {timeout_s} s: "
                                       f"{b''.join(received)[-400:]!r}")
                link.settimeout(max(left - ASK_BEFORE_S, 1) if ask else left)
                try:
                    data = link.recv(65536)
                except socket.timeout:
                    if ask and not received:
                        ask = False
                        self.machine.note("no answer: the hypervisor's view")
                        self.machine.type(ASK_KEYS)
                    continue
                except ConnectionError:
                    data = b""
                if not data:
                    return b"".join(received).decode("utf-8", "replace")
                received.append(data)

    def _over_console(self, script, timeout_s):
        machine = self.machine
        machine.wait(r"@@ SHELL", timeout_s)
        machine.type("stty -echo; A=\n")
        for start in range(0, len(script), CHUNK):
            machine.type(f"A+={script[start:start + CHUNK]}\n")
        start = machine.mark()
        machine.type("echo @@BE''GIN; { echo $A; echo; } | /usr/lib/lab/agent > /tmp/answer; "
                     "base64 /tmp/answer; echo @@E''ND\n")
        begin = machine.wait(r"@@BEGIN\n", timeout_s, start).end()
        try:
            end = machine.wait(r"@@END\n", timeout_s, begin).start()
        except MachineError:
            machine.note("no answer: the hypervisor's view")
            machine.type(ASK_KEYS)
            machine.wait(r"event channels", ASK_BEFORE_S, begin)
            raise
        lines = INTERLUDE.sub("", machine.text[begin:end]).splitlines()
        coded = "".join(line for line in lines if BASE64.fullmatch(line))
        try:
            return base64.b64decode(coded).decode("utf-8", "replace")
        except ValueError as error:
            raise MachineError(f"dom0's answer is damaged: {coded[-400:]!r}") from error

    def run(self, text, timeout_s=60):
        """Run shell text and return its output; raises CommandFailed unless it succeeds."""
        status, output = self.command(text, timeout_s)
        if status:
            raise CommandFailed(f"dom0: {text.strip()[:120]!r} ended with {status}: "
                                f"{output.strip()[-600:]}")
        return output

    def write(self, path, text):
        """Make a file in dom0."""
        coded = base64.b64encode(text.encode()).decode()
        self.run(f"mkdir -p $(dirname {shlex.quote(path)}); "
                 f"base64 -d > {shlex.quote(path)} <<< {coded}")

    def wait_for(self, condition, timeout_s, every_s=0.5):
        """Wait until shell text, which must be cheap and repeatable, succeeds in dom0.

        Returns its output. The polling happens in dom0, a few seconds at a time.
        """
        end = time.monotonic() + timeout_s * self.slowness
        poll = (f"for i in $(seq {max(1, int(5 / every_s))}); do "
                f"if out=$( {condition}\n ); then echo \"$out\"; exit 0; fi; sleep {every_s}; done; "
                "echo \"$out\"; exit 1").replace("\\n", "\n")
        output = ""
        while True:
            try:
                status, output = self.command(poll, max(60, timeout_s))
            except MachineError as error:
                if time.monotonic() > end or self.machine.closed:
                    raise
                self.machine.note(f"asking again: {error}")
                continue
            if status == 0:
                return output
            if time.monotonic() > end:
                raise MachineError(f"not in {timeout_s * self.slowness} s: {condition!r}: {output[-400:]}")

    def create(self, config, overrides=(), timeout_s=120):
        """xl create; returns the new domain's number."""
        words = " ".join(shlex.quote(word) for word in overrides)
        self.run(f"xl create -q {shlex.quote(config)} {words}", timeout_s)
        name = self.run(f"grep -h '^name' {shlex.quote(config)}; printf '%s\\n' {words}")
        found = re.findall(r"""^name *= *["']([^"']+)""", name, re.M)
        return int(self.run(f"xl domid {shlex.quote(found[-1])}").strip())

    def destroy_all(self):
        """Destroy every guest."""
        self.run("xl list | awk 'NR > 2 { print $2 }' | xargs -r -n1 xl destroy", 120)
