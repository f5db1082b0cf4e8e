# SPDX-License-Identifier: GPL-2.0-or-later
"""NE2000, ISA and PCI: each script must hold on QEMU as on our device model; OURS are what QEMU leaves out."""
import os
import struct

import nic
from nic import BROADCAST, MAC, PEER, frame

PRX, PTX, OVW, RDC, RST = 0x01, 0x02, 0x10, 0x40, 0x80
START, STOP, TXPAGE = 0x46, 0x80, 0x40
SIZES = (60, 61, 62, 63, 64, 255, 256, 257, 1024, 1513, 1514)


class Ne2k:
    """A small DP8390 driver (datasheet 11.0)."""

    def __init__(self, pc, wire, word=True, rcr=0x04, stop=STOP, tcr=0):
        self.pc, self.wire, self.word = pc, wire, word
        self.pci = pc.config_read(4, 0, 0) == 0x802910ec
        self.io = nic.IO if self.pci else 0x300
        if self.pci:
            nic.pci_enable(pc)
        self.reset()
        self.stop = stop
        self.set(0x0, 0x21)
        self.set(0xe, 0x49 if word else 0x48)
        for reg in (0xa, 0xb):
            self.set(reg, 0)
        for reg, value in ((0xc, rcr), (0xd, tcr), (1, START), (2, stop), (3, START), (7, 0x7f), (0xf, 0)):
            self.set(reg, value)
        self.set(0, 0x61)
        for i in range(6):
            self.set(1 + i, MAC[i])
        for i in range(8):
            self.set(8 + i, 0)
        self.set(7, START + 1)
        self.set(0, 0x22)
        self.next = START + 1
        wire.drain()

    def set(self, reg, value, size=1):
        self.pc.out(self.io + reg, value, size)

    def reg(self, reg, size=1):
        return self.pc.inp(self.io + reg, size)

    def reset(self):
        self.reg(0x1f)
        assert self.reg(7) & RST
        self.set(7, 0x7f)

    def remote(self, addr, count, command):
        for reg, value in ((8, addr), (9, addr >> 8), (0xa, count), (0xb, count >> 8)):
            self.set(reg, value & 0xff)
        self.set(0, command)

    def mem_read(self, addr, count, size=None):
        size = size or (2 if self.word else 1)
        self.set(7, RDC)
        self.remote(addr, count, 0x0a)
        port = self.io + 0x10
        replies = self.pc.batch(["in%s 0x%x" % ("?bw?l"[size], port)] * ((count + size - 1) // size))
        assert self.reg(7) & RDC, "%s: the transfer of %d bytes does not end" % (self.pc.kind, count)
        return b"".join(int(r[0], 16).to_bytes(size, "little") for r in replies)[:count]

    def mem_write(self, addr, data, size=None):
        size = size or (2 if self.word else 1)
        self.set(7, RDC)
        self.remote(addr, len(data), 0x12)
        data += bytes(-len(data) % size)
        self.pc.batch(["out%s 0x%x 0x%x" % ("?bw?l"[size], self.io + 0x10,
                                            int.from_bytes(data[i:i + size], "little"))
                       for i in range(0, len(data), size)])
        assert self.reg(7) & RDC, "%s: the transfer does not end" % self.pc.kind

    def transmit(self, data):
        self.mem_write(TXPAGE << 8, data + bytes(len(data) & 1))
        self.set(4, TXPAGE)
        self.set(5, len(data) & 0xff)
        self.set(6, len(data) >> 8)
        self.set(7, PTX)
        self.set(0, 0x26)
        assert self.reg(7) & PTX

    def current(self):
        self.set(0, 0x62)
        value = self.reg(7)
        self.set(0, 0x22)
        return value

    def receive(self):
        self.pc.wait(lambda: self.current() != self.next, "a frame")
        status, following, count = struct.unpack("<BBH", self.mem_read(self.next << 8, 4))
        size = count - 4
        data = self.mem_read((self.next << 8) + 4, size + (size & 1))[:size]
        self.next = following
        self.set(3, (following - 1 if following > START else self.stop - 1))
        return status, data


def test_identity(pc, wire):
    d = Ne2k(pc, wire)
    if not d.pci:
        return
    assert pc.config_read(4, 0, 0x0a, 2) == 0x0200
    assert d.reg(0xa) == 0x50 and d.reg(0xb) == 0x43, "the RTL8029's two letters"


def test_prom(pc, wire):
    d = Ne2k(pc, wire, word=False)
    prom = d.mem_read(0, 32)
    assert prom[0:12:2] == MAC and prom[1:12:2] == MAC
    assert prom[28] == prom[30] == 0x57, "a 16-bit card"


def test_remote_sizes(pc, wire):
    for word, sizes in ((True, (2, 4)), (False, (1,))):
        d = Ne2k(pc, wire, word)
        for size in sizes:
            if size == 4 and not d.pci:
                continue
            data = os.urandom(512)
            d.mem_write(0x5000, data, size)
            assert d.mem_read(0x5000, 512, size) == data, "items of %d" % size
    d = Ne2k(pc, wire, True)
    assert d.mem_read(0x5000, 512) == data


def test_remote_odd(pc, wire):
    d = Ne2k(pc, wire, word=False)
    data = os.urandom(37)
    d.mem_write(0x4f0d, data)
    assert d.mem_read(0x4f0d, 37) == data
    assert d.mem_read(0x4f0e, 1) == data[1:2]


def test_remote_ring(pc, wire):
    """A remote read follows the ring round its end."""
    d = Ne2k(pc, wire)
    tail, head = os.urandom(256), os.urandom(256)
    d.mem_write((STOP - 1) << 8, tail)
    d.mem_write(START << 8, head)
    assert d.mem_read((STOP - 1) << 8, 512) == tail + head


def test_remote_zero(pc, wire):
    d = Ne2k(pc, wire)
    d.set(7, RDC)
    d.remote(0x5000, 0, 0x0a)
    assert d.reg(7) & RDC


def test_transmit(pc, wire):
    d = Ne2k(pc, wire)
    for size in SIZES:
        data = frame(size, dst=PEER)
        d.transmit(data)
        assert wire.recv() == data, "size %d" % size
        assert d.reg(4) & 1, "TSR"


def test_receive(pc, wire):
    d = Ne2k(pc, wire)
    for size in SIZES:
        data = frame(size)
        wire.send(data)
        status, got = d.receive()
        assert got == data and status & 1, "size %d" % size
    wire.send(frame(60, dst=BROADCAST)[:42])
    status, got = d.receive()
    assert len(got) == 60 and got[42:] == bytes(18)
    assert d.reg(7) & PRX


def test_receive_ring(pc, wire):
    """Three laps, frames of odd lengths over the end."""
    d = Ne2k(pc, wire)
    total = 0
    for n in range(80):
        data = frame(60 + n * 389 % 1455)
        wire.send(data)
        assert d.receive()[1] == data, "frame %d" % n
        total += len(data)
    assert total > 3 * (STOP - START) * 256
    d = Ne2k(pc, wire, stop=0xc0)
    for n in range(60):
        data = frame(1514 - n)
        wire.send(data)
        assert d.receive()[1] == data, "frame %d of the 32 KiB ring" % n


def test_filter(pc, wire):
    group, other = bytes.fromhex("01005e000001"), bytes.fromhex("01005e7fabcd")
    stranger = bytes.fromhex("020000000099")
    bit = nic.hash_bit(group)
    everyone = (MAC, BROADCAST, group, other, stranger)
    for rcr, wanted in ((0x00, {MAC}), (0x04, {MAC, BROADCAST}), (0x08, {MAC, group}), (0x1c, None)):
        d = Ne2k(pc, wire, rcr=rcr)
        d.set(0, 0x62)
        for i in range(8):
            d.set(8 + i, 0xff if wanted is None else 1 << (bit & 7) if i == bit >> 3 else 0)
        d.set(0, 0x22)
        wanted = set(everyone) if wanted is None else wanted
        sent = {dst: frame(80, dst=dst) for dst in everyone}
        for data in sent.values():
            wire.send(data)
        got = [d.receive()[1] for _ in wanted]
        assert got == [sent[dst] for dst in everyone if dst in wanted], "RCR 0x%x" % rcr


def test_stopped(pc, wire):
    """STP: frames pass by; RST is set meanwhile."""
    d = Ne2k(pc, wire)
    d.set(0, 0x21)
    assert d.reg(7) & RST or pc.kind == "qemu", "QEMU shows RST after a reset only"
    d.set(0, 0x22)
    assert not d.reg(7) & RST
    mark = frame(99)
    wire.send(mark)
    assert d.receive()[1] == mark


def test_interrupt_mask(pc, wire):
    d = Ne2k(pc, wire)
    d.set(7, 0x7f)
    d.set(0xf, PTX)
    d.transmit(frame(dst=PEER))
    wire.recv()
    assert d.reg(7) & PTX
    if pc.kind == "plinth" and d.pci:
        assert pc.config_read(4, 0, 6, 2) & 8
    d.set(7, PTX)
    assert not d.reg(7) & PTX
    if pc.kind == "plinth" and d.pci:
        assert not pc.config_read(4, 0, 6, 2) & 8


def test_page2(pc, wire):
    d = Ne2k(pc, wire)
    d.set(0, 0xa2)
    assert d.reg(1) == START and d.reg(2) == STOP
    d.set(0, 0x22)


# What QEMU 7.2 does not have.

def test_page2_configuration(pc, wire):
    d = Ne2k(pc, wire, rcr=0x14)
    d.set(0, 0xa2)
    assert d.reg(0xc) & 0x3f == 0x14 and d.reg(0xe) & 0x7f == 0x49
    d.set(0, 0x22)


def test_loopback(pc, wire):
    """All three modes: nothing on the wire, TSR tells the way, the FIFO has the frame's end and FCS."""
    for mode, tsr in ((1, 0x53), (2, 0x43), (3, 0x03)):
        d = Ne2k(pc, wire, tcr=mode << 1)
        data = frame(64)
        d.transmit(data)
        assert d.reg(4) == tsr, "mode %d: TSR 0x%x" % (mode, d.reg(4))
        assert bytes(d.reg(6) for _ in range(8)) == (data + nic.fcs(data))[-8:]
        assert d.reg(0xc) & 2, "without its FCS the frame cannot be checked"
        d.set(0, 0x21)
        d.set(0xd, mode << 1 | 1)
        d.set(0, 0x22)
        d.transmit(data[:60] + nic.fcs(data[:60]))
        assert d.reg(0xc) & 3 == 1, "a good FCS"
        d.set(0xd, 0)
        mark = frame(70, dst=PEER)
        d.transmit(mark)
        assert wire.recv() == mark


def test_full_ring(pc, wire):
    """A full ring takes no more; what waits comes when there is room; QEMU then forgets it."""
    d = Ne2k(pc, wire)
    sent = [frame(1500) for _ in range(12)]
    for data in sent:
        wire.send(data)
    assert [d.receive()[1] for _ in sent] == sent


def test_monitor(pc, wire):
    d = Ne2k(pc, wire, rcr=0x24)
    for _ in range(3):
        wire.send(frame(60))
    pc.wait(lambda: d.reg(0xc) & 0x40, "monitor mode")
    d.set(0xc, 0x04)
    mark = frame(61)
    wire.send(mark)
    assert d.receive()[1] == mark


def test_overflow(pc, wire):
    d = Ne2k(pc, wire)
    for _ in range(12):
        wire.send(frame(1500))
    pc.wait(lambda: d.reg(7) & OVW, "OVW")
    d.reset()


def test_overflow_again(pc, wire):
    """A driver that acknowledges an overflow and reads nothing hears of it again: Linux does so under load."""
    d = Ne2k(pc, wire)
    sent = [frame(1500) for _ in range(20)]
    for data in sent:
        wire.send(data)
    pc.wait(lambda: d.reg(7) & OVW, "OVW")
    for _ in range(3):
        d.set(7, 0x3f)
        pc.wait(lambda: d.reg(7) & OVW, "OVW again")
    assert [d.receive()[1] for _ in sent] == sent


def test_overflow_recovered(pc, wire):
    """What a driver does about an overflow (datasheet 7.0, as in Linux' 8390.c); no frame is lost by it."""
    d = Ne2k(pc, wire)
    sent = [frame(1500) for _ in range(20)]
    for data in sent:
        wire.send(data)
    pc.wait(lambda: d.reg(7) & OVW, "OVW")
    d.set(0, 0x21)
    pc.step(10 ** 7)
    for reg in (0xa, 0xb):
        d.set(reg, 0)
    d.set(0xd, 2)
    d.set(0, 0x22)
    got = [d.receive()[1]]
    pc.step(10 ** 7)
    d.set(7, OVW)
    d.set(0xd, 0)
    assert got + [d.receive()[1] for _ in sent[1:]] == sent


def test_reset_in_transfer(pc, wire):
    d = Ne2k(pc, wire)
    d.remote(0x5000, 100, 0x12)
    d.set(0x10, 0x1234, 2)
    d.reset()
    d = Ne2k(pc, wire)
    assert not d.reg(7) & RDC
    mark = frame(61)
    wire.send(mark)
    assert d.receive()[1] == mark


def test_outside_memory(pc, wire):
    """Addresses without memory read as ones and keep nothing."""
    d = Ne2k(pc, wire)
    d.mem_write(0xf000, b"\0" * 64)
    assert d.mem_read(0xf000, 64) == b"\xff" * 64
    prom = d.mem_read(0, 32)
    d.mem_write(0, b"\0" * 32)
    assert d.mem_read(0, 32) == prom
    d.mem_write(0xfff0, b"\0" * 32)


def test_too_long(pc, wire):
    d = Ne2k(pc, wire)
    d.set(4, TXPAGE)
    d.set(5, 0xff)
    d.set(6, 0xff)
    d.set(0, 0x26)
    assert d.reg(7) & 8, "TXE"
    mark = frame(70, dst=PEER)
    d.transmit(mark)
    assert wire.recv() == mark


OURS = [test_page2_configuration, test_loopback, test_full_ring, test_monitor, test_overflow, test_overflow_again,
        test_overflow_recovered, test_reset_in_transfer, test_outside_memory, test_too_long]
TESTS = [value for name, value in sorted(globals().items()) if name.startswith("test_") and value not in OURS]
