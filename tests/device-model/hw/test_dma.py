# SPDX-License-Identifier: GPL-2.0-or-later
"""ISA DMA controllers (8237A): each script must hold on QEMU as on our device model."""
from floppy import AUTO, DOWN, Floppy, PAGE, TO_MEMORY, VERIFY, dma_count, dma_setup
from test_floppy import ours, start


def test_registers(pc, images):
    """Address and count by bytes, low one first; writes set base and current."""
    for base, step in ((0x00, 1), (0xc0, 2)):
        pc.out(base + 13 * step, 0)
        for reg in range(8):
            pc.out(base + 12 * step, 0)
            pc.out(base + reg * step, 0x34 + reg)
            pc.out(base + reg * step, 0x12)
        for reg in range(8):
            pc.out(base + 12 * step, 0)
            low, high = pc.inp(base + reg * step), pc.inp(base + reg * step)
            assert (low, high) == (0x34 + reg, 0x12), "register %d" % reg


def test_flipflop(pc, images):
    pc.out(0x0c, 0)
    pc.out(0x04, 0x11)
    pc.out(0x0c, 0)
    pc.out(0x04, 0x22)
    pc.out(0x04, 0x33)
    pc.out(0x0c, 0)
    assert (pc.inp(0x04), pc.inp(0x04)) == (0x22, 0x33)
    pc.inp(0x04)
    pc.out(0x0d, 0)
    assert pc.inp(0x04) == 0x22, "master clear sets it to the low byte"


def test_pages(pc, images):
    for port in list(PAGE.values()) + [0x89, 0x8a, 0x8b, 0x8f]:
        pc.out(port, port ^ 0x5a)
    for port in list(PAGE.values()) + [0x89, 0x8a, 0x8b, 0x8f]:
        assert pc.inp(port) == port ^ 0x5a, "page 0x%02x" % port


def test_masks(pc, images):
    if not ours(pc):
        return  # QEMU shows the mask in another register
    for base, step in ((0x00, 1), (0xc0, 2)):
        def masks():
            return pc.inp(base + 15 * step) & 0xf
        pc.out(base + 13 * step, 0)
        assert masks() == 0xf
        pc.out(base + 10 * step, 2)
        assert masks() == 0xb
        pc.out(base + 10 * step, 4 | 2)
        assert masks() == 0xf
        pc.out(base + 15 * step, 5)
        assert masks() == 5
        pc.out(base + 14 * step, 0)
        assert masks() == 0


def test_request_bit(pc, images):
    if not ours(pc):
        return  # QEMU starts a transfer that nobody serves
    pc.out(0x0d, 0)
    pc.out(0x09, 4 | 1)
    assert pc.inp(0x08) == 0x20
    pc.out(0x09, 1)
    assert pc.inp(0x08) == 0


def test_terminal_count(pc, images):
    """TC in the status until it is read; the channel masks itself."""
    f = Floppy(pc)
    pc.inp(0x08)
    f.read(0, 0, 1, 1)
    assert pc.inp(0x08) & 0xf == 4
    assert pc.inp(0x08) & 0xf == 0
    if ours(pc):  # QEMU leaves the channel open
        assert pc.inp(0x0f) & 4


def test_auto_init(pc, images):
    f = Floppy(pc)
    dma_setup(pc, 2, 0x21000, 512, TO_MEMORY | AUTO)
    for r in (1, 2):
        res = f.data(0x46, 0, 0, r, 18)
        assert res[0] & 0xc0 == 0
        assert pc.read(0x21000, 512) == images.disk[512 * (r - 1):512 * r]
        if ours(pc):  # QEMU loads the count when it is needed
            assert dma_count(pc, 2) == 511
            assert not pc.inp(0x0f) & 4


def test_down(pc, images):
    if not ours(pc):
        return  # QEMU's floppy moves upwards only
    f = Floppy(pc)
    dma_setup(pc, 2, 0x20000 + 511, 512, TO_MEMORY | DOWN)
    assert f.data(0x46, 0, 0, 1, 18)[0] & 0xc0 == 0
    assert pc.read(0x20000, 512) == images.disk[:512][::-1]


def test_verify(pc, images):
    """Verify counts and moves nothing."""
    f = Floppy(pc)
    pc.fill(0x20000, 512, 0x77)
    dma_setup(pc, 2, 0x20000, 512, VERIFY)
    res = f.data(0x46, 0, 0, 1, 18)
    if ours(pc):  # QEMU's floppy refuses the mode
        assert res[0] & 0xc0 == 0 and dma_count(pc, 2) == 0xffff
    assert pc.read(0x20000, 512) == b"\x77" * 512


def test_one_byte(pc, images):
    if not ours(pc):
        return  # QEMU moves whole sectors
    f = Floppy(pc)
    pc.fill(0x20000, 4, 0)
    dma_setup(pc, 2, 0x20000, 1, TO_MEMORY)
    assert f.data(0x46, 0, 0, 1, 18)[0] & 0xc0 == 0
    assert pc.read(0x20000, 4) == images.disk[:1] + bytes(3)


def test_whole_page(pc, images):
    """64 KiB in one program: more than a cylinder has, so no terminal count comes."""
    f = Floppy(pc)
    f.seek(5)
    dma_setup(pc, 2, 0x20000, 0x10000, TO_MEMORY)
    res = f.data(0xc6, 5, 0, 1, 18)
    assert pc.read(0x20000, 36 * 512) == images.disk[5 * 36 * 512:6 * 36 * 512]
    if ours(pc):  # QEMU goes on with the next cylinder
        assert res[:2] == [0x44, 0x80], res
        assert dma_count(pc, 2) == 0xffff - 36 * 512


def test_disabled(pc, images):
    if not ours(pc):
        return  # QEMU's read waits for nothing
    f = Floppy(pc)
    for port, hold, release in ((0x08, 4, 0), (0xd4, 4, 0)):
        dma_setup(pc, 2, 0x20000, 512, TO_MEMORY)
        pc.out(port, hold)
        f.send(0x46, 0, 0, 1, 18)
        pc.wait(lambda: pc.inp(0x08) & 0x40, "DREQ")
        assert dma_count(pc, 2) == 511
        pc.out(port, release)
        assert f.wait_result()[0] & 0xc0 == 0, "port 0x%x" % port


TESTS = [f for n, f in sorted(globals().items()) if n.startswith("test_")]
