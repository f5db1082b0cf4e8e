# SPDX-License-Identifier: GPL-2.0-or-later
"""Saved state of the floppy controller, ISA DMA and USB: transfers in the middle go on after a restore."""
import hashlib
import lzma
import os
import struct

from floppy import BUSY, DATA, DIO, DIR, DOR, Floppy, MSR, NON_DMA, RQM, TO_MEMORY, dma_count, dma_setup
from qmp import Qmp
from ide import Drive
import pc as pc_module
import test_floppy
import test_usb
from usbhc import ACTIVE, ERRORS3, IN, PORT, QH, STS, TDS, Uhci


def moved(pc, argv, work):
    """Save pc's devices, end it, and restore them in a new process; guest memory is copied."""
    memory = pc.read(0x10000, 0x100000)
    state = os.path.join(work, "devices")
    qmp = Qmp(os.path.join(work, "qmp"))
    qmp.run("stop")
    qmp.run("xen-save-devices-state", filename=state)
    qmp.close()
    pc.close()
    fd = os.open(state, os.O_RDONLY)
    new = pc_module.Pc("plinth", argv + ["-incoming", "fd:%d" % fd], work, (fd,))
    os.close(fd)
    new.write(0x10000, memory)
    return new


def floppy(program, work):
    images = test_floppy.Images(work)
    argv = [program] + test_floppy.options(images)
    return pc_module.Pc("plinth", argv, work), argv, images


def test_floppy_dma(program, work, _):
    pc, argv, images = floppy(program, work)
    f = Floppy(pc)
    f.seek(3)
    dma_setup(pc, 2, 0x20000, 1536, TO_MEMORY)
    pc.out(0x0a, 6)
    f.send(0x46, 3, 0, 1, 18)
    pc.wait(lambda: pc.inp(0x08) & 0x40, "DREQ")
    pc = f.pc = moved(pc, argv, work)
    assert pc.inp(MSR) == BUSY and dma_count(pc, 2) == 1535
    pc.out(0x0a, 2)
    res = f.wait_result()
    assert res == [0, 0, 0, 3, 0, 4, 2], res
    at = test_floppy.lba(3, 0, 1)
    assert pc.read(0x20000, 1536) == images.disk[at:at + 1536]
    f.put(0x0e)
    assert f.result(10)[0] == 3
    pc.close()


def test_floppy_pio(program, work, _):
    pc, argv, images = floppy(program, work)
    f = Floppy(pc)
    f.put(0x03, 0xdf, 0x03)
    pc.out(DOR, 0x14)
    f.send(0x46, 0, 0, 1, 2)
    pc.wait(lambda: pc.inp(MSR) == BUSY | NON_DMA | DIO | RQM, "data")
    data = bytes(pc.inp(DATA) for _ in range(700))
    pc = f.pc = moved(pc, argv, work)
    data += bytes(pc.inp(DATA) for _ in range(324))
    assert data == images.disk[:1024]
    assert f.wait_result()[:3] == [0, 0, 0]
    pc.close()


def test_floppy_other_medium(program, work, _):
    """A restore with another diskette in the drive is refused."""
    pc, argv, images = floppy(program, work)
    with open(images.new_path, "wb") as f:
        f.write(bytes(720 * 1024))
    try:
        moved(pc, [a.replace(images.path, images.new_path) for a in argv], work)
    except AssertionError as e:
        assert "restore" in str(e), e
        return
    raise AssertionError("the state was taken")


def test_usb_tablet(program, work, _):
    pc, env = test_usb.machine("plinth", [program], work, "usb-tablet")
    argv = pc.proc.args[:-2]
    u = Uhci(pc)
    u.configure()
    u.only_changes()
    client = env.vnc()
    client.pointer(100, 50)
    first = u.wait_report()
    client.pointer(200, 60, 1)
    pc.wait(lambda: u.inp(STS) is not None and client.update(), "the display")
    client.close()
    u.td(TDS, IN, 8, ep=1, ctrl=ACTIVE | ERRORS3)
    frame = u.inp(6)
    pc = u.pc = moved(pc, argv, work)
    assert u.inp(PORT) & 5 == 5 and u.inp(6) == frame
    memory = pc.read(QH, 8)
    assert memory
    assert u.descriptor(1)[:2] == b"\x12\1", "the address is kept"
    assert u.control(0x80, 8, 0, 0, 1) == b"\1", "and the configuration"
    report = u.report()
    assert report is None or report[1:5] != first[1:5], report
    client = env.vnc()
    client.pointer(10, 10)
    assert u.wait_report()
    client.close()
    pc.close()


