# SPDX-License-Identifier: GPL-2.0-or-later
"""A full host, images that are refused, and images that lie."""
import os
import resource
import struct

from disk import MIB, Disk, Model, Refused, check, create, img, qemu_io


def refused(path, want, *options, fmt="qcow2"):
    try:
        Disk(path, fmt, *options).kill()
    except Refused as e:
        assert want in str(e), "refused for another reason: %s" % e
        return
    raise AssertionError("%s was accepted" % path)


def patch(path, offset, data):
    with open(path, "r+b") as f:
        f.seek(offset)
        f.write(data)


def field(path, offset, fmt):
    with open(path, "rb") as f:
        f.seek(offset)
        return struct.unpack(fmt, f.read(struct.calcsize(fmt)))[0]


def grow_until(disk, model, answer):
    """Write 64 KiB pieces until one gives this answer; its offset."""
    for at in range(0, model.size, 65536):
        data = model.rng.randbytes(65536)
        disk.send("w %d 65536" % at, data)
        got = disk.reply()
        if got != "ok":
            assert got == answer, got
            return at, data
        model.data[at:at + 65536] = data
    raise AssertionError("the host never was full")


def test_full_reported(work):
    """RLIMIT_FSIZE: the guest sees the error, what was there stays, and there is room after a discard."""
    for cluster in (4096, 65536):
        path = os.path.join(work, "full.qcow2")
        create(path, 16 * MIB, "cluster_size=%d" % cluster)
        model = Model(16 * MIB)
        disk = Disk(path, "qcow2", "discard", file_limit=3 * MIB)
        at, _ = grow_until(disk, model, "error 27")
        disk.write(at, bytes(65536), want="error 27")
        assert disk.read(0, at) == model.data[:at]
        new = model.rng.randbytes(65536)
        disk.write(0, new)
        model.data[:65536] = new
        disk.discard(65536, 4 * 65536)
        model.data[65536:5 * 65536] = bytes(4 * 65536)
        disk.flush()
        disk.write(at, new)
        model.data[at:at + 65536] = new
        disk.close()
        # The piece that failed first may be there in part, as on any disk.
        disk = Disk(path, "qcow2", "ro")
        model.data[at + 65536:] = disk.read(at + 65536, 16 * MIB - at - 65536)
        disk.close()
        model.check(path)


