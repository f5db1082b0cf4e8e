# SPDX-License-Identifier: GPL-2.0-or-later
"""The process around the devices: options, monitor, media change, save and restore, kill after flush."""
import os
import socket
import subprocess

import pc
from ide import Drive, ERR
from qmp import Qmp


def drives(images):
    return ["-drive", "file=%s,if=ide,index=0,format=raw" % images.disk_path,
            "-drive", "if=none,readonly=on,id=ide-5632,file=%s,format=raw" % images.cd_path,
            "-device", "ide-cd,id=ide-5632,drive=ide-5632,bus=ide.1,unit=0", "-m", "128"]


# Limits of a process can be changed by its user.
OWN_USER = ["-runas", "%d:%d" % (os.getuid(), os.getgid())]


class Guest:
    def __init__(self, program, work, images, extra=(), fds=()):
        self.path = os.path.join(work, "qmp.sock")
        argv = [program] + drives(images) + list(extra)
        argv += ["-chardev", "socket,id=libxl-cmd,path=%s,server=on,wait=off" % self.path,
                 "-mon", "chardev=libxl-cmd,mode=control"]
        self.pc = pc.Pc("plinth", argv, work, fds)
        self.monitor = Qmp(self.path)


def refused(program, arguments, expect):
    r = subprocess.run([program] + arguments, stdin=subprocess.DEVNULL, capture_output=True,
                       text=True, timeout=60)
    assert r.returncode == 1, "%s: status %d" % (arguments, r.returncode)
    assert expect in r.stderr, "%s: %s" % (arguments, r.stderr)


def test_options_refused(program, work, images):
    q = ["-qtest", "stdio"]
    refused(program, ["-frobnicate"], "-frobnicate")
    refused(program, [], "-xen-domid is missing")
    refused(program, q + ["-m"], "needs an argument")
    refused(program, q + ["-m", "lots"], "not a number")
    refused(program, q + ["-device", "e1000,id=nic0"], "e1000")
    refused(program, q + ["-drive", "file=/x,if=scsi,bus=0"], "bus")
    refused(program, q + ["-drive", "file=/nonexistent,if=ide,index=0"], "/nonexistent")
    refused(program, q + ["-drive", "file=%s,if=ide,index=0,format=vmdk" % images.disk_path],
            "qemu-img convert")
    refused(program, q + ["-drive", "file=%s,if=ide,index=7" % images.disk_path], "0 to 3")
    refused(program, q + ["-machine", "q35"], "q35")
    refused(program, q + ["-boot", "order=x"], "order")
    refused(program, q + ["-spice", "port=6000"], "take spice= out")
    refused(program, ["-d", "1"], 'device_model_version="qemu-xen"')
    refused(program, q + ["-chardev", "socket,id=libxl-channel-0,path=%s/channel,server=on" % work], "channel=")
    refused(program, q + ["-chardev", "pty,id=libxl-channel-0"], "channel=")
    refused(program, q + ["-serial", "udp:127.0.0.1:9"], "telnet:HOST:PORT")
    refused(program, q + ["-serial", "tcp:127.0.0.1:9,server,frob=1"], "frob")
    refused(program, q + ["-serial", "tcp:127.0.0.1"], "known:")
    empty = os.path.join(work, "empty.img")
    open(empty, "w").close()
    refused(program, q + ["-drive", "file=%s,if=ide,index=0" % empty], "empty")


