#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Image format tests: run.py --blockio PROGRAM --work FOLDER [--soak SECONDS] [NAME...]"""
import argparse
import os
import shutil
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import disk
import test_crash
import test_failing
import test_limits
import test_locks
import test_qcow2

MODULES = (test_qcow2, test_limits, test_locks, test_failing, test_crash)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--blockio", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--soak", type=int, default=0)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    disk.Disk.program = os.path.abspath(args.blockio)
    if not shutil.which("qemu-img"):
        print("check-dm-block: skipped, qemu-img is missing (package qemu-utils)")
        return 0
    os.makedirs(args.work, exist_ok=True)
    if args.soak:
        return test_crash.soak(args.work, args.soak)
    passed = failed = 0
    for module in MODULES:
        for test in module.TESTS:
            name = module.__name__[5:] + "." + test.__name__[5:]
            if args.names and not any(w in name for w in args.names):
                continue
            begin = time.monotonic()
            # Memory, because the tests wait for stable storage thousands of times.
            work = tempfile.mkdtemp(prefix="blk-", dir="/dev/shm" if os.path.isdir("/dev/shm") else args.work)
            try:
                test(work)
                passed += 1
                shutil.rmtree(work)
            except Exception as e:
                failed += 1
                print("FAIL %s: %s (files in %s)" % (name, e, work))
                if os.environ.get("V") or not isinstance(e, AssertionError):
                    traceback.print_exc()
            if os.environ.get("V"):
                print("%5.2f s  %s" % (time.monotonic() - begin, name))
    print("check-dm-block: %d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
