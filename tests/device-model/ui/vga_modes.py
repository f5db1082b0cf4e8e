# SPDX-License-Identifier: GPL-2.0-or-later
"""Register values of the VGA BIOS's standard modes (IBM VGA BIOS parameter table)."""


def h(text):
    return list(bytes.fromhex(text))


EGA_AR = "000102030405140738393a3b3c3d3e3f"
CGA_AR = "00010203040506071011121314151617"

# name: misc, sequencer 0-4, CRTC 0-18h, graphics 0-8, attribute 0-14h
MODES = {
    "text 80x25, 9 dots": (0x67, h("0300030002"),
        h("5f4f50825581bf1f004f2000000000009c8e8f281f96b9a3ff"),
        h("0000000000100e00ff"), h(EGA_AR + "0c000f0800")),
    "text 40x25": (0x67, h("0308030002"),
        h("2d2728902ba0bf1f004f2000000000009c8e8f141f96b9a3ff"),
        h("0000000000100e00ff"), h(EGA_AR + "04000f0800")),
    "text 80x50, 8 dots": (0x67, h("0301030002"),
        h("5f4f50825581bf1f00472000000000009c8e8f281f96b9a3ff"),
        h("0000000000100e00ff"), h(EGA_AR + "04000f0000")),
    "320x200x4": (0x63, h("0309030002"),
        h("2d2728902b80bf1f00c100000000000" "09c8e8f140096b9a2ff"),
        h("0000000000300f0fff"), h("00131517020406071011121314151617" "0100030000")),
    "320x200x16": (0x63, h("03090f0006"),
        h("2d2728902b80bf1f00c000000000000" "09c8e8f140096b9e3ff"),
        h("000000000000050fff"), h(CGA_AR + "01000f0000")),
    "640x200x16": (0x63, h("03010f0006"),
        h("5f4f50825480bf1f00c000000000000" "09c8e8f280096b9e3ff"),
        h("000000000000050fff"), h(CGA_AR + "01000f0000")),
    "640x350, monochrome": (0xa2, h("03010f0006"),
        h("5f4f50825480bf1f004000000000000" "083855d280f63bae3ff"),
        h("000000000000050fff"), h("00080000181800000008000000180000" "0b00050000")),
    "640x480x2": (0xe3, h("03010f0006"),
        h("5f4f508254800b3e004000000000000" "0ea8cdf2800e704c3ff"),
        h("0000000000000501ff"), h("003f003f003f003f003f003f003f003f" "01000f0000")),
    "text 80x25, monochrome": (0x66, h("0300030002"),
        h("5f4f50825581bf1f004f200000000000" "9c8e8f280f96b9a3ff"),
        h("0000000000100a00ff"), h("00080808080808081018181818181818" "0e000f0800")),
    "640x350x16": (0xa3, h("03010f0006"),
        h("5f4f50825480bf1f004000000000000" "083855d280f63bae3ff"),
        h("000000000000050fff"), h(EGA_AR + "01000f0000")),
    "640x480x16": (0xe3, h("03010f0006"),
        h("5f4f508254800b3e004000000000000" "0ea8cdf2800e704e3ff"),
        h("000000000000050fff"), h(EGA_AR + "01000f0000")),
    "320x200x256": (0x63, h("03010f000e"),
        h("5f4f50825480bf1f004100000000000" "09c8e8f284096b9a3ff"),
        h("000000000040050fff"), h("000102030405060708090a0b0c0d0e0f" "41000f0000")),
    "320x240x256, unchained": (0xe3, h("03010f0006"),
        h("5f4f508254800d3e004100000000000" "0eaacdf2800e706e3ff"),
        h("000000000040050fff"), h("000102030405060708090a0b0c0d0e0f" "41000f0000")),
}

# 640x200x2 uses the row counter as an address bit in a mode that is not CGA's 2 bits per pixel.
MODE_6 = (0x63, h("0301010006"), h("5f4f50825480bf1f00c100000000000" "09c8e8f280096b9c2ff"),
          h("0000000000000d0fff"), h("00171717171717171717171717171717" "0100010000"))


def ports(mode):
    """Where the CRTC and the status are: 3Dxh, and 3Bxh for monochrome."""
    return (0x3d4, 0x3da) if mode[0] & 1 else (0x3b4, 0x3ba)


def set_mode(m, mode, blank=False):
    misc, seq, crtc, gr, ar = mode
    index, status = ports(mode)
    m.outw(0x1ce, 4)
    m.outw(0x1cf, 0)
    m.outb(0x3c2, misc)
    for i, value in enumerate(seq):
        m.outw(0x3c4, value << 8 | i)
    m.outw(index, 0x0011)
    for i, value in enumerate(crtc):
        m.outw(index, value << 8 | i)
    for i, value in enumerate(gr):
        m.outw(0x3ce, value << 8 | i)
    m.inb(status)
    for i, value in enumerate(ar):
        m.outb(0x3c0, i)
        m.outb(0x3c0, value)
    m.outb(0x3c0, 0 if blank else 0x20)


def set_dac(m, colours):
    m.outb(0x3c8, 0)
    for c in colours:
        for v in c:
            m.outb(0x3c9, v)
