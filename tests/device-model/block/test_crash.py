# SPDX-License-Identifier: GPL-2.0-or-later
"""A process or a host that dies: the image stays consistent and what was flushed is there."""
import os
import random
import shutil
import struct
import tempfile
import threading
import time

from disk import MIB, Disk, check, create, img

CLUSTERS = (512, 4096, 65536)


class History:
    """For each sector the contents since the last flush, oldest first."""

    def __init__(self, data):
        self.sectors = [[data[at:at + 512]] for at in range(0, len(data), 512)]

    def write(self, offset, data):
        for at in range(0, len(data), 512):
            self.sectors[(offset + at) // 512].append(data[at:at + 512])

    def discard(self, disk, offset, size):
        """Zero is right from now on, or what the disk then says it kept."""
        self.write(offset, bytes(size))
        disk.discard(offset, size)
        self.write(offset, disk.read(offset, size))

    def flushed(self):
        for s in self.sectors:
            del s[:-1]

    def judge(self, path):
        """The whole disk as QEMU reads it; any of a sector's contents since the flush is right."""
        raw = path + ".raw"
        img("convert", "-f", "qcow2", "-O", "raw", path, raw)
        with open(raw, "rb") as f:
            data = f.read()
        os.unlink(raw)
        assert len(data) == 512 * len(self.sectors)
        for i, allowed in enumerate(self.sectors):
            got = data[i * 512:i * 512 + 512]
            assert got in allowed, "sector %d holds neither old nor new data (%d allowed, got %s...)" \
                % (i, len(allowed), got[:8].hex())


def any_write(rng, size, cluster):
    length = rng.choice([512, 4096, cluster, 3 * cluster, 65536])
    length = min(length, size // 4)
    return rng.randrange(0, (size - length) // 512 + 1) * 512, rng.randbytes(length)


def prepare(work, rng, cluster, size):
    """An image with data, backing file and snapshot, so that all kinds of copies happen."""
    base = os.path.join(work, "base.raw")
    data = bytearray(rng.randbytes(size))
    with open(base, "wb") as f:
        f.write(data)
    path = os.path.join(work, "kill.qcow2")
    create(path, size, "cluster_size=%d" % cluster, backing=base)
    disk = Disk(path)
    for _ in range(8):
        offset, new = any_write(rng, size, cluster)
        disk.write(offset, new)
        data[offset:offset + len(new)] = new
    disk.close()
    if rng.random() < 0.7:
        img("snapshot", "-c", "kept", path)
    return path, data


def kill_once(work, seed):
    """SIGKILL at a random moment of a stream of requests."""
    rng = random.Random(seed)
    cluster = rng.choice(CLUSTERS)
    size = 2 * MIB
    path, data = prepare(work, rng, cluster, size)
    history = History(data)
    disk = Disk(path, "qcow2", "discard")
    killer = threading.Timer(rng.random() * 0.15, disk.proc.kill)
    killer.start()
    try:
        while True:
            if rng.random() < 0.1:
                disk.command("f")
                history.flushed()
                continue
            offset, new = any_write(rng, size, cluster)
            if rng.random() < 0.15:
                history.discard(disk, offset, len(new))
            else:
                history.write(offset, new)
                disk.command("w %d %d" % (offset, len(new)), new)
    except (BrokenPipeError, AssertionError, ValueError) as e:
        assert disk.proc.wait() == -9, e
    killer.join()
    disk.proc.communicate()
    check(path, leaks=True)
    history.judge(path)
    Disk(path).close()
    check(path, leaks=True)


def read_log(path):
    with open(path, "rb") as f:
        log = f.read()
    at = 0
    while at < len(log):
        kind = log[at:at + 1]
        offset, length = struct.unpack_from("<QQ", log, at + 1)
        at += 17
        data = log[at:at + length] if kind == b"w" else None
        at += length if kind == b"w" else 0
        yield kind, offset, length, data


def apply_op(image, op):
    kind, offset, length, data = op
    if kind == b"p":
        data = bytes(min(length, max(0, len(image) - offset)))
    if len(image) < offset + len(data):
        image += bytes(offset + len(data) - len(image))
    image[offset:offset + len(data)] = data


def pieces(op):
    """A disk writes sectors, in any order."""
    kind, offset, length, data = op
    if kind == b"p":
        return [op]
    return [(b"w", offset + at, 0, data[at:at + 512]) for at in range(0, length, 512)]


def power_once(work, seed, cuts=12):
    """Power fails: of the writes since the last barrier any subset of sectors is on the disk."""
    rng = random.Random(seed)
    cluster = rng.choice(CLUSTERS)
    size = 1 * MIB
    path, data = prepare(work, rng, cluster, size)
    with open(path, "rb") as f:
        before = f.read()
    log = os.path.join(work, "log")
    disk = Disk(path, "qcow2", "discard", log=log)
    history, flushes = History(data), []
    for i in range(30):
        offset, new = any_write(rng, size, cluster)
        if i % 10 == 9:
            disk.flush()
            flushes.append((os.path.getsize(log), i))
        elif rng.random() < 0.2:
            history.discard(disk, offset, len(new))
        else:
            disk.write(offset, new)
            history.write(offset, new)
    disk.close()
    ops = list(read_log(log))
    for _ in range(cuts):
        power_cut(path, before, ops, rng.randrange(1, len(ops) + 1), rng)
        check(path, leaks=True)
        history.judge(path)
    # All of it, up to the last flush: nothing may be missing then.
    power_cut(path, before, ops, len(ops), rng)
    check(path, leaks=True)
    history.flushed()
    history.judge(path)


def power_cut(path, before, ops, cut, rng):
    done = ops[:cut]
    last = max((i for i, op in enumerate(done) if op[0] == b"s"), default=-1)
    image = bytearray(before)
    for op in done[:last + 1]:
        if op[0] != b"s":
            apply_op(image, op)
    loose = [p for op in done[last + 1:] for p in pieces(op)]
    keep = rng.choice([0.1, 0.5, 0.9])
    for p in loose:
        if rng.random() < keep:
            apply_op(image, p)
    with open(path, "wb") as f:
        f.write(image)


def test_kill(work):
    for seed in range(4):
        kill_once(work, seed)


def test_power_failure(work):
    for seed in range(2):
        power_once(work, seed)


TESTS = [f for n, f in sorted(globals().items()) if n.startswith("test_")]


def soak(work, seconds):
    """Random seeds until the time is over; a failure names its seed."""
    end, runs = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for kind in (kill_once, power_once):
            seed = random.randrange(1 << 32)
            folder = tempfile.mkdtemp(prefix="blk-", dir="/dev/shm" if os.path.isdir("/dev/shm") else work)
            try:
                kind(folder, seed)
            except Exception as e:
                print("FAIL %s(seed %d): %s (files in %s)" % (kind.__name__, seed, e, folder))
                return 1
            shutil.rmtree(folder)
            runs += 1
    print("soak-dm-block: %d runs passed" % runs)
    return 0
