# SPDX-License-Identifier: GPL-2.0-or-later
"""Network cards on our device model and on QEMU, the back ends, and what the fuzz targets start from."""
import os
import shutil
import subprocess

import nic
import pc
import test_ne2k
import test_net
import test_rtl8139
import test_unplug

NAME = "check-dm-net"
HERE = os.path.dirname(os.path.abspath(__file__))
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
        results.on(program, name, lambda: bench.run(test))
    results.run("%s %s end" % (kind, model), bench.close)


def replay(program):
    """What the fuzz target starts from, and what it once found, once."""
    folder = os.path.join(HERE, "..", "..", "regress", os.path.basename(program))
    r = subprocess.run([program] + [os.path.join(folder, name) for name in sorted(os.listdir(folder))],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert r.returncode == 0, r.stderr[-2000:]


def arguments(parser):
    parser.add_argument("--device-model", required=True)
    parser.add_argument("--replay", action="append", default=[], help="a fuzz target without fuzzer")


def run(results, args):
    program, work = os.path.abspath(args.device_model), args.work
    for module, model in ((test_rtl8139, "rtl8139"), (test_ne2k, "ne2k_pci"), (test_ne2k, "ne2k_isa")):
        for kind, path in (("plinth", program), ("qemu", shutil.which(QEMU))):
            run_module(results, module, model, kind, path, work)
    for module in (test_net, test_unplug):
        for test in module.TESTS:
            results.test(module, test, lambda: test(program, work))
    for path in args.replay:
        if results.wants("replay"):
            results.run("replay " + os.path.basename(path), lambda: replay(path))
