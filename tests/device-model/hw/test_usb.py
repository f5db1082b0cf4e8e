# SPDX-License-Identifier: GPL-2.0-or-later
"""UHCI controller with HID devices: each script must hold on QEMU as on our device model.

Input comes through VNC on both. Where QEMU is known to leave a specification, the script says so.
"""
import os
import struct

from qmp import Qmp
from usbhc import (ACTIVE, BABBLE, BUF, CMD, DEPTH, END, ERRORS3, FRAME, FRAMES, GRESET, HCRESET, IN,
                   INTR, IOC, OUT, PORT, QH, QUEUE, RESUME, SETUP, SOF, SPD, STALLED, STS, SUSPEND,
                   TDS, TIMEOUT, Uhci)
import pc as pc_module
import rfb

class Env:
    def __init__(self, work, qmp_path):
        self.work, self.qmp_path = work, qmp_path
        self.port = None

    def vnc(self):
        qmp = Qmp(self.qmp_path)
        service = int(qmp.run("query-vnc")["service"])
        qmp.close()
        return rfb.Client(service)


def machine(kind, argv, work, device):
    qmp = os.path.join(work, "qmp")
    if kind == "qemu":
        argv = argv + ["-device", "piix3-usb-uhci,addr=1.2,id=usb", "-device", device + ",bus=usb.0",
                       "-device", "VGA"]
    else:
        argv = argv + ["-usb", "-device", device, "-device", "VGA,vgamem_mb=16"]
    argv += ["-vnc", "127.0.0.1:40,to=99", "-qmp", "unix:%s,server,nowait" % qmp, "-m", "128"]
    return pc_module.Pc(kind, argv, work), Env(work, qmp)


DEVICES = {"mouse": "usb-mouse", "keyboard": "usb-kbd"}


def start(kind, argv, work, test):
    word = test.__name__.split("_")[1]
    return machine(kind, argv, work, DEVICES.get(word, "usb-tablet"))


def ours(pc):
    return pc.kind == "plinth"


def fields(report):
    """The input fields of a report descriptor: (flags, size, count, logical min, max, usages)."""
    at, state, usages, found = 0, {}, [], []
    while at < len(report):
        head = report[at]
        size = (0, 1, 2, 4)[head & 3]
        value = int.from_bytes(report[at + 1:at + 1 + size], "little", signed=head & 0xfc in (0x14,))
        if head & 0xfc == 0x24 and size:
            value = int.from_bytes(report[at + 1:at + 1 + size], "little",
                                   signed=state.get(0x14, 0) < 0)
        at += 1 + size
        kind = head & 0xfc
        if kind in (0x80, 0x90, 0xa0, 0xc0):
            if kind == 0x80:
                found.append((value, state.get(0x74), state.get(0x94), state.get(0x14),
                              state.get(0x24), tuple(usages)))
            usages = []
        elif kind in (0x08, 0x18, 0x28):
            usages.append((state.get(0x04), kind, value))
        else:
            state[kind] = value
    return found


def test_reset_values(pc, env):
    u = Uhci(pc)
    assert pc.config_read(1, 2, 0) == 0x70208086
    assert pc.config_read(1, 2, 8) == 0x0c030001
    assert pc.config_read(1, 2, 0x3d, 1) == 4
    assert pc.config_read(1, 2, 0x60, 1) == 0x10
    u.out(CMD, HCRESET)
    assert u.inp(CMD) == 0 and u.inp(STS) == 0x20 and u.inp(INTR) == 0 and u.inp(FRAME) == 0
    assert u.inp(SOF, 1) == 64
    assert u.inp(PORT) & 0x1 and u.inp(PORT + 2) & 0x1 == 0
    assert u.inp(PORT) & 0x80, "always one: how drivers count ports"


