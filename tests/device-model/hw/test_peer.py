# SPDX-License-Identifier: GPL-2.0-or-later
"""What QEMU's own qtest programs (rtc, ide, fdc, i440fx, hd-geo, cdrom) assert, in scripts of our own.

What its rtl8139 program asserts is in ../net. They run with the command lines of those programs on
ours and on QEMU, but for those about time, which are marked `ours`: Debian's QEMU has no -accel qtest,
so its time cannot be stepped. Not here: what needs a CPU (booting), QEMU's blkdebug and flash memory;
guessing a disk's geometry from its partition table is in test_disks.py.
"""
import base64
import os
import random
import struct
import time

import ide
import pc as pc_module
from floppy import BUSY, DATA, DIO, DIR, DOR, MSR, NON_DMA, RQM
from ide import ABRT, BM_ACTIVE, BM_INTR, BSY, DF, DRDY, DRQ, ERR

SECOND = 10 ** 9
DISK_BYTES = 64 << 20
FLOPPY_IRQ, RTC_IRQ, IDE_IRQ = 6, 8, 14


class Images:
    def __init__(self, work):
        self.work = work
        self.disk, self.second, self.cd, self.floppy = (
            self.make(name, size) for name, size in (
                ("peer.disk", DISK_BYTES), ("peer.disk2", DISK_BYTES), ("peer.cd", 2048 * 32),
                ("peer.floppy", 1440 * 1024)))
        self.pattern = random.Random(5).randbytes(2048 * 32)
        with open(self.cd, "r+b") as f:
            f.write(self.pattern)

    def make(self, name, size):
        path = os.path.join(self.work, name)
        with open(path, "wb") as f:
            f.truncate(size)
        return path


def options(*args):
    """What a script wants on its command line; {disk} and so on are the images."""
    def mark(function):
        function.options = args
        return function
    return mark


def start(kind, argv, work, test):
    images = Images(work)
    args = [a.format(**vars(images)) for a in getattr(test, "options", ())]
    machine = pc_module.Pc(kind, argv + ["-m", "64", *args], work)
    machine.command("irq_intercept_in ioapic")
    return machine, images


def ours(function):
    """A script about time that only ours can be asked."""
    def run(pc, images):
        if pc.kind == "plinth":
            function(pc, images)
    run.__name__ = function.__name__
    return run


def irq(pc, line):
    return pc.irqs.get(line, False)


def step(pc, ns):
    pc.step(ns)


def cmos(pc, index, value=None):
    pc.out(0x70, index)
    if value is None:
        return pc.inp(0x71)
    pc.out(0x71, value)
    return value


# ---- the protocol ----

def test_protocol(pc, images):
    """Memory in hexadecimal, base64 and by numbers; time; byte order; what is unknown."""
    data = random.Random(1).randbytes(1000)
    for size in (1, 2, 3, 999, 1000):
        text = base64.b64encode(data[:size]).decode()
        pc.command("b64write 0x20000 0x%x %s" % (size, text))
        assert pc.read(0x20000, size) == data[:size]
        assert pc.command("b64read 0x20000 0x%x" % size)[0] == text
    for name, size in (("b", 1), ("w", 2), ("l", 4), ("q", 8)):
        value = int.from_bytes(data[:size], "little")
        pc.command("write%s 0x30000 0x%x" % (name, value))
        assert pc.read(0x30000, size) == data[:size]
        assert int(pc.command("read%s 0x30000" % name)[0], 0) == value
    pc.command("memset 0x30000 0x100 0x5a")
    assert pc.read(0x30000, 0x101) == b"\x5a" * 256 + b"\0"
    assert pc.command("endianness") == ["little"]
    pc.sock.sendall(b"frobnicate 1\n")
    assert pc.file.readline().split()[0] == b"FAIL"
    if pc.kind == "qemu":
        return
    now = int(pc.command("clock_step 5")[0])
    assert int(pc.command("clock_step 7")[0]) == now + 7
    assert int(pc.command("clock_set %d" % (now + 1000))[0]) == now + 1000


@ours
def test_set_irq(pc, images):
    """A line is raised and lowered from outside; QEMU wants the names of its own objects for that."""
    for line in (3, 7, 15):
        pc.command("set_irq_in ioapic unnamed-gpio-in %d 1" % line)
        assert irq(pc, line)
        pc.command("set_irq_in ioapic unnamed-gpio-in %d 0" % line)
        assert not irq(pc, line)


