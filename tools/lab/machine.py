# SPDX-License-Identifier: GPL-2.0-or-later
"""One emulated PC: QEMU's TCG with AMD-V, serial port and monitor on sockets.

Machine starts QEMU, reads the serial port in a thread of its own into a time-stamped log, offers
wait-for-text, typing, QMP, and always kills what it started. What boots inside (hypervisor, dom0)
is the business of hypervisor.py and dom0.py.
"""

import atexit
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

# QEMU 7.2's TCG: SMAP in PV guests, MWAIT and intercepted RDTSCP are wrong there.
DEFAULT_CPU = "EPYC,-smap,-monitor,-rdtscp"
# One of AMD's before 2007, as far as memory goes: all domains are on shadow page tables.
NO_NPT_CPU = DEFAULT_CPU + ",-npt"
# Names of ours for some of QEMU's models.
CPUS = {"no-npt": NO_NPT_CPU}
# Xen 4.17 beside an HVM guest now and then spoils dom0's FPU state on the model above.
XEN_CPU = "qemu64,+svm,+npt,-monitor,-rdtscp"
STOP_WAIT_S = 5
_live = set()


class MachineError(Exception):
    """The emulator or what runs in it did not do what was waited for."""


def free_port():
    """A TCP port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@atexit.register
def stop_all():
    for machine in list(_live):
        machine.stop()


ENDINGS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def end_on_signals():
    """Told to end, a program ends as by exit(): its machines are stopped, their files removed."""
    for number in ENDINGS:
        signal.signal(number, lambda which, _: sys.exit(128 + which))


def start_thread(thread):
    """The exit that a signal brings may not come while Python holds the locks of a thread that starts."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    try:
        thread.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def spawn(command, **options):
    """Start an emulator, which does not outlive this thread, whatever ends that."""
    return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *command], stdin=subprocess.DEVNULL, **options)


