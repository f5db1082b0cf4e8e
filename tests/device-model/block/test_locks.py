# SPDX-License-Identifier: GPL-2.0-or-later
"""Who else may use an image while it is in use: we must answer, and be answered, as QEMU is."""
import os
import shutil
import subprocess

from disk import MIB, Disk, Refused, check, create, img, run

GUEST = "qemu-system-x86_64"


class Qemu:
    """A machine of QEMU's with the image as its disk; it never runs."""

    def __init__(self, path, fmt, *options):
        drive = "file=%s,format=%s,if=%s" % (path, fmt, "none,readonly=on,id=d" if "ro" in options else "ide")
        device = ["-device", "ide-cd,drive=d"] if "ro" in options else []
        self.proc = subprocess.Popen(
            [GUEST, "-machine", "pc", "-accel", "tcg", "-S", "-qtest", "stdio", "-display", "none", "-nodefaults",
             "-drive", drive, *device],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.proc.stdin.write(b"endianness\n")
        try:
            self.proc.stdin.flush()
        except BrokenPipeError:
            pass
        if b"little" not in self.proc.stdout.readline():
            raise Refused(self.proc.communicate()[1].decode(errors="replace"))

    def kill(self):
        self.proc.kill()
        self.proc.communicate()


class Nbd:
    """qemu-nbd, exporting the image."""

    def __init__(self, path, fmt, *options):
        self.pid_file = path + ".nbd-pid"
        argv = ["qemu-nbd", "-f", fmt, "-k", path + ".nbd", "--pid-file", self.pid_file, "--fork", "-t",
                *(["-r"] if "ro" in options else []), path]
        # --fork answers when the image is open; its child keeps a pipe's end, so no pipe.
        with open(path + ".nbd-log", "wb+") as log:
            if subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log).returncode:
                log.seek(0)
                raise Refused(log.read().decode(errors="replace"))

    def kill(self):
        with open(self.pid_file, encoding="ascii") as f:
            pid = int(f.read())
        os.kill(pid, 9)
        while os.path.exists("/proc/%d/fd/0" % pid):
            pass


def tool(*argv):
    """A command that ends by itself: True when it got the image."""
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = p.stdout.decode(errors="replace")
    # qemu-io ends with 0 whatever it could not open.
    lost = "lock" in text or p.returncode != 0
    assert not lost or "lock" in text, "%s: %s" % (" ".join(argv), text)
    return not lost


def opens(kind, path, fmt, *options):
    try:
        kind(path, fmt, *options).kill()
    except Refused as e:
        assert "lock" in str(e) or "in use" in str(e), e
        return False
    return True


# What others do with an image: name, formats, function of path and format.
USES = [
    ("info", "raw qcow2", lambda p, f: tool("qemu-img", "info", "-f", f, p)),
    ("info -U", "raw qcow2", lambda p, f: tool("qemu-img", "info", "-U", "-f", f, p)),
    ("check", "qcow2", lambda p, f: tool("qemu-img", "check", "-f", f, p)),
    ("snapshot -c", "qcow2", lambda p, f: tool("qemu-img", "snapshot", "-c", "s", p)),
    ("resize", "raw qcow2", lambda p, f: tool("qemu-img", "resize", "-f", f, p, "+1M")),
    ("convert", "raw qcow2", lambda p, f: tool("qemu-img", "convert", "-f", f, "-O", "raw", p, p + ".copy")),
    ("amend", "qcow2", lambda p, f: tool("qemu-img", "amend", "-f", f, "-o", "lazy_refcounts=on", p)),
    ("read", "raw qcow2", lambda p, f: tool("qemu-io", "-r", "-f", f, "-c", "read 0 512", p)),
    ("write", "raw qcow2", lambda p, f: tool("qemu-io", "-f", f, "-c", "write 0 512", p)),
    ("nbd", "raw qcow2", lambda p, f: opens(Nbd, p, f)),
    ("nbd -r", "raw qcow2", lambda p, f: opens(Nbd, p, f, "ro")),
]
GUESTS = [("disk", []), ("cd", ["ro"])]


def image(work, fmt):
    path = os.path.join(work, "d." + fmt)
    if os.path.exists(path):
        os.unlink(path)
    if fmt == "raw":
        img("create", "-q", "-f", "raw", path, str(4 * MIB))
    else:
        create(path, 4 * MIB)
    return path


def holders(work, fmt, kind):
    """The image held in each way by kind: name, image, what ends it."""
    for name, options in GUESTS:
        path = image(work, fmt)
        yield name, path, kind(path, fmt, *options)
    path = image(work, fmt)
    top = os.path.join(work, "top.qcow2")
    create(top, None, backing=path, fmt=fmt)
    yield "backing file", path, kind(top, "qcow2")


def table(work, fmt, kind):
    """What others get while kind has the image."""
    got = {}
    for name, path, held in holders(work, fmt, kind):
        try:
            for use, formats, function in USES:
                if fmt in formats.split():
                    got[name, use] = function(path, fmt)
            for guest, options in GUESTS:
                got[name, "QEMU's " + guest] = opens(Qemu, path, fmt, *options)
                got[name, "our " + guest] = opens(Disk, path, fmt, *options)
        finally:
            held.kill()
        if fmt == "qcow2":
            check(path)
    return got


def compare(work, fmt):
    if not shutil.which(GUEST) or not shutil.which("qemu-nbd"):
        return
    ours, theirs = table(work, fmt, Disk), table(work, fmt, Qemu)
    assert ours == theirs, {k: (ours[k], theirs[k]) for k in ours if ours[k] != theirs[k]}
    for name, use in ours:
        if use.startswith("our "):
            assert ours[name, use] == ours[name, "QEMU's " + use[4:]], (name, use)
    assert not ours["disk", "our disk"] and not ours["disk", "write"] and ours["cd", "our cd"]
    assert not ours["backing file", "write"] and ours["backing file", "our cd"]


def test_raw_as_qemu(work):
    compare(work, "raw")


def test_qcow2_as_qemu(work):
    compare(work, "qcow2")


def test_snapshot_of_a_running_guest(work):
    path = image(work, "qcow2")
    d = Disk(path)
    d.write(0, b"a" * 65536)
    assert not tool("qemu-img", "snapshot", "-c", "s", path)
    d.write(MIB, b"b" * 65536)
    d.command("f 0 0")
    d.kill()
    check(path)
    assert "s" not in run("qemu-img", "snapshot", "-l", path).split()


TESTS = [f for n, f in sorted(globals().items()) if n.startswith("test_")]
