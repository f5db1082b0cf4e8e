# SPDX-License-Identifier: GPL-2.0-or-later
"""Register scripts on our device model and on QEMU; the process around it, its state and its confinement."""
import os

import ide
import pc
import test_atapi
import test_chipset
import test_confine
import test_disks
import test_dma
import test_floppy
import test_handover
import test_ide
import test_peer
import test_process
import test_state
import test_storage
import test_usb
from bench import QEMU_OPTIONS, Bench, kinds, run_scripts

NAME = "check-device-model"


class Images:
    """A disk and a CD with random contents; now() is what the disk's file holds at this moment."""

    def __init__(self, work):
        self.work = work
        self.disk = os.urandom(test_ide.SECTORS * 512)
        self.cd = os.urandom(test_atapi.CD_SECTORS * 2048)
        self.disk_path = os.path.join(work, "disk.img")
        self.cd_path = os.path.join(work, "cd.img")
        self.write()

    def write(self):
        for path, data in ((self.disk_path, self.disk), (self.cd_path, self.cd)):
            with open(path, "wb") as f:
                f.write(data)

    def now(self):
        with open(self.disk_path, "rb") as f:
            return f.read()


def drives(images):
    return ["-drive", "file=%s,if=ide,index=0,format=raw,cache=writeback" % images.disk_path,
            "-drive", "file=%s,if=ide,index=2,media=cdrom,format=raw" % images.cd_path,
            "-m", "128", "-boot", "order=dca"]


def shared(kind, program, work):
    """A machine with drives for several scripts: each finds them reset, and the images fresh."""
    images = Images(work)

    def begin(_):
        images.write()
        argv = [program] + drives(images)
        return pc.Pc(kind, argv + (["-machine", "pc", "-S"] + QEMU_OPTIONS if kind == "qemu" else []), work), images

    def again(machine, _):
        images.write()
        ide.Drive(machine, 0).reset()
        ide.Drive(machine, 1).reset()
    return begin, again


def own(module, kind, program, work):
    """What the module itself starts for each script."""
    argv = [program]
    if kind == "qemu":
        # Its clock has to run, but not its firmware: the CPU halts at once.
        halt = os.path.join(work, "halt.bin")
        with open(halt, "wb") as f:
            f.write(b"\xfa\xf4" * 32768)
        argv += ["-machine", "pc,usb=off", "-bios", halt] + QEMU_OPTIONS
    return lambda test: module.start(kind, argv, work, test)


def arguments(parser):
    parser.add_argument("--device-model", required=True)


def run(results, args):
    program, work = os.path.abspath(args.device_model), args.work
    for module in (test_chipset, test_ide, test_atapi):
        for kind, path in kinds(program):
            begin, again = shared(kind, path, work)
            # The chipset's registers have no common reset.
            bench = Bench(begin, None if module is test_chipset else again)
            run_scripts(results, path, "%s %s." % (kind, module.__name__[5:]), module.TESTS, bench)
    for module in (test_disks, test_dma, test_floppy, test_usb, test_peer):
        for kind, path in kinds(program):
            run_scripts(results, path, "%s %s." % (kind, module.__name__[5:]), module.TESTS,
                        Bench(own(module, kind, path, work)))
    for module in (test_process, test_state, test_handover, test_storage, test_confine):
        for test in module.TESTS:
            results.test(module, test, lambda: test(program, work, Images(work)))
