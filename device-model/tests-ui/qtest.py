# SPDX-License-Identifier: GPL-2.0-or-later
"""Start our device model or Debian's QEMU under the qtest protocol and poke ports and memory."""
import json
import os
import re
import socket
import subprocess
import time


class Machine:
    """One emulated PC driven over qtest. `kind` is "plinth" or "qemu"."""

    def __init__(self, kind, argv, work):
        self.kind = kind
        self.irqs = {}
        self.log_path = os.path.join(work, kind + ".log")
        path = os.path.join(work, kind + ".qtest")
        for p in (path,):
            if os.path.exists(p):
                os.unlink(p)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(1)
        listener.settimeout(20)
        self.log = open(self.log_path, "wb")
        self.proc = subprocess.Popen(argv + ["-qtest", "unix:" + path], stdin=subprocess.DEVNULL,
                                     stdout=self.log, stderr=self.log)
        self.sock, _ = listener.accept()
        listener.close()
        self.file = self.sock.makefile("rb")
        self.sock.settimeout(30)

    def pid(self):
        """The process that emulates: a child of the privileged part, which is what was started."""
        with open("/proc/%d/task/%d/children" % (self.proc.pid, self.proc.pid), encoding="ascii") as f:
            return int((f.read().split() or [self.proc.pid])[0])

    def command(self, text):
        self.sock.sendall(text.encode() + b"\n")
        while True:
            line = self.file.readline().decode()
            if not line:
                raise EOFError(self.kind + " ended: " + self.log_tail())
            words = line.split()
            if words[0] == "IRQ":
                self.irqs[int(words[2])] = words[1] == "raise"
            elif words[0] == "OK":
                return words[1:]
            elif words[0] in ("FAIL", "ERR"):
                raise ValueError(line)

    def outb(self, port, value):
        self.command("outb 0x%x 0x%x" % (port, value))

    def outw(self, port, value):
        self.command("outw 0x%x 0x%x" % (port, value))

    def outl(self, port, value):
        self.command("outl 0x%x 0x%x" % (port, value))

    def inb(self, port):
        return int(self.command("inb 0x%x" % port)[0], 16)

    def inw(self, port):
        return int(self.command("inw 0x%x" % port)[0], 16)

    def inl(self, port):
        return int(self.command("inl 0x%x" % port)[0], 16)

    def writeb(self, addr, value):
        self.command("writeb 0x%x 0x%x" % (addr, value))

    def readb(self, addr):
        return int(self.command("readb 0x%x" % addr)[0], 16)

    def write(self, addr, data):
        for at in range(0, len(data), 4096):
            part = data[at:at + 4096]
            self.command("write 0x%x %d 0x%s" % (addr + at, len(part), part.hex()))

    def read(self, addr, count):
        return bytes.fromhex(self.command("read 0x%x %d" % (addr, count))[0][2:])

    def step(self, ns):
        self.command("clock_step %d" % ns)

    def config(self, dev, offset, value=None, size=4):
        self.outl(0xcf8, 0x80000000 | dev << 11 | (offset & 0xfc))
        if value is None:
            return self.inl(0xcfc)
        (self.outl if size == 4 else self.outw)(0xcfc + (offset & 3), value)
        return None

    def find_pci(self, identity):
        for dev in range(32):
            if self.config(dev, 0) == identity:
                return dev
        raise LookupError("no PCI device %08x" % identity)

    def alive(self):
        return self.proc.poll() is None

    def log_tail(self):
        self.log.flush()
        with open(self.log_path, errors="replace") as f:
            return f.read()[-2000:]

    def close(self):
        self.proc.terminate()
        try:
            self.proc.wait(10)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
        self.sock.close()
        self.log.close()


def plinth(program, work, *extra, vnc=None):
    argv = [program, "-m", "64", "-device", "VGA,vgamem_mb=16", *extra]
    if vnc:
        argv += ["-vnc", vnc]
    m = Machine("plinth", argv, work)
    if vnc:
        m.vnc_port = wait_port(m)
    return m


def wait_port(m, what="listening"):
    """The port that the device model says it listens on."""
    for _ in range(100):
        found = re.search(r"vnc: %s on \S+:(\d+)" % what, m.log_tail())
        if found:
            return int(found.group(1))
        time.sleep(0.05)
    raise LookupError("no VNC port: " + m.log_tail())


class Qmp:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        for _ in range(200):
            try:
                self.sock.connect(path)
                break
            except OSError:
                time.sleep(0.05)
        self.file = self.sock.makefile("rb")
        json.loads(self.file.readline())
        self.run("qmp_capabilities")

    def run(self, command, **arguments):
        self.sock.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            reply = json.loads(self.file.readline())
            if "error" in reply:
                raise ValueError(reply["error"])
            if "return" in reply:
                return reply["return"]


def qemu(work, *extra):
    path = os.path.join(work, "qemu.qmp")
    if os.path.exists(path):
        os.unlink(path)
    m = Machine("qemu", ["qemu-system-x86_64", "-machine", "pc", "-accel", "tcg", "-S", "-nodefaults",
                         "-m", "64", "-vga", "std", "-display", "none", "-qtest-log", "/dev/null", "-qmp",
                         "unix:%s,server=on,wait=off" % path, *extra], work)
    m.qmp = Qmp(path)
    return m


def screendump(m, work):
    """(width, height, RGB bytes) of QEMU's screen."""
    path = os.path.join(work, "screen.ppm")
    m.qmp.run("screendump", filename=path)
    with open(path, "rb") as f:
        data = f.read()
    head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
    return int(head.group(1)), int(head.group(2)), data[head.end():]
