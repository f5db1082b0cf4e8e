# SPDX-License-Identifier: GPL-2.0-or-later
"""One emulated PC over the qtest protocol: our device model, or Debian's QEMU as the reference."""
import os
import socket
import subprocess
import time


def emulating(pid):
    """Of the process that was started, or itself where it has no privileged part."""
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            return int((f.read().split() or [pid])[0])
    except FileNotFoundError:
        return pid


class Pc:
    def __init__(self, kind, argv, work, extra_fds=()):
        self.kind = kind
        self.log_path = os.path.join(work, kind + ".log")
        path = os.path.join(work, kind + ".qtest")
        if os.path.exists(path):
            os.unlink(path)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(1)
        listener.settimeout(1)
        self.shutdowns = []
        self.irqs = {}  # levels, after irq_intercept_in
        with open(self.log_path, "ab") as log:
            self.proc = subprocess.Popen(argv + ["-qtest", "unix:" + path],
                                         stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                         pass_fds=extra_fds)
        self.sock = self.accept(listener)
        listener.close()
        self.sock.settimeout(60)
        self.file = self.sock.makefile("rb")

    def accept(self, listener):
        for _ in range(30):
            try:
                return listener.accept()[0]
            except socket.timeout:
                assert self.proc.poll() is None, "%s did not start: %s" % (self.kind, self.log())
        raise AssertionError("%s does not connect: %s" % (self.kind, self.log()))

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()[-2000:]

    def command(self, text):
        self.sock.sendall(text.encode() + b"\n")
        return self.reply(text)

    def batch(self, commands):
        """Many commands with one wait; the replies in order."""
        replies = []
        for at in range(0, len(commands), 256):
            part = commands[at:at + 256]
            self.sock.sendall("".join(c + "\n" for c in part).encode())
            replies += [self.reply(c) for c in part]
        return replies

    def reply(self, text):
        while True:
            line = self.file.readline().decode()
            assert line, "%s ended at '%s': %s" % (self.kind, text[:60], self.log())
            words = line.split()
            if words[0] == "OK":
                return words[1:]
            if words[0] == "SHUTDOWN":
                self.shutdowns.append(int(words[1]))
            if words[0] == "IRQ":
                self.irqs[int(words[2])] = words[1] == "raise"
            assert words[0] in ("IRQ", "SHUTDOWN"), "%s: %s -> %s" % (self.kind, text[:60], line)

    def out(self, port, value, size=1):
        self.command("out%s 0x%x 0x%x" % ("?bw?l"[size], port, value))

    def inp(self, port, size=1):
        return int(self.command("in%s 0x%x" % ("?bw?l"[size], port))[0], 16)

    def write(self, addr, data):
        for at in range(0, len(data), 65536):
            part = data[at:at + 65536]
            self.command("write 0x%x 0x%x 0x%s" % (addr + at, len(part), part.hex()))

    def read(self, addr, count):
        return bytes.fromhex(self.command("read 0x%x 0x%x" % (addr, count))[0][2:])

    def fill(self, addr, count, byte):
        self.command("memset 0x%x 0x%x 0x%x" % (addr, count, byte))

    def step(self, ns):
        """Let guest time pass; QEMU's passes by itself."""
        if self.kind == "qemu":
            time.sleep(min(ns, 1000000) / 1e9)
        else:
            self.command("clock_step %d" % ns)

    def wait(self, condition, what, limit_s=20):
        end = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < end, "%s: %s did not happen" % (self.kind, what)
        return True

    # PCI configuration mechanism 1
    def config_read(self, dev, fn, reg, size=4):
        self.out(0xcf8, 0x80000000 | dev << 11 | fn << 8 | (reg & 0xfc), 4)
        return self.inp(0xcfc + (reg & 3), size)

    def config_write(self, dev, fn, reg, value, size=4):
        self.out(0xcf8, 0x80000000 | dev << 11 | fn << 8 | (reg & 0xfc), 4)
        self.out(0xcfc + (reg & 3), value, size)

    def pid(self):
        """The process that emulates: a child of the privileged part, which is what was started."""
        return emulating(self.proc.pid)

    def kill(self):
        pid = self.pid()
        self.proc.kill()
        self.proc.wait()
        self.wait(lambda: not os.path.exists("/proc/%d" % pid), "end of the process that emulates")

    def close(self):
        self.sock.close()
        self.file.close()
        if self.kind == "qemu":
            self.kill()
            return
        try:
            status = self.proc.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("%s did not end with its test socket" % self.kind)
        if self.kind == "plinth":
            text = self.log()
            assert status == 0, "plinth ended with status %d: %s" % (status, text)
            assert "runtime error" not in text and "AddressSanitizer" not in text, text
