# SPDX-License-Identifier: GPL-2.0-or-later
"""A host's disk that fails: the guest hears of it, and what was acknowledged and flushed stays."""
import os

from disk import MIB, Disk, Model, check, create

SIZE = 4 * MIB


def image(work, fmt):
    path = os.path.join(work, "failing." + fmt)
    if os.path.exists(path):
        os.unlink(path)
    if fmt == "raw":
        with open(path, "wb") as f:
            f.truncate(SIZE)
    else:
        create(path, SIZE, "cluster_size=4096")
    return path


def contents(path, fmt):
    disk = Disk(path, fmt, "ro")
    data = disk.read(0, SIZE)
    disk.close()
    return data


def test_write_errors(work):
    """The n-th write of the host fails, be it data or a table: an error, and then all goes on."""
    for fmt, steps in (("raw", 3), ("qcow2", 24)):
        for skip in range(steps):
            path = image(work, fmt)
            model = Model(SIZE, seed=skip)
            disk = Disk(path, fmt, "discard")
            for at in range(0, 8 * 65536, 65536):
                data = model.rng.randbytes(8192)
                disk.write(at, data)
                model.data[at:at + 8192] = data
            disk.flush()
            disk.command("fail w %d 1" % skip)
            doubtful = []
            for at in range(16 * 65536, 40 * 65536, 65536):
                data = model.rng.randbytes(12288)
                disk.send("w %d %d" % (at, len(data)), data)
                got = disk.reply()
                assert got in ("ok", "error 5"), got
                if got == "ok":
                    model.data[at:at + len(data)] = data
                else:
                    doubtful.append(at)
            disk.send("f")
            flushed = disk.reply()
            assert flushed in ("ok", "error 5"), flushed
            assert len(doubtful) == 1 or flushed == "error 5", "%s, write %d: nobody heard of it" % (fmt, skip)
            disk.flush()
            for at in doubtful:
                again = model.rng.randbytes(12288)
                disk.write(at, again)
                model.data[at:at + 12288] = again
            disk.flush()
            disk.kill()
            assert contents(path, fmt) == model.data, "%s, write %d: lost data" % (fmt, skip)
            if fmt == "qcow2":
                check(path, leaks=True)


def test_sync_error(work):
    """A flush that failed once fails until the image is opened again: the host has dropped what it had."""
    for fmt in ("raw", "qcow2"):
        path = image(work, fmt)
        disk = Disk(path, fmt)
        disk.write(0, b"a" * 4096)
        disk.command("fail s 0 1")
        disk.command("f", want="error 5")
        disk.write(65536, b"b" * 4096)
        for _ in range(3):
            disk.command("f", want="error 5")
        disk.kill()
        disk = Disk(path, fmt)
        disk.write(0, b"c" * 4096)
        disk.flush()
        assert disk.read(0, 4096) == b"c" * 4096
        disk.close()
        if fmt == "qcow2":
            check(path, leaks=True)


def test_read_errors(work):
    """A read that fails is an error of that read only; tables that could not be read do no harm."""
    for fmt in ("raw", "qcow2"):
        path = image(work, fmt)
        model = Model(SIZE, seed=9)
        disk = Disk(path, fmt)
        for at in range(0, SIZE, 65536):
            data = model.rng.randbytes(65536)
            disk.write(at, data)
            model.data[at:at + 65536] = data
        disk.close()
        for skip in range(6):
            disk = Disk(path, fmt)
            disk.command("fail r %d 1" % skip)
            errors = 0
            for at in range(0, SIZE, 524288):
                disk.send("r %d 4096" % at)
                got = disk.reply()
                if got.startswith("ok"):
                    assert disk.proc.stdout.read(4096) == model.data[at:at + 4096]
                else:
                    assert got == "error 5", got
                    errors += 1
            assert errors == 1, "%s: %d errors" % (fmt, errors)
            disk.command("fail x 0 0")
            assert disk.read(0, SIZE) == model.data
            new = model.rng.randbytes(4096)
            disk.write(65536 * skip, new)
            model.data[65536 * skip:65536 * skip + 4096] = new
            disk.close()
        if fmt == "qcow2":
            model.check(path)


def test_stop_and_go(work):
    """werror=stop: the write waits while the disk fails, and is done when it no longer does."""
    for fmt in ("raw", "qcow2"):
        path = image(work, fmt)
        disk = Disk(path, fmt, "stop")
        disk.command("fail w 0 2")
        disk.send("w 8192 4096", b"q" * 4096)
        assert disk.reply() == "stopped"
        disk.command("retry", want="stopped")
        disk.command("retry")
        disk.flush()
        disk.kill()
        assert contents(path, fmt)[8192:12288] == b"q" * 4096


TESTS = [f for n, f in sorted(globals().items()) if n.startswith("test_")]
