# SPDX-License-Identifier: GPL-2.0-or-later
"""ATA disks: each script must hold on QEMU as on our device model."""
import os

from ide import Drive, ABRT, BM_ACTIVE, BM_INTR, BSY, DRDY, DRQ, ERR

SECTORS = 20480 + 3


def disk(pc):
    return Drive(pc)


def pattern(count, seed=1):
    return os.urandom(count)


def test_identify(pc, images):
    words = disk(pc).identify()
    assert words[0] & 0x8000 == 0
    assert words[60] | words[61] << 16 == SECTORS
    assert words[100] | words[101] << 16 == SECTORS
    assert words[49] & 0x0300 == 0x0300, "LBA and DMA"
    assert words[83] & 0x7400 == 0x7400, "LBA48 and both flushes"
    assert words[1] * words[3] * words[6] <= SECTORS
    assert words[47] & 0xff == 16
    assert words[63] & 7 == 7 and words[88] & 0x3f == 0x3f
    assert words[53] & 6 == 6


def test_identify_checksum(pc, images):
    words = disk(pc).identify()
    if words[255] & 0xff != 0xa5:
        assert pc.kind == "qemu", "word 255 carries no checksum"
        return
    assert sum((w & 0xff) + (w >> 8) for w in words) & 0xff == 0


def test_read_pio(pc, images):
    d = disk(pc)
    for lba, count in ((0, 1), (7, 3), (SECTORS - 1, 1), (100, 256)):
        data = d.read_pio(lba, count & 0xff if count < 256 else 0) if count < 256 else None
        if count == 256:
            d.command(0x20, lba=lba, count=0)
            data = b""
            for _ in range(256):
                d.wait_drq()
                data += d.data_in(512)
        assert data == images.disk[lba * 512:(lba + count) * 512], "lba %d" % lba


def test_read_multiple(pc, images):
    d = disk(pc)
    d.command(0xc6, count=8)
    assert not d.wait_idle() & ERR
    assert d.read_pio(50, 20, cmd=0xc4, block=8) == images.disk[50 * 512:70 * 512]
    assert d.read_pio(50, 20, cmd=0x29, block=8, ext=True) == images.disk[50 * 512:70 * 512]


def test_set_multiple_bad(pc, images):
    d = disk(pc)
    d.command(0xc6, count=3)
    assert d.wait_idle() & ERR and d.error() & ABRT


def test_read_ext(pc, images):
    assert disk(pc).read_pio(300, 2, cmd=0x24, ext=True) == images.disk[300 * 512:302 * 512]


def test_read_chs(pc, images):
    d = disk(pc)
    words = d.identify()
    heads, spt = words[55], words[56]
    lba = (3 * heads + 2) * spt + 4
    d.pc.out(d.base + 2, 1)
    d.pc.out(d.base + 3, 5)
    d.pc.out(d.base + 4, 3)
    d.pc.out(d.base + 5, 0)
    d.pc.out(d.base + 6, 0xa2)
    d.pc.out(d.base + 7, 0x20)
    d.wait_drq()
    assert d.data_in(512) == images.disk[lba * 512:(lba + 1) * 512]


def test_write_pio(pc, images):
    d = disk(pc)
    data = pattern(512 * 5)
    d.write_pio(1000, data)
    assert d.read_pio(1000, 5) == data
    d.command(0xc6, count=16)
    d.wait_idle()
    data = pattern(512 * 40)
    d.write_pio(2000, data, cmd=0xc5, block=16)
    d.write_pio(3000, data, cmd=0x39, block=16, ext=True)
    d.command(0xe7)
    assert not d.wait_idle() & ERR
    d.command(0xea)
    assert not d.wait_idle() & ERR
    now = images.now()
    assert now[2000 * 512:2040 * 512] == data and now[3000 * 512:3040 * 512] == data
    assert now[1999 * 512:2000 * 512] == images.disk[1999 * 512:2000 * 512]
    assert now[2040 * 512:2041 * 512] == images.disk[2040 * 512:2041 * 512]


