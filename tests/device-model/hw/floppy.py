# SPDX-License-Identifier: GPL-2.0-or-later
"""A small floppy driver for the tests: 82077AA at 0x3f0, DMA channel 2 (8237A)."""

DOR, TDR, MSR, DATA, DIR = 0x3f2, 0x3f3, 0x3f4, 0x3f5, 0x3f7
RQM, DIO, NON_DMA, BUSY = 0x80, 0x40, 0x20, 0x10
IRQ = 6
TO_MEMORY, FROM_MEMORY, VERIFY, AUTO, DOWN = 0x04, 0x08, 0x00, 0x10, 0x20
PAGE = {0: 0x87, 1: 0x83, 2: 0x81, 3: 0x82}


def dma_setup(pc, channel, addr, count, mode):
    """A byte channel for count bytes from addr; the second controller passes the first one on."""
    pc.out(0xda, 0)
    pc.out(0xd6, 0xc0)
    pc.out(0xd4, 0)
    pc.out(0x0a, 4 | channel)
    pc.out(0x0c, 0)
    for value in (addr & 0xff, addr >> 8 & 0xff):
        pc.out(2 * channel, value)
    for value in (count - 1 & 0xff, count - 1 >> 8 & 0xff):
        pc.out(2 * channel + 1, value)
    pc.out(PAGE[channel], addr >> 16)
    pc.out(0x0b, 0x40 | mode | channel)
    pc.out(0x0a, channel)


def dma_count(pc, channel):
    pc.out(0x0c, 0)
    return pc.inp(2 * channel + 1) | pc.inp(2 * channel + 1) << 8


class Floppy:
    def __init__(self, pc, drive=0, rate=0):
        self.pc, self.drive = pc, drive
        pc.command("irq_intercept_in ioapic")
        pc.out(DOR, 0)
        pc.out(DOR, 0x0c | 0x10 << drive | drive)
        pc.out(DIR, rate)
        for _ in range(4):
            self.sense()
        self.put(0x03, 0xdf, 0x02)

    def irq(self):
        return self.pc.irqs.get(IRQ, False)

    def put(self, *data):
        for byte in data:
            msr = self.pc.inp(MSR)
            assert msr & (RQM | DIO) == RQM, "%s: MSR 0x%02x at byte 0x%02x of %s" % (
                self.pc.kind, msr, byte, data)
            self.pc.out(DATA, byte)

    def result(self, count):
        data = []
        for _ in range(count):
            msr = self.pc.inp(MSR)
            assert msr & (RQM | DIO) == RQM | DIO, "%s: MSR 0x%02x after %s" % (
                self.pc.kind, msr, data)
            data.append(self.pc.inp(DATA))
        assert not self.pc.inp(MSR) & BUSY, "the result goes on after %s" % data
        return data

    def sense(self):
        self.put(0x08)
        first = self.pc.inp(DATA)
        return (first,) if first == 0x80 else (first, self.pc.inp(DATA))

    def seek(self, cylinder, head=0):
        self.put(0x0f, head << 2 | self.drive, cylinder)
        return self.sense()

    def recalibrate(self):
        self.put(0x07, self.drive)
        return self.sense()

    def wait_result(self, step=True):
        def there():
            if self.pc.inp(MSR) & (RQM | DIO) == RQM | DIO:
                return True
            if step:
                self.pc.step(1000000)
            return False
        self.pc.wait(there, "a result")
        return self.result(7)

    def send(self, command, c, h, r, eot, n=2, dtl=0xff):
        self.put(command, h << 2 | self.drive, c, h, r, n, eot, 0x1b, dtl)

    def data(self, command, c, h, r, eot, n=2, dtl=0xff):
        self.send(command, c, h, r, eot, n, dtl)
        return self.wait_result()

    def read(self, c, h, r, count, eot=None, addr=0x20000, command=0xe6):
        dma_setup(self.pc, 2, addr, count * 512, TO_MEMORY)
        res = self.data(command, c, h, r, eot or 18)
        assert res[0] & 0xc0 == 0, "read %s: %s" % ((c, h, r, count), res)
        return self.pc.read(addr, count * 512)

    def write(self, c, h, r, data, eot=None, addr=0x20000, command=0xc5):
        self.pc.write(addr, data)
        dma_setup(self.pc, 2, addr, len(data), FROM_MEMORY)
        return self.data(command, c, h, r, eot or 18)

    def read_id(self, h=0):
        self.put(0x4a, h << 2 | self.drive)
        return self.wait_result()
