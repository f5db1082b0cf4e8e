# SPDX-License-Identifier: GPL-2.0-or-later
"""
The standard VGA against Debian's QEMU: the same register and memory writes go to both over qtest,
then QEMU's screendump and our picture over VNC must be the same in every pixel, and what the guest
reads back must be the same. Where QEMU simplifies what the hardware does (named at each place), our
picture is compared with one computed here.
"""
import os
import random
import time

import rfb
from vga_modes import MODES, MODE_6, ports, set_dac, set_mode

WINDOW = 0xa0000
LFB = 0xe0000000
# QEMU widens 6 bits to 8 by repeating bit 0, we by repeating the high bits: values where both agree.
LEVELS = list(range(0, 16, 2)) + list(range(49, 64, 2))
PALETTE = [(LEVELS[i * 7 & 15], LEVELS[i * 11 + i // 16 & 15], LEVELS[i // 16]) for i in range(256)]


class Pair:
    """The same guest on both machines."""

    def __init__(self, ours, theirs, screendump, work):
        self.ours, self.theirs, self.dump, self.work = ours, theirs, screendump, work
        self.client = rfb.Client(ours.vnc_port)
        for m in (ours, theirs):
            dev = m.find_pci(0x11111234)
            m.config(dev, 0x10, LFB)
            m.config(dev, 0x04, 3, 2)

    def both(self, call):
        call(self.ours)
        call(self.theirs)

    def wait_for(self, width, height, rgb, what, mask=0xff):
        """Our screen must become this; it is refreshed 30 times a second of the host's time."""
        end = time.monotonic() + 8
        while True:
            self.client.update()
            c = self.client
            if (c.width, c.height) == (width, height):
                got = c.rgb().translate(bytes(i & mask for i in range(256)))
                if got == rgb:
                    return
            if time.monotonic() > end:
                break
            time.sleep(0.03)
        if (c.width, c.height) != (width, height):
            raise AssertionError("%s: size %dx%d, expected %dx%d" % (what, c.width, c.height, width,
                                                                     height))
        at = next(i for i in range(len(rgb)) if rgb[i] != got[i]) // 3
        bad = sum(rgb[i:i + 3] != got[i:i + 3] for i in range(0, len(rgb), 3))
        rfb.write_png(os.path.join(self.work, "vga-got.png"), width, height, got)
        rfb.write_png(os.path.join(self.work, "vga-want.png"), width, height, rgb)
        raise AssertionError("%s: %d pixels differ, the first at %d,%d: %s, expected %s" % (
            what, bad, at % width, at // width, got[at * 3:at * 3 + 3].hex(),
            rgb[at * 3:at * 3 + 3].hex()))

    def same_picture(self, what, mask=0xff):
        self.wait_for(*self.dump(self.theirs), what, mask)


def planar_access(m):
    for value in (0x0f02, 0x0604):
        m.outw(0x3c4, value)
    for value in (0x0000, 0x0001, 0x0003, 0x0005, 0x0506, 0xff08):
        m.outw(0x3ce, value)


def load_plane(m, plane, data):
    m.outb(0x3c2, 0x67)
    m.outw(0x1ce, 4)
    m.outw(0x1cf, 0)
    planar_access(m)
    m.outw(0x3c4, 1 << (plane + 8) | 2)
    m.write(WINDOW, data)


def fill(pair, seed, text):
    r = random.Random(seed)
    # QEMU repeats the ninth dot from b0 on, the hardware (and we) from c0 on: leave those out.
    chars = [c for c in range(256) if not 0xb0 <= c <= 0xbf]
    planes = [bytes(r.randrange(256) for _ in range(0x8000)) for _ in range(4)]
    if text:
        planes[0] = bytes(r.choice(chars) for _ in range(0x4000))
        planes[2] = bytes(r.randrange(256) for _ in range(0x4000))
    for i, data in enumerate(planes):
        pair.both(lambda m, i=i, data=data: load_plane(m, i, data))


def text_attributes(pair, mask):
    """QEMU never blinks characters: with blinking on, only attributes without bit 7."""
    r = random.Random(5)
    data = bytes(r.randrange(256) & mask for _ in range(0x4000))
    pair.both(lambda m: load_plane(m, 1, data))


def crtc(pair, index, value, port=0x3d4):
    pair.both(lambda m: m.outw(port, value << 8 | index))


def test_modes(pair):
    pair.both(lambda m: set_dac(m, PALETTE))
    for name, mode in MODES.items():
        text = name.startswith("text")
        fill(pair, name, text)
        if text:
            # QEMU does not underline, which attributes 1 and 9 do on a monochrome screen.
            text_attributes(pair, 0x7e if mode[4][16] & 2 else 0x7f if mode[4][16] & 8 else 0xff)
        pair.both(lambda m, mode=mode: set_mode(m, mode))
        pair.same_picture(name)
        port, status = ports(mode)
        crtc(pair, 0x0c, 0x01, port)
        crtc(pair, 0x0d, 0x23, port)
        pair.same_picture(name + ", start address 123h")
        crtc(pair, 0x13, mode[2][0x13] + 3, port)
        pair.same_picture(name + ", longer lines")
        pair.both(lambda m: [m.inb(status), m.outb(0x3c0, 0x34), m.outb(0x3c0, 0x0d)])
        pair.same_picture(name + ", colour select")
        if not text:
            pair.both(lambda m: [m.inb(status), m.outb(0x3c0, 0x32), m.outb(0x3c0, 0x0b)])
            pair.same_picture(name + ", plane enable")


def test_split_screen(pair):
    for name, line in (("640x480x16", 200), ("320x200x256", 201), ("text 80x25, 9 dots", 159)):
        mode = MODES[name]
        fill(pair, "split", name.startswith("text"))
        if name.startswith("text"):
            text_attributes(pair, 0x7f)
        pair.both(lambda m, mode=mode: set_mode(m, mode))
        crtc(pair, 0x0c, 0x04)
        crtc(pair, 0x18, line)
        pair.both(lambda m: m.outb(0x3d4, 7))
        crtc(pair, 0x07, mode[2][7] & ~0x10)
        crtc(pair, 0x11, mode[2][0x11] & ~0x80)
        crtc(pair, 0x07, mode[2][7] & ~0x10)
        crtc(pair, 0x09, mode[2][9] & ~0x40)
        pair.same_picture("%s, split at line %d" % (name, line))


def test_fonts(pair):
    """Two fonts from different maps, chosen by attribute bit 3."""
    fill(pair, "fonts", True)
    text_attributes(pair, 0xff)
    mode = MODES["text 80x50, 8 dots"]
    for select in (0x00, 0x04, 0x01, 0x10, 0x20, 0x15, 0x2a, 0x3f):
        pair.both(lambda m: set_mode(m, mode))
        pair.both(lambda m, s=select: m.outw(0x3c4, s << 8 | 3))
        pair.same_picture("fonts %02x" % select)
    # A glyph changes while it is on the screen.
    pair.both(lambda m: m.outw(0x3c4, 0x0003))
    pair.both(lambda m: load_plane(m, 2, bytes(range(256)) * 32))
    pair.both(lambda m: set_mode(m, mode))
    pair.same_picture("fonts replaced")


def test_cell_changes(pair):
    """Single cells written as a program does, in odd/even mode at b8000."""
    r = random.Random(3)
    mode = MODES["text 80x50, 8 dots"]
    pair.both(lambda m: set_mode(m, mode))
    for _ in range(4):
        for _ in range(25):
            at, value = 0xb8000 + r.randrange(8000), r.randrange(256)
            pair.both(lambda m, at=at, value=value: m.writeb(at, value))
        pair.same_picture("cells written")


def test_window(pair):
    """Write modes, logical functions, masks and reads against QEMU, byte for byte."""
    r = random.Random(11)
    pair.both(lambda m: set_mode(m, MODES["640x480x16"]))
    for _ in range(60):
        regs = [r.randrange(16), r.randrange(16), r.randrange(16), r.randrange(32), r.randrange(4),
                r.randrange(4) | r.choice((0, 8)), r.choice((0x05, 0x05, 0x01, 0x09, 0x0d)),
                r.randrange(16), r.randrange(256)]
        for i, value in enumerate(regs):
            pair.both(lambda m, i=i, value=value: m.outw(0x3ce, value << 8 | i))
        pair.both(lambda m, v=r.randrange(16): m.outw(0x3c4, v << 8 | 2))
        for _ in range(20):
            at, value = WINDOW + r.choice((r.randrange(0x20000), 0x18000 + r.randrange(64),
                                           r.randrange(64))), r.randrange(256)
            got = [m.readb(at) for m in (pair.ours, pair.theirs)]
            assert got[0] == got[1], "read at %x: %02x, QEMU %02x, registers %s" % (at, *got, regs)
            pair.both(lambda m, at=at, value=value: m.writeb(at, value))
    same_memory(pair, "after random window writes")


def test_chained(pair):
    """Chain-4 and odd/even addressing with the map mask."""
    r = random.Random(12)
    for name in ("320x200x256", "text 80x50, 8 dots", "320x200x4"):
        pair.both(lambda m, n=name: set_mode(m, MODES[n]))
        base = 0xa0000 if name == "320x200x256" else 0xb8000
        for _ in range(150):
            # QEMU lets an odd/even write reach one plane of its pair, the hardware both.
            mask = r.randrange(16 if base == WINDOW else 4)
            at, value = base + r.randrange(0x8000), r.randrange(256)
            pair.both(lambda m, v=mask: m.outw(0x3c4, v << 8 | 2))
            pair.both(lambda m, at=at, value=value: m.writeb(at, value))
            got = [m.readb(at) for m in (pair.ours, pair.theirs)]
            assert got[0] == got[1], "%s at %x: %02x, QEMU %02x" % (name, at, *got)
    same_memory(pair, "after chained writes")


def same_memory(pair, what):
    ours, theirs = pair.ours.read(LFB, 0x40000), pair.theirs.read(LFB, 0x40000)
    bad = [i for i in range(len(ours)) if ours[i] != theirs[i]]
    assert not bad, "%s: %d bytes of video memory differ, first at %x" % (what, len(bad), bad[0])


def vbe(m, index, value):
    m.outw(0x1ce, index)
    m.outw(0x1cf, value)


def vbe_mode(m, x, y, bpp, enable=0x41):
    vbe(m, 4, 0)
    for index, value in ((1, x), (2, y), (3, bpp), (4, enable)):
        vbe(m, index, value)
    m.inb(0x3da)
    m.outb(0x3c0, 0x20)


def vbe_regs(m):
    regs = []
    for i in range(11):
        m.outw(0x1ce, i)
        regs.append(m.inw(0x1cf))
    return regs


def test_linear_modes(pair):
    r = random.Random(21)
    pair.both(lambda m: set_dac(m, PALETTE))
    for x, y in ((640, 480), (800, 600), (1280, 1024), (1920, 1200)):
        for bpp in (8, 15, 16, 24, 32):
            what = "%dx%dx%d" % (x, y, bpp)
            pair.both(lambda m: vbe_mode(m, x, y, bpp))
            size = x * y * ((bpp + 7) // 8)
            for _ in range(3):
                at, data = r.randrange(size - 4096), r.randbytes(4096)
                pair.both(lambda m, at=at, data=data: m.write(LFB + at, data))
            # In 15 bits QEMU leaves the low bits of a channel 0; we repeat the high ones there.
            pair.same_picture(what, 0xf8 if bpp == 15 else 0xff)


def test_virtual_screen(pair):
    r = random.Random(22)
    for bpp in (4, 8, 16, 32):
        pair.both(lambda m: vbe_mode(m, 640, 400, bpp))
        pair.both(lambda m: vbe(m, 6, 1024))
        for _ in range(6):
            at, data = r.randrange(1 << 20), r.randbytes(16384)
            pair.both(lambda m, at=at, data=data: m.write(LFB + at, data))
        for ox, oy in ((0, 0), (8, 100), (384, 300), (64, 3)):
            pair.both(lambda m: (vbe(m, 8, ox), vbe(m, 9, oy)))
            pair.same_picture("%d bpp, virtual 1024, offset %d,%d" % (bpp, ox, oy))


def test_banks(pair):
    """The banked window at a0000 in a linear mode."""
    r = random.Random(23)
    pair.both(lambda m: vbe_mode(m, 1024, 768, 16, 0x01))
    for bank in (0, 1, 7, 23):
        pair.both(lambda m: vbe(m, 5, bank))
        data = r.randbytes(4096)
        at = WINDOW + r.randrange(0xf000)
        pair.both(lambda m: m.write(at, data))
        assert pair.ours.read(at, 4096) == data, "bank %d reads back" % bank
    pair.same_picture("banked 1024x768x16")


def test_dispi_registers(pair):
    r = random.Random(24)
    for _ in range(120):
        index = r.choice((0, 1, 2, 3, 4, 4, 5, 6, 8, 9))
        value = {0: 0xb0c0 + r.randrange(8), 1: r.randrange(4090), 2: r.randrange(3000),
                 3: r.choice((4, 8, 15, 16, 24, 32, 7)), 4: r.choice((0, 1, 0x41, 0xc1)),
                 5: r.randrange(64), 6: r.randrange(4090), 8: r.randrange(4096),
                 9: r.randrange(4096)}[index]
        pair.both(lambda m: vbe(m, index, value))
        got, want = vbe_regs(pair.ours), vbe_regs(pair.theirs)
        # Our limits are lower (4096x4096): QEMU lets 1 byte-per-pixel pictures be taller.
        if want[2] <= 4096:
            assert got == want, "after %d=%x: %s, QEMU %s" % (index, value, got, want)
    pair.both(lambda m: vbe(m, 4, 0))


def test_register_readback(pair):
    """Masks, indices and the CRTC's protect bit, as the guest reads them."""
    r = random.Random(25)
    pair.both(lambda m: set_mode(m, MODES["640x480x16"]))
    for _ in range(300):
        port, count = r.choice(((0x3c4, 8), (0x3ce, 16), (0x3d4, 32)))
        index, value = r.randrange(count), r.randrange(256)
        pair.both(lambda m: m.outw(port, value << 8 | index))
        got = [m.inb(port + 1) for m in (pair.ours, pair.theirs)]
        assert got[0] == got[1], "%x/%x=%02x reads %02x, QEMU %02x" % (port, index, value, *got)
    for index in range(0x20):
        value = r.randrange(256)
        pair.both(lambda m: (m.inb(0x3da), m.outb(0x3c0, index), m.outb(0x3c0, value)))
        got = [m.inb(0x3c1) for m in (pair.ours, pair.theirs)]
        assert got[0] == got[1], "attribute %x=%02x reads %02x, QEMU %02x" % (index, value, *got)
    pair.both(lambda m: set_dac(m, PALETTE))
    pair.both(lambda m: m.outb(0x3c7, 10))
    got = [[m.inb(0x3c9) for _ in range(30)] for m in (pair.ours, pair.theirs)]
    assert got[0] == got[1] == [v for c in PALETTE[10:20] for v in c], "DAC reads back"


def mono_picture(data, pitch_lines):
    """Mode 6 as the hardware shows it: even lines at 0, odd lines at 2000h, each twice."""
    off, on = b"\0\0\0", bytes((v << 2 | v >> 4) & 255 for v in PALETTE[0x17])
    off = bytes((v << 2 | v >> 4) & 255 for v in PALETTE[0])
    out = bytearray()
    for y in range(pitch_lines):
        at = (y // 2) * 80 + (y & 1) * 0x2000
        line = b"".join(on if data[at + x // 8] >> (7 - x % 8) & 1 else off for x in range(640))
        out += line + line
    return bytes(out)


def test_mode_6(pair):
    """640x200 in two colours: QEMU stretches it, so the expectation is computed."""
    data = random.Random(31).randbytes(0x4000)
    set_dac(pair.ours, PALETTE)
    load_plane(pair.ours, 0, data)
    set_mode(pair.ours, MODE_6)
    pair.wait_for(640, 400, mono_picture(data, 200), "640x200x2")


def test_panning(pair):
    """Pixel panning moves the picture left by as many pixels (QEMU 7.2 has none)."""
    fill(pair, "pan", False)
    pair.both(lambda m: set_mode(m, MODES["640x480x16"]))
    width, height, base = pair.dump(pair.theirs)
    crtc(pair, 0x0d, 1)
    _, _, right = pair.dump(pair.theirs)
    crtc(pair, 0x0d, 0)
    for pan in (1, 4, 7):
        m = pair.ours
        m.inb(0x3da)
        m.outb(0x3c0, 0x33)
        m.outb(0x3c0, pan)
        want = bytearray()
        for y in range(height):
            line = base[y * width * 3:(y + 1) * width * 3]
            tail = right[((y + 1) * width - 8) * 3:((y + 1) * width - 8 + pan) * 3]
            want += line[pan * 3:] + tail
        pair.wait_for(width, height, bytes(want), "panned by %d" % pan)


def test_blink(pair):
    """With blinking on, attribute bit 7 hides the character for 32 of 64 frames of guest time."""
    m = pair.ours
    load_plane(m, 2, b"\xff" * 0x2000)
    load_plane(m, 1, b"\x87" * 0x2000)
    load_plane(m, 0, b"A" * 0x2000)
    set_dac(m, PALETTE)
    mode = MODES["text 80x25, 9 dots"]
    set_mode(m, mode)
    lit, dark = ((bytes(v << 2 | v >> 4 for v in PALETTE[i])) for i in (7, 0))
    seen, end = [], time.monotonic() + 10
    while time.monotonic() < end and not (lit in seen and dark in seen):
        time.sleep(0.12)
        pair.client.update()
        pixel = pair.client.rgb()[:3]
        if seen or pixel in (lit, dark): # the first pictures may be of the time before
            seen.append(pixel)
        m.step(200000000)
    assert set(seen) == {lit, dark}, "a blinking cell showed %s" % [p.hex() for p in seen]


def test_retrace(pair):
    """A loop that waits for retrace and for its end finishes, and takes about a frame."""
    m = pair.ours
    set_mode(m, MODES["640x480x16"])
    edges, last, now = [], 0, 0
    for _ in range(4000):
        m.step(50000)
        now += 50000
        bit = m.inb(0x3da) & 8
        if bit and not last:
            edges.append(now)
        last = bit
    gaps = [b - a for a, b in zip(edges, edges[1:])]
    assert len(gaps) >= 8, "%d retraces in 200 ms" % len(edges)
    assert all(14e6 < g < 19e6 for g in gaps), "frame times %s" % gaps


TESTS = [test_modes, test_split_screen, test_fonts, test_cell_changes, test_window, test_chained,
         test_linear_modes, test_virtual_screen, test_banks, test_dispi_registers,
         test_register_readback, test_mode_6, test_panning, test_blink, test_retrace]
