# SPDX-License-Identifier: GPL-2.0-or-later
"""Floppy controller (82077AA) with ISA DMA: each script must hold on QEMU as on our device model.

Where QEMU is known to leave the datasheet, the script says so and asks ours alone.
"""
import os

from floppy import (BUSY, DATA, DIO, DIR, DOR, Floppy, FROM_MEMORY, MSR, NON_DMA, RQM, TO_MEMORY,
                    dma_count, dma_setup)
import pc as pc_module
from qmp import Qmp

TRACK = 18 * 512
CYLINDER = 2 * TRACK


def lba(c, h, r, heads=2, sectors=18):
    return ((c * heads + h) * sectors + r - 1) * 512


class Images:
    """A 1.44M diskette with random contents, a write-protected 720K one, and one to change to."""

    def __init__(self, work):
        self.work = work
        self.disk = os.urandom(1440 * 1024)
        self.low = os.urandom(720 * 1024)
        self.path = os.path.join(work, "a.img")
        self.low_path = os.path.join(work, "b.img")
        self.new_path = os.path.join(work, "new.img")
        for path, data in ((self.path, self.disk), (self.low_path, self.low),
                           (self.new_path, self.disk[::-1])):
            with open(path, "wb") as f:
                f.write(data)

    def now(self, path=None):
        with open(path or self.path, "rb") as f:
            return f.read()


def options(images):
    return ["-drive", "file=%s,if=floppy,index=0,format=raw" % images.path,
            "-drive", "file=%s,if=floppy,index=1,format=raw,readonly=on" % images.low_path,
            "-qmp", "unix:%s/qmp,server,nowait" % images.work, "-m", "128"]


def start(kind, argv, work, test):
    images = Images(work)
    machine = pc_module.Pc(kind, argv + options(images), work)
    machine.qmp_path = os.path.join(work, "qmp")
    return machine, images


def ours(pc):
    return pc.kind == "plinth"


def test_identity(pc, images):
    f = Floppy(pc)
    for command, expected in (((0x10,), [0x90]), ((0x14,), [0]), ((0x94,), [0x10]),
                              ((0x14,), [0]), ((0x18,), [0x41]), ((0x1f,), [0x80])):
        f.put(*command)
        assert f.result(1) == expected, "command %s" % (command,)
    f.put(0x13, 0, 0x57, 0x2a)
    f.put(0x12, 0x84)
    f.put(0x0e)
    regs = f.result(10)
    assert regs[8] & 0x1f == 0x17 and regs[9] == 0x2a, regs
    if ours(pc):  # QEMU keeps SPECIFY's fields apart
        assert regs[4:6] == [0xdf, 0x02], regs
    f.put(0x2e)
    f.result(15)


def test_lock_keeps_configuration(pc, images):
    f = Floppy(pc)

    def configuration():
        f.put(0x0e)
        return f.result(10)[8:]
    f.put(0x13, 0, 0x57, 0x2a)
    f.put(0x94)
    f.result(1)
    pc.out(MSR, 0x80)
    if ours(pc):  # QEMU drops CONFIGURE's values in spite of LOCK
        assert configuration() == [0x57, 0x2a]
    f.put(0x14)
    f.result(1)
    pc.out(MSR, 0x80)
    if ours(pc):  # QEMU starts with implied seeks on; the datasheet with EFIFO alone
        assert configuration() == [0x20, 0], configuration()


def test_cmos(pc, images):
    def cmos(index):
        pc.out(0x70, index)
        return pc.inp(0x71)
    assert cmos(0x10) == 0x44
    assert cmos(0x14) & 0xc1 == 0x41, "two drives"


def test_power_on(pc, images):
    """Usable without a reset: no interrupt is pending, and the medium counts as new."""
    pc.command("irq_intercept_in ioapic")
    assert pc.inp(MSR) == RQM
    assert pc.inp(DIR) & 0x80
    pc.out(DATA, 0x08)
    assert pc.inp(MSR) == RQM | DIO | BUSY
    assert pc.inp(DATA) == 0x80