def test_keys(program, work, _):
    """What was typed and not taken comes after a restore, and what was held is let go of: its user is not there."""
    pc, env = test_usb.machine("plinth", [program], work, "usb-kbd")
    argv = pc.proc.args[:-2]
    u = Uhci(pc)
    u.configure()
    u.only_changes()
    client = env.vnc()
    client.key(0xffe1, True)
    for i in range(100):
        client.press(ord("a") + i % 26)
    client.update()
    pc = u.pc = moved(pc, argv, work)
    client.close()
    assert test_usb.typed(u, 100) == [4 + i % 26 for i in range(100)]
    assert u.wait_report() == bytes(8) and u.report() is None
    pc.close()


GEOMETRIES = ((160, 40, 1, 8, 2, 1), (180, 40, 1, 9, 2, 1), (320, 40, 2, 8, 2, 1),
              (360, 40, 2, 9, 2, 1), (720, 80, 2, 9, 2, 4), (1200, 80, 2, 15, 0, 2),
              (1440, 80, 2, 18, 0, 4), (1680, 80, 2, 21, 0, 4), (2880, 80, 2, 36, 3, 5))


def test_floppy_geometries(program, work, _):
    """First and last sector, and CMOS, for each size; one sector further there is nothing."""
    path = os.path.join(work, "size.img")
    for kib, tracks, heads, sectors, rate, cmos in GEOMETRIES:
        data = os.urandom(kib * 1024)
        with open(path, "wb") as f:
            f.write(data)
        pc = pc_module.Pc("plinth", [program, "-fda", path, "-m", "16"], work)
        pc.out(0x70, 0x10)
        assert pc.inp(0x71) == cmos << 4, kib
        f = Floppy(pc, rate=rate)
        assert f.read(0, 0, 1, 1, eot=sectors, command=0x46) == data[:512], kib
        f.seek(tracks - 1)
        last = f.read(tracks - 1, heads - 1, sectors, 1, eot=sectors, command=0x46)
        assert last == data[-512:], kib
        dma_setup(pc, 2, 0x20000, 512, TO_MEMORY)
        assert f.data(0x46, tracks - 1, 0, sectors + 1, sectors + 1)[:2] == [0x40, 4], kib
        f.seek(tracks)
        assert f.data(0x46, tracks, 0, 1, sectors)[0] & 0xc0 == 0x40, kib
        pc.close()


def test_floppy_options(program, work, _):
    """The long spellings, an empty drive, and an image of an odd size."""
    path = os.path.join(work, "odd.img")
    with open(path, "wb") as f:
        f.write(b"odd" * 171 * 5)
    for args, cmos in ((["-drive", "if=none,id=x,format=raw,file=" + path, "-global",
                         "isa-fdc.driveB=x"], 1),
                       (["-drive", "if=none,id=x,format=raw,file=" + path, "-device",
                         "floppy,drive=x,unit=1"], 1), (["-drive", "if=floppy,index=1"], 4)):
        pc = pc_module.Pc("plinth", [program, "-m", "16"] + args, work)
        pc.out(0x70, 0x10)
        assert pc.inp(0x71) == cmos, args
        f = Floppy(pc, 1, rate=2)
        f.seek(1)
        f.seek(0)
        if cmos == 1:
            data = f.read(0, 0, 1, 8, eot=8, command=0x46)
            assert data == (b"odd" * 171 * 5).ljust(4096, b"\0")
        assert bool(pc.inp(DIR) & 0x80) == (cmos == 4)
        pc.close()


OLD_STATE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../regress/saved/state-1.xz")


def pattern(size):
    return hashlib.shake_128(b"saved state").digest(size)


def everything(program, work):
    """Options for a machine with every device that has state; images with known contents."""
    for name, size in (("floppy", 1440 * 1024), ("disk", 1 << 20), ("cd", 1 << 18)):
        with open(os.path.join(work, "every." + name), "wb") as f:
            f.write(pattern(size))
    path = os.path.join(work, "every.")
    return [program, "-m", "64", "-machine", "xenfv", "-device", "VGA,vgamem_mb=16", "-usb", "-usbdevice", "tablet",
            "-usbdevice", "keyboard", "-serial", "null", "-serial", "null", "-fda", path + "floppy",
            "-drive", "file=%sdisk,if=ide,index=0,format=raw" % path,
            "-drive", "file=%scd,if=ide,index=2,media=cdrom,format=raw" % path,
            "-netdev", "user,id=a", "-device", "rtl8139,netdev=a,mac=00:16:3e:00:00:01",
            "-netdev", "user,id=b", "-device", "ne2k_pci,netdev=b,mac=00:16:3e:00:00:02",
            "-qmp", "unix:%s,server=on,wait=off" % os.path.join(work, "qmp")]


