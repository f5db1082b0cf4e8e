# SPDX-License-Identifier: GPL-2.0-or-later
"""The wire behind the cards: user-mode network, capture, link state, save and restore, options."""
import os
import re
import socket
import struct
import subprocess

import nic
import pc
from qmp import Qmp
from nic import BROADCAST, MAC, Rtl, checksum, ether, frame
from test_ne2k import Ne2k

GATEWAY, GUEST = bytes([10, 0, 2, 2]), bytes([10, 0, 2, 15])


def machine(program, work, arguments, fds=()):
    return pc.Pc("plinth", [program, "-m", "64"] + arguments, work, fds)


def card(model, netdev="n0"):
    return ["-device", "%s,id=nic0,netdev=%s,mac=00:16:3e:01:02:03,addr=04,romfile=" % (model, netdev)]


def qmp(work):
    path = os.path.join(work, "net.qmp")
    return path, ["-qmp", "unix:" + path]


class NoWire:
    def drain(self):
        pass


def udp_frame(src, dst, sport, dport, data, to=BROADCAST):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28 + len(data), 1, 0, 64, 17, 0, src, dst)
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return ether(head + struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data, dst=to)


class Host:
    """What libslirp shows to a guest behind an RTL8139."""

    def __init__(self, rtl):
        self.rtl = rtl
        rtl.start(accept=0x0f)

    def ask(self, data, wanted, tries=20):
        """Send, then the first received frame that wanted() turns into something."""
        self.rtl.transmit(nic.padded(data))
        for _ in range(tries):
            got = wanted(self.rtl.receive()[1])
            if got:
                return got
        raise AssertionError("no answer")

    def dhcp(self, kind, extra=b""):
        message = struct.pack(">BBBBIHH16s6s10s192s", 1, 1, 6, 0, 0x1234, 0, 0, bytes(16), MAC, bytes(10),
                              bytes(192)) + bytes([99, 130, 83, 99, 53, 1, kind]) + extra + b"\xff"

        def answer(f):
            if f[12:14] != b"\x08\x00" or f[23] != 17 or f[36:38] != b"\0\x44" or f[46:50] != b"\0\0\x12\x34":
                return None
            return f[42:]
        return self.ask(udp_frame(bytes(4), b"\xff" * 4, 68, 67, message), answer)

    def arp(self, address):
        request = b"\0\1\x08\0\6\4\0\1" + MAC + GUEST + bytes(6) + address

        def answer(f):
            return f[22:28] if f[12:14] == b"\x08\x06" and f[20:22] == b"\0\2" and f[28:32] == address else None
        return self.ask(ether(request, dst=BROADCAST, kind=0x0806), answer)

    def tftp(self, name):
        gateway, content, block = self.arp(GATEWAY), b"", 1
        packet = b"\0\1" + name.encode() + b"\0octet\0"
        port = 69
        while True:
            def answer(f):
                at = 42
                if f[12:14] != b"\x08\x00" or f[23] != 17 or f[36:38] != struct.pack(">H", 2000):
                    return None
                if f[at:at + 2] == b"\0\5":
                    return "error"
                if f[at:at + 4] != struct.pack(">HH", 3, block):
                    return None
                size = struct.unpack(">H", f[38:40])[0] - 8
                return f[34:36], f[at + 4:at + size]
            got = self.ask(udp_frame(GUEST, GATEWAY, 2000, port, packet, gateway), answer)
            if got == "error":
                return None
            port = struct.unpack(">H", got[0])[0]
            content += got[1]
            packet = struct.pack(">HH", 4, block)
            if len(got[1]) < 512:
                self.rtl.transmit(nic.padded(udp_frame(GUEST, GATEWAY, 2000, port, packet, gateway)))
                return content
            block += 1


def options(message):
    found, at = {}, 240
    while at < len(message) and message[at] != 0xff:
        if message[at]:
            found[message[at]] = message[at + 2:at + 2 + message[at + 1]]
        at += 2 + message[at + 1] if message[at] else 1
    return found