def test_ports(pc, env):
    u = Uhci(pc)
    u.out(PORT, 2)
    assert u.inp(PORT) & 0x3 == 1, "connect change clears by a one"
    u.port_reset()
    assert u.inp(PORT) & 0x204 == 4
    u.out(PORT, 0)
    assert u.inp(PORT) & 4 == 0
    u.out(PORT, 4)
    u.out(PORT, 0x200)
    if ours(pc):  # QEMU's port stays enabled during a reset
        assert u.inp(PORT) & 4 == 0
    u.out(PORT, 0)
    u.out(PORT + 2, 4)
    if ours(pc):  # and can be enabled with nothing plugged in
        assert u.inp(PORT + 2) & 5 == 0


def test_frames(pc, env):
    """The frame number counts milliseconds while running, and stands still while halted."""
    u = Uhci(pc)
    u.out(FRAME, 2040)
    u.run()
    u.frames(20)
    u.run(False)
    stopped = u.inp(FRAME)
    assert 0 <= stopped < 2048
    pc.step(20000000)
    assert u.inp(FRAME) == stopped
    if ours(pc):  # virtual time: exact
        u.out(FRAME, 2040)
        u.out(CMD, 1)
        pc.step(10000000)
        assert u.inp(FRAME) == 2
        pc.step(500 * 1000000)
        assert u.inp(FRAME) == 502, "the same when it looks rarely"
        pc.step(7000000)
        assert u.inp(FRAME) == 509


def test_descriptors(pc, env):
    u = Uhci(pc)
    u.run()
    u.port_reset()
    device = u.descriptor(1)
    assert len(device) == 18 and device[7] == 8 and device[8:12] == b"\x27\x06\x01\x00"
    assert u.descriptor(1, length=8) == device[:8]
    assert u.descriptor(1, length=18) == device
    assert u.control(0, 5, 9, 0, 0) == b""
    u.address = 9
    config = u.descriptor(2)
    assert len(config) == 34 and config[2] == 34 and config[7] & 0x20 and config[14:17] == b"\3\0\0"
    assert config[29:34] == b"\x81\x03\x08\x00\x0a", config.hex()
    assert u.descriptor(3) == b"\4\3\t\4"
    assert u.descriptor(3, device[15])[2:].decode("utf-16") == "QEMU USB Tablet"
    if ours(pc):  # QEMU makes up a text
        assert u.descriptor(3, 77) is None
    assert u.descriptor(2, 3) is None
    assert u.control(0x80, 0, 0, 0, 2) == (b"\0\0" if config[7] & 0x40 == 0 else b"\1\0")
    assert u.control(0x80, 8, 0, 0, 1) == b"\0"
    assert u.control(0, 9, 1, 0, 0) == b""
    assert u.control(0x80, 8, 0, 0, 1) == b"\1"
    if ours(pc):  # QEMU takes any configuration
        assert u.control(0, 9, 7, 0, 0) is None
    report = u.descriptor(0x22, recipient=1)
    assert struct.unpack_from("<H", config, 25)[0] == len(report)
    got = fields(report)
    assert [f[:5] for f in got] == [(2, 1, 3, 0, 1), (1, 5, 1, 0, 1), (2, 16, 2, 0, 0x7fff),
                                    (6, 8, 1, -127, 127)], got
    assert got[2][5] == ((1, 8, 0x30), (1, 8, 0x31)) and got[3][5] == ((1, 8, 0x38),)


def test_address_after_status(pc, env):
    """SET ADDRESS counts from the end of its status stage on."""
    u = Uhci(pc)
    u.run()
    u.port_reset()
    assert u.control(0, 5, 9, 0, 0) == b""
    u.td(TDS, SETUP, 8)
    u.queue(TDS)
    ctrl = u.wait_td(TDS)
    assert ctrl & TIMEOUT, "nobody has address 0 any more: 0x%08x" % ctrl