def make_busy(pc):
    """Transfers in the middle and registers with something in them."""
    f, d = Floppy(pc), Drive(pc)
    f.put(0x03, 0xdf, 0x03)
    pc.out(DOR, 0x14)
    f.send(0x46, 0, 0, 1, 2)
    pc.wait(lambda: pc.inp(MSR) == BUSY | NON_DMA | DIO | RQM, "data")
    head = bytes(pc.inp(DATA) for _ in range(700))
    d.command(0x20, lba=40, count=3)
    d.wait_drq()
    head += d.data_in(700)
    for port, value in ((0x70, 0x20), (0x71, 0x99), (0x64, 0xd2), (0x60, 0x1c), (0x64, 0xd3), (0x60, 0x55),
                        (0x3fb, 0x80), (0x3f8, 3), (0x3fb, 3), (0x3ff, 0x5a), (0x0a, 0x0e), (0x0b, 0x56),
                        (0x3c8, 1), (0x3c9, 0x15), (0x3ce, 8), (0x3cf, 0x3c), (0x92, 2)):
        pc.out(port, value)
    return head


def finish_busy(pc, head):
    """What make_busy began goes on, and its registers are there."""
    data = head[:700] + bytes(pc.inp(DATA) for _ in range(324))
    assert data == pattern(1024)
    d = Drive(pc)
    data = head[700:] + d.data_in(1024 - 700)
    d.wait_drq()
    assert data + d.data_in(512) == pattern(43 * 512)[40 * 512:]
    assert pc.inp(0x71) == 0x99 and pc.inp(0x3ff) == 0x5a and pc.inp(0x3cf) == 0x3c


def records(state):
    """{(device, instance): (version, bytes)} of a file of saved state."""
    assert state[:8] == b"PLINTHDM"
    found, at = {}, 12
    while state[at]:
        name, instance, version, length = struct.unpack_from("<32sIII", state, at)
        found[name.rstrip(b"\0").decode(), instance] = version, state[at + 44:at + 44 + length]
        at += 44 + length
    assert at + 44 == len(state)
    return found


def saved(work):
    path = os.path.join(work, "devices")
    qmp = Qmp(os.path.join(work, "qmp"))
    qmp.run("stop")
    qmp.run("xen-save-devices-state", filename=path)
    qmp.close()
    with open(path, "rb") as f:
        return f.read()


def restored(argv, work, state):
    with open(os.path.join(work, "old"), "wb+") as f:
        f.write(state)
        f.flush()
        f.seek(0)
        return pc_module.Pc("plinth", argv + ["-incoming", "fd:%d" % f.fileno()], work, (f.fileno(),))


def test_old_state(program, work, _):
    """What the first version of the format holds: make_busy's machine, video memory included."""
    with lzma.open(OLD_STATE) as f:
        old = f.read()
    argv = everything(program, work)
    pc = restored(argv, work, old)
    again = records(saved(work))
    before = records(old)
    assert again.keys() == before.keys()
    for key, (version, data) in before.items():
        if key[0] == "vga":
            assert again[key] == (2, data[:4] + data[4 + (16 << 20):])
        elif key[0] == "rtl8139":
            assert again[key][1][:88] + again[key][1][96:] == data[:88] + data[96:], "all but the timer"
        elif key[0] == "ide":
            assert again[key][0] == 3 and len(again[key][1]) == len(data) + 4 * (6 + 21), \
                "each drive's geometry and mode pages came in"
        elif key[0] == "i8042":
            assert again[key] == (2, data + bytes(4 + 0x101)), "no key waits and none is down"
        else:
            assert again[key] == (version, data), key
    qmp = Qmp(os.path.join(work, "qmp"))
    text = qmp.run("human-monitor-command", **{"command-line": "info state fdc"})
    assert text.startswith("fdc.0\r\n") and "  x.pos: 2bc\r\n" in text and "  drive[0].bytes: 168000\r\n" in text, text
    assert "ide" not in text
    qmp.close()
    finish_busy(pc, pattern(700) + pattern(43 * 512)[40 * 512:40 * 512 + 700])
    pc.close()