def test_reset_interrupts(pc, images):
    pc.command("irq_intercept_in ioapic")
    pc.out(DOR, 0x08)
    assert not pc.irqs.get(6)
    if ours(pc):  # QEMU's MSR says ready while the controller is held in reset
        assert pc.inp(MSR) == 0
    pc.out(DOR, 0x0c)
    assert pc.irqs.get(6)
    for drive in range(4):
        pc.out(DATA, 0x08)
        assert (pc.inp(DATA), pc.inp(DATA)) == (0xc0 | drive, 0)
        assert not pc.irqs.get(6)
    pc.out(DATA, 0x08)
    assert pc.inp(DATA) == 0x80, "no more than four"
    pc.out(MSR, 0x80)
    assert pc.irqs.get(6), "a reset by the DSR"


def test_seek(pc, images):
    f = Floppy(pc)
    assert f.seek(5) == (0x20, 5), "seek"
    assert pc.inp(DIR) & 0x80 == 0, "DSKCHG"
    f.put(0x04, 0)
    assert f.result(1)[0] & 0x10 == 0, "not at track 0"
    assert f.recalibrate() == (0x20, 0), "recalibrate"
    f.put(0x04, 4)
    assert f.result(1)[0] & 0x17 == 0x14, "track 0, head 1"
    res = f.seek(79, 1)
    assert res[1] == 79 and (res[0] == 0x24 or not ours(pc)), "QEMU leaves the head out: %s" % (res,)


def test_relative_seek(pc, images):
    f = Floppy(pc)
    f.seek(10)
    f.put(0xcf, 0, 5)
    assert f.sense() == (0x20, 15)
    f.put(0x8f, 0, 15)
    assert f.sense() == (0x20, 0)


def test_recalibrate_far(pc, images):
    """79 step pulses do not bring the head home from cylinder 82."""
    if not ours(pc):
        return  # QEMU's heads do not leave the medium's cylinders
    f = Floppy(pc)
    f.seek(82)
    assert f.recalibrate() == (0x70, 0)
    assert f.recalibrate() == (0x20, 0)


def test_recalibrate_no_drive(pc, images):
    if not ours(pc):
        return  # QEMU has no missing drives
    f = Floppy(pc)
    f.put(0x07, 2)
    assert f.sense() == (0x72, 0)


def test_read_dma(pc, images):
    f = Floppy(pc)
    for c, h, r, count in ((0, 0, 1, 1), (0, 1, 18, 1), (0, 0, 1, 18), (3, 0, 4, 5), (79, 1, 1, 18),
                           (40, 0, 1, 36), (41, 0, 17, 3)):
        f.seek(c)
        data = f.read(c, h, r, count)
        at = lba(c, h, r)
        assert data == images.disk[at:at + 512 * count], (c, h, r, count)
        assert f.pc.inp(0x08) & 4, "terminal count"
        assert dma_count(pc, 2) == 0xffff


def test_read_result(pc, images):
    """6.2's table of addresses in the result."""
    f = Floppy(pc)
    f.seek(7)
    for command, h, r, count, eot, expected in (
            (0x46, 0, 3, 2, 18, (7, 0, 5)), (0x46, 0, 18, 1, 18, (8, 0, 1)),
            (0x46, 1, 18, 1, 18, (8, 1, 1)), (0xc6, 0, 18, 1, 18, (7, 1, 1)),
            (0xc6, 1, 18, 1, 18, (8, 0, 1)), (0xc6, 0, 18, 3, 18, (7, 1, 3))):
        dma_setup(pc, 2, 0x20000, 512 * count, TO_MEMORY)
        res = f.data(command, 7, h, r, eot)
        assert res[0] & 0xc0 == 0 and res[6] == 2, res
        if ours(pc):  # QEMU keeps the cylinder where the datasheet counts on, and the reverse
            assert tuple(res[3:6]) == expected, ((command, h, r, count), res)


def test_end_of_cylinder(pc, images):
    """No terminal count before EOT: EN."""
    f = Floppy(pc)
    dma_setup(pc, 2, 0x20000, 4 * 512, TO_MEMORY)
    res = f.data(0x46, 0, 0, 17, 18)
    if ours(pc):  # QEMU ends normally
        assert res[:3] == [0x40, 0x80, 0], res
    assert pc.read(0x20000, 1024) == images.disk[lba(0, 0, 17):lba(0, 0, 19)]
    assert dma_count(pc, 2) == 1023
    assert pc.inp(0x08) & 4 == 0


