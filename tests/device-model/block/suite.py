# SPDX-License-Identifier: GPL-2.0-or-later
"""Image formats: the block layer as a program, with qemu-img as the judge."""
import os
import shutil
import sys
import tempfile

import disk
import test_crash
import test_failing
import test_limits
import test_locks
import test_qcow2

NAME = "check-dm-block"
MODULES = (test_qcow2, test_limits, test_locks, test_failing, test_crash)


def run_one(test, folder):
    """In memory, because the tests wait for stable storage thousands of times. A failed test's files stay."""
    work = tempfile.mkdtemp(prefix="blk-", dir="/dev/shm" if os.path.isdir("/dev/shm") else folder)
    try:
        test(work)
    except Exception:
        print("files in " + work)
        raise
    shutil.rmtree(work)


def arguments(parser):
    parser.add_argument("--blockio", required=True)
    parser.add_argument("--soak", type=int, default=0)


def run(results, args):
    disk.Disk.program = os.path.abspath(args.blockio)
    if not shutil.which("qemu-img"):
        results.skip("block", 1, "qemu-img is missing (package qemu-utils)")
        return
    if args.soak:
        sys.exit(test_crash.soak(args.work, args.soak))
    for module in MODULES:
        for test in module.TESTS:
            results.test(module, test, lambda: run_one(test, args.work))