def test_timeout(pc, env):
    u = Uhci(pc)
    u.run()
    u.out(INTR, 1)
    u.td(TDS, IN, 8, address=77)
    u.queue(TDS)
    ctrl = u.wait_td(TDS)
    assert ctrl & TIMEOUT, "0x%08x" % ctrl
    if ours(pc):  # QEMU does not say that it gave up
        assert ctrl & STALLED
    assert u.inp(STS) & 2
    assert u.irq()
    u.out(STS, 2)
    assert not u.inp(STS) & 2
    assert not u.irq()
    assert u.element() == TDS, "a failed queue stays where it is"


def test_interrupt_on_completion(pc, env):
    u = Uhci(pc)
    u.configure()
    u.out(STS, 0x3f)
    for intr, raised in ((0, False), (4, True)):
        u.out(INTR, intr)
        pc.write(BUF, struct.pack("<BBHHH", 0x80, 6, 0x100, 0, 18))
        u.td(TDS, SETUP, 8, ctrl=ACTIVE | ERRORS3 | IOC)
        u.queue(TDS)
        u.wait_td(TDS)
        u.frames(1)
        assert u.inp(STS) & 1
        assert u.irq() == raised, "INTR %d" % intr
        u.out(STS, 1)
        assert not u.irq()
        assert u.element() & END


def test_short_packet(pc, env):
    """SPD: a short packet holds the queue and interrupts; without it the queue goes on."""
    u = Uhci(pc)
    u.configure()
    for spd in (SPD, 0):
        u.out(STS, 0x3f)
        u.out(INTR, 8)
        pc.write(BUF, struct.pack("<BBHHH", 0x80, 8, 0, 0, 8))
        u.td(TDS, SETUP, 8, TDS + 32 | DEPTH)
        u.td(TDS + 32, IN, 8, TDS + 64 | DEPTH, ACTIVE | ERRORS3 | spd, toggle=1, buf=BUF + 64)
        u.td(TDS + 64, OUT, 0, END, toggle=1)
        u.queue(TDS)
        u.wait_td(TDS + 32)
        u.frames(2)
        assert u.length(TDS + 32) == 1
        if spd:
            assert u.element() & ~0xf == TDS + 32 and u.ctrl(TDS + 64) & ACTIVE
            assert u.inp(STS) & 1 and u.irq()
        else:
            assert u.element() & END and not u.ctrl(TDS + 64) & ACTIVE
            assert not u.inp(STS) & 1
        u.queue(END)


def test_breadth_and_depth(pc, env):
    """Vf clear: one transfer of a queue in a frame; the next queue is looked at as well."""
    u = Uhci(pc)
    u.configure()
    pc.write(BUF, struct.pack("<BBHHH", 0x80, 8, 0, 0, 1))
    for at in (TDS, TDS + 256):
        u.td(at, SETUP, 8, at + 32)
        u.td(at + 32, IN, 1, END, toggle=1, buf=BUF + 64)
    u.run(False)
    u.queue(TDS + 256, END, QH + 32)
    u.queue(TDS, QH + 32 | QUEUE)
    u.run()
    u.wait_td(TDS + 256 + 32)
    assert not u.ctrl(TDS + 32) & ACTIVE
    assert struct.unpack("<I", pc.read(QH + 36, 4))[0] & END


def test_circles(pc, env):
    """Queues and transfers that point at each other end with the frame."""
    u = Uhci(pc)
    u.configure()
    u.run(False)
    u.queue(END, QH + 32 | QUEUE)
    u.queue(END, QH | QUEUE, QH + 32)
    u.run()
    u.frames(20)
    u.run(False)
    u.td(TDS, IN, 8, TDS + 32 | DEPTH, ctrl=0)
    u.td(TDS + 32, IN, 8, TDS | DEPTH, ctrl=0)
    pc.write(FRAMES, struct.pack("<I", TDS) * 1024)
    u.run()
    u.frames(20)
    assert not u.inp(STS) & 0x20