def test_write_large_ext(pc, images):
    d = disk(pc)
    data = pattern(512 * 600)
    d.command(0xc6, count=16)
    d.wait_idle()
    d.write_pio(5000, data, cmd=0x39, block=16, ext=True)
    assert images.now()[5000 * 512:5600 * 512] == data


def test_beyond_end(pc, images):
    d = disk(pc)
    for cmd, lba, count in ((0x20, SECTORS, 1), (0x20, SECTORS + 5, 3), (0xc8, SECTORS, 1)):
        d.command(cmd, lba=lba, count=count)
        if cmd == 0xc8:
            d.pc.out(d.bm, 9)
        status = d.wait_idle()
        assert status & ERR and not status & DRQ, "command 0x%02x: 0x%02x" % (cmd, status)
        assert d.error() & (ABRT | 0x10)


def test_unknown_command(pc, images):
    d = disk(pc)
    for cmd in (0x01, 0xa0, 0xa1, 0xfe, 0x8e):
        d.command(cmd)
        status = d.wait_idle()
        assert status & ERR and status & DRDY and d.error() == ABRT, "command 0x%02x" % cmd


def dma_cases():
    return [
        ("one", [(0x100000, 512)], 1),
        ("64k", [(0x100000, 65536)], 128),
        ("two", [(0x100000, 1024), (0x200000, 1024)], 4),
        ("odd pieces", [(0x100002, 510), (0x180006, 2), (0x1c0ffe, 512)], 2),
        ("crosses pages", [(0x100ffe, 4096), (0x300ff0, 4096)], 16),
        ("many", [(0x100000 + i * 0x2002, 128) for i in range(64)], 16),
        ("256 sectors", [(0x100000, 65536), (0x200000, 65536)], 256),
    ]


def gather(pc, regions):
    return b"".join(pc.read(addr, size) for addr, size in regions)


def test_dma_read(pc, images):
    d = disk(pc)
    for name, regions, count in dma_cases():
        for first in (False, True):
            bm = d.dma(0xc8, regions, True, start_first=first, lba=64, count=count & 0xff)
            assert bm == BM_INTR, "%s: bus master 0x%x" % (name, bm)
            assert gather(pc, regions) == images.disk[64 * 512:(64 + count) * 512], name


def test_dma_read_ext(pc, images):
    d = disk(pc)
    regions = [(0x100000 + i * 0x10000, 65536) for i in range(8)]
    bm = d.dma(0x25, regions, True, lba=11, count=1024, ext=True)
    assert bm == BM_INTR
    assert gather(pc, regions) == images.disk[11 * 512:1035 * 512]


def test_dma_write(pc, images):
    d = disk(pc)
    at = 4000
    for name, regions, count in dma_cases():
        data = pattern(512 * count)
        pos = 0
        for addr, size in regions:
            pc.write(addr, data[pos:pos + size])
            pos += size
        bm = d.dma(0xca, regions, False, lba=at, count=count & 0xff)
        assert bm == BM_INTR, "%s: bus master 0x%x" % (name, bm)
        d.command(0xe7)
        assert not d.wait_idle() & ERR
        assert images.now()[at * 512:(at + count) * 512] == data, name
        at += 300


def test_dma_write_ext(pc, images):
    d = disk(pc)
    data = pattern(65536 * 6)
    pc.write(0x100000, data)
    regions = [(0x100000 + i * 65536, 65536) for i in range(6)]
    assert d.dma(0x35, regions, False, lba=9000, count=768, ext=True) == BM_INTR
    assert images.now()[9000 * 512:9768 * 512] == data


def test_dma_short_list(pc, images):
    d = disk(pc)
    bm = d.dma(0xc8, [(0x100000, 512)], True, lba=0, count=2)
    assert bm & (BM_ACTIVE | BM_INTR) == 0, "bus master 0x%x" % bm
    assert not d.alt_status() & (BSY | DRQ)