# ---- RTC: rtc-test ----

REG_A, REG_B, REG_C = 10, 11, 12
SET, AIE, BINARY, H24, AF = 0x80, 0x20, 0x04, 0x02, 0x20


def rtc_set(pc, mode, hour, minute, second):
    cmos(pc, REG_B, mode)
    cmos(pc, REG_A, 0x76)
    for index, value in ((4, hour), (2, minute), (0, second)):
        cmos(pc, index, value)
    cmos(pc, REG_A, 0x26)


def rtc_now(pc):
    return tuple(cmos(pc, i) for i in (4, 2, 0))


def test_rtc_wall_clock(pc, images):
    """It starts at the host's time, in BCD and in binary."""
    for mode in (H24, H24 | BINARY):
        cmos(pc, REG_B, mode)
        fields = [cmos(pc, i) for i in (9, 8, 7, 4, 2, 0)]
        if not mode & BINARY:
            fields = [(v >> 4) * 10 + (v & 15) for v in fields]
        shown = time.strptime("20%02d-%02d-%02d %02d:%02d:%02d UTC" % tuple(fields), "%Y-%m-%d %H:%M:%S %Z")
        import calendar
        assert abs(calendar.timegm(shown) - time.time()) < 30, fields


@ours
def test_rtc_carries(pc, images):
    """Seconds carry into minutes and hours in each of the four forms, over noon and midnight."""
    cases = (
        (0, (0x81, 0x59, 0x00), 1, (0x81, 0x59, 0x01)), (0, (0x81, 0x59, 0x00), 60, (0x82, 0, 0)),
        (0, (0x09, 0x59, 0x59), 60, (0x10, 0x00, 0x59)), (0, (0x12, 0x59, 0x59), 1, (0x01, 0, 0)),
        (0, (0x92, 0x59, 0x59), 1, (0x81, 0, 0)), (0, (0x11, 0x59, 0x59), 1, (0x92, 0, 0)),
        (0, (0x91, 0x59, 0x59), 1, (0x12, 0, 0)),
        (BINARY, (0x81, 59, 0), 1, (0x81, 59, 1)), (BINARY, (0x81, 59, 0), 60, (0x82, 0, 0)),
        (BINARY, (0x8c, 59, 59), 1, (0x81, 0, 0)), (BINARY, (0x0c, 59, 59), 1, (0x01, 0, 0)),
        (BINARY, (0x0b, 59, 59), 1, (0x8c, 0, 0)), (BINARY, (0x8b, 59, 59), 1, (0x0c, 0, 0)),
        (H24, (0x09, 0x59, 0), 1, (0x09, 0x59, 1)), (H24, (0x09, 0x59, 0), 60, (0x10, 0, 0)),
        (H24, (0x23, 0x59, 0), 60, (0, 0, 0)), (H24 | BINARY, (9, 59, 0), 60, (10, 0, 0)),
        (H24 | BINARY, (23, 59, 0), 60, (0, 0, 0)))
    for mode, before, seconds, after in cases:
        rtc_set(pc, mode, *before)
        step(pc, seconds * SECOND)
        assert rtc_now(pc) == after, (mode, before, seconds, rtc_now(pc))


def test_rtc_dates(pc, images):
    """What is set is read back, in this century and the last, 2080 too."""
    cmos(pc, REG_B, H24)
    for century, year in ((0x20, 0x11), (0x20, 0x80), (0x20, 0x11), (0x19, 0x80)):
        cmos(pc, REG_A, 0x76)
        for index, value in ((9, year), (0x32, century), (8, 2), (7, 2), (4, 2), (2, 4), (0, 0x58)):
            cmos(pc, index, value)
        cmos(pc, REG_A, 0x26)
        assert [cmos(pc, i) for i in (9, 0x32, 8, 7, 4, 2)] == [year, century, 2, 2, 2, 4]
        assert cmos(pc, 0) >= 0x58


def test_rtc_century(pc, images):
    """INT 1Ah/04 takes it from 32h; 37h is another name of it."""
    century = time.gmtime().tm_year // 100
    bcd = century // 10 << 4 | century % 10
    assert (cmos(pc, 0x32), cmos(pc, 0x37)) == (bcd, bcd)
    cmos(pc, 0x37, 0x19)
    assert cmos(pc, 0x32) == 0x19