def test_bad_pid(pc, env):
    u = Uhci(pc)
    u.run()
    u.td(TDS, 0x55, 8)
    u.queue(TDS)
    pc.wait(lambda: pc.step(1000000) or u.inp(STS) & 0x10, "process error")
    pc.wait(lambda: u.inp(STS) & 0x20, "halt")
    assert u.irq()
    u.out(STS, 0x10)
    u.queue(END)
    u.run()
    u.frames(2)


def test_lengths(pc, env):
    u = Uhci(pc)
    u.configure()
    # zero bytes
    pc.write(BUF, struct.pack("<BBHHH", 1, 11, 0, 0, 0))
    u.td(TDS, SETUP, 8, TDS + 32 | DEPTH)
    u.td(TDS + 32, IN, 0, END, toggle=1)
    u.queue(TDS)
    ctrl = u.wait_td(TDS + 32)
    assert (ctrl + 1) & 0x7ff == 0 and not ctrl & STALLED
    # a long request to a device that takes 8 bytes a packet; the largest legal length
    pc.write(BUF, struct.pack("<BBHHH", 0x80, 6, 0x100, 0, 18))
    u.td(TDS, SETUP, 8, TDS + 32 | DEPTH)
    u.td(TDS + 32, IN, 1280, END, toggle=1, buf=BUF + 64)
    u.queue(TDS)
    u.wait_td(TDS + 32)
    assert u.length(TDS + 32) in (8, 18)
    if ours(pc):  # beyond 4ff: a bad structure (3.2.3); QEMU allows it
        u.td(TDS, OUT, 1281)
        u.queue(TDS)
        pc.wait(lambda: pc.step(1000000) or u.inp(STS) & 0x10, "process error")


def test_babble(pc, env):
    u = Uhci(pc)
    u.configure()
    client = env.vnc()
    client.pointer(3, 4)
    if ours(pc):  # QEMU's tablet cuts its report
        u.td(TDS, IN, 2, ep=1)
        u.queue(TDS)
        ctrl = u.wait_td(TDS)
        assert ctrl & BABBLE and ctrl & STALLED, "0x%08x" % ctrl
    client.close()


def test_stall_and_halt(pc, env):
    u = Uhci(pc)
    u.configure()
    assert u.control(0x80, 99, 0, 0, 8) is None
    assert u.descriptor(1) is not None, "the next setup ends the stall"
    if ours(pc):  # QEMU's endpoint goes on
        assert u.control(2, 3, 0, 0x81, 0) == b""
        assert u.control(0x82, 0, 0, 0x81, 2) == b"\1\0"
        u.td(TDS, IN, 8, ep=1)
        u.queue(TDS)
        assert u.wait_td(TDS) & STALLED
        assert u.control(2, 1, 0, 0x81, 0) == b""
        assert u.report() is None


