# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks as a guest and the monitor see them: qcow2, serial numbers, TRIM, a full host, a locked tray."""
import json
import os
import resource
import shutil
import struct
import subprocess

import pc
import test_process
from ide import Drive, ABRT, BM_INTR, ERR
from results import Skip
from test_process import Guest

MIB = 1 << 20


def qemu_img(*argv):
    return subprocess.run(["qemu-img", *argv], check=True, capture_output=True, text=True).stdout


class Machine(Guest):
    """One disk with these options, no CD."""

    def __init__(self, program, work, drive, extra=()):
        self.path = os.path.join(work, "qmp.sock")
        saved = test_process.drives
        test_process.drives = lambda images: ["-drive", drive + ",if=ide,index=0,media=disk", "-m", "128"]
        try:
            super().__init__(program, work, None, extra)
        finally:
            test_process.drives = saved
        self.disk = Drive(self.pc)

    def write(self, lba, data):
        self.pc.write(0x100000, data)
        bm = self.disk.dma(0x35, [(0x100000, len(data))], False, lba=lba, count=len(data) // 512, ext=True)
        assert bm == BM_INTR, "bus master 0x%x" % bm
        assert not self.disk.status() & ERR

    def read(self, lba, size):
        assert self.disk.dma(0x25, [(0x100000, size)], True, lba=lba, count=size // 512, ext=True) == BM_INTR
        return self.pc.read(0x100000, size)

    def flush(self):
        self.disk.command(0xea)
        assert not self.disk.wait_idle() & ERR


def test_qcow2(program, work, images):
    """As libxl spells it. Killed after a flush, and ended in order."""
    if not shutil.which("qemu-img"):
        raise Skip("no qemu-img (package qemu-utils)")
    path, raw = os.path.join(work, "d.qcow2"), os.path.join(work, "d.raw")
    for kill in (True, False):
        qemu_img("create", "-q", "-f", "qcow2", path, "32M")
        m = Machine(program, work, "file=%s,format=qcow2,cache=writeback" % path)
        model = bytearray(32 * MIB)
        for lba, size in ((0, 65536), (1000, 4096), (65536 - 128, 65536), (1004, 512)):
            data = os.urandom(size)
            m.write(lba, data)
            model[lba * 512:lba * 512 + size] = data
        assert m.read(992, 32768) == model[992 * 512:992 * 512 + 32768]
        if kill:
            m.flush()
            m.pc.kill()
        else:
            m.pc.proc.terminate()
            assert m.pc.proc.wait(20) == 0
            qemu_img("check", path)
        with open(raw, "wb") as f:
            f.write(model)
        qemu_img("compare", "-f", "qcow2", "-F", "raw", path, raw)


def test_serial(program, work, images):
    m = Machine(program, work, "file=%s,format=raw,serial=WD-1234 x" % images.disk_path)
    words = m.disk.identify()
    text = struct.pack(">10H", *words[10:20])
    assert text.strip() == b"WD-1234 x", text
    assert words[169] & 1 == 0, "TRIM without discard=unmap"
    assert words[80] == 0x70, "ATA-4 to ATA-6"
    m.disk.command(0x06, feature=1, count=1, ext=True)
    assert m.disk.wait_idle() & ERR and m.disk.error() & ABRT
    m.pc.close()


def trim(m, ranges):
    table = b"".join(struct.pack("<Q", lba | count << 48) for lba, count in ranges).ljust(512, b"\0")
    m.pc.write(0x100000, table)
    m.disk.dma(0x06, [(0x100000, 512)], False, feature=1, count=1, ext=True)
    return m.disk.status() & ERR


def test_trim(program, work, images):
    """ATA8-ACS 7.10: the ranges read as zero and their space is the host's again."""
    path = os.path.join(work, "trim.img")
    data = os.urandom(8 * MIB)
    with open(path, "wb") as f:
        f.write(data)
    m = Machine(program, work, "file=%s,format=raw,discard=unmap" % path)
    words = m.disk.identify()
    assert words[169] & 1 and words[105] >= 1
    assert words[80] >> 7, "Linux does not look at word 169 of a disk before ATA-7"
    blocks = os.stat(path).st_blocks
    assert not trim(m, [(0, 2048), (8192, 4096), (0, 0), (5001, 3)])
    expect = bytes(MIB) + data[MIB:4 * MIB] + bytes(2 * MIB) + data[6 * MIB:]
    expect = expect[:5001 * 512] + bytes(3 * 512) + expect[5004 * 512:]
    assert m.read(0, 65536) == bytes(65536)
    m.flush()
    with open(path, "rb") as f:
        assert f.read() == expect
    assert os.stat(path).st_blocks <= blocks - 3 * MIB // 512
    assert trim(m, [(16383, 2)]) and m.disk.error() & ABRT, "a range behind the end"
    assert trim(m, [(1 << 47, 1)]) and m.disk.error() & ABRT
    with open(path, "rb") as f:
        assert f.read() == expect
    m.disk.command(0x06, feature=0, count=1, ext=True)
    assert m.disk.wait_idle() & ERR, "no TRIM in the feature register"
    m.pc.close()


def limit(m, size):
    resource.prlimit(m.pc.pid(), resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_full_host_stops_guest(program, work, images):
    path = os.path.join(work, "full.img")
    with open(path, "wb") as f:
        f.truncate(8 * MIB)
    m = Machine(program, work, "file=%s,format=raw,werror=stop" % path, test_process.OWN_USER)
    limit(m, 4 * MIB)
    data = os.urandom(4096)
    m.pc.write(0x100000, data)
    d = m.disk
    d.pc.out(d.bm + 2, 6)
    d.prds([(0x100000, 4096)])
    d.pc.out(d.bm + 4, 0x10000, 4)
    d.command(0x35, lba=10000, count=8, ext=True)
    d.pc.out(d.bm, 1)
    m.pc.wait(lambda: m.monitor.run("query-status")["status"] == "io-error", "the stop")
    assert {"BLOCK_IO_ERROR", "STOP"} <= set(m.monitor.events), m.monitor.events
    reply = m.monitor.raw('{"execute": "xen-save-devices-state", "arguments": {"filename": "%s"}}'
                          % os.path.join(work, "state"))
    assert "room" in reply["error"]["desc"], reply
    m.monitor.run("cont")  # still full: stops again
    m.pc.wait(lambda: m.monitor.run("query-status")["status"] == "io-error", "the second stop")
    limit(m, resource.RLIM_INFINITY)
    m.monitor.run("cont")
    m.pc.wait(lambda: not d.alt_status() & 0x88, "end of the write")
    assert not d.status() & ERR
    d.pc.out(d.bm, 0)
    assert m.monitor.run("query-status")["status"] == "running"
    assert m.read(10000, 4096) == data
    m.pc.close()


def test_blockdev_file(program, work, images):
    """-blockdev driver=file gives a file's bytes, also those of an image of another format."""
    path = os.path.join(work, "bytes.img")
    with open(path, "wb") as f:
        f.write(b"QFI\xfb" + bytes(MIB - 4))
    machine = pc.Pc("plinth", [program, "-m", "64", "-blockdev", "driver=file,node-name=d,filename=" + path,
                               "-device", "ide-hd,drive=d,bus=ide.0,unit=0"], work)
    assert Drive(machine).read_pio(0, 1) == b"QFI\xfb" + bytes(508)
    machine.close()


def test_locked_tray(program, work, images):
    """xl cd-eject with a guest that holds the tray: refused, and the guest is asked to let go."""
    g = Guest(program, work, images)
    cd = Drive(g.pc, 1)
    cd.packet_in([0x1e, 0, 0, 0, 1])
    reply = g.monitor.raw('{"execute": "eject", "arguments": {"id": "ide-5632"}}')
    assert "locked" in reply["error"]["desc"], reply
    event, error, _ = cd.packet_in([0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8])
    assert not error and event[4] & 0xf == 1, "no eject request: %s" % event.hex()
    for command, arguments in (("blockdev-change-medium", {"id": "ide-5632", "filename": images.cd_path}),
                               ("change", {"device": "ide-5632", "target": images.cd_path})):
        reply = g.monitor.raw(json.dumps({"execute": command, "arguments": arguments}))
        assert "locked" in reply["error"]["desc"], reply
    assert not cd.packet_in([0])[1], "the CD is still the guest's"
    cd.packet_in([0x1e, 0, 0, 0, 0])
    _, error, _ = cd.packet_in([0x1b, 0, 0, 0, 2])
    assert not error and "DEVICE_TRAY_MOVED" in (g.monitor.run("query-status") and g.monitor.events)
    g.monitor.run("eject", id="ide-5632")
    other = os.path.join(work, "other.iso")
    with open(other, "wb") as f:
        f.write(b"B" * 8192)
    g.monitor.run("blockdev-change-medium", id="ide-5632", filename=other, format="raw")
    _, error, _ = cd.packet_in([0, 0, 0, 0, 0, 0])
    assert error and cd.sense() == (6, 0x28), "no unit attention for the new medium"
    data, error, _ = cd.packet_in([0x28, 0, 0, 0, 0, 0, 0, 0, 1])
    assert data == b"B" * 2048
    g.pc.close()


TESTS = [f for n, f in sorted(globals().items()) if n.startswith("test_") and callable(f)]