def test_not_found(pc, images):
    if not ours(pc):
        return  # QEMU reads what is addressed, whatever the head's cylinder or the length
    f = Floppy(pc)
    dma_setup(pc, 2, 0x20000, 512, TO_MEMORY)
    for args, expected in (((3, 0, 1, 18), (0x40, 0x04, 0x10)), ((0, 0, 19, 19), (0x40, 0x04, 0)),
                           ((0, 0, 0, 18), (0x40, 0x04, 0))):
        assert tuple(f.data(0x46, *args)[:3]) == expected, args
    assert f.data(0x46, 0, 0, 1, 18, n=3)[1] == 0x04
    assert f.data(0x06, 0, 0, 1, 18)[1] == 0x01, "FM finds no address mark"
    assert dma_count(pc, 2) == 511


def test_wrong_rate(pc, images):
    f = Floppy(pc, rate=2)
    dma_setup(pc, 2, 0x20000, 512, TO_MEMORY)
    res = f.data(0x46, 0, 0, 1, 18)
    assert res[0] & 0xc0 == 0x40 and res[1] & 1, res
    res = f.read_id()
    assert res[0] & 0xc0 == 0x40 and res[1] & 1, res
    pc.out(DIR, 0)
    assert f.read(0, 0, 1, 1) == images.disk[:512]


def test_implied_seek(pc, images):
    f = Floppy(pc)
    f.put(0x13, 0, 0x40, 0)
    assert f.read(33, 1, 2, 2) == images.disk[lba(33, 1, 2):lba(33, 1, 4)]
    f.put(0x0e)
    assert f.result(10)[0] == 33


def test_read_id(pc, images):
    f = Floppy(pc)
    for c, h in ((0, 0), (8, 1)):
        f.seek(c, h)
        res = f.read_id(h)
        assert res[:5] == [h << 2, 0, 0, c, h] and res[6] == 2 and 1 <= res[5] <= 18, res
    if ours(pc):  # QEMU's diskette shows sector 1 for ever
        assert len({f.read_id()[5] for _ in range(18)}) == 18, "the diskette turns"


def test_write_dma(pc, images):
    f = Floppy(pc)
    expected = bytearray(images.disk)
    for c, h, r, count in ((0, 0, 5, 1), (12, 0, 1, 36), (79, 1, 18, 1), (20, 0, 17, 4)):
        f.seek(c)
        data = os.urandom(512 * count)
        res = f.write(c, h, r, data)
        assert res[0] & 0xc0 == 0, res
        expected[lba(c, h, r):lba(c, h, r) + len(data)] = data
    # the end of a short sector is zeros
    f.seek(0)
    res = f.write(0, 1, 9, b"\x5a" * 700, command=0x45)
    assert res[0] & 0xc0 == 0, res
    if ours(pc):  # QEMU ends at whole sectors only
        expected[lba(0, 1, 9):lba(0, 1, 11)] = b"\x5a" * 700 + bytes(324)
        assert images.now() == bytes(expected)
    else:
        at = lba(0, 1, 9)
        assert images.now()[:at] == bytes(expected[:at])


def test_write_protect(pc, images):
    f = Floppy(pc, drive=1, rate=2)
    res = f.write(0, 0, 1, bytes(512), eot=9)
    assert res[0] & 0xc0 == 0x40 and res[1] & 2, res
    f.put(0x04, 1)
    assert f.result(1)[0] & 0x43 == 0x41
    assert f.read(0, 1, 9, 1, eot=9) == images.low[17 * 512:18 * 512]
    assert images.now(images.low_path) == images.low


def test_non_dma_read(pc, images):
    f = Floppy(pc)
    f.put(0x03, 0xdf, 0x03)
    pc.out(DOR, 0x14)
    f.seek(2)
    f.send(0xe6, 2, 0, 17, 18)
    pc.wait(lambda: pc.inp(MSR) == BUSY | NON_DMA | DIO | RQM, "data")
    assert pc.irqs.get(6)
    data = bytes(int(r[0], 16) for r in pc.batch(["inb 0x3f5"] * 20 * 512)) if ours(pc) else None
    if not data:  # QEMU's sectors come one by one and end the same way
        data = bytes(pc.inp(DATA) for _ in range(20 * 512))
    assert data == images.disk[lba(2, 0, 17):lba(2, 1, 19)]
    pc.wait(lambda: pc.inp(MSR) == BUSY | DIO | RQM, "a result")
    assert pc.irqs.get(6)
    res = f.result(7)
    assert res[:3] == [4, 0, 0], res
    assert not pc.irqs.get(6)


