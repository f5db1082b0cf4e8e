# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest goes from one process to another (xl migrate): its image has one writer, and goes with it."""
import fcntl
import os
import shutil
import struct
import subprocess

from ide import Drive, ERR
import pc
from qmp import Qmp

SECTORS = 65536
# QEMU's lock protocol: byte 101 is locked, shared, by whoever writes.
WRITER_BYTE = 101


def written_by_somebody(path):
    with open(path, "rb+") as f:
        lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, WRITER_BYTE, 1, 0)
        return struct.unpack("hhqqi4x", fcntl.fcntl(f, fcntl.F_OFD_GETLK, lock))[0] != fcntl.F_UNLCK


class Side:
    """One of the two processes, in a folder of its own."""

    def __init__(self, program, work, name, path, fmt, state=None):
        folder = os.path.join(work, "handed-" + name)
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
        socket = os.path.join(folder, "qmp")
        argv = [program, "-m", "128", "-drive", "file=%s,if=ide,index=0%s" % (path, fmt and ",format=" + fmt or ""),
                "-chardev", "socket,id=libxl-cmd,path=%s,server=on,wait=off" % socket,
                "-mon", "chardev=libxl-cmd,mode=control", "-S"]
        fds = ()
        if state:
            fds = (os.open(state, os.O_RDONLY),)
            argv += ["-incoming", "fd:%d" % fds[0]]
        self.pc = pc.Pc("plinth", argv, folder, fds)
        for fd in fds:
            os.close(fd)
        self.monitor = Qmp(socket)
        self.drive = Drive(self.pc)

    def go_on(self):
        """Whether the guest runs then."""
        return "return" in self.monitor.raw('{"execute": "cont"}')

    def write(self, lba, data):
        self.pc.write(0x100000, data)
        self.drive.dma(0x35, [(0x100000, len(data))], False, lba=lba, count=len(data) // 512, ext=True)
        assert not self.drive.wait_idle() & ERR

    def read(self, lba, size):
        self.drive.dma(0x25, [(0x100000, size)], True, lba=lba, count=size // 512, ext=True)
        assert not self.drive.wait_idle() & ERR
        return self.pc.read(0x100000, size)

    def leave(self, state):
        self.monitor.run("stop")
        self.monitor.run("xen-save-devices-state", filename=state, live=True)

    def end(self):
        self.pc.kill()


def hand_over(program, work, path, fmt):
    state = os.path.join(work, "handed-over")
    old = Side(program, work, "old", path, fmt)
    assert written_by_somebody(path), "a guest that has not begun has no image"
    assert old.go_on()
    first, second = os.urandom(65536), os.urandom(65536)
    old.write(8, first)
    old.leave(state)
    assert not written_by_somebody(path), "a guest that left keeps its image"
    new = Side(program, work, "new", path, fmt, state)
    assert not written_by_somebody(path), "a guest that is coming has the image"
    # The migration fails: the guest goes on where it was, and the other process does not get it.
    assert old.go_on() and written_by_somebody(path)
    assert not new.go_on(), "two write to the image"
    old.write(30000, second)
    old.leave(state)
    # It succeeds: what was written since the image was opened is seen.
    assert new.go_on() and written_by_somebody(path)
    assert not old.go_on(), "two write to the image"
    old.end()
    assert new.read(8, 65536) == first and new.read(30000, 65536) == second
    new.write(8, second)
    new.monitor.run("stop")
    new.monitor.run("xen-save-devices-state", filename=state, live=False)
    assert written_by_somebody(path), "the image of a guest that is saved is free"
    new.monitor.run("quit")
    new.pc.proc.wait(20)
    new.pc.close()
    assert not written_by_somebody(path)
    last = Side(program, work, "last", path, fmt, state)
    assert last.go_on() and last.read(8, 65536) == second
    last.end()


def test_raw_handed_over(program, work, _):
    path = os.path.join(work, "handed-over.raw")
    with open(path, "wb") as f:
        f.truncate(SECTORS * 512)
    hand_over(program, work, path, "raw")
    os.unlink(path)


def test_looked_at_later(program, work, _):
    """What the image holds while it is another's says nothing; an image that is no raw one then is not taken."""
    path, state = os.path.join(work, "handed-over.raw"), os.path.join(work, "handed-over")
    with open(path, "wb") as f:
        f.truncate(SECTORS * 512)
    old = Side(program, work, "old", path, None)
    old.leave(state)

    def begins(data):
        with open(path, "rb+") as f:
            f.write(data)
    begins(b"QFI\xfb")
    new = Side(program, work, "new", path, None, state)
    assert not new.go_on() and not written_by_somebody(path)
    begins(bytes(4))
    assert new.go_on() and written_by_somebody(path)
    begins(b"QFI\xfb")  # as the guest may
    new.leave(state)
    assert new.go_on()
    old.end()
    new.end()
    os.unlink(path)


def test_qcow2_handed_over(program, work, _):
    if not shutil.which("qemu-img"):
        return
    base, path = os.path.join(work, "handed-base.raw"), os.path.join(work, "handed-over.qcow2")
    with open(base, "wb") as f:
        f.truncate(SECTORS * 512)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", path], check=True)
    hand_over(program, work, path, "qcow2")
    subprocess.run(["qemu-img", "check", "-q", path], check=True)
    os.unlink(path)
    os.unlink(base)

TESTS = [f for n, f in sorted(globals().items()) if n.startswith("test_")]