class Machine:
    """A QEMU process. `arguments` is everything but accelerator, CPU, serial port and monitor."""

    def __init__(self, arguments, *, log=None, echo=None, cpu=DEFAULT_CPU, smp=1, mem_mib=3072,
                 icount=None, threads="single", gdb=None, host_display="none"):
        self.directory = tempfile.mkdtemp(prefix="plinth-lab-")
        self.log_path = log
        self.echo = echo
        self.text = ""
        self.started = time.monotonic()
        self.process = None
        self.reader = None
        self.serial = None
        self.closed = False
        self._changed = threading.Condition()
        self._log = open(log, "w", encoding="utf-8", errors="replace") if log else None
        self._column = 0
        serial = os.path.join(self.directory, "serial")
        qmp = os.path.join(self.directory, "qmp")
        self.command = [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot",
            "-display", host_display, "-machine", "q35", "-cpu", cpu,
            "-accel", f"tcg,thread={threads}", "-smp", str(smp), "-m", str(mem_mib),
            "-chardev", f"socket,id=com1,path={serial},server=on,wait=on", "-serial",
            "chardev:com1",
            "-chardev", f"socket,id=qmp,path={qmp},server=on,wait=off",
            "-mon", "chardev=qmp,mode=control",
        ]
        if icount:
            self.command += ["-icount", icount]
        if gdb:
            self.command += ["-gdb", gdb]
        self.command += arguments

    def start(self):
        """Start QEMU and connect to its serial port."""
        self.started = time.monotonic()
        _live.add(self)
        self.process = self.launch()
        self.serial = self.connect_serial()
        self.reader = threading.Thread(target=self._read, daemon=True)
        start_thread(self.reader)
        return self

    def launch(self):
        """The emulator's process."""
        with open(os.path.join(self.directory, "stderr"), "wb") as errors:
            return spawn(self.command, stdout=errors, stderr=errors)

    def connect_serial(self):
        return self._connect("serial")

    def _connect(self, name):
        end = time.monotonic() + 20
        while True:
            channel = socket.socket(socket.AF_UNIX)
            try:
                channel.connect(os.path.join(self.directory, name))
                return channel
            except OSError:
                channel.close()
            if self.process.poll() is not None or time.monotonic() > end:
                raise MachineError(f"QEMU did not start: {self.errors()}")
            time.sleep(0.02)

    def errors(self):
        """What QEMU itself printed."""
        path = os.path.join(self.directory, "stderr")
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()

    def _read(self):
        while True:
            try:
                data = self.serial.recv(65536)
            except OSError:
                data = b""
            with self._changed:
                if not data:
                    self.closed = True
                    self._changed.notify_all()
                    return
                self._take(data.decode("utf-8", "replace"))
                self._changed.notify_all()

    def _take(self, text):
        text = text.replace("\r", "")
        self.text += text
        stamped = []
        for piece in text.splitlines(keepends=True):
            if self._column == 0:
                stamped.append(f"[{time.monotonic() - self.started:8.3f}] ")
            stamped.append(piece)
            self._column = 0 if piece.endswith("\n") else self._column + len(piece)
        stamped = "".join(stamped)
        if self._log:
            self._log.write(stamped)
            self._log.flush()
        if self.echo:
            self.echo.write(stamped)
            self.echo.flush()

    def note(self, text):
        """Put a line of the harness itself into the log."""
        if self._log:
            start = "\n" if self._column else ""
            self._log.write(f"{start}[{time.monotonic() - self.started:8.3f}] == {text}\n")
            self._log.flush()
            self._column = 0

    def mark(self):
        """The present end of the serial text, as a start for wait()."""
        with self._changed:
            return len(self.text)

    def wait(self, pattern, timeout_s, start=0, fail=None):
        """Wait for a regular expression on the serial port and return its match.

        Raises MachineError when `fail` matches first, the machine ends, or time is up.
        """
        wanted = re.compile(pattern, re.M)
        unwanted = re.compile(fail, re.M) if fail else None
        end = time.monotonic() + timeout_s
        with self._changed:
            while True:
                found = wanted.search(self.text, start)
                if found:
                    return found
                bad = unwanted.search(self.text, start) if unwanted else None
                if bad:
                    raise MachineError(f"saw {bad.group(0)!r} while waiting for {pattern!r}")
                left = end - time.monotonic()
                if self.closed:
                    raise MachineError(f"the machine ended while waiting for {pattern!r} "
                                       f"{self.errors()}")
                if left <= 0:
                    raise MachineError(f"no {pattern!r} on the serial port in {timeout_s} s")
                self._changed.wait(min(left, 1))

    def type(self, text):
        """Send characters to the serial port."""
        self.serial.sendall(text.encode())

    def wait_end(self, timeout_s):
        """Wait until QEMU ends by itself; returns its exit status, None when it did not."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def qmp(self, command, **arguments):
        """Run one QMP command and return its answer."""
        with self._connect("qmp") as channel, channel.makefile("rw") as stream:
            channel.settimeout(120)
            json.loads(stream.readline())
            for request in ({"execute": "qmp_capabilities"},
                            {"execute": command, "arguments": arguments}):
                stream.write(json.dumps(request) + "\n")
                stream.flush()
                while True:
                    answer = json.loads(stream.readline())
                    if "return" in answer or "error" in answer:
                        break
            if "error" in answer:
                raise MachineError(f"QMP {command}: {answer['error'].get('desc')}")
            return answer["return"]

    def shutdown_reason(self, act, timeout_s):
        """Call act() and wait for QEMU's SHUTDOWN event: guest-shutdown, guest-reset or other."""
        with self._connect("qmp") as channel, channel.makefile("rw") as stream:
            channel.settimeout(timeout_s)
            stream.readline()
            stream.write('{"execute": "qmp_capabilities"}\n')
            stream.flush()
            act()
            while True:
                try:
                    line = stream.readline()
                except OSError:
                    line = ""
                if not line:
                    raise MachineError(f"the machine did not go off in {timeout_s} s")
                event = json.loads(line)
                if event.get("event") == "SHUTDOWN":
                    return event["data"]["reason"]

    def read_physical(self, address, size):
        """Bytes of the emulated machine's physical memory."""
        path = os.path.join(self.directory, "memory")
        self.qmp("pmemsave", val=address, size=size, filename=path)
        with open(path, "rb") as file:
            return file.read()

    def screen(self):
        """Width, height and pixels (blue, green, red, unused) of the emulated screen."""
        path = os.path.join(self.directory, "screen")
        self.qmp("screendump", filename=path)
        with open(path, "rb") as file:
            _, size, _, rgb = file.read().split(b"\n", 3)
        width, height = (int(word) for word in size.split())
        pixels = bytearray(width * height * 4)
        for colour in range(3):
            pixels[2 - colour::4] = rgb[colour::3]
        return width, height, bytes(pixels)

    def stop(self):
        """End QEMU, whatever its state, and remove its files."""
        _live.discard(self)
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_WAIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        # An exit may come while start() waits for the reader.
        if self.reader and self.reader.is_alive():
            self.reader.join(STOP_WAIT_S)
        if self.serial:
            self.serial.close()
        if self._log:
            self._log.close()
            self._log = None
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