def test_damaged_state(program, work, _):
    """libxl fills up with zeros what a stream that was cut off lacks; that, and a bit that has turned, are noticed."""
    argv = everything(program, work)
    pc = pc_module.Pc("plinth", argv, work)
    state = saved(work)
    pc.close()
    restored(argv, work, state).close()
    turned = bytearray(state)
    turned[len(state) // 2] ^= 4
    for bad in [state[:-n] + bytes(n) for n in (12, 44, 100)] + [bytes(turned)]:
        try:
            restored(argv, work, bad)
        except AssertionError as e:
            assert "damaged or cut off" in str(e), e
        else:
            raise AssertionError("the state was taken")


def test_geometry(program, work, _):
    """A disk that the guest partitions anew keeps the shape it was started with."""
    path = os.path.join(work, "shape.img")

    def partition(last_head):
        with open(path, "wb") as f:
            f.write(bytes(446) + struct.pack("<8BII", 128, 1, 1, 0, 6, last_head, 17, 0, 17, 1000) + bytes(48) +
                    b"\x55\xaa")
            f.truncate(615 * 4 * 17 * 512)
    partition(3)
    argv = [program, "-m", "64", "-drive", "file=%s,if=ide,index=0,format=raw" % path,
            "-qmp", "unix:%s,server=on,wait=off" % os.path.join(work, "qmp")]
    pc = pc_module.Pc("plinth", argv, work)
    words = Drive(pc).identify()
    assert words[1:7:2] == (615, 4, words[5]) and words[6] == 17
    state = saved(work)
    pc.close()
    partition(1)
    pc = restored(argv, work, state)
    assert Drive(pc).identify() == words
    pc.close()


def drq(pc, d):
    pc.wait(lambda: not d.alt_status() & 0x80, "end of BSY")
    return d.alt_status() & 8


def test_cd_taken_out(program, work, _):
    """The monitor takes a CD out in the middle of a READ: what is in the buffer comes, then a check condition."""
    path = os.path.join(work, "cd.img")
    with open(path, "wb") as f:
        f.write(hashlib.shake_128(b"cd").digest(700 * 2048))
    drive = "if=ide,index=2,media=cdrom"
    argv = [program, "-m", "64", "-qmp", "unix:%s,server=on,wait=off" % os.path.join(work, "qmp"), "-drive"]
    read = struct.pack(">BBIBHB", 0x28, 0, 50, 0, 100, 0)

    def change(command, **arguments):
        qmp = Qmp(os.path.join(work, "qmp"))
        qmp.run(command, id="ide1-cd0", **arguments)
        qmp.close()

    for dma, new, move in ((False, False, False), (True, False, False), (False, True, False), (False, False, True),
                           (True, False, True)):
        pc = pc_module.Pc("plinth", argv + ["%s,file=%s,format=raw" % (drive, path)], work)
        d = Drive(pc, 1)
        d.packet(read, 2048, dma)
        d.wait_drq()
        if not dma:
            d.data_in(2048)
        if new:
            change("blockdev-change-medium", filename=path, format="raw", force=True)
        else:
            change("eject", force=True)
        if move:
            pc = moved(pc, argv + [drive], work)
            d = Drive(pc, 1)
        if dma:
            d.prds([(0x100000, 65536)] * 4)
            pc.out(d.bm + 4, 0x10000, 4)
            pc.out(d.bm, 9)
        while not dma and drq(pc, d):
            d.data_in(2048)
        pc.wait(lambda: not d.alt_status() & 0x88, "end of the READ")
        assert d.status() & 1 and d.error() >> 4 == (6 if new else 2)
        assert d.sense() == ((6, 0x28) if new else (2, 0x3a))
        pc.close()


def test_everything(program, work, _):
    """The same machine, saved today: no video memory in it, and all goes on."""
    argv = everything(program, work)
    pc = pc_module.Pc("plinth", argv, work)
    head = make_busy(pc)
    state = saved(work)
    pc.close()
    assert len(state) < 200000, len(state)
    pc = restored(argv, work, state)
    finish_busy(pc, head)
    pc.close()


TESTS = [f for n, f in sorted(globals().items()) if n.startswith("test_") and callable(f)]
