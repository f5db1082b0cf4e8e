# SPDX-License-Identifier: GPL-2.0-or-later
"""Shapes of disks, on ours and on QEMU: geometry by partition table and by options, odd, large and 4096-byte sectors.

In a geometry the last number is the BIOS's translation, as index 39h of CMOS memory has it.
"""
import os
import struct

import ide
import pc as pc_module
from ide import ABRT, BM_INTR, ERR
from test_peer import cmos

NONE, LBA, LARGE, RECHS = range(4)
MIB = 1 << 20
SECTOR = 512


class Images:
    def __init__(self, work):
        self.work = work
        self.disk = os.path.join(work, "shape.img")

    def make(self, size, *partitions):
        """A sparse disk whose sectors hold their numbers, with partitions (last head, last sector, sectors)."""
        with open(self.disk, "wb") as f:
            f.truncate(size)
            for lba in range(min(200, size // SECTOR)):
                f.seek(lba * SECTOR)
                f.write(struct.pack("<I", lba) * 128)
            if partitions:
                table = b"".join(struct.pack("<8BII", 0x80, 1, 1, 0, 6, head, sector, 0, sector, count)
                                 for head, sector, count in partitions)
                f.seek(446)
                f.write(table.ljust(64, b"\0") + b"\x55\xaa")


def machine(*args, size=64 * MIB, partitions=()):
    """What a script's machine is: {disk} in args is the image, of this size and with these partitions."""
    def mark(function):
        function.args, function.size, function.partitions = args, size, partitions
        return function
    return mark


def start(kind, argv, work, test):
    images = Images(work)
    images.make(test.size, *test.partitions)
    args = [a.format(disk=images.disk) for a in test.args]
    return pc_module.Pc(kind, argv + ["-m", "64", *args], work), images


def drive(index=0):
    return ("-drive", "file={disk},if=ide,index=%d,format=raw" % index)


def device(properties):
    return ("-drive", "file={disk},if=none,id=d,format=raw",
            "-device", "ide-hd,drive=d,bus=ide.0,unit=0" + properties)


def geometry(pc, place=0):
    """As the BIOS finds it, once IDENTIFY's default and current geometry and CMOS memory agree."""
    words = ide.Drive(pc, place // 2, place % 2).identify()
    found, current = (words[1], words[3], words[6]), tuple(words[54:57])
    assert found == current, "words 1, 3, 6 are %s, words 54 to 56 are %s" % (found, current)
    assert words[57] | words[58] << 16 == found[0] * found[1] * found[2]
    if place < 2:
        assert cmos(pc, 0x19 + place) == 47 and cmos(pc, 0x12) >> (0 if place else 4) & 15 == 15
        table = [cmos(pc, 0x1b + 9 * place + i) for i in range(9)]
        assert (table[0] | table[1] << 8, table[2], table[8]) == found, table
    return found + (cmos(pc, 0x39) >> place * 2 & 3,)


def lba_at(pc, cylinder, head, sector):
    """The number of the sector that a CHS address reads."""
    d = ide.Drive(pc)
    for reg, value in ((2, 1), (3, sector), (4, cylinder & 255), (5, cylinder >> 8), (6, 0xa0 | head), (7, 0x20)):
        pc.out(d.base + reg, value)
    d.wait_drq()
    return struct.unpack("<I", d.data_in(512)[:4])[0]


def of_size(cylinders, heads, sectors):
    return cylinders * heads * sectors * SECTOR


def shape(name, expect, args=drive(), size=64 * MIB, partitions=(), place=0):
    @machine(*args, size=size, partitions=partitions)
    def test(pc, images):
        seen = geometry(pc, place)
        assert seen == expect, "%s: geometry %s, not %s" % (name, seen, expect)
    test.__name__ = "test_" + name
    return test


GIB = 1024 * MIB
SHAPES = [
    # Partition tables of old PCs say how the disk was formatted.
    shape("mbr_615_4_17", (615, 4, 17, NONE), size=of_size(615, 4, 17), partitions=[(3, 17, 41803)]),
    shape("mbr_917_15_17", (917, 15, 17, NONE), size=of_size(917, 15, 17), partitions=[(14, 17, 233818)]),
    shape("mbr_920_2_33", (920, 2, 33, NONE), size=of_size(920, 2, 33), partitions=[(1, 33, 60687)]),
    shape("mbr_second_entry", (615, 4, 17, NONE), size=of_size(615, 4, 17),
          partitions=[(0, 17, 16), (3, 17, 41803)]),
    shape("mbr_other_place", (615, 4, 17, NONE), drive(3), of_size(615, 4, 17), [(3, 17, 41803)], 3),
    # More than 16 heads are a BIOS's doing.
    shape("mbr_translated", (1040, 16, 63, LARGE), size=of_size(1040, 16, 63), partitions=[(31, 63, 100000)]),
    shape("mbr_translated_lba", (16383, 16, 63, LBA), size=10 * GIB, partitions=[(254, 63, 100000)]),
    # What says nothing: no sectors, no heads, no such cylinders, no signature.
    shape("mbr_empty_entry", (130, 16, 63, NONE), partitions=[(3, 17, 0)]),
    shape("mbr_no_heads", (130, 16, 63, NONE), partitions=[(0, 17, 1000)]),
    shape("mbr_no_cylinders", (16383, 16, 63, LBA), size=20 * GIB, partitions=[(3, 17, 1000)]),
    shape("blank", (130, 16, 63, NONE)),
    shape("blank_528m", (1024, 16, 63, NONE), size=of_size(1024, 16, 63)),
    shape("blank_large", (1025, 16, 63, LBA), size=of_size(1025, 16, 63)),
    shape("blank_large_third", (1025, 16, 63, LBA), drive(2), of_size(1025, 16, 63), (), 2),
    shape("blank_huge", (16383, 16, 63, LBA), size=20 * GIB),
    # Options are stronger than what is on the disk.
    shape("option", (920, 2, 33, NONE), device(",cyls=920,heads=2,secs=33"), of_size(615, 4, 17), [(3, 17, 41803)]),
    shape("option_large", (2000, 16, 63, LBA), device(",cyls=2000,heads=16,secs=63"), 2 * GIB),
    shape("option_rechs", (2000, 15, 63, RECHS), device(",cyls=2000,heads=15,secs=63,bios-chs-trans=rechs"), 2 * GIB),
    shape("option_translation", (130, 16, 63, LARGE), device(",bios-chs-trans=large")),
    shape("global", (615, 4, 17, NONE), drive() + ("-global", "ide-hd.cyls=615", "-global", "ide-hd.heads=4",
                                                    "-global", "ide-hd.secs=17")),
]


@machine(*drive(), size=of_size(615, 4, 17), partitions=[(3, 17, 41803)])
def test_old_addresses(pc, images):
    """CHS 0/1/1 is the second track's first sector; a reset brings the disk's own geometry back."""
    assert lba_at(pc, 0, 1, 1) == 17 and lba_at(pc, 1, 0, 1) == 68 and lba_at(pc, 1, 2, 3) == 104
    d = ide.Drive(pc)
    d.reset()
    assert lba_at(pc, 0, 1, 1) == 17
    words = d.identify()
    assert tuple(words[54:57]) == (615, 4, 17)


@machine(*drive(), size=of_size(615, 4, 17), partitions=[(3, 17, 41803)])
def test_initialize_parameters(pc, images):
    """INITIALIZE DEVICE PARAMETERS changes the current geometry only, until a reset."""
    d = ide.Drive(pc)
    pc.out(d.base + 2, 26)
    pc.out(d.base + 6, 0xa0 | 1)
    pc.out(d.base + 7, 0x91)
    assert not d.wait_idle() & ERR
    assert lba_at(pc, 0, 1, 1) == 26 and lba_at(pc, 1, 0, 1) == 52
    words = d.identify()
    if pc.kind == "plinth":  # QEMU changes words 3 and 6, too, and leaves the number of cylinders
        assert (words[1], words[3], words[6]) == (615, 4, 17)
        assert tuple(words[54:57]) == (41820 // 52, 2, 26)
        assert words[57] | words[58] << 16 == 41820 // 52 * 52
    d.reset()
    assert lba_at(pc, 0, 1, 1) == (26 if pc.kind == "qemu" else 17)


@machine(*drive(), size=10000000)
def test_odd_size(pc, images):
    """A file that ends within a sector: that is the disk's last one, whole as soon as its end is not zero."""
    d = ide.Drive(pc)
    last = 10000000 // SECTOR
    assert d.identify()[60] | d.identify()[61] << 16 == last + 1

    def write(data):
        d.write_pio(last - 1, data)
        pc.write(0x100000, data)
        assert d.dma(0xca, [(0x100000, 1024)], False, lba=last - 1, count=2) == BM_INTR
        d.command(0xe7)
        assert not d.wait_idle() & ERR
        assert d.read_pio(last - 1, 2) == data
        with open(images.disk, "rb") as f:
            f.seek((last - 1) * SECTOR)
            return f.read()

    data = bytes(range(1, 256)) * 5
    fits = data[:512 + 128] + bytes(384)
    assert write(fits) in (fits[:512 + 128],) + ((fits,) if pc.kind == "qemu" else ())
    assert write(data[:1024]) == data[:1024]
    assert os.stat(images.disk).st_size == (last + 1) * SECTOR


TIB = 1024 * GIB


@machine(*drive(), size=3 * TIB)
def test_3_tib(pc, images):
    """LBA48 beyond 32 bits, 28-bit addresses below it, and the end."""
    d = ide.Drive(pc)
    sectors = 3 * TIB // SECTOR
    words = d.identify()
    assert words[60] | words[61] << 16 == 0xfffffff
    assert sum(words[100 + i] << 16 * i for i in range(4)) == sectors
    assert geometry(pc) == (16383, 16, 63, LBA)
    data = os.urandom(1024)
    for lba in (sectors - 2, 1 << 32, (1 << 32) - 1, 0x10000000):
        d.write_pio(lba, data, cmd=0x34, ext=True)
        assert d.dma(0x25, [(0x100000, 1024)], True, lba=lba, count=2, ext=True) == BM_INTR
        assert pc.read(0x100000, 1024) == data
        d.command(0xea)
        assert not d.wait_idle() & ERR
        with open(images.disk, "rb") as f:
            f.seek(lba * SECTOR)
            assert f.read(1024) == data, "LBA %#x" % lba
    assert d.read_pio(0, 1)[:4] == bytes(4), "no address was cut to 32 bits"
    d.command(0x27, ext=True)
    assert not d.wait_idle() & ERR
    low = sum(pc.inp(d.base + 3 + i) << 8 * i for i in range(3))
    pc.out(d.control, 0x80)
    high = sum(pc.inp(d.base + 3 + i) << 8 * i for i in range(3))
    pc.out(d.control, 0)
    assert low | high << 24 == sectors - 1
    d.command(0x24, lba=sectors, count=1, ext=True)
    assert d.wait_idle() & ERR and d.error() & (ABRT | 0x10)


@machine(*device(",physical_block_size=4096"))
def test_physical_4096(pc, images):
    """Eight logical sectors in a physical one (ATA8-ACS, word 106)."""
    assert ide.Drive(pc).identify()[106] == 0x6003


DVD_SECTORS = 4 * GIB // 2048


@machine("-drive", "file={disk},if=ide,index=0,media=cdrom,format=raw", size=4 * GIB)
def test_dvd(pc, images):
    """A disc that no CD could be: profile, READ DVD STRUCTURE (MMC-5 6.27), its last sector."""
    d = ide.Drive(pc)
    d.packet_in([0])
    data, error, _ = d.packet_in([0x46, 0, 0, 0, 0, 0, 0, 1, 0, 0])
    assert not error and data[6:8] == b"\0\x10"
    data, error, _ = d.packet_in([0xad, 0, 0, 0, 0, 0, 0, 0, 8, 4])
    assert not error and len(data) == 2052 and data[:2] == b"\x08\x02"
    assert data[4] & 0xf0 == 0 and data[6] == 1, "DVD-ROM, one embossed layer"
    first, last = struct.unpack(">II", data[8:16])
    assert last - first == DVD_SECTORS - 1
    assert first == 0x30000 or pc.kind == "qemu", "of physical sectors"
    data, error, _ = d.packet_in([0xad, 0, 0, 0, 0, 0, 0, 1, 0, 8])
    assert not error and data == b"\0\x06" + bytes(6)
    data, error, _ = d.packet_in([0xad, 0, 0, 0, 0, 0, 0, 4, 8, 4])
    assert not error and len(data) == 2052
    for cdb in ([0xad, 0, 0, 0, 0, 0, 0, 3, 0, 8], [0xad, 1, 0, 0, 0, 0, 0, 0, 8, 4], [0xad, 0, 0, 0, 0, 0, 1, 0, 8, 4]):
        if pc.kind == "plinth":
            assert d.packet_in(cdb)[1] >> 4 == 5 and d.sense() == (5, 0x24), cdb
    data, error, _ = d.packet_in(struct.pack(">BBIBHB", 0x28, 0, DVD_SECTORS - 1, 0, 1, 0))
    assert not error and data == bytes(2048)


TESTS = SHAPES + [f for n, f in list(globals().items()) if n.startswith("test_")]
