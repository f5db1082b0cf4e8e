# SPDX-License-Identifier: GPL-2.0-or-later
"""A small UHCI driver for the tests (UHCI 1.1): one queue, transfers by hand."""
import struct

IO = 0xc100
CMD, STS, INTR, FRAME, BASE, SOF, PORT = 0, 2, 4, 6, 8, 12, 16
RUN, HCRESET, GRESET, SUSPEND, RESUME = 1, 2, 4, 8, 16
END, QUEUE, DEPTH = 1, 2, 4
IN, OUT, SETUP = 0x69, 0xe1, 0x2d
ACTIVE, STALLED, BABBLE, NAK, TIMEOUT = 1 << 23, 1 << 22, 1 << 20, 1 << 19, 1 << 18
IOC, SPD, ERRORS3 = 1 << 24, 1 << 29, 3 << 27
FRAMES, QH, TDS, BUF = 0x100000, 0x101000, 0x102000, 0x104000


class Uhci:
    def __init__(self, pc):
        self.pc = pc
        pc.command("irq_intercept_in ioapic")
        pc.config_write(1, 2, 0x20, IO)
        pc.config_write(1, 2, 4, 5, 2)
        for link in range(0x60, 0x64):
            pc.config_write(1, 0, link, 11, 1)
        self.out(CMD, HCRESET)
        self.queue(END)
        pc.write(FRAMES, struct.pack("<I", QH | QUEUE) * 1024)
        self.out(BASE, FRAMES, 4)
        self.out(STS, 0x3f)
        self.address = 0

    def out(self, reg, value, size=2):
        self.pc.out(IO + reg, value, size)

    def inp(self, reg, size=2):
        return self.pc.inp(IO + reg, size)

    def irq(self):
        """The level of INTD: the PCI line on ours, what the ISA bridge makes of it on QEMU."""
        self.pc.inp(0x80)
        return self.pc.irqs.get(16 if self.pc.kind == "plinth" else 11, False)

    def run(self, on=True):
        self.out(CMD, 0xc1 if on else 0)
        self.pc.wait(lambda: bool(self.inp(STS) & 0x20) != on, "run or halt")

    def queue(self, element, head=END, at=QH):
        self.pc.write(at, struct.pack("<II", head, element))

    def element(self):
        return struct.unpack("<I", self.pc.read(QH + 4, 4))[0]

    def td(self, at, pid, length, link=END, ctrl=ACTIVE | ERRORS3, ep=0, toggle=0, address=None,
           buf=BUF):
        address = self.address if address is None else address
        token = ((length - 1) & 0x7ff) << 21 | toggle << 19 | ep << 15 | address << 8 | pid
        self.pc.write(at, struct.pack("<IIII", link, ctrl, token, buf))

    def ctrl(self, at):
        return struct.unpack("<I", self.pc.read(at + 4, 4))[0]

    def length(self, at):
        return (self.ctrl(at) + 1) & 0x7ff

    def wait_td(self, at):
        def over():
            self.pc.step(1000000)
            return not self.ctrl(at) & ACTIVE
        self.pc.wait(over, "the end of a transfer")
        return self.ctrl(at)

    def frames(self, count):
        """Let count frames go by."""
        start = self.inp(FRAME)

        def passed():
            self.pc.step(1000000)
            return (self.inp(FRAME) - start) % 2048 >= count
        self.pc.wait(passed, "%d frames" % count)

    def port_reset(self, port=0):
        self.out(PORT + 2 * port, 0x200)
        self.pc.step(50000000)
        self.out(PORT + 2 * port, 0)
        self.out(PORT + 2 * port, 0xe)
        self.address = 0

    def control(self, kind, request, value, index, length, data=b""):
        """A control transfer; the data, or None when the device stalls."""
        self.pc.write(BUF, struct.pack("<BBHHH", kind, request, value, index, length))
        self.pc.write(BUF + 64, data)
        direction = IN if kind & 0x80 else OUT
        pieces = [(SETUP, 8, BUF, 0)]
        for at in range(0, length, 8):
            pieces.append((direction, min(8, length - at), BUF + 64 + at, 1 - (at // 8 & 1)))
        status = OUT if kind & 0x80 and length else IN
        for i, (pid, size, buf, toggle) in enumerate(pieces):
            at = TDS + 32 * i
            self.td(at, pid, size, at + 32 | DEPTH if i + 1 < len(pieces) else END,
                    ACTIVE | ERRORS3 | SPD, toggle=toggle, buf=buf)
        self.queue(TDS)
        got = 0
        for i, (pid, size, _, _) in enumerate(pieces):
            ctrl = self.wait_td(TDS + 32 * i)
            if ctrl & STALLED:
                self.queue(END)
                return None
            if i:
                got += self.length(TDS + 32 * i)
            if i and self.length(TDS + 32 * i) < size:
                break
        self.td(TDS, status, 0, toggle=1)
        self.queue(TDS)
        ctrl = self.wait_td(TDS)
        self.queue(END)
        if ctrl & STALLED:
            return None
        return self.pc.read(BUF + 64, got) if direction == IN and got else b""

    def descriptor(self, kind, index=0, length=255, recipient=0):
        return self.control(0x80 | recipient, 6, kind << 8 | index, 0, length)

    def configure(self, address=5):
        self.run()
        self.port_reset()
        assert self.control(0, 5, address, 0, 0) == b""
        self.address = address
        assert self.control(0, 9, 1, 0, 0) == b""

    def only_changes(self):
        """SET IDLE: a report for each change, and none else."""
        assert self.control(0x21, 10, 0, 0, 0) == b""

    def report(self, length=8):
        """One interrupt packet: its bytes, or None for NAK."""
        self.td(TDS, IN, length, ep=1, ctrl=ACTIVE | ERRORS3 | SPD)
        self.queue(TDS)
        self.frames(2)
        self.queue(END)
        self.frames(1)  # or it may be over after the look at it
        ctrl = self.ctrl(TDS)
        if ctrl & ACTIVE:
            assert ctrl & NAK, "0x%08x" % ctrl
            return None
        assert not ctrl & STALLED, "0x%08x" % ctrl
        return self.pc.read(BUF, self.length(TDS))

    def wait_report(self, length=8):
        got = []

        def there():
            got.append(self.report(length))
            return got[-1] is not None
        self.pc.wait(there, "a report")
        return got[-1]
