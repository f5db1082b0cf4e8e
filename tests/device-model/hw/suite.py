# SPDX-License-Identifier: GPL-2.0-or-later
"""Register scripts on our device model and on QEMU; the process around it, its state and its confinement."""
import os
import shutil

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

NAME = "check-device-model"
QEMU = "qemu-system-x86_64"


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


def start(kind, program, images):
    argv = [program] + drives(images)
    if kind == "qemu":
        argv += ["-machine", "pc", "-accel", "tcg", "-S", "-qtest-log", "/dev/null", "-nodefaults", "-display", "none"]
    return pc.Pc(kind, argv, images.work)


class Bench:
    """A machine that serves several scripts: each finds its drives reset and the images fresh."""

    def __init__(self, kind, program, work):
        self.kind, self.program, self.work = kind, program, work
        self.images = Images(work)
        self.machine = None

    def run(self, test):
        self.images.write()
        if not self.machine:
            self.machine = start(self.kind, self.program, self.images)
        else:
            ide.Drive(self.machine, 0).reset()
            ide.Drive(self.machine, 1).reset()
        try:
            test(self.machine, self.images)
        except BaseException:
            self.machine.kill()
            self.machine = None
            raise

    def close(self):
        if self.machine:
            self.machine.close()
        self.machine = None


def run_module(results, module, kind, program, work):
    bench = Bench(kind, program, work)
    for test in module.TESTS:
        name = kind + " " + module.__name__[5:] + "." + test.__name__[5:]
        results.on(program, name, lambda: bench.run(test))
        if module is test_chipset:
            bench.close()  # its registers have no common reset
    results.run(kind + " end", bench.close)


def qemu_options(work):
    """QEMU's clock has to run, but not its firmware: the CPU halts at once."""
    halt = os.path.join(work, "halt.bin")
    with open(halt, "wb") as f:
        f.write(b"\xfa\xf4" * 32768)
    return ["-machine", "pc,usb=off", "-accel", "tcg", "-bios", halt, "-qtest-log", "/dev/null",
            "-nodefaults", "-display", "none"]


def run_own(results, module, kind, program, work):
    """Scripts with a machine of the module's own, fresh for each."""
    def one(test):
        machine, images = module.start(kind, [program] + (qemu_options(work) if kind == "qemu"
                                                          else []), work, test)
        try:
            test(machine, images)
        except BaseException:
            machine.kill()
            raise
        machine.close()

    for test in module.TESTS:
        name = kind + " " + module.__name__[5:] + "." + test.__name__[5:]
        results.on(program, name, lambda: one(test))


def arguments(parser):
    parser.add_argument("--device-model", required=True)


def run(results, args):
    program, work = os.path.abspath(args.device_model), args.work
    qemu = shutil.which(QEMU)
    for module in (test_chipset, test_ide, test_atapi):
        for kind, path in (("plinth", program), ("qemu", qemu)):
            run_module(results, module, kind, path, work)
    for module in (test_disks, test_dma, test_floppy, test_usb, test_peer):
        for kind, path in (("plinth", program), ("qemu", qemu)):
            run_own(results, module, kind, path, work)
    for module in (test_process, test_state, test_handover, test_storage, test_confine):
        for test in module.TESTS:
            results.test(module, test, lambda: test(program, work, Images(work)))