def test_non_dma_write(pc, images):
    if not ours(pc):
        return  # QEMU does not end a write without multi-track at EOT
    f = Floppy(pc)
    f.put(0x03, 0xdf, 0x03)
    pc.out(DOR, 0x14)
    data = os.urandom(1024)
    f.send(0x45, 0, 0, 1, 2)
    for part in (data[:512], data[512:]):
        pc.wait(lambda: pc.inp(MSR) == BUSY | NON_DMA | RQM, "room")
        pc.batch(["outb 0x3f5 0x%x" % byte for byte in part])
    res = f.wait_result()
    assert res[:3] == [0, 0, 0], res
    assert images.now()[:1024] == data


def test_format(pc, images):
    if not ours(pc):
        return  # QEMU's FORMAT TRACK writes nothing
    f = Floppy(pc)
    f.seek(9)
    order = list(range(1, 19, 2)) + list(range(2, 19, 2))
    ids = b"".join(bytes([9, 1, r, 2]) for r in order)

    def run(data, count=18, n=2):
        pc.write(0x20000, data)
        dma_setup(pc, 2, 0x20000, len(data), FROM_MEMORY)
        f.put(0x4d, 4, n, count, 0x54, 0xf6)
        return f.wait_result()
    res = run(ids)
    assert res[:3] == [4, 0, 0], res
    now = images.now()
    assert now[lba(9, 1, 1):lba(10, 0, 1)] == b"\xf6" * TRACK
    assert now[:lba(9, 1, 1)] == images.disk[:lba(9, 1, 1)]
    assert now[lba(10, 0, 1):] == images.disk[lba(10, 0, 1):]
    for bad in (run(ids[:60], 15), run(ids, n=1), run(ids.replace(b"\x09\x01\x05", b"\x09\x01\x04"))):
        assert bad[0] & 0xc0 == 0x40 and bad[1] & 4, bad
    assert images.now() == now
    f = Floppy(pc, drive=1, rate=2)
    f.put(0x4d, 1, 2, 9, 0x54, 0xf6)
    assert f.wait_result()[1] & 2, "write protected"


def test_verify(pc, images):
    f = Floppy(pc)
    res = f.data(0x56, 0, 0, 1, 18)
    if ours(pc):  # QEMU fails it
        assert res == [0, 0, 0, 1, 0, 1, 2], res
        f.put(0x56, 0x80, 0, 0, 3, 2, 18, 0x1b, 4)
        assert f.wait_result() == [0, 0, 0, 0, 0, 7, 2]


def test_read_track(pc, images):
    f = Floppy(pc)
    dma_setup(pc, 2, 0x20000, TRACK, TO_MEMORY)
    res = f.data(0x42, 0, 0, 1, 18)
    assert res[0] & 0xc0 == 0, res
    assert pc.read(0x20000, TRACK) == images.disk[:TRACK]


def test_deleted(pc, images):
    if not ours(pc):
        return  # QEMU returns nothing
    f = Floppy(pc)
    dma_setup(pc, 2, 0x20000, 1024, TO_MEMORY)
    res = f.data(0x4c, 0, 0, 3, 18)
    assert res[:3] == [0, 0, 0x40], "one sector, and its mark is a normal one: %s" % res
    assert pc.read(0x20000, 512) == images.disk[1024:1536]
    res = f.data(0x6c, 0, 0, 3, 18)
    assert res[0] & 0x40 and res[2] & 0x40, res


def test_scan(pc, images):
    if not ours(pc):
        return  # QEMU has no scans
    f = Floppy(pc)
    wanted = bytearray(images.disk[4 * 512:5 * 512])
    wanted[100] = 0xff

    def scan(command, data):
        pc.write(0x20000, bytes(data) * 6)
        dma_setup(pc, 2, 0x20000, 512 * 6, FROM_MEMORY)
        return f.data(command, 0, 0, 1, 6)
    assert scan(0x51, wanted)[:6] == [0, 0, 0x08, 0, 0, 6]
    assert scan(0x51, bytes(511) + b"\1")[2] == 0x04
    assert scan(0x59, b"\xfe" * 512)[2] in (0, 8)
    assert scan(0x5d, bytes(512))[2] in (0, 8)


