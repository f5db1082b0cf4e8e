# SPDX-License-Identifier: GPL-2.0-or-later
"""Read text from a frame in a VGA text mode, by exact match with the 8x16 font of the VGA BIOS.

Linux draws its console in graphics modes with the same glyphs. The font is taken from Debian's vgabios-stdvga.bin: the same glyphs that the guest's BIOS loads.
"""

import functools
import glob

ROMS = ("/usr/share/seabios/vgabios-stdvga.bin", "/usr/share/vgabios/vgabios-stdvga.bin")
HEIGHT = 16
GLYPH_B = bytes.fromhex("0000fc6666667c66666666fc00000000")
GLYPH_A = bytes.fromhex("000010386cc6c6fec6c6c6c600000000")
# Rows that the cursor may cover.
CURSOR_ROWS = 3
CODEC = "cp437"
# Linux's console on a paravirtual framebuffer, with the same glyphs.
FRAMEBUFFER = (800, 600)


class NoFont(Exception):
    """No VGA BIOS image with the usual font."""


@functools.lru_cache(None)
def font():
    """Maps from glyph bytes to characters: complete, and without the cursor's rows."""
    for path in [*ROMS, *glob.glob("/usr/share/*/vgabios*.bin")]:
        try:
            with open(path, "rb") as file:
                rom = file.read()
        except OSError:
            continue
        base = rom.find(GLYPH_B) - ord("B") * HEIGHT
        a_at = base + ord("A") * HEIGHT
        if base >= 0 and rom[a_at:a_at + HEIGHT] == GLYPH_A:
            break
    else:
        raise NoFont("no VGA BIOS with an 8x16 font (package seabios)")
    whole, top = {}, {}
    for code in reversed(range(256)):
        character = bytes([code]).decode(CODEC) if code >= 32 else " "
        glyph = rom[base + code * HEIGHT:base + (code + 1) * HEIGHT]
        whole[glyph] = character
        top[glyph[:-CURSOR_ROWS]] = character
    return whole, top


def _cell(screen, left, top):
    """The 8x16 bits of a cell, set where a pixel differs from the cell's commonest colour."""
    rows, count = [], {}
    for row in range(HEIGHT):
        start = ((top + row) * screen.width + left) * 4
        line = screen.pixels[start:start + 32]
        pixels = [line[i:i + 3] for i in range(0, 32, 4)]
        rows.append(pixels)
        for pixel in pixels:
            count[pixel] = count.get(pixel, 0) + 1
    ground = max(count, key=count.get)
    return bytes(sum((pixel != ground) << (7 - i) for i, pixel in enumerate(pixels))
                 for pixels in rows)


def _character(bits, whole, top):
    for candidate in (bits, bytes(255 - byte for byte in bits)):
        if candidate in whole:
            return whole[candidate]
        if candidate[:-CURSOR_ROWS] in top:
            return top[candidate[:-CURSOR_ROWS]]
    return "\N{REPLACEMENT CHARACTER}"


def read(screen):
    """The text of a frame, line by line; "" when its size is not one of 8x16 or (720 wide) 9x16 cells."""
    width = 9 if screen.width == 720 else 8
    partial = screen.height % HEIGHT and (screen.width, screen.height) != FRAMEBUFFER
    if partial or screen.width % width or screen.width < 80 * width:
        return ""
    return _read_cells(screen, width, *font())


def read_linear(screen, glyphs):
    """The text of a graphics mode in cells of 8x16 dots; `glyphs` maps 16 bytes to characters."""
    return _read_cells(screen, 8, glyphs, {})


def _read_cells(screen, width, whole, top):
    lines = []
    for row in range(0, screen.height - HEIGHT + 1, HEIGHT):
        line = "".join(_character(_cell(screen, column * width, row), whole, top)
                       for column in range(screen.width // width))
        lines.append(line.rstrip())
    return "\n".join(lines)