@ours
def test_rtc_divider(pc, images):
    """The divider's reset stops the clock; the first update comes half a second after it."""
    rtc_set(pc, H24, 0x10, 0x20, 0x30)
    step(pc, SECOND * 499 // 1000)
    assert rtc_now(pc) == (0x10, 0x20, 0x30)
    step(pc, SECOND * 2 // 1000)
    assert rtc_now(pc) == (0x10, 0x20, 0x31)
    cmos(pc, REG_A, 0x76)
    step(pc, 10 * SECOND)
    assert rtc_now(pc) == (0x10, 0x20, 0x31)
    cmos(pc, REG_A, 0x26)


@ours
def test_rtc_set_bit(pc, images):
    """With SET the clock stands; without, it goes on from there."""
    cmos(pc, REG_B, H24 | SET)
    for index, value in ((4, 2), (2, 4), (0, 0x58)):
        cmos(pc, index, value)
    step(pc, SECOND)
    assert rtc_now(pc) == (2, 4, 0x58)
    cmos(pc, REG_B, cmos(pc, REG_B) & ~SET)
    assert rtc_now(pc) == (2, 4, 0x58)
    step(pc, SECOND)
    assert rtc_now(pc) == (2, 4, 0x59)


@ours
def test_rtc_alarm(pc, images):
    """The alarm raises IRQ 8; reading C lowers it and clears the flag."""
    cmos(pc, REG_B, H24 | BINARY)
    assert not irq(pc, RTC_IRQ)
    cmos(pc, REG_C)
    cmos(pc, 1, (cmos(pc, 0) + 2) % 60)
    cmos(pc, 3, 0xc0)
    cmos(pc, 5, 0xc0)
    cmos(pc, REG_B, cmos(pc, REG_B) | AIE)
    for _ in range(4):
        if irq(pc, RTC_IRQ):
            break
        step(pc, SECOND)
    assert irq(pc, RTC_IRQ)
    assert cmos(pc, REG_C) & AF
    assert not irq(pc, RTC_IRQ)
    assert cmos(pc, REG_C) == 0


@ours
def test_rtc_alarm_hours(pc, images):
    """AM and PM count in an alarm's hour."""
    for index in (1, 3):
        cmos(pc, index, 0xc0)
    cmos(pc, REG_B, 0)
    cmos(pc, REG_A, 0x76)
    for index, value in ((5, 0x82), (4, 0x81), (2, 0x59), (0, 0)):
        cmos(pc, index, value)
    cmos(pc, REG_C)
    cmos(pc, REG_A, 0x26)
    step(pc, 60 * SECOND)
    assert cmos(pc, 4) == 0x82 and cmos(pc, REG_C) & AF


def test_rtc_noise(pc, images):
    rng = random.Random(2)
    for _ in range(300):
        index = rng.randrange(16)
        cmos(pc, index, rng.randrange(256))
        cmos(pc, index)


# ---- disks: ide-test ----

ONE_DISK = ("-drive", "file={disk},if=ide,cache=writeback,format=raw", "-global", "ide-hd.serial=testdisk",
            "-global", "ide-hd.ver=version")


def string(words):
    return b"".join(struct.pack(">H", w) for w in words)


@options(*ONE_DISK)
def test_ide_identify(pc, images):
    """Serial number and version are as the command line says; status in every step."""
    d = ide.Drive(pc)
    d.select()
    pc.out(d.base + 7, 0xec)
    assert not pc.inp(d.base + 6) & 0x10
    words = []
    for _ in range(256):
        status = d.status()
        assert status & (DRDY | DRQ) == DRDY | DRQ and not status & (BSY | DF | ERR)
        words.append(pc.inp(d.base, 2))
    status = d.status()
    assert status & DRDY and not status & (BSY | DF | ERR | DRQ)
    assert string(words[10:20]) == b"testdisk".ljust(20)
    assert string(words[23:27]) == b"version "
    assert words[85] & 0x20, "the write cache is on"


@options("-blockdev", "driver=file,node-name=hda,filename={disk}",
         "-blockdev", "driver=file,node-name=hdb,filename={second}",
         "-device", "ide-hd,drive=hda,bus=ide.0,unit=0", "-device", "ide-hd,drive=hdb,bus=ide.0,unit=1")
def test_ide_diagnose(pc, images):
    """EXECUTE DEVICE DIAGNOSTIC leaves device 0 selected, whichever it was sent to."""
    d = ide.Drive(pc)
    pc.out(d.base + 6, 0x10)
    assert pc.inp(d.base + 6) & 0x10
    pc.out(d.base + 7, 0x90)
    assert not pc.inp(d.base + 6) & 0x10


def dma(pc, d, cmd, table, count, feature=None, abort=False, to_memory=True):
    """A command as ide-test sends it. The bus master's status; checks interrupt and IDE status."""
    d.select()
    pc.out(d.bm, 0)
    pc.out(d.bm + 2, BM_INTR)
    pc.write(ide.PRD_TABLE, table)
    pc.out(d.bm + 4, ide.PRD_TABLE, 4)
    if feature is not None:
        pc.out(d.base + 1, feature)
        pc.out(d.base + 2, 0)  # DATA SET MANAGEMENT is a 48-bit command; QEMU's program leaves this out
    for reg, value in ((2, count & 0xff), (3, 0), (4, 0), (5, 0)):
        pc.out(d.base + reg, value)
    pc.out(d.base + 7, cmd)
    pc.out(d.bm, 9 if to_memory else 1)
    if abort:
        pc.out(d.bm, 0)
    state = {}

    def ended():
        state["bm"] = pc.inp(d.bm + 2)
        return state["bm"] & (BM_ACTIVE | BM_INTR) != BM_ACTIVE
    pc.wait(ended, "end of DMA")
    assert irq(pc, IDE_IRQ) == bool(state["bm"] & BM_INTR), "IRQ 14 and the status 0x%x" % state["bm"]
    status = d.status()
    assert status & DRDY and not d.status() & (BSY | DRQ)
    assert not irq(pc, IDE_IRQ)
    if state["bm"] & BM_ACTIVE:
        pc.out(d.bm, 0)
    return state["bm"] & 7, status


@options(*ONE_DISK)
def test_ide_dma_tables(pc, images):
    """Tables shorter than, as long as and longer than the transfer, run to the end and stopped at once."""
    d = ide.Drive(pc)
    for exponent in range(9):
        sectors = 1 << exponent
        want = sectors * 512
        for size in sorted({256, 65280, 0} | {want + n & 0xff00 for n in (-512, -256, 0, 256, 512)}):
            real = size or 65536
            table = struct.pack("<II", 0x100000, size | 0x80000000)
            expected = (0, 0) if real < want else (BM_INTR, BM_INTR) if real == want else \
                (BM_ACTIVE | BM_INTR, BM_INTR)
            for abort in (False, True):
                bm, status = dma(pc, d, 0xc8, table, sectors, abort=abort)
                assert bm == expected[abort], "%d sectors, %d bytes, stop %s: 0x%x" % (sectors, real, abort, bm)
                assert not status & (DF | ERR)


@options(*ONE_DISK)
def test_ide_no_bus_master(pc, images):
    """Bus mastering off in the command register, and a table that never ends: nothing breaks.

    QEMU reads zeros in the place of the table, so it moves the data and goes on (ACTIVE and INTR, which its
    program notes as "what we get in practice"); ours cannot read the table and ends there.
    """
    d = ide.Drive(pc)
    pc.config_write(1, 1, 0x04, 3, 2)
    bm, status = dma(pc, d, 0xc8, bytes(8 * 4096), 512)
    assert bm == (0 if pc.kind == "plinth" else BM_ACTIVE | BM_INTR), "bus master 0x%x" % bm
    assert not status & (DF | ERR), "status 0x%x" % status
    pc.config_write(1, 1, 0x04, 5, 2)
    bm, status = dma(pc, d, 0xc8, struct.pack("<II", 0x100000, 512 | 0x80000000), 1)
    assert bm == BM_INTR and not status & (DF | ERR)


@options("-drive", "file={disk},if=ide,cache=writeback,format=raw,discard=unmap")
def test_ide_trim(pc, images):
    """Ranges inside the disk are taken; one behind its end aborts the command."""
    d = ide.Drive(pc)
    words = d.identify()
    assert words[169] & 1 and words[80] >> 7, "word 169 exists since ATA8-ACS; Linux wants ATA-7"
    table = struct.pack("<II", 0x100000, 512 | 0x80000000)

    def entry(sector, count):
        return struct.pack("<Q", count << 48 | sector)
    pc.write(0x100000, (entry(0, 2) + entry(6, 8)).ljust(512, b"\0"))
    bm, status = dma(pc, d, 0x06, table, 1, feature=1, to_memory=False)
    assert bm == BM_INTR and not status & (DF | ERR), "bus master 0x%x, status 0x%x" % (bm, status)
    pc.write(0x100000, (entry(10, 1) + entry(DISK_BYTES // 512 - 1, 2)).ljust(512, b"\0"))
    bm, status = dma(pc, d, 0x06, table, 1, feature=1, to_memory=False)
    assert bm == BM_INTR and status & ERR and d.error() & ABRT


def test_ide_flush_nothing(pc, images):
    """FLUSH CACHE where no drive is."""
    pc.out(0x1f6, 0)
    pc.out(0x1f7, 0xe7)
    assert pc.inp(0x1f7) in (0, 0x7f, 0xff)


@options("-device", "ide-cd,bus=ide.0")
def test_ide_flush_empty(pc, images):
    """FLUSH CACHE to a CD drive without a medium."""
    d = ide.Drive(pc)
    pc.out(d.base + 6, 0)
    pc.out(d.base + 7, 0xe7)
    assert not d.wait_idle() & DRQ


CD = ("-drive", "if=none,file={cd},media=cdrom,format=raw,id=sr0,index=0", "-device",
      "ide-cd,drive=sr0,bus=ide.0")


@options(*CD)
def test_cd_pio(pc, images):
    """READ (10) by PIO in pieces of 5120 bytes: an interrupt for each, and one at the end."""
    limit = 5120
    for blocks in (1, limit * 4 // 2048):
        d = ide.Drive(pc)
        pc.out(d.base + 6, 0)
        pc.out(d.base + 4, limit & 0xff)
        pc.out(d.base + 5, limit >> 8)
        pc.out(d.base + 7, 0xa0)
        status = d.wait_idle()
        assert status & (DRQ | DRDY) == DRQ | DRDY and not status & (ERR | DF)
        d.data_out(struct.pack(">BBIBHBH", 0x28, 0, 0, 0, blocks, 0, 0))
        data = b""
        while len(data) < blocks * 2048:
            pc.wait(lambda: pc.step(400) or pc.inp(0x3f6) is None or irq(pc, IDE_IRQ), "interrupt")
            status = d.wait_idle()
            assert status & (DRQ | DRDY) == DRQ | DRDY and not status & (ERR | DF)
            data += d.data_in(min(limit, blocks * 2048 - len(data)))
        pc.wait(lambda: pc.step(400) or pc.inp(0x3f6) is None or irq(pc, IDE_IRQ), "last interrupt")
        status = d.wait_idle()
        assert status & DRDY and not status & (DRQ | ERR | DF)
        assert data == images.pattern[:blocks * 2048]


@options(*CD)
def test_cd_dma(pc, images):
    d = ide.Drive(pc)
    pc.out(d.bm, 0)
    pc.out(d.bm + 2, BM_INTR)
    pc.write(ide.PRD_TABLE, struct.pack("<II", 0x100000, 2048 | 0x80000000))
    pc.out(d.bm + 4, ide.PRD_TABLE, 4)
    d.packet(struct.pack(">BBIBHBH", 0x28, 0, 0, 0, 1, 0, 0), feature=1)
    pc.out(d.bm, 9)
    pc.wait(lambda: pc.inp(d.bm + 2) & BM_INTR, "end of DMA")
    assert pc.read(0x100000, 2048) == images.pattern[:2048]


# ---- geometry: hd-geo-test ----

@options("-drive", "file={disk},if=ide,index=0,format=raw", "-drive", "file={second},if=ide,index=1,format=raw")
def test_geometry(pc, images):
    """The BIOS's table of disks in CMOS agrees with IDENTIFY."""
    assert cmos(pc, 0x12) == 0xff
    for unit in (0, 1):
        words = ide.Drive(pc, unit=unit).identify()
        cylinders, heads, sectors = words[1], words[3], words[6]
        assert (cylinders, heads, sectors) == (DISK_BYTES // 512 // (16 * 63), 16, 63)
        assert cmos(pc, 0x19 + unit) == 47
        table = [cmos(pc, 0x1b + 9 * unit + i) for i in range(9)]
        assert table == [cylinders & 255, cylinders >> 8, heads, 255, 255, 0xc8, cylinders & 255,
                         cylinders >> 8, sectors], "unit %d: %s" % (unit, table)
    assert cmos(pc, 0x39) & 15 == 0, "no translation below 1024 cylinders"


# ---- floppy: fdc-test ----
#
# The program never sets a data rate and asks for FM in READ ID, at which QEMU does not look. The chip comes up at
# 250 kbit/s and then finds nothing on such a diskette, and neither does ours, so these scripts say both.

EMPTY_FLOPPY = ("-device", "floppy,id=floppy0")
FLOPPY = ("-drive", "if=none,id=f,file={floppy},format=raw", "-device", "floppy,id=floppy0,drive=f")


def fdc_put(pc, *data):
    for byte in data:
        assert pc.inp(MSR) & (RQM | DIO) == RQM
        pc.out(DATA, byte)


def fdc_get(pc, count):
    data = []
    for _ in range(count):
        assert pc.inp(MSR) & (RQM | DIO) == RQM | DIO, "result byte %d" % len(data)
        data.append(pc.inp(DATA))
    return data


def fdc_sense(pc):
    assert irq(pc, FLOPPY_IRQ)
    fdc_put(pc, 0x08)
    result = fdc_get(pc, 2)
    assert not irq(pc, FLOPPY_IRQ)
    return result


def fdc_seek(pc, cylinder, head=0):
    fdc_put(pc, 0x0f, head << 2)
    assert not irq(pc, FLOPPY_IRQ)
    fdc_put(pc, cylinder)
    return fdc_sense(pc)


@options(*EMPTY_FLOPPY)
def test_floppy_empty(pc, images):
    """An empty drive: its type in CMOS, changed for ever, and reading fails."""
    assert cmos(pc, 0x10) in (0x40, 0x50)
    for _ in range(2):
        assert pc.inp(DIR) & 0x80
    fdc_seek(pc, 1)
    for _ in range(2):
        assert pc.inp(DIR) & 0x80
    for command in (0xe6, 0x16):
        fdc_put(pc, command, 0)
        assert not irq(pc, FLOPPY_IRQ)
        fdc_put(pc, 0, 0, 1, 2, 1, 0x1b, 0xff)
        pc.wait(lambda: pc.inp(MSR) == (RQM | DIO | BUSY), "a result")
        assert fdc_get(pc, 7)[0] & 0xc0 == 0x40


@options(*FLOPPY)
def test_floppy_sense(pc, images):
    """SENSE INTERRUPT without one is an invalid command; after a seek it says 0x20."""
    fdc_put(pc, 0x08)
    assert fdc_get(pc, 1) == [0x80]
    fdc_put(pc, 0x0f, 0)
    assert not irq(pc, FLOPPY_IRQ)
    fdc_put(pc, 0)
    fdc_put(pc, 0x08)
    assert fdc_get(pc, 2)[0] == 0x20


@options(*FLOPPY)
def test_floppy_relative_seek(pc, images):
    fdc_seek(pc, 0)
    for command, cylinder in ((0xcf, 1), (0x8f, 0)):
        fdc_put(pc, command, 0)
        assert not irq(pc, FLOPPY_IRQ)
        fdc_put(pc, 1)
        assert fdc_sense(pc)[1] == cylinder


@options(*FLOPPY)
def test_floppy_read_id(pc, images):
    """READ ID on both heads: interrupt, busy until it, cylinder and head of where the head is."""
    pc.out(DIR, 0)
    for cylinder, head in ((0, 0), (8, 1)):
        fdc_seek(pc, cylinder, head)
        fdc_put(pc, 0x4a)
        assert not irq(pc, FLOPPY_IRQ)
        fdc_put(pc, head << 2)
        msr = pc.inp(MSR)
        assert irq(pc, FLOPPY_IRQ) or (msr & BUSY and not msr & RQM)
        pc.wait(lambda: irq(pc, FLOPPY_IRQ) or step(pc, SECOND // 50) or pc.inp(MSR) is None, "interrupt")
        assert pc.inp(MSR) & (BUSY | RQM | DIO) == BUSY | RQM | DIO
        result = fdc_get(pc, 6)
        assert irq(pc, FLOPPY_IRQ)
        fdc_get(pc, 1)
        assert not irq(pc, FLOPPY_IRQ)
        assert result[3:5] == [cylinder, head] and result[0] == head << 2


@options(*FLOPPY)
def test_floppy_non_dma(pc, images):
    """Reads of one sector and of a track without DMA: BUSY, RQM and DIO for each byte."""
    pc.out(DIR, 0)
    for count in (1, 18):
        pc.out(DOR, pc.inp(DOR) & ~8)
        fdc_seek(pc, 0)
        fdc_put(pc, 0xe6, 0)
        assert not irq(pc, FLOPPY_IRQ)
        fdc_put(pc, 0, 0, 1, 2, count, 0x1b, 0xff)
        pc.wait(lambda: pc.inp(MSR) == BUSY | NON_DMA | DIO | RQM, "data")
        # MT: the other side follows.
        for reply in pc.batch(["inb 0x%x" % port for _ in range(512 * 2 * count) for port in (MSR, DATA)])[::2]:
            assert int(reply[0], 16) & (BUSY | RQM | DIO) == BUSY | RQM | DIO
        assert irq(pc, FLOPPY_IRQ)
        assert fdc_get(pc, 6)[0] == 0x04
        assert irq(pc, FLOPPY_IRQ)
        fdc_get(pc, 1)
        msr = pc.inp(MSR)
        assert not msr & (BUSY | DIO) and msr & RQM and not irq(pc, FLOPPY_IRQ)


@options(*FLOPPY)
def test_floppy_noise(pc, images):
    rng = random.Random(4)
    pc.batch([c for _ in range(1000) for port in [0x3f0 + rng.randrange(8)]
              for c in ("outb 0x%x %d" % (port, rng.randrange(256)), "inb 0x%x" % port)])


# ---- host bridge: i440fx-test ----

def test_bridge_defaults(pc, images):
    assert pc.config_read(0, 0, 0) == 0x12378086
    for reg, size, value in ((0x09, 1, 0), (0x0a, 2, 0x0600), (0x0d, 1, 0), (0x0e, 1, 0), (0x0f, 1, 0),
                             (0x52, 1, 0), (0x54, 1, 0), (0x68, 1, 0), (0x70, 1, 0), (0x72, 1, 2),
                             (0x90, 1, 0), (0x91, 1, 0), (0x93, 1, 0)):
        assert pc.config_read(0, 0, reg, size) == value, "register 0x%x" % reg
    assert not pc.config_read(0, 0, 0x50, 2) & 0x8040
    assert [pc.config_read(0, 0, reg, 1) for reg in range(0x59, 0x60)] == [0] * 7


def test_bridge_pam(pc, images):
    """Each area of the BIOS and of option ROMs: RAM that is shown, written and hidden again."""
    areas = [(1, 0xf0000, 0x10000)] + [(2 + i, 0xc0000 + i * 0x4000, 0x4000) for i in range(12)]

    def pam(index, flags):
        reg = 0x59 + index // 2
        old = pc.config_read(0, 0, reg, 1)
        pc.config_write(0, 0, reg, old & 0x0f | flags << 4 if index & 1 else old & 0xf0 | flags, 1)
    for index, at, size in areas:
        pam(index, 1)
        assert not any(pc.read(at, size)), "0x%x is not empty RAM" % at
        if pc.kind == "plinth":  # QEMU "only supports a limited form of PAM"
            pc.fill(at, size, 0x11)
            assert not any(pc.read(at, size)), "0x%x was written while read-only" % at
        pam(index, 3)
        for byte in (0x42, 0x82):
            pc.fill(at, size, byte)
            assert pc.read(at, size) == bytes([byte]) * size
        pam(index, 0)
        # QEMU shows its BIOS there, which in this set-up is short: RAM below it.
        if pc.kind == "plinth" or not 0xe0000 <= at < 0xf0000:
            assert pc.read(at, size) != b"\x82" * size, "0x%x is still shown" % at


TESTS = [f for n, f in list(globals().items()) if n.startswith("test_")]
