# SPDX-License-Identifier: GPL-2.0-or-later
"""A small IDE driver for the tests: task file, PIO, bus master, packets (ATA-6, SFF-8020i)."""
import struct

BSY, DRDY, DF, DRQ, ERR = 0x80, 0x40, 0x20, 0x08, 0x01
ABRT = 0x04
BM_ACTIVE, BM_ERROR, BM_INTR = 1, 2, 4
BM_PORT = 0xc000
PRD_TABLE = 0x10000


class Drive:
    def __init__(self, pc, channel=0, unit=0):
        self.pc = pc
        self.base = 0x170 if channel else 0x1f0
        self.control = 0x376 if channel else 0x3f6
        self.bm = BM_PORT + 8 * channel
        self.device = 0xe0 | unit << 4
        pc.config_write(1, 1, 0x20, BM_PORT)
        pc.config_write(1, 1, 0x04, 5, 2)  # I/O, bus master
        self.select()

    def select(self, low=0):
        self.pc.out(self.base + 6, self.device | low)

    def status(self):
        return self.pc.inp(self.base + 7)

    def alt_status(self):
        return self.pc.inp(self.control)

    def error(self):
        return self.pc.inp(self.base + 1)

    def wait_idle(self):
        self.pc.wait(lambda: not self.alt_status() & BSY, "end of BSY")
        return self.status()

    def wait_drq(self):
        self.pc.wait(lambda: self.alt_status() & (DRQ | ERR) and not self.alt_status() & BSY, "DRQ")
        status = self.status()
        assert status & DRQ, "%s: status 0x%02x error 0x%02x" % (self.pc.kind, status, self.error())

    def setup(self, lba=0, count=0, feature=0, ext=False):
        if ext:
            for reg, value in ((2, count >> 8), (3, lba >> 24), (4, lba >> 32), (5, lba >> 40)):
                self.pc.out(self.base + reg, value & 0xff)
        self.pc.out(self.base + 1, feature)
        for reg, value in ((2, count), (3, lba), (4, lba >> 8), (5, lba >> 16)):
            self.pc.out(self.base + reg, value & 0xff)
        self.select(0 if ext else lba >> 24 & 0xf)

    def command(self, cmd, **args):
        self.setup(**args)
        self.pc.out(self.base + 7, cmd)

    def data_in(self, size):
        replies = self.pc.batch(["inw 0x%x" % self.base] * (size // 2))
        return b"".join(struct.pack("<H", int(r[0], 16)) for r in replies)

    def data_out(self, data):
        self.pc.batch(["outw 0x%x 0x%x" % (self.base, word)
                       for (word,) in struct.iter_unpack("<H", data)])

    def identify(self, cmd=0xec):
        self.command(cmd)
        self.wait_drq()
        return struct.unpack("<256H", self.data_in(512))

    def read_pio(self, lba, count, cmd=0x20, ext=False, block=1):
        self.command(cmd, lba=lba, count=count, ext=ext)
        data = b""
        while count:
            n = min(block, count)
            self.wait_drq()
            data += self.data_in(512 * n)
            count -= n
        status = self.wait_idle()
        assert not status & (DRQ | ERR), "status 0x%02x" % status
        return data

    def write_pio(self, lba, data, cmd=0x30, ext=False, block=1):
        count = len(data) // 512
        self.command(cmd, lba=lba, count=count & 0xffff, ext=ext)
        while data:
            self.wait_drq()
            self.data_out(data[:512 * block])
            data = data[512 * block:]
        status = self.wait_idle()
        assert not status & (DRQ | ERR), "status 0x%02x" % status

    def prds(self, regions):
        """regions: (address, bytes) in order; 65536 bytes is a count of 0."""
        table = b"".join(struct.pack("<II", addr, (size & 0xffff) |
                                     (0x80000000 if i == len(regions) - 1 else 0))
                         for i, (addr, size) in enumerate(regions))
        self.pc.write(PRD_TABLE, table)

    def dma(self, cmd, regions, to_memory, start_first=False, **args):
        """Run a DMA command; returns the bus master's status after it went idle."""
        self.pc.out(self.bm, 0)
        self.pc.out(self.bm + 2, BM_ERROR | BM_INTR)
        self.prds(regions)
        self.pc.out(self.bm + 4, PRD_TABLE, 4)
        self.pc.out(self.bm, 8 if to_memory else 0)
        if start_first:
            self.pc.out(self.bm, 9 if to_memory else 1)
        if cmd is not None:
            self.command(cmd, **args)
        if not start_first:
            self.pc.out(self.bm, 9 if to_memory else 1)
        self.pc.wait(lambda: not self.alt_status() & (BSY | DRQ), "end of DMA")
        bm = self.pc.inp(self.bm + 2) & 7
        self.status()
        self.pc.out(self.bm, 0)
        return bm

    def reset(self):
        self.pc.out(self.control, 4)
        self.pc.out(self.control, 0)
        self.pc.wait(lambda: not self.alt_status() & BSY, "end of reset")

    def signature(self):
        return tuple(self.pc.inp(self.base + r) for r in (2, 3, 4, 5))

    # ATAPI
    def packet(self, cdb, limit=0xfffe, feature=0):
        self.pc.out(self.base + 1, feature)
        self.pc.out(self.base + 4, limit & 0xff)
        self.pc.out(self.base + 5, limit >> 8)
        self.select()
        self.pc.out(self.base + 7, 0xa0)
        self.wait_drq()
        self.data_out(bytes(cdb).ljust(12, b"\0"))

    def packet_in(self, cdb, limit=0xfffe):
        """Returns (data, error register or 0, sizes of the pieces)."""
        self.packet(cdb, limit)
        data, pieces = b"", []
        while True:
            self.pc.wait(lambda: not self.alt_status() & BSY, "end of BSY")
            status = self.status()
            if status & ERR:
                return data, self.error(), pieces
            if not status & DRQ:
                return data, 0, pieces
            n = self.pc.inp(self.base + 4) | self.pc.inp(self.base + 5) << 8
            pieces.append(n)
            assert len(pieces) < 2000, "the reply does not end"
            data += self.data_in((n + 1) & ~1)[:n]

    def packet_out(self, cdb, data, limit=0xfffe):
        """Parameters for a packet command; returns the error register or 0."""
        self.packet(cdb, limit)
        while True:
            self.pc.wait(lambda: not self.alt_status() & BSY, "end of BSY")
            status = self.status()
            if status & ERR:
                return self.error()
            if not status & DRQ:
                assert not data, "%d bytes were not taken" % len(data)
                return 0
            assert not self.pc.inp(self.base + 2) & 3, "the interrupt reason is data to the device"
            n = self.pc.inp(self.base + 4) | self.pc.inp(self.base + 5) << 8
            self.data_out(data[:n] + bytes(n & 1))
            data = data[n:]

    def sense(self):
        data, error, _ = self.packet_in([3, 0, 0, 0, 18])
        assert not error
        return data[2] & 0xf, data[12]