def test_images_refused(program, work, images):
    """The last line of the log says why, of disks as of floppies."""
    bare = os.path.join(work, "bare.qcow2")
    with open(bare, "wb") as f:
        f.write(b"QFI\xfb" + bytes(1020))
    for place in ("if=ide,index=0", "if=floppy,index=0"):
        for path, form, why in (("/nonexistent", "raw", "No such file or directory"), (work, "raw", "directory"),
                                (images.disk_path, "vmdk", "Invalid argument"), (bare, "qcow2", "Invalid argument")):
            r = subprocess.run([program, "-qtest", "stdio", "-drive", "file=%s,%s,format=%s" % (path, place, form)],
                               stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
            last = r.stderr.strip().splitlines()[-1]
            assert r.returncode == 1 and why in last, "%s %s: %s" % (place, path, r.stderr)


def test_disk_options_refused(program, work, images):
    disk = ["-qtest", "stdio", "-drive", "file=%s,if=none,id=d,format=raw" % images.disk_path, "-device"]
    hd = "ide-hd,drive=d,bus=ide.0,unit=0,"
    for properties, why in (("cyls=615", "all of cyls="), ("cyls=615,heads=17,secs=17", "heads"),
                            ("cyls=0,heads=4,secs=17", "cyls=0"), ("bios-chs-trans=big", "translation big"),
                            ("logical_block_size=4096", "512"), ("physical_block_size=1000", "power of two")):
        refused(program, disk + [hd + properties], why)


def test_cirrus_is_standard_vga(program, work, images):
    """What libxl asks for by default gives a working card, 1234:1111, and a line in the log."""
    for arguments in (["-vga", "cirrus"], ["-device", "cirrus-vga,vgamem_mb=8"]):
        log = os.path.join(work, "plinth.log")
        if os.path.exists(log):
            os.unlink(log)
        g = Guest(program, work, images, arguments)
        assert g.pc.config_read(3, 0, 0) == 0x11111234
        assert g.pc.config_read(3, 0, 8) >> 16 == 0x300
        g.pc.close()
        assert g.pc.log().count("no Cirrus card") == 1


def test_help_and_version(program, work, images):
    for option, expect in (("--help", "usage:"), ("--version", "plinth-dm")):
        r = subprocess.run([program, option], capture_output=True, text=True, timeout=60)
        assert r.returncode == 0 and expect in r.stdout


def test_monitor_queries(program, work, images):
    g = Guest(program, work, images, ["-name", "test \"guest\"", "-serial", "pty"])
    m = g.monitor
    assert m.run("query-version")["qemu"]["major"] == 7
    assert m.run("query-status")["status"] == "running"
    assert m.run("query-name")["name"] == 'test "guest"'
    serial = [c for c in m.run("query-chardev") if c["label"] == "serial0"]
    assert not serial or serial[0]["filename"].startswith("pty:/dev/pts/")
    assert [c["cpu-index"] for c in m.run("query-cpus-fast")] == [0]
    assert m.run("query-pci")[0]["devices"][0]["id"] == {"device": 0x1237, "vendor": 0x8086}
    assert {d["device"] for d in m.run("query-blockstats")} >= {"ide-5632"}
    reply = m.raw('{"execute": "no-such-command"}')
    assert reply["error"]["class"] == "CommandNotFound"
    m.run("stop")
    assert m.run("query-status")["running"] is False and "STOP" in m.events
    m.run("cont")
    assert m.run("query-status")["running"] is True
    g.pc.close()


def test_monitor_nonsense(program, work, images):
    g = Guest(program, work, images)
    for text in ('{"execute": 5}', '{"execute"}', '{"a": {"b": [}', '{' * 40 + '}' * 40,
                 '{"execute": "eject", "arguments": {"id": 3}}', '{"execute":"\\u0000"}'):
        if text.count("{") == text.count("}"):
            assert "error" in g.monitor.raw(text), text
    other = Qmp(g.path, negotiate=False)
    assert other.raw('{"execute": "query-status"}')["error"]["class"] == "CommandNotFound"
    for garbage in (b"hello\n", b"\xff\xfe\0\0", b"x" * 70000):
        s = socket.socket(socket.AF_UNIX)
        s.connect(g.path)
        try:
            s.sendall(garbage)
        except OSError:
            pass
        s.close()
    assert g.monitor.run("query-status")["running"]
    g.pc.close()


def test_cd_change(program, work, images):
    g = Guest(program, work, images)
    d = Drive(g.pc, 1, 0)
    assert d.packet_in([0])[1] == 0
    new = os.path.join(work, "new.img")
    data = os.urandom(2048 * 5)
    with open(new, "wb") as f:
        f.write(data)
    m = g.monitor
    m.run("eject", id="ide-5632", force=True)
    assert d.packet_in([0])[1] >> 4 == 2 and d.sense() == (2, 0x3a)
    fd = os.open(new, os.O_RDONLY)
    added = m.run("add-fd", fd=fd, opaque="r:new.img")
    os.close(fd)
    assert m.run("query-fdsets")[0]["fds"][0]["opaque"] == "r:new.img"
    m.run("blockdev-change-medium", id="ide-5632", format="raw",
          filename="/dev/fdset/%d" % added["fdset-id"])
    m.run("remove-fd", fdset_id=added["fdset-id"])
    assert d.packet_in([0])[1] >> 4 == 6 and d.sense() == (6, 0x28)
    assert d.packet_in([0x25])[0][:4] == b"\0\0\0\4"
    got, error, _ = d.packet_in([0x28, 0, 0, 0, 0, 0, 0, 0, 5, 0])
    assert not error and got == data
    assert "DEVICE_TRAY_MOVED" in m.events
    g.pc.close()


def test_save_restore(program, work, images):
    g = Guest(program, work, images)
    d = Drive(g.pc)
    g.pc.out(0x70, 0x20)
    g.pc.out(0x71, 0x99)
    d.command(0x20, lba=40, count=3)
    d.wait_drq()
    first = d.data_in(700)[:512]
    state = os.path.join(work, "state")
    fd = os.open(state, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    added = g.monitor.run("add-fd", fd=fd)
    g.monitor.run("xen-save-devices-state", filename="/dev/fdset/%d" % added["fdset-id"],
                  live=False)
    g.monitor.run("quit")
    g.pc.proc.wait(20)
    os.lseek(fd, 0, os.SEEK_SET)
    g = Guest(program, work, images, ["-incoming", "fd:%d" % fd], (fd,))
    os.close(fd)
    assert g.pc.inp(0x71) == 0x99
    assert first == images.disk[40 * 512:41 * 512]
    d.base, rest = 0x1f0, b""
    d.pc = g.pc
    rest = d.data_in(1024 - 700)
    d.wait_drq()
    rest += d.data_in(512)
    assert rest == images.disk[40 * 512 + 700:43 * 512]
    g.pc.close()


def test_damaged_state(program, work, images):
    g = Guest(program, work, images)
    state = os.path.join(work, "state")
    g.monitor.run("xen-save-devices-state", filename=state)
    g.pc.close()
    with open(state, "rb") as f:
        good = f.read()
    for bad in (b"", good[:50], good[:len(good) // 2], b"QEVM" + good[4:],
                good.replace(b"cmos\0", b"cmoz\0"), good[:-48 - 200] + good[-44:]):
        with open(state, "wb") as f:
            f.write(bad)
        fd = os.open(state, os.O_RDONLY)
        r = subprocess.run([program, "-qtest", "stdio", "-incoming", "fd:%d" % fd] +
                           drives(images), stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, pass_fds=(fd,), timeout=60)
        os.close(fd)
        assert r.returncode == 1 and "restore" in r.stderr, r.stderr


def test_flushed_write_survives_kill(program, work, images):
    g = Guest(program, work, images)
    d = Drive(g.pc)
    data = os.urandom(512 * 64)
    g.pc.write(0x100000, data)
    d.dma(0x35, [(0x100000, len(data))], False, lba=77, count=64, ext=True)
    d.command(0xea)
    assert not d.wait_idle() & ERR
    g.pc.kill()
    assert images.now()[77 * 512:141 * 512] == data


def test_full_disk_reaches_guest(program, work, images):
    if not os.path.exists("/dev/full"):
        return
    # A sparse image on a file-size limit is as full as a file system: the write must fail.
    g = Guest(program, work, images, OWN_USER)
    subprocess.run(["prlimit", "--pid", str(g.pc.pid()), "--fsize=1048576"], check=True)
    d = Drive(g.pc)
    d.command(0x30, lba=10000, count=1)
    d.wait_drq()
    d.data_out(bytes(512))
    status = d.wait_idle()
    assert status & ERR, "status 0x%02x" % status
    assert d.read_pio(3, 1) == images.disk[3 * 512:4 * 512]
    g.pc.close()


def test_image_in_use(program, work, images):
    g = Guest(program, work, images)
    refused(program, ["-qtest", "stdio", "-drive",
                      "file=%s,if=ide,index=0" % images.disk_path], "in use")
    g.pc.close()


def test_sigterm(program, work, images):
    g = Guest(program, work, images)
    g.pc.proc.terminate()
    assert g.pc.proc.wait(20) == 0


TESTS = [f for n, f in sorted(globals().items()) if n.startswith("test_")]