def test_dma_long_list(pc, images):
    d = disk(pc)
    bm = d.dma(0xc8, [(0x100000, 4096)], True, lba=0, count=2)
    assert bm == BM_ACTIVE | BM_INTR, "bus master 0x%x" % bm
    assert pc.read(0x100000, 1024) == images.disk[:1024]


def test_soft_reset(pc, images):
    d = disk(pc)
    d.command(0x20, lba=5, count=10)
    d.wait_drq()
    d.data_in(100)
    d.reset()
    assert d.signature() == (1, 1, 0, 0)
    assert d.error() == 1
    assert d.read_pio(5, 1) == images.disk[5 * 512:6 * 512]


def test_reset_during_dma(pc, images):
    d = disk(pc)
    d.command(0xc8, lba=5, count=128)
    d.reset()
    assert d.signature() == (1, 1, 0, 0)
    regions = [(0x100000, 1024)]
    assert d.dma(0xc8, regions, True, lba=20, count=2) == BM_INTR
    assert pc.read(0x100000, 1024) == images.disk[20 * 512:22 * 512]


def test_diagnose(pc, images):
    d = disk(pc)
    d.command(0x90)
    d.wait_idle()
    assert d.error() == 1 and d.signature() == (1, 1, 0, 0)


def test_absent_slave(pc, images):
    d = Drive(pc, 0, 1)
    assert d.status() == 0
    pc.out(d.base + 7, 0xec)
    assert d.status() == 0


def test_registers_hob(pc, images):
    d = disk(pc)
    for reg in (2, 3, 4, 5):
        pc.out(d.base + reg, 0x10 + reg)
        pc.out(d.base + reg, 0x20 + reg)
    assert [pc.inp(d.base + r) for r in (2, 3, 4, 5)] == [0x22, 0x23, 0x24, 0x25]
    pc.out(d.control, 0x80)
    assert [pc.inp(d.base + r) for r in (2, 3, 4, 5)] == [0x12, 0x13, 0x14, 0x15]
    pc.out(d.control, 0)


def test_set_features(pc, images):
    d = disk(pc)
    for feature, count in ((0x02, 0), (0x82, 0), (0x02, 0), (0x03, 0x45), (0x03, 0x22), (0x55, 0),
                           (0xaa, 0), (0x66, 0), (0xcc, 0)):
        d.command(0xef, feature=feature, count=count)
        assert not d.wait_idle() & ERR, "feature 0x%02x" % feature
    d.command(0xef, feature=0x03, count=0x45)
    d.wait_idle()
    assert d.identify()[88] == 0x203f
    d.command(0xef, feature=0xfe)
    assert d.wait_idle() & ERR and d.error() == ABRT


def test_native_max(pc, images):
    d = disk(pc)
    d.command(0xf8)
    assert not d.wait_idle() & ERR
    _, low, mid, high = d.signature()
    assert low | mid << 8 | high << 16 == SECTORS - 1


def test_power(pc, images):
    d = disk(pc)
    for cmd in (0xe0, 0xe1, 0xe2, 0xe3, 0xe5):
        d.command(cmd)
        assert not d.wait_idle() & ERR, "command 0x%02x" % cmd
    d.command(0xe5)
    d.wait_idle()
    assert pc.inp(d.base + 2) == 0xff


def test_irq_disable(pc, images):
    d = disk(pc)
    pc.out(d.bm + 2, BM_INTR)
    pc.out(d.control, 2)
    d.command(0xe5)
    d.wait_idle()
    assert not pc.inp(d.bm + 2) & BM_INTR
    pc.out(d.control, 0)
    d.command(0xe5)
    d.wait_idle()
    assert pc.inp(d.bm + 2) & BM_INTR


TESTS = [f for n, f in sorted(globals().items()) if n.startswith("test_")]
