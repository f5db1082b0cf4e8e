#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Seeds for fuzz_qcow2, from qemu-img: make_seeds.py FOLDER. Clusters of 512 bytes keep them small."""
import os
import random
import sys
import tempfile

import disk

CASES = {
    "plain": ((), 3, ["write -P 1 0 4k", "write -z 8k 4k"], False, False),
    "v2": ((), 2, ["write -P 1 0 4k"], False, False),
    "bits1": (("refcount_bits=1",), 3, ["write -P 1 0 4k"], False, False),
    "bits64": (("refcount_bits=64",), 3, ["write -P 1 0 4k"], False, False),
    "compressed": ((), 3, ["write -c -P 1 0 512", "write -c -P 2 512 512"], False, False),
    "snapshot": ((), 3, ["write -P 1 0 8k"], True, False),
    "dirty": (("lazy_refcounts=on",), 3, ["write -P 1 0 8k"], True, True),
}


def main(folder):
    rng = random.Random(1)
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        for name, (options, v, commands, snapshot, kill) in CASES.items():
            path = os.path.join(work, name)
            disk.create(path, 64 << 10, "cluster_size=512", *options, v=v)
            if snapshot:
                disk.qemu_io(path, "write -P 9 0 2k")
                disk.img("snapshot", "-c", "s", path)
            disk.qemu_io(path, *commands, *(["flush", "sigraise 9"] if kill else []),
                         ok=(-9,) if kill else (0,))
            script = b"".join(bytes([rng.randrange(5), rng.randrange(128), 0, 0, rng.randrange(12),
                                     rng.randrange(256)]) for _ in range(16))
            with open(path, "rb") as f, open(os.path.join(folder, name), "wb") as out:
                out.write(script + f.read())


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    main(sys.argv[1])
