# SPDX-License-Identifier: GPL-2.0-or-later
"""blockio as an object, qemu-img as the judge, and a model that says what a disk must hold."""
import json
import os
import random
import resource
import subprocess

MIB = 1 << 20


def run(*argv, ok=(0,)):
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    text = p.stdout.decode(errors="replace")
    assert p.returncode in ok, "%s: status %d: %s" % (" ".join(argv), p.returncode, text)
    return text


def img(*argv, ok=(0,)):
    return run("qemu-img", *argv, ok=ok)


def create(path, size, *options, v=3, backing=None, fmt="raw", snapshot=None):
    argv = ["create", "-q", "-f", "qcow2", "-o",
            ",".join(["compat=%s" % {2: "0.10", 3: "1.1"}[v]] + list(options))]
    if backing:
        argv += ["-b", backing] + (["-F", fmt] if fmt else [])
    img(*argv, path, *([str(size)] if size else []))


class Refused(Exception):
    pass


class Disk:
    """A running blockio. With file_limit, the files it writes cannot grow past so many bytes."""
    program = None

    def __init__(self, path, fmt="qcow2", *options, file_limit=None, log=None):
        limit = None
        if file_limit is not None:
            def limit():
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, resource.RLIM_INFINITY))
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1")
        if log:
            env["BLOCKIO_LOG"] = log
        self.proc = subprocess.Popen([self.program, fmt, path, *options], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limit,
                                     env=env)
        line = self.proc.stdout.readline()
        if line != b"ready\n":
            err = self.proc.communicate()[1].decode(errors="replace")
            assert "Sanitizer" not in err and "runtime error" not in err, err
            raise Refused(err)

    def send(self, text, data=b""):
        self.proc.stdin.write(text.encode() + b"\n" + data)
        self.proc.stdin.flush()

    def reply(self):
        return self.proc.stdout.readline().decode().strip()

    def command(self, text, data=b"", want="ok"):
        self.send(text, data)
        got = self.reply()
        assert got == want, "%s: %s" % (text, got or self.end_text())
        return got

    def end_text(self):
        """What it said on stderr, after its end."""
        return self.proc.communicate()[1].decode(errors="replace")

    def read(self, offset, size):
        self.command("r %d %d" % (offset, size), want="ok %d" % size)
        return self.proc.stdout.read(size)

    def write(self, offset, data, want="ok"):
        self.command("w %d %d" % (offset, len(data)), data, want)

    def discard(self, offset, size):
        self.command("d %d %d" % (offset, size))

    def flush(self):
        self.command("f")

    def size(self):
        self.send("s")
        return int(self.reply().split()[1])

    def close(self):
        err = self.end_text()
        assert self.proc.returncode == 0, "blockio ended with %d: %s" % (self.proc.returncode, err)
        return err

    def kill(self):
        self.proc.kill()
        self.proc.communicate()


def sectors(rng, count):
    return rng.randbytes(count * 512)


class Model:
    """What the disk holds; a discarded byte may be anything until it is written again."""

    def __init__(self, size, data=None, seed=0):
        self.size = size
        self.data = bytearray(data if data is not None else size)
        self.data += bytes(size - len(self.data))
        self.rng = random.Random(seed)

    def place(self, cluster, longest=None):
        """A range of sectors that likes cluster borders and the ends of the disk."""
        rng = self.rng
        longest = min(longest or max(8 * cluster, 16384), 2 * MIB, self.size)
        size = rng.choice([512, 4096, cluster, 2 * cluster, rng.randrange(512, longest + 1)])
        size = max(512, min(size, longest, self.size) & ~511)
        offset = rng.randrange(0, self.size - size + 1)
        if rng.random() < 0.5:
            offset = offset // cluster * cluster + rng.choice([0, 0, 512, -512])
        return max(0, min(offset, self.size - size)) & ~511, size

    def step(self, disk, cluster, discard=True):
        offset, size = self.place(cluster)
        what = self.rng.random()
        if what < 0.45:
            data = self.rng.randbytes(size)
            disk.write(offset, data)
            self.data[offset:offset + size] = data
        elif what < 0.55 and discard:
            disk.discard(offset, size)
            now = disk.read(offset, size)
            for at in range(0, size, 512):
                old = self.data[offset + at:offset + at + 512]
                new = now[at:at + 512]
                assert new == old or not any(new), "discard left strange data at %d" % (offset + at)
            self.data[offset:offset + size] = now
        elif what < 0.65:
            disk.flush()
        else:
            assert disk.read(offset, size) == self.data[offset:offset + size], \
                "wrong data in %d+%d" % (offset, size)

    def check(self, path, leaks=False):
        """The image is consistent for qemu-img and holds the model's data."""
        check(path, leaks)
        raw = path + ".model"
        with open(raw, "wb") as f:
            f.write(self.data)
        img("compare", "-f", "qcow2", "-F", "raw", path, raw)
        os.unlink(raw)


def check(path, leaks=False):
    text = img("check", "-f", "qcow2", "--output=json", path, ok=(0, 2, 3))
    result = json.loads(text[text.index("{"):text.rindex("}") + 1])
    assert not result.get("corruptions") and not result.get("check-errors"), img("check", path, ok=(0, 2, 3))
    assert leaks or not result.get("leaks"), "%s has %d leaked clusters" % (path, result["leaks"])


def qemu_io(path, *commands, ok=(0,)):
    argv = ["qemu-io", "-f", "qcow2"]
    for c in commands:
        argv += ["-c", c]
    return run(*argv, path, ok=ok)
