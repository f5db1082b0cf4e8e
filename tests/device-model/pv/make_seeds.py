#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Seeds for fuzz_keeper.c, one for each message to the privileged part: make_seeds.py FOLDER."""
import os
import sys

DM, PV = 2, 1  # whose request, as fuzz_keeper.c reads it
DISK, OVER, SHADOW, STATE, FOLDER, FRONT = 0, 1, 2, 4, 8, 9  # its path table
CLOSED = 0x80
MADE = bytes(2)  # the contents of a file that is opened
DISK_FORM, FLOPPY_FORM, SAVE_FORM, CHANGE_FORM, LIVE_FORM = range(5)


def command(form, path):
    return bytes([0, 2 * form, path])


def about(who, op, path, arg=0, flags=0):
    return bytes([who, flags | 2 * path + 1, op, 0, arg, 0])


def raw(who, op, arg, data=b"", to_guest=0):
    data += bytes(-len(data) % 4)
    return bytes([who, len(data), op, 0, arg, to_guest]) + data


def ref(n, offset=0, length=64):
    return n.to_bytes(4, "little") + offset.to_bytes(2, "little") + length.to_bytes(2, "little")


SEEDS = {
    "monitor": raw(DM, 1, 2),
    "seal": raw(DM, 2, 0) + raw(PV, 2, 0),
    "running": raw(DM, 3, 0),
    "open": command(DISK_FORM, OVER) + about(DM, 4, OVER) + about(PV, 4, DISK, 1) + MADE + about(PV, 4, OVER) +
            command(FLOPPY_FORM, DISK) + about(DM, 4, DISK, 1) + MADE + command(SAVE_FORM, 3) + about(DM, 4, 3, 2),
    "store-read": about(PV, 5, STATE) + about(PV, 5, FRONT),
    "store-list": about(PV, 6, FOLDER),
    "store-write": about(PV, 7, STATE) + about(PV, 7, 12),
    "store-watch": about(PV, 8, FOLDER) + about(PV, 9, FOLDER),
    "store-unwatch": about(PV, 9, STATE),
    "map": raw(PV, 10, 2, (100).to_bytes(4, "little") + (101).to_bytes(4, "little")),
    "window": raw(PV, 11, 0),
    "copy": raw(PV, 12, 2, ref(103) + ref(104, 4000, 96)) + raw(PV, 12, 1, ref(103, 8, 16), 1),
    "lock": raw(PV, 13, 2) + raw(DM, 13, 3),
    "unlock": raw(DM, 14, 2) + command(LIVE_FORM, 3) + raw(DM, 14, 2) + raw(PV, 14, 2),
    "closed": about(PV, 4, DISK, 1) + MADE + about(PV, 7, STATE, flags=CLOSED) + about(PV, 4, DISK, 1) + MADE,
    "unknown": raw(DM, 15, 0) + raw(PV, 0, 0),
}

for name, seed in SEEDS.items():
    with open(os.path.join(sys.argv[1], "request-" + name), "wb") as f:
        f.write(seed)
