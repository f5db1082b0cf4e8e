#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The device model's tests: run.py SUITE --work FOLDER [the suite's options] [NAME...]

A suite is a folder beside this; its suite.py has NAME, arguments(parser) and run(results, args). A name chooses the
tests that have it in theirs. Register scripts run on our device model and on QEMU: one that fails on QEMU is wrong
itself, so it counts as failed as well. Without QEMU installed they run on ours alone, and the comparison is skipped.
"""
import argparse
import importlib.util
import os
import shutil
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
SUITES = ("hw", "ui", "net", "block")
sys.path[:0] = [HERE] + [os.path.join(HERE, suite) for suite in SUITES]

import scratch
from results import Results


def load(suite):
    spec = importlib.util.spec_from_file_location("suite", os.path.join(HERE, suite, "suite.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    suite = load(sys.argv[1]) if sys.argv[1:] and sys.argv[1] in SUITES else None
    parser = argparse.ArgumentParser()
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--work", required=True)
    parser.add_argument("names", nargs="*")
    if suite:
        suite.arguments(parser)
    args = parser.parse_intermixed_args()
    shutil.rmtree(args.work, ignore_errors=True)
    args.work = scratch.folder(args.work)
    os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0")
    results = Results(args.names)
    suite.run(results, args)
    print("%s: %d passed, %d failed, %d skipped" % (suite.NAME, results.passed, results.failed, results.skipped))
    return 0 if not results.failed and results.passed + results.skipped else 1


if __name__ == "__main__":
    sys.exit(main())
