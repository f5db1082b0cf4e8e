# SPDX-License-Identifier: GPL-2.0-or-later
"""Unplugging by port 0x10 of the Xen platform device (Xen's docs/misc/hvm-emulated-unplug).

Bit 0 takes the IDE disks, bit 1 all network cards, bit 2 the IDE disks but the primary master. Debian's QEMU has
this device under Xen only, so ours is judged by the document alone.
"""
import os
import socket

import nic
from nic import MAC, Rtl, frame
from test_ne2k import Ne2k
from qmp import Qmp
from test_net import Host, NoWire, card, machine, options, qmp

UNPLUG, MAGIC = 0x10, 0x49d2
DISKS, NICS, AUX_DISKS = 1, 2, 4
INTA_OF_SLOT_4 = 16  # of qtest's lines


def pair(program, work, arguments, netdev="n0"):
    """A machine with a tap, which is one end of a pair of sockets; the other end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.settimeout(20)
    m = machine(program, work, ["-netdev", "tap,id=%s,fd=%d,script=no" % (netdev, theirs.fileno())] + arguments,
                (theirs.fileno(),))
    theirs.close()
    return m, ours


def closed(sock):
    """The back end has let go of its end."""
    try:
        sock.send(frame())
    except ConnectionRefusedError:
        return True
    return False


def unplug(m, what):
    assert m.inp(UNPLUG, 2) == MAGIC and m.inp(UNPLUG + 2) == 1, "the protocol is not offered"
    m.out(UNPLUG, what, 2)


def test_disk_bits(program, work):
    """Bits 0 and 2 take the disks that they name, never the CD nor a network card."""
    for what, left in ((AUX_DISKS, {"hda"}), (DISKS, set()), (DISKS | AUX_DISKS, set())):
        drives = []
        for i in range(4):
            path = os.path.join(work, "hd%d.img" % i)
            with open(path, "wb") as file:
                file.truncate(1 << 20)
            drives += ["-drive", "file=%s,if=ide,index=%d,format=raw%s" % (path, i, ",media=cdrom" * (i == 2))]
        m, wire = pair(program, work, drives + card("rtl8139"))
        unplug(m, what)
        seen = set()
        for name, base, device in (("hda", 0x1f0, 0xa0), ("hdb", 0x1f0, 0xb0), ("hdd", 0x170, 0xb0)):
            m.out(base + 6, device)
            if m.inp(base + 7) == 0x50:
                seen.add(name)
        m.out(0x176, 0xa0)
        assert seen == left, "bits %d leave %s" % (what, seen)
        assert (m.inp(0x174), m.inp(0x175)) == (0x14, 0xeb), "the CD is gone"
        assert m.config_read(4, 0, 0) == 0x813910ec and not closed(wire)
        m.close()
        wire.close()


def test_rtl8139_leaves(program, work):
    """With frames in its ring, a timer running, its interrupt pending: registers, line, DMA, back end go."""
    m, wire = pair(program, work, card("rtl8139"))
    open(m.log_path, "w", encoding="utf-8").close()
    m.command("irq_intercept_in ioapic")
    d = Rtl(m, NoWire())
    d.start()
    d.set(0x3c, 0x4001, 2)
    wire.send(frame())
    m.wait(lambda: d.reg(0x3e, 2) and m.irqs.get(INTA_OF_SLOT_4), "the interrupt")
    assert m.read(nic.MEM + 0x37, 1) == b"\x0c", "window"
    d.set(0x54, 1000000)
    wire.send(frame())
    m.out(UNPLUG, NICS, 2)
    assert not m.irqs[INTA_OF_SLOT_4], "the line stays up"
    ring = m.read(nic.RING, 0x14000)
    assert m.config_read(4, 0, 0) == 0xffffffff and m.inp(nic.IO, 4) == 0xffffffff
    assert m.read(nic.MEM + 0x37, 1) == b"\xff"
    assert closed(wire)
    m.step(10 ** 9)
    assert m.read(nic.RING, 0x14000) == ring and not m.irqs[INTA_OF_SLOT_4]
    d.set(0x10, 60)
    m.config_write(4, 0, 0x04, 7, 2)
    m.out(UNPLUG, NICS, 2)
    assert m.config_read(2, 0, 0) == 0x00015853 and m.config_read(4, 0, 4) == 0xffffffff
    m.close()
    assert m.log().count("has unplugged its emulated network cards") == 1
    wire.close()


def test_rtl8139_waits(program, work):
    """C+ mode, where the card itself looks again for descriptors, and frames that wait for it."""
    m, wire = pair(program, work, card("rtl8139"))
    d = Rtl(m, NoWire())
    d.start_cplus(entries=1)
    for _ in range(20):
        wire.send(frame())
    m.wait(lambda: d.reg(0x3e, 2) & nic.RXOVW, "the ring's end")
    unplug(m, NICS)
    assert closed(wire)
    m.write(nic.RXRING, b"\xff" * 16)
    m.step(10 ** 9)
    assert m.read(nic.RXRING, 16) == b"\xff" * 16
    m.close()
    wire.close()


def test_ne2k_leaves(program, work):
    for model, line in (("ne2k_pci", INTA_OF_SLOT_4), ("ne2k_isa", 9)):
        arguments = card(model) if model == "ne2k_pci" else ["-device", "ne2k_isa,netdev=n0,mac=00:16:3e:01:02:03"]
        m, wire = pair(program, work, arguments)
        m.command("irq_intercept_in ioapic")
        d = Ne2k(m, NoWire())
        d.set(0xf, 0x01)
        wire.send(frame(dst=MAC))
        m.wait(lambda: d.reg(7) and m.irqs.get(line), "the interrupt")
        unplug(m, NICS)
        assert not m.irqs[line] and d.reg(0) == 0xff and closed(wire), model
        assert m.config_read(4, 0, 0) == 0xffffffff
        m.close()
        wire.close()


def test_twin_only(program, work):
    """Two cards: what is on the user-mode network has no paravirtual twin and goes on; the monitor knows who left."""
    path, monitor = qmp(work)
    m, wire = pair(program, work, ["-netdev", "user,id=u0", "-device", "rtl8139,id=nic1,netdev=u0,addr=05,"
                                   "mac=00:16:3e:01:02:03,romfile="] + card("ne2k_pci") + monitor)
    q = Qmp(path)
    unplug(m, NICS)
    assert closed(wire) and m.config_read(4, 0, 0) == 0xffffffff
    assert "error" in q.ask("set_link", name="nic0", up=False)
    slots = {device["slot"] for device in q.ask("query-pci")["return"][0]["devices"]}
    assert 4 not in slots and 5 in slots, slots
    nic.pci_enable(m, 5)
    host = Host(Rtl(m, NoWire()))
    assert options(host.dhcp(1))[53] == b"\2"
    m.close()
    wire.close()


def saved(path, work):
    """The machine's state, in a file that is open at its start."""
    q = Qmp(path)
    q.ask("stop")
    fd = os.open(os.path.join(work, "unplugged"), os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    number = q.ask("add-fd", fd)["return"]["fdset-id"]
    assert "return" in q.ask("xen-save-devices-state", filename="/dev/fdset/%d" % number, live=False)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def test_saved_without(program, work):
    """The record of a machine without its card restores, twice, into one that is made with it: no card is seen, but its
    tap is there for the toolstack's scripts until the guest unplugs again."""
    path, monitor = qmp(work)
    m, wire = pair(program, work, card("rtl8139") + monitor)
    unplug(m, NICS)
    for _ in range(2):
        fd = saved(path, work)
        m.close()
        wire.close()
        wire, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        m = machine(program, work, ["-netdev", "tap,id=n0,fd=%d,script=no" % theirs.fileno()] + card("rtl8139")
                    + ["-incoming", "fd:%d" % fd] + monitor, (fd, theirs.fileno()))
        theirs.close()
        os.close(fd)
        for _ in range(20):
            assert m.config_read(4, 0, 0) == 0xffffffff and not closed(wire)
    unplug(m, NICS)
    assert m.config_read(4, 0, 0) == 0xffffffff and closed(wire)
    m.close()
    wire.close()


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_") and callable(value)]