def test_dma_page_wrap(pc, images):
    """A transfer wraps inside its 64 KiB page."""
    f = Floppy(pc)
    pc.fill(0x30000, 0x10000, 0)
    dma_setup(pc, 2, 0x3ff00, 1024, TO_MEMORY)
    res = f.data(0x46, 0, 0, 1, 18)
    assert res[0] & 0xc0 == 0
    if ours(pc):  # QEMU's DMA goes on into the next page
        assert pc.read(0x3ff00, 256) + pc.read(0x30000, 768) == images.disk[:1024]


def test_dma_masked(pc, images):
    """A masked channel holds the transfer; it goes on when unmasked."""
    f = Floppy(pc)
    dma_setup(pc, 2, 0x20000, 1024, TO_MEMORY)
    pc.fill(0x20000, 1024, 0)
    pc.out(0x0a, 6)
    f.send(0x46, 0, 0, 1, 18)
    assert not pc.inp(MSR) & RQM
    if ours(pc):  # in QEMU the read is synchronous
        pc.wait(lambda: pc.inp(0x08) & 0x40, "DREQ")
    pc.out(0x0a, 2)
    res = f.wait_result()
    assert res[0] & 0xc0 == 0
    assert pc.read(0x20000, 1024) == images.disk[:1024]


def test_reset_in_transfer(pc, images):
    f = Floppy(pc)
    dma_setup(pc, 2, 0x20000, 1024, TO_MEMORY)
    pc.out(0x0a, 6)
    f.send(0x46, 0, 0, 1, 18)
    f = Floppy(pc)
    pc.out(0x0a, 2)
    assert pc.inp(MSR) == RQM
    assert f.read(0, 0, 2, 3) == images.disk[512:2048]
    # in the middle of a command and of PIO data
    f.put(0x46, 0, 0)
    f = Floppy(pc)
    f.put(0x03, 0xdf, 0x03)
    f.send(0x45, 0, 0, 1, 2)
    if ours(pc):
        pc.wait(lambda: pc.inp(MSR) & RQM, "room")
    pc.batch(["outb 0x3f5 0x55"] * 100)
    f = Floppy(pc)
    assert f.read(0, 0, 1, 1) == images.disk[:512], "a part of a sector is not written"


def test_media_change(pc, images):
    f = Floppy(pc)
    f.seek(1)
    assert not pc.inp(DIR) & 0x80
    qmp = Qmp(pc.qmp_path)
    qmp.run("eject", device="floppy0")
    assert pc.inp(DIR) & 0x80
    f.seek(2)
    f.seek(0)
    assert pc.inp(DIR) & 0x80, "an empty drive stays changed"
    dma_setup(pc, 2, 0x20000, 512, TO_MEMORY)
    assert f.data(0x46, 0, 0, 1, 18)[0] & 0xc0 == 0x40
    qmp.run("blockdev-change-medium", device="floppy0", filename=images.new_path, format="raw")
    assert pc.inp(DIR) & 0x80
    f.seek(0)
    assert pc.inp(DIR) & 0x80, "no step, no news"
    f.seek(1)
    assert not pc.inp(DIR) & 0x80
    f.seek(0)
    assert f.read(0, 0, 1, 2) == images.disk[::-1][:1024]
    qmp.close()


def test_eject_in_transfer(pc, images):
    if not ours(pc):
        return
    f = Floppy(pc)
    pc.write(0x20000, bytes(1024))
    dma_setup(pc, 2, 0x20000, 1024, FROM_MEMORY)
    pc.out(0x0a, 6)
    f.send(0x45, 0, 0, 1, 18)
    qmp = Qmp(pc.qmp_path)
    qmp.run("eject", device="floppy0")
    qmp.close()
    pc.out(0x0a, 2)
    res = f.wait_result()
    assert res[0] & 0xc0 == 0x40, res
    assert images.now() == images.disk


TESTS = [f for n, f in sorted(globals().items()) if n.startswith("test_")]