def test_user_network(program, work):
    """DHCP, ARP, TFTP through libslirp, and the capture of all that."""
    root, dump = os.path.join(work, "tftp"), os.path.join(work, "net.pcap")
    os.makedirs(root)
    data = os.urandom(512 * 5 + 77)
    with open(os.path.join(root, "boot.bin"), "wb") as f:
        f.write(data)
    m = machine(program, work, ["-netdev", "user,id=n0,tftp=%s,bootfile=/boot.bin" % root,
                                "-object", "filter-dump,id=d0,netdev=n0,file=" + dump] + card("rtl8139"))
    host = Host(Rtl(m, NoWire()))
    offer = host.dhcp(1)
    assert offer[16:20] == GUEST, "the address offered"
    assert options(offer)[53] == b"\2" and options(offer)[3] == GATEWAY
    assert offer[108:117] == b"/boot.bin"
    ack = host.dhcp(3, bytes([50, 4]) + GUEST)
    assert options(ack)[53] == b"\5" and options(ack)[6] == bytes([10, 0, 2, 3])
    assert host.tftp("/boot.bin") == data
    assert host.tftp("/nothing") is None
    m.close()
    with open(dump, "rb") as f:
        text = f.read()
    assert struct.unpack("<IHHIIII", text[:24]) == (0xa1b2c3d4, 2, 4, 0, 0, 65536, 1)
    at, frames = 24, []
    while at < len(text):
        size, whole = struct.unpack("<II", text[at + 8:at + 16])
        assert size == whole
        frames.append(text[at + 16:at + 16 + size])
        at += 16 + size
    assert at == len(text)
    assert sum(b"/boot.bin\0octet" in f for f in frames) == 1
    assert b"".join(f[46:] for f in frames if f[42:44] == b"\0\3") == data, "the file block by block"


def test_tftp_folder(program, work):
    """What is outside of the TFTP folder is not there, whatever leads to it."""
    root = os.path.join(work, "tftp-folder")
    os.makedirs(root)
    with open(os.path.join(root, "file"), "wb") as f:
        f.write(b"inside")
    os.symlink("/etc/passwd", os.path.join(root, "out"))
    os.symlink("file", os.path.join(root, "in"))
    m = machine(program, work, ["-netdev", "user,id=n0,tftp=%s" % root] + card("rtl8139"))
    host = Host(Rtl(m, NoWire()))
    host.dhcp(1)
    assert host.tftp("/in") == b"inside"
    assert host.tftp("/../etc/passwd") is None
    if not os.geteuid():
        assert host.tftp("/out") is None
        assert sorted(os.listdir("/proc/%d/root" % m.pid())) == ["etc", "tftp"]
        assert os.listdir("/proc/%d/root/etc" % m.pid()) == ["resolv.conf"]
    m.close()


def test_host_forward(program, work):
    """A connection to the host's port reaches the guest as a SYN."""
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    probe.close()
    m = machine(program, work, ["-netdev", "user,id=n0,net=192.168.76.0/24,hostfwd=tcp:127.0.0.1:%d-:8080" % port]
                + card("rtl8139"))
    host = Host(Rtl(m, NoWire()))
    assert host.dhcp(1)[16:20] == bytes([192, 168, 76, 15])
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(("127.0.0.1", port))

    def syn(f):
        return f[12:14] == b"\x08\x00" and f[23] == 6 and f[36:38] == struct.pack(">H", 8080) and f[47] & 2
    for _ in range(20):
        f = host.rtl.receive()[1]
        if f[12:14] == b"\x08\x06":  # libslirp asks who has the guest's address
            host.rtl.transmit(nic.padded(ether(b"\0\1\x08\0\6\4\0\2" + MAC + f[38:42] + f[22:32], kind=0x0806)))
        elif syn(f):
            break
    else:
        raise AssertionError("no SYN came")
    s.close()
    m.close()


def arrives(program, work, netdev, address):
    """Whether a guest's datagram to this address and our port comes in on the host's loopback."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    m = machine(program, work, ["-netdev", netdev] + card("rtl8139"))
    host = Host(Rtl(m, NoWire()))
    host.dhcp(1)
    gateway = host.arp(GATEWAY)
    host.rtl.transmit(nic.padded(udp_frame(GUEST, address, 2000, s.getsockname()[1], b"hello", gateway)))
    host.dhcp(1)  # one after the other
    m.close()
    s.setblocking(False)
    try:
        return s.recv(100) == b"hello"
    except BlockingIOError:
        return False
    finally:
        s.close()


def test_host_loopback(program, work):
    """A guest does not reach what listens on this host's loopback, unless that is asked for."""
    own = [bytes([127, 0, 0, 1]), bytes([127, 9, 8, 7]), bytes(4), GATEWAY, b"\xff" * 4]
    for address in own:
        assert not arrives(program, work, "user,id=n0", address), address
        assert not arrives(program, work, "user,id=n0,hostloopback=off", address), address
    assert arrives(program, work, "user,id=n0,hostloopback=on", GATEWAY)
    assert arrives(program, work, "user,id=n0,hostloopback=on", bytes([127, 0, 0, 1]))