def test_tablet_reports(pc, env):
    u = Uhci(pc)
    u.configure()
    u.only_changes()
    client = env.vnc()
    width, height = client.width, client.height
    last = None
    for x, y, buttons, expected in ((0, 0, 0, 0), (width - 1, height - 1, 1, 1), (10, 20, 4, 2),
                                    (10, 20, 2, 4), (10, 20, 0, 0)):
        client.pointer(x, y, buttons)

        def reported():
            nonlocal last
            got = u.report()
            last = got or last
            return last and last[0] == expected and abs(last[1] | last[2] << 8) >= 0 and got is None
        pc.wait(reported, "button %d" % buttons)
        px, py = struct.unpack_from("<HH", last, 1)
        assert abs(px - x * 0x7fff // (width - 1)) < 80 and abs(py - y * 0x7fff // (height - 1)) < 80
    assert u.report() is None
    for button, wheel in ((8, 1), (16, 0xff)):
        client.pointer(10, 20, button)
        client.pointer(10, 20, 0)
        assert u.wait_report()[5] == wheel
        while u.report():
            pass
    client.close()


def test_tablet_gives_back(pc, env):
    """After a reset of its port the pointer goes to the PS/2 mouse."""
    if not ours(pc):
        return  # QEMU's VNC server keeps positions for the tablet
    u = Uhci(pc)
    for value in (0xd4, 0xf4):
        pc.out(0x64 if value == 0xd4 else 0x60, value)
    pc.inp(0x60)
    client = env.vnc()
    u.configure()
    client.pointer(50, 50)
    assert u.wait_report()
    assert not pc.inp(0x64) & 1
    u.out(PORT, 0x200)
    client.pointer(50, 50)
    client.pointer(60, 40)
    pc.wait(lambda: pc.inp(0x64) & 1, "a PS/2 byte")
    client.close()


def test_idle_rate(pc, env):
    """SET IDLE 1: the report comes again every 4 ms; 0: on change only."""
    u = Uhci(pc)
    u.configure()
    assert u.control(0x21, 10, 0x100, 0, 0) == b""
    assert u.control(0xa1, 2, 0, 0, 1) == b"\1"
    assert u.wait_report() is not None and u.wait_report() is not None
    u.only_changes()
    while u.report():
        pass
    assert u.report() is None


def test_wakes_from_idle(pc, env):
    """Input and new transfers are seen although the controller looks rarely."""
    u = Uhci(pc)
    u.configure()
    u.only_changes()
    u.td(TDS, IN, 8, ep=1, ctrl=ACTIVE | ERRORS3 | IOC)
    u.queue(TDS)
    u.out(INTR, 4)
    for _ in range(20):
        pc.step(10000000)
    client = env.vnc()
    client.pointer(7, 7)
    u.wait_td(TDS)
    assert u.irq()
    client.close()


def test_suspend_and_wakeup(pc, env):
    if not ours(pc):
        return  # QEMU's tablet is silent on a suspended port
    u = Uhci(pc)
    u.configure()
    assert u.control(0, 3, 1, 0, 0) == b"", "remote wake-up on"
    u.out(STS, 0x3f)
    u.out(INTR, 2)
    u.out(PORT, 0x1004)
    client = env.vnc()
    client.pointer(9, 9)
    pc.wait(lambda: u.inp(STS) & 4, "resume detect")
    assert u.inp(PORT) & 0x40 and u.irq()
    u.out(PORT, 0x1044)
    u.out(PORT, 4)
    u.out(STS, 4)
    assert u.inp(PORT) & 0x1040 == 0
    assert u.wait_report()
    client.close()


def test_wakeup_at_suspend(pc, env):
    if not ours(pc):
        return  # QEMU's device sleeps on it
    u = Uhci(pc)
    u.configure()
    assert u.control(0, 3, 1, 0, 0) == b"", "remote wake-up on"
    u.out(STS, 0x3f)
    client = env.vnc()
    client.pointer(9, 9)
    client.close()
    pc.wait(lambda: u.out(PORT, 4) or u.out(PORT, 0x1004) or u.inp(PORT) & 0x40, "the report has come, and wakes")
    u.out(PORT, 0x1044)
    u.out(PORT, 4)
    assert u.wait_report()


def test_reset_in_transfer(pc, env):
    u = Uhci(pc)
    u.configure()
    pc.write(BUF, struct.pack("<BBHHH", 0x21, 9, 0x200, 0, 8))
    u.td(TDS, SETUP, 8)
    u.queue(TDS)
    u.wait_td(TDS)
    u.queue(END)
    u.out(CMD, HCRESET)
    u = Uhci(pc)
    u.configure(6)
    u.out(CMD, 0xc1 | GRESET)
    pc.step(20000000)
    u.out(CMD, 0xc1)
    u = Uhci(pc)
    u.configure(7)
    assert len(u.descriptor(1)) == 18


def test_no_bus_master(pc, env):
    if not ours(pc):
        return  # in QEMU the frame number stands still then
    u = Uhci(pc)
    u.configure()
    pc.config_write(1, 2, 4, 1, 2)
    u.td(TDS, IN, 8, address=77)
    u.queue(TDS)
    u.frames(5)
    assert u.ctrl(TDS) & ACTIVE


def test_mouse_reports(pc, env):
    u = Uhci(pc)
    u.configure()
    u.only_changes()
    got = [f[:5] for f in fields(u.descriptor(0x22, recipient=1))]
    assert got[-1][:3] == (6, 8, 3) and got[-1][3:] == (-127, 127), got
    if not ours(pc):
        return  # its VNC server asks for another pointer mode first
    client = env.vnc()
    client.pointer(100, 100)
    client.pointer(300, 90, 1)
    total, last = [0, 0], None

    def there():
        nonlocal last
        got = u.report(4)
        if got:
            last = got
            for i in range(2):
                total[i] += got[1 + i] - (256 if got[1 + i] > 127 else 0)
        return total == [200, -10] and last[0] == 1
    pc.wait(there, "motion of 200 and -10")
    assert u.report(4) is None
    client.close()


def test_keyboard_reports(pc, env):
    u = Uhci(pc)
    u.configure()
    u.only_changes()
    client = env.vnc()

    def reports(expected):
        got = []

        def done():
            r = u.report()
            if r is not None and (not got or r != got[-1]):
                got.append(r)
            return got[-len(expected):] == expected
        pc.wait(done, "%s after %s" % (expected, got))
    for keysym in (ord("a"), 0xffe1, 0xff1b, 0xff53, 0xffe4):
        client.key(keysym, True)
        client.key(keysym, False)
        first, mod = {0x61: (4, 0), 0xffe1: (0, 2), 0xff1b: (0x29, 0), 0xff53: (0x4f, 0),
                      0xffe4: (0, 0x10)}[keysym]
        reports([bytes([mod, 0, first, 0, 0, 0, 0, 0]), bytes(8)])
    assert u.control(0x21, 9, 0x200, 0, 1, b"\2") == b""
    client.close()


def typed(u, count):
    """The usages of so many keys that are pressed, from the reports; each is released before the next."""
    got, held = [], 0

    def there():
        nonlocal held
        r = u.report()
        if r is not None:
            assert not (r[2] and held), "%r with a key held" % r
            held = r[2]
            got.extend(r[2:3] if r[2] else b"")
        return len(got) == count and not held
    u.pc.wait(there, "%d keys" % count, 60)
    return got


def test_keyboard_holds_keys(pc, env):
    """A guest that polls slowly gets every key of a fast client, also of one that has gone since."""
    if not ours(pc):
        return  # QEMU's device forgets keys behind the sixteenth
    u = Uhci(pc)
    u.configure()
    u.only_changes()
    client = env.vnc()
    client.request()
    for i in range(300):
        client.press(ord("a") + i % 26)
    client.close()
    assert typed(u, 300) == [4 + i % 26 for i in range(300)]
    # More than the device model keeps: the client has to wait.
    client = env.vnc()
    for i in range(1500):
        client.press(ord("a") + i % 26)
    client.close()
    assert typed(u, 1500) == [4 + i % 26 for i in range(1500)]
    assert u.report() is None


def test_keyboard_full(pc, env):
    """A guest that polls no more: keys that nobody takes are forgotten at last, and none stays down."""
    if not ours(pc):
        return
    u = Uhci(pc)
    u.configure()
    u.only_changes()
    client = env.vnc()
    client.key(0xffe1, True)
    for i in range(1200):
        client.press(ord("a") + i % 26)
    client.key(0xffe1, False)
    client.update()
    reports = []

    def dry():
        r = u.report()
        reports.append(r)
        return r is None
    pc.wait(dry, "no more reports", 60)
    assert 400 < sum(r is not None and r[2] > 0 for r in reports) < 600
    assert reports[-2] == bytes(8), "all keys are up: %r" % reports[-2]
    client.close()


TESTS = [f for n, f in sorted(globals().items()) if n.startswith("test_")]
