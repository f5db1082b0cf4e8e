# SPDX-License-Identifier: GPL-2.0-or-later
"""Network cards on our device model and on QEMU, the back ends, and what the fuzz targets start from."""
import os
import subprocess

import nic
import pc
import test_ne2k
import test_net
import test_rtl8139
import test_unplug
from bench import QEMU_OPTIONS, Bench, kinds, run_scripts

NAME = "check-dm-net"
HERE = os.path.dirname(os.path.abspath(__file__))


def idle_bios(work):
    """Firmware that halts: a stopped machine would not receive, a running BIOS would interfere."""
    path = os.path.join(work, "idle.bin")
    with open(path, "wb") as f:
        f.write(b"\xfa\xf4\xeb\xfd".rjust(65536 - 12, b"\x90") + bytes(12))
    return path


def bench(kind, program, work, model):
    """One machine with one card and its wire, for all scripts of a module until one fails."""
    def begin(_):
        wire = nic.Wire(work, kind)
        argv = [program, "-m", "64", "-netdev", wire.netdev(), "-device", "%s,netdev=n0,mac=00:16:3e:01:02:03" % model]
        argv[-1] += "" if model == "ne2k_isa" else ",addr=04,romfile="
        if kind == "qemu":
            argv += ["-machine", "pc", "-bios", idle_bios(work)] + QEMU_OPTIONS
        return pc.Pc(kind, argv, work), wire
    return Bench(begin, lambda *_: None, lambda wire: wire.close())


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
        for kind, path in kinds(program):
            run_scripts(results, path, "%s %s." % (kind, model),
                        module.TESTS + (module.OURS if kind == "plinth" else []), bench(kind, path, work, model))
    for module in (test_net, test_unplug):
        for test in module.TESTS:
            results.test(module, test, lambda: test(program, work))
    for path in args.replay:
        if results.wants("replay"):
            results.run("replay " + os.path.basename(path), lambda: replay(path))