def test_link(program, work):
    wire = nic.Wire(work, "link")
    path, monitor = qmp(work)
    m = machine(program, work, ["-netdev", wire.netdev()] + card("rtl8139") + monitor)
    q = Qmp(path)
    d = Rtl(m, wire)
    d.start()
    assert "return" in q.ask("set_link", name="nic0", up=False)
    assert not d.reg(0x64, 2) & 4 and d.reg(0x58, 1) & 4, "BMSR, MSR"
    assert d.reg(0x3e, 2) & nic.LINK
    assert d.transmit(frame()) & 1 << 31, "no carrier"
    wire.send(frame())
    assert "return" in q.ask("set_link", name="n0", up=True)
    assert "error" in q.ask("set_link", name="nobody", up=True)
    assert d.reg(0x64, 2) & 4
    wire.drain()
    mark = frame(dst=nic.PEER)
    d.transmit(mark)
    assert wire.recv() == mark
    m.close()
    wire.close()


def test_stopped(program, work):
    """A stopped guest receives nothing; the frames come with cont."""
    wire = nic.Wire(work, "stop")
    path, monitor = qmp(work)
    m = machine(program, work, ["-netdev", wire.netdev()] + card("rtl8139") + monitor)
    q = Qmp(path)
    d = Rtl(m, wire)
    d.start()
    q.ask("stop")
    sent = [frame(100 + i) for i in range(5)]
    for data in sent:
        wire.send(data)
    for _ in range(5):
        q.ask("query-status")
    assert d.reg(0x37, 1) & 1
    q.ask("cont")
    assert [d.receive()[1] for _ in sent] == sent
    m.close()
    wire.close()


def saved(program, work, model, before, after):
    """Save in the middle of things, go on in another process."""
    wire = nic.Wire(work, "save")
    path, monitor = qmp(work)
    arguments = ["-netdev", wire.netdev()] + card(model) + monitor
    m = machine(program, work, arguments)
    state = before(m, wire)
    q = Qmp(path)
    q.ask("stop")
    memory = m.read(0, 0x400000)
    file = os.path.join(work, "state")
    fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    number = q.ask("add-fd", fd)["return"]["fdset-id"]
    assert "return" in q.ask("xen-save-devices-state", filename="/dev/fdset/%d" % number, live=False)
    m.close()
    os.lseek(fd, 0, os.SEEK_SET)
    m = machine(program, work, arguments + ["-incoming", "fd:%d" % fd], (fd,))
    os.close(fd)
    m.write(0, memory)
    after(m, wire, state)
    m.close()
    with open(file, "rb") as f:
        good = f.read()
    bad = bytearray(good)
    at = good.index(model.split("_")[0].encode() + b"\0")
    bad[at + 40:at + 400] = b"\xff" * 360
    with open(file, "wb") as f:
        f.write(bad)
    fd = os.open(file, os.O_RDONLY)
    r = subprocess.run([program, "-m", "64", "-qtest", "stdio"] + arguments[:-2] + ["-incoming", "fd:%d" % fd],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, pass_fds=(fd,))
    os.close(fd)
    wire.close()
    assert r.returncode == 1 and "AddressSanitizer" not in r.stderr, r.stderr


def test_save_rtl8139(program, work):
    def before(m, wire):
        d = Rtl(m, wire)
        d.start()
        data = [frame(200 + i) for i in range(3)]
        for f in data:
            wire.send(f)
        assert d.receive()[1] == data[0]
        m.wait(lambda: d.reg(0x3a, 2) >= 3 * 208, "all three")
        d.transmit(frame(dst=nic.PEER))
        wire.recv()
        d.set(0x54, 123456)
        return d, data

    def after(m, wire, state):
        d, data = state
        d.pc = m
        assert [d.receive()[1] for _ in range(2)] == data[1:]
        assert d.reg(0x54) == 123456 and bytes(d.reg(i, 1) for i in range(6)) == MAC
        mark = frame(dst=nic.PEER)
        d.transmit(mark)
        assert wire.recv() == mark
        wire.send(data[0])
        assert d.receive()[1] == data[0]
    saved(program, work, "rtl8139", before, after)


def test_save_ne2k(program, work):
    def before(m, wire):
        d = Ne2k(m, wire)
        data = [frame(200 + i) for i in range(3)]
        for f in data:
            wire.send(f)
        assert d.receive()[1] == data[0]
        m.wait(lambda: d.current() == nic_page(d.next, 2), "all three")
        return d, data

    def nic_page(page, frames):
        return page + frames

    def after(m, wire, state):
        d, data = state
        d.pc = m
        assert [d.receive()[1] for _ in range(2)] == data[1:]
        mark = frame(dst=nic.PEER)
        d.transmit(mark)
        assert wire.recv() == mark
    saved(program, work, "ne2k_pci", before, after)


