# SPDX-License-Identifier: GPL-2.0-or-later
"""The hypervisor's own console: text screen, framebuffer, debug keys on the serial line."""

import os
import re

from harness import Failure, Skip, case, check, hypervisor, machine
import ocr
import vnc
from test_grub import OVMF, UEFI_GRUB, make_iso

ESCAPE = "\x01\x01\x01"
# What each key must at least say (docs/debugging.md).
KEYS = {
    "h": r"R  reset the machine at once",
    "m": r"pages of RAM, \d+ free",
    "q": r"d0: dom0 refs",
    "v": r"(?i)rip [0-9a-f:]+",
    "e": r"d0: event channels, (FIFO|2-level) form",
    "d": r"CPU 0 \(this one\)",
}


def screen_of(lab, pc, label):
    screen = vnc.Screen(*pc.screen())
    screen.save_png(lab.log_path(label, "png"))
    return screen


def plinth_glyphs():
    """Glyphs of the framebuffer console: columns of 7 dots from vmm/console/font.c, each row twice."""
    with open(os.path.join(hypervisor.REPOSITORY, "vmm/console/font.c"), encoding="ascii") as file:
        columns = re.findall(r"{ (0x\w\w), (0x\w\w), (0x\w\w), (0x\w\w), (0x\w\w) }", file.read())
    check(len(columns) == 95, f"{len(columns)} glyphs in font.c")
    glyphs = {}
    for code, words in reversed(list(enumerate(columns, ord(" ")))):
        rows = [sum((int(word, 16) >> dot & 1) << (6 - column) for column, word in enumerate(words))
                for dot in range(7) for _ in range(2)]
        glyphs[bytes([0, *rows, 0])] = chr(code)
    return glyphs


@case(order=8, group="screen", limit_s=120, combos=("vmm",))
def test_screen_text(lab):
    """Without a serial port: everything up to a panic is on the VGA text screen."""
    pc = machine.Machine(["-kernel", hypervisor.image_of("plinth"), "-device", "VGA",
                          "-append", "frobnicate=7 noreboot"], log=lab.log_path("serial", "log"))
    with pc:
        pc.wait("stays stopped", 60)
        text = ocr.read(screen_of(lab, pc, "screen"))
    for line in ("Unknown option: frobnicate=7", "Memory: 3071 MiB",
                 "no dom0 kernel: give a vmlinux as the first module"):
        check(line in text, f"{line!r} is not on the screen: {text[:600]!r}")


@case(order=9, group="screen", limit_s=180, combos=("vmm",))
def test_screen_framebuffer(lab):
    """On UEFI: the same text in the loader's linear framebuffer."""
    for path, package in ((OVMF, "ovmf"), (UEFI_GRUB, "grub-efi-amd64-bin")):
        if not os.path.exists(path):
            raise Skip(f"package {package} is not installed")
    kernel, iso = hypervisor.out("payload/payload64-dom0"), lab.log_path("disk", "iso")
    make_iso(iso, hypervisor.image_of("plinth"), "vga=keep noreboot", kernel, "tests=cpuid", os.devnull)
    pc = machine.Machine(["-drive", f"if=pflash,format=raw,readonly=on,file={OVMF}",
                          "-drive", f"if=none,id=disk,file={iso},format=raw,readonly=on",
                          "-device", "virtio-blk-pci,drive=disk,bootindex=0", "-device", "VGA"],
                         log=lab.log_path("serial", "log"))
    try:
        with pc:
            pc.wait("AMD-V: nested paging", 120)
            pc.wait(r"PAYLOAD: \d+ passed", 40)
            screen = screen_of(lab, pc, "screen")
    finally:
        os.unlink(iso)
    check(screen.width >= 640, f"the screen has {screen.width} columns")
    text = ocr.read_linear(screen, plinth_glyphs())
    for line in ("AMD-V: nested paging", "1 CPU online"):
        check(line in text, f"{line!r} is not on the screen: {text[:600]!r}")


@case(order=19, group="keys", limit_s=240, combos=("product",))
def test_serial_keys(lab):
    """Ctrl-A three times gives the serial line to the hypervisor and back; R resets the machine."""
    dom0 = lab.boot()
    pc = dom0.machine
    pc.type(ESCAPE)
    for key, expected in KEYS.items():
        start = pc.mark()
        pc.type(key)
        try:
            pc.wait(expected, 20, start)
        except machine.MachineError as error:
            raise Failure(f"key {key}: {error}") from error
    pc.type(ESCAPE)
    start = pc.mark()
    pc.type("\necho dom0-has-$((6*7))\n")
    pc.wait("dom0-has-42", 30, start)
    pc.type(ESCAPE)
    check(pc.shutdown_reason(lambda: pc.type("R"), 30) == "guest-reset", "R does not reset")
    lab.stop()
