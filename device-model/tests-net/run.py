#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Network cards on our device model and on QEMU: run.py --device-model PROGRAM --work FOLDER [NAME...]

A script that fails on QEMU is wrong itself, so it counts as failed as well. Without QEMU installed the
scripts run on ours alone and the comparison counts as skipped.
"""
import argparse
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tests"))
sys.path.insert(0, HERE)

import nic
import pc
import scratch
import test_ne2k
import test_net
import test_rtl8139
import test_unplug
from results import Results

QEMU = "qemu-system-x86_64"


def idle_bios(work):
    """Firmware that halts: a stopped machine would not receive, a running BIOS would interfere."""
    path = os.path.join(work, "idle.bin")
    with open(path, "wb") as f:
        f.write(b"\xfa\xf4\xeb\xfd".rjust(65536 - 12, b"\x90") + bytes(12))
    return path


class Bench:
    """One machine with one card and its wire, for all scripts of a module until one fails."""

    def __init__(self, kind, program, work, model):
        self.kind, self.program, self.work, self.model = kind, program, work, model
        self.machine = None

    def start(self):
        self.wire = nic.Wire(self.work, self.kind)
        argv = [self.program, "-m", "64", "-netdev", self.wire.netdev(), "-device",
                "%s,netdev=n0,mac=00:16:3e:01:02:03" % self.model]
        argv[-1] += "" if self.model == "ne2k_isa" else ",addr=04,romfile="
        if self.kind == "qemu":
            argv += ["-machine", "pc", "-accel", "tcg", "-nodefaults", "-display", "none",
                     "-qtest-log", "/dev/null", "-bios", idle_bios(self.work)]
        self.machine = pc.Pc(self.kind, argv, self.work)

    def run(self, test):
        if not self.machine:
            self.start()
        try:
            test(self.machine, self.wire)
        except BaseException:
            self.machine.kill()
            self.machine = None
            raise

    def close(self):
        if self.machine:
            self.machine.close()
            self.wire.close()


def run_module(results, module, model, kind, program, work):
    bench = Bench(kind, program, work, model)
    for test in module.TESTS + (module.OURS if kind == "plinth" else []):
        name = "%s %s.%s" % (kind, model, test.__name__[5:])
        if not results.wants(name):
            continue
        if not program:
            results.skipped += 1
            continue
        results.run(name, lambda: bench.run(test))
    results.run("%s %s end" % (kind, model), bench.close)


def replay(program):
    """What the fuzz target starts from, and what it once found, once."""
    folder = os.path.join(HERE, "..", "..", "tests", "regress", program.rsplit("-", 1)[1])
    r = subprocess.run([program] + [os.path.join(folder, name) for name in sorted(os.listdir(folder))],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert r.returncode == 0, r.stderr[-2000:]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device-model", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--replay", action="append", default=[], help="a fuzz target without fuzzer")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    shutil.rmtree(args.work, ignore_errors=True)
    program, work = os.path.abspath(args.device_model), scratch.folder(args.work)
    os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0")
    results = Results(args.names)
    for module, model in ((test_rtl8139, "rtl8139"), (test_ne2k, "ne2k_pci"), (test_ne2k, "ne2k_isa")):
        for kind, path in (("plinth", program), ("qemu", shutil.which(QEMU))):
            run_module(results, module, model, kind, path, work)
    for module in (test_net, test_unplug):
        for test in module.TESTS:
            name = "%s.%s" % (module.__name__[5:], test.__name__[5:])
            if results.wants(name):
                results.run(name, lambda: test(program, work))
    for path in args.replay:
        if results.wants("replay"):
            results.run(os.path.basename(path), lambda: replay(path))
    print("check-dm-net: %d passed, %d failed, %d skipped"
          % (results.passed, results.failed, results.skipped))
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