def test_libxl_command_line(program, work):
    """-device before -netdev, type=tap: as libxl writes it; the tap is an open descriptor here."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.settimeout(20)
    m = machine(program, work, ["-device", "rtl8139,id=nic0,netdev=net0,mac=00:16:3e:01:02:03", "-netdev",
                                "type=tap,id=net0,fd=%d,br=xenbr0,script=no,downscript=no" % theirs.fileno()],
                (theirs.fileno(),))
    theirs.close()
    assert m.config_read(4, 0, 0) == 0x813910ec, "the first free slot"
    d = Rtl(m, NoWire())
    d.start()
    mark = frame(dst=nic.PEER)
    d.transmit(mark)
    assert ours.recv(2000) == mark
    ours.send(frame(dst=MAC))
    d.receive()
    m.close()


def test_slots(program, work):
    """In the order of the configuration, whatever the models."""
    m = machine(program, work, sum((["-device", model + ",romfile="] for model in ("rtl8139", "ne2k_pci", "rtl8139")),
                                   []) + ["-device", "ne2k_isa", "-device", "ne2k_pci,addr=9,romfile="])
    assert [m.config_read(slot, 0, 2, 2) for slot in (4, 5, 6, 7, 9)] == [0x8139, 0x8029, 0x8139, 0xffff, 0x8029]
    m.close()


def test_rom(program, work):
    """iPXE's ROM shows in its window with the card's own numbers and a right checksum."""
    for model, ident, name in (("rtl8139", 0x813910ec, "pxe-rtl8139.rom"), ("ne2k_pci", 0x802910ec, "pxe-ne2k_pci.rom")):
        if not os.path.exists("/usr/lib/ipxe/qemu/" + name):
            continue
        m = machine(program, work, ["-device", model + ",addr=04"])
        m.config_write(4, 0, 0x30, 0xfebc0001)
        m.config_write(4, 0, 4, 2, 2)
        rom = m.read(0xfebc0000, 512)
        assert rom[:2] == b"\x55\xaa"
        rom = m.read(0xfebc0000, rom[2] * 512)
        pcir = struct.unpack("<H", rom[0x18:0x1a])[0]
        assert rom[pcir:pcir + 4] == b"PCIR" and struct.unpack("<I", rom[pcir + 4:pcir + 8])[0] == ident
        assert sum(rom) & 0xff == 0
        m.close()


def test_made_up_address(program, work):
    seen = set()
    for _ in range(2):
        m = machine(program, work, ["-device", "rtl8139,addr=04,romfile="])
        nic.pci_enable(m)
        mac = bytes(m.inp(nic.IO + i, 1) for i in range(6))
        assert mac[:3] == b"\x00\x16\x3e", mac.hex()
        seen.add(mac)
        m.close()
    assert len(seen) == 2


def test_options_refused(program, work):
    device = ["-device", "rtl8139,netdev=n0"]
    for arguments, expect in (
            (device, "no -netdev with id=n0"),
            (["-netdev", "vde,id=n0"] + device, "vde is not supported"),
            (["-netdev", "tap,id=n0"] + device, "ifname= or fd="),
            (["-netdev", "tap,id=n0,ifname=x,script=/etc/up"] + device, "script=no"),
            (["-netdev", "user,id=n0,net=hello"] + device, "net=hello"),
            (["-netdev", "user,id=n0,hostfwd=tcp:x"] + device, "hostfwd=tcp:x"),
            (["-netdev", "user,id=n0,tftp=/nonexistent"] + device, "/nonexistent"),
            (["-netdev", "user,id=n0", "-device", "rtl8139,netdev=n0,mac=01:00:00:00:00:01"], "unicast"),
            (["-netdev", "user,id=n0"] + device + device, "has a network card already"),
            (["-object", "filter-dump,id=f,netdev=n9,file=/tmp/x"], "id=n9"),
            (["-device", "ne2k_isa,iobase=0x3f0", "-serial", "null"], "taken")):
        r = subprocess.run([program, "-qtest", "stdio", "-m", "16"] + arguments, stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=60)
        assert r.returncode == 1 and re.search(re.escape(expect), r.stderr), "%s: %s" % (arguments, r.stderr)


TESTS = [value for name, value in sorted(globals().items()) if name.startswith("test_")]