def test_full_stops(work):
    """werror=stop: the request waits, and goes on when there is room; nothing is lost."""
    for fmt in ("qcow2", "raw"):
        path = os.path.join(work, "stop." + fmt)
        create(path, 8 * MIB, "cluster_size=4096")
        if fmt == "raw":
            os.truncate(path, 0)
        if fmt == "raw":
            with open(path, "wb") as f:
                f.truncate(2 * MIB + 512)
            # A raw disk of whole sectors does not grow: a limit below its size has the same effect.
        model = Model(2 * MIB + 512 if fmt == "raw" else 8 * MIB)
        disk = Disk(path, fmt, "stop", file_limit=MIB)
        at, data = grow_until(disk, model, "stopped")
        disk.command("retry", want="stopped")
        resource.prlimit(disk.proc.pid, resource.RLIMIT_FSIZE,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        disk.command("retry")
        model.data[at:at + 65536] = data
        disk.flush()
        disk.kill()
        if fmt == "qcow2":
            model.check(path, leaks=True)
        else:
            with open(path, "rb") as f:
                assert f.read() == model.data


def test_features_refused(work):
    path = os.path.join(work, "f.qcow2")
    cases = [(("extended_l2=on",), "extended L2"),
             (("data_file=%s" % os.path.join(work, "data"), "data_file_raw=off"), "external data"),
             (("compression_type=zstd",), "zlib")]
    for options, want in cases:
        create(path, 4 * MIB, *options)
        refused(path, want)
        os.unlink(path)
    create(path, MIB)
    patch(path, 32, struct.pack(">I", 2))
    refused(path, "encrypted")
    patch(path, 32, struct.pack(">I", 0))
    # A feature that the image names (qcow2.txt, "Feature name table": type, bit, 46 bytes of name).
    with open(path, "rb") as f:
        head = f.read(65536)
    at = head.index(struct.pack(">I", 0x6803f857)) + 8
    patch(path, at, struct.pack(">BB46s", 0, 40, b"quantum clusters"))
    patch(path, 72, struct.pack(">Q", 1 << 40))
    refused(path, "quantum clusters")
    patch(path, 72, struct.pack(">Q", 1 << 41))
    refused(path, "bits 0x20000000000")
    patch(path, 72, struct.pack(">Q", 2))
    refused(path, "corrupt")
    disk = Disk(path, "qcow2", "ro")
    assert disk.read(0, 512) == bytes(512)
    disk.close()
    with open(path, "wb") as f:
        f.write(b"x" * 65536)
    refused(path, "no qcow2")
    refused(path, "not supported", fmt="vmdk")


def test_odd_raw(work):
    """A raw file's last sector is made whole by what does not fit; where it cannot be, the guest hears of it."""
    path = os.path.join(work, "odd.raw")
    with open(path, "wb") as f:
        f.write(bytes(1000))
    for limit, tail, want, size in ((1000, b"\0", "ok", 1000), (1000, b"x", "error 27", 1000), (None, b"x", "ok", 1024)):
        disk = Disk(path, "raw", file_limit=limit)
        data = b"a" * 511 + tail if want == "ok" and tail != b"\0" else b"a" * 488 + bytes(23) + tail
        disk.write(512, data, want=want)
        assert want != "ok" or disk.read(512, 512) == data
        disk.flush()
        disk.close()
        assert os.stat(path).st_size == size, (limit, tail)


def test_not_raw(work):
    """An image of another format that nobody called raw is refused by its name; called raw, the log has a word."""
    for kind in ("qcow2", "vmdk", "vdi", "vpc", "vhdx"):
        path = os.path.join(work, kind)
        img("create", "-q", "-f", kind, path, "8M")
        name = "vhd" if kind == "vpc" else kind
        refused(path, "a %s image, not a raw one" % name, fmt="unsaid")
        refused(path, "qemu-img convert" if kind != "qcow2" else "say format=qcow2", fmt="unsaid")
        assert "begins as a %s image" % name in Disk(path, "raw").close(), name
    path = os.path.join(work, "descriptor")
    with open(path, "wb") as f:
        f.write(b"# Disk DescriptorFile\nversion=1\n" + bytes(512))
    refused(path, "a vmdk image", fmt="unsaid")
    for size in (0, 1, 70, 512, MIB):
        with open(path, "wb") as f:
            f.write(b"\x55" * size)
        Disk(path, "unsaid").close()


def test_compatible_features(work):
    """Bits that may be ignored are, and those that a writer has to clear are cleared."""
    path = os.path.join(work, "auto.qcow2")
    create(path, MIB)
    img("bitmap", "--add", path, "b0")
    patch(path, 80, struct.pack(">Q", 1 << 50))
    assert field(path, 88, ">Q") & 1
    disk = Disk(path, "qcow2", "ro")
    disk.close()
    assert field(path, 88, ">Q") & 1, "a reader changed the image"
    disk = Disk(path)
    disk.write(0, b"x" * 512)
    disk.close()
    assert field(path, 88, ">Q") == 0
    patch(path, 80, struct.pack(">Q", 0))
    check(path, leaks=True)


def test_backing_refused(work):
    """Circles, long chains, names that are no local files, formats nobody declared."""
    a, b = (os.path.join(work, n + ".qcow2") for n in "ab")
    create(a, MIB)
    create(b, MIB, backing=a, fmt="qcow2")
    img("rebase", "-u", "-b", b, "-F", "qcow2", a)
    refused(a, "circle")
    refused(b, "circle")
    img("rebase", "-u", "-b", "", a)
    img("rebase", "-u", "-b", a, "-F", "qcow2", b)
    with open(b, "rb") as f:
        patch(b, f.read(4096).index(struct.pack(">I", 0xe2792aca)), struct.pack(">I", 0x11111111))
    refused(b, "rebase -u -b")
    img("rebase", "-u", "-b", "nbd:localhost:1", "-F", "raw", b)
    refused(b, "not a local file")
    img("rebase", "-u", "-b", "/dev/zero", "-F", "raw", b)
    refused(b, "no disk image")
    fifo = os.path.join(work, "fifo")
    os.mkfifo(fifo)
    img("rebase", "-u", "-b", fifo, "-F", "raw", b)
    refused(b, "no disk image")
    below = a
    for i in range(18):
        path = os.path.join(work, "deep%d.qcow2" % i)
        img("create", "-q", "-u", "-f", "qcow2", "-b", below, "-F", "qcow2", path, "1M")
        below = path
    refused(below, "more than 16")
    Disk(os.path.join(work, "deep14.qcow2")).close()


def test_in_use(work):
    """One writer; readers share, also a backing file."""
    base, over = os.path.join(work, "base.qcow2"), os.path.join(work, "over.qcow2")
    create(base, MIB)
    create(over, MIB, backing=base, fmt="qcow2")
    first = Disk(over)
    refused(over, "in use")
    refused(base, "in use")
    Disk(base, "qcow2", "ro").close()
    first.close()
    Disk(base).close()


def damaged(work, change, want, write=True):
    """A filled image with something changed: refused, or errors and a corrupt mark, never other bytes."""
    path = os.path.join(work, "bad.qcow2")
    create(path, 4 * MIB, "cluster_size=65536")
    qemu_io(path, "write -P 5 0 1M")
    change(path)
    try:
        disk = Disk(path)
    except Refused as e:
        assert want in str(e), str(e)
        return
    if write:
        disk.write(0, b"y" * 512, want="error 5")
        assert field(path, 72, ">Q") & 2, "not marked corrupt"
        disk.write(2 * MIB, b"y" * 512, want="error 5")
    else:
        disk.command("r 0 512", want="error 5")
    err = disk.close() if not write else disk.end_text()
    assert want in err, err


def l2_at(path):
    return field(path, field(path, 40, ">Q"), ">Q") & 0x00fffffffffffe00


def test_damage(work):
    copied = 1 << 63
    damaged(work, lambda p: patch(p, 24, struct.pack(">Q", 1 << 62)), "L1 table")
    damaged(work, lambda p: patch(p, 36, struct.pack(">I", 1 << 30)), "L1 table")
    damaged(work, lambda p: patch(p, 40, struct.pack(">Q", 1 << 50)), "L1 table")
    damaged(work, lambda p: patch(p, 40, struct.pack(">Q", 65537)), "L1 table")
    damaged(work, lambda p: patch(p, 48, struct.pack(">Q", 1 << 50)), "refcount table")
    damaged(work, lambda p: patch(p, 56, struct.pack(">I", 1 << 30)), "refcount table")
    damaged(work, lambda p: patch(p, 20, struct.pack(">I", 40)), "clusters")
    damaged(work, lambda p: patch(p, 100, struct.pack(">I", 1 << 20)), "header")
    damaged(work, lambda p: patch(p, 96, struct.pack(">I", 9)), "refcounts")
    damaged(work, lambda p: patch(p, 8, struct.pack(">QI", 100, 1000)), "backing file")
    damaged(work, lambda p: patch(p, field(p, 40, ">Q"), struct.pack(">Q", 1 << 45 | copied)), "L2 table")
    damaged(work, lambda p: patch(p, l2_at(p), struct.pack(">Q", 1 << 45 | copied)), "data cluster")
    damaged(work, lambda p: patch(p, l2_at(p), struct.pack(">Q", 0x200 | copied)), "data cluster")
    # Over the header, the L1 table, the refcount block: a write there would change other things.
    for target in (lambda p: field(p, 40, ">Q"), lambda p: field(p, 48, ">Q"), l2_at):
        damaged(work, lambda p: patch(p, l2_at(p), struct.pack(">Q", target(p) | copied)), "over a table")
    # Everything counts as free, the header too: the next cluster would be the header.
    def free_all(p):
        patch(p, field(p, field(p, 48, ">Q"), ">Q"), bytes(65536))
        patch(p, l2_at(p), bytes(8))
    damaged(work, free_all, "counts as free")
    # Compressed data that is no such thing.
    damaged(work, lambda p: patch(p, l2_at(p), struct.pack(">Q", 1 << 62 | 0x50000)), "", write=False)
    damaged(work, lambda p: patch(p, l2_at(p), struct.pack(">Q", 1 << 62 | 1 << 53)), "compressed", write=False)


TESTS = [f for n, f in sorted(globals().items()) if n.startswith("test_")]
