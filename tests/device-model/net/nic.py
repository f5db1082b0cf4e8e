# SPDX-License-Identifier: GPL-2.0-or-later
"""What the network tests share: the wire (a datagram socket per frame), reference packets, the RTL8139."""
import os
import select
import socket
import struct
import zlib

MAC = bytes.fromhex("00163e010203")
PEER = bytes.fromhex("525500aa0102")
BROADCAST = b"\xff" * 6
IO, MEM = 0xc100, 0xfebd1000


class Wire:
    """The other end of the cable."""

    def __init__(self, work, kind):
        self.ours = os.path.join(work, kind + ".wire")
        self.theirs = os.path.join(work, kind + ".card")
        for path in (self.ours, self.theirs):
            if os.path.exists(path):
                os.unlink(path)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.ours)
        self.sock.settimeout(20)

    def netdev(self):
        return ("dgram,id=n0,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s"
                % (self.theirs, self.ours))

    def send(self, frame):
        self.sock.sendto(frame, self.theirs)

    def recv(self):
        return self.sock.recv(70000)

    def silent(self):
        return not select.select([self.sock], [], [], 0)[0]

    def drain(self):
        while not self.silent():
            self.recv()

    def close(self):
        self.sock.close()


def frame(size=60, dst=MAC, src=PEER, kind=0x88b5):
    return dst + src + struct.pack(">H", kind) + os.urandom(size - 14)


def padded(data):
    return data + bytes(max(0, 60 - len(data)))


def fcs(data):
    return struct.pack("<I", zlib.crc32(data))


def checksum(data):
    """RFC 1071."""
    if len(data) & 1:
        data += b"\0"
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def hash_bit(mac):
    """The bit of MAR: upper six bits of the big-endian CRC-32 over the address."""
    crc = 0xffffffff
    for byte in mac:
        for bit in range(8):
            carry = (crc >> 31 & 1) ^ (byte >> bit & 1)
            crc = (crc << 1 & 0xffffffff) ^ (0x04c11db7 if carry else 0)
    return crc >> 26


def ipv4(proto, payload, ident=0x1234, options=b"", sums=True):
    head = struct.pack(">BBHHHBBH4s4s", 0x45 + len(options) // 4, 0,
                       20 + len(options) + len(payload), ident, 0x4000, 64, proto, 0,
                       bytes([10, 0, 2, 15]), bytes([10, 0, 2, 2])) + options
    if sums:
        head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return head + payload


def pseudo(proto, size):
    return bytes([10, 0, 2, 15, 10, 0, 2, 2, 0, proto]) + struct.pack(">H", size)


def tcp(data, seq=1000, flags=0x18, options=b"", sums=True):
    head = struct.pack(">HHIIBBHHH", 4000, 80, seq, 77, (20 + len(options)) // 4 << 4, flags,
                       8192, 0, 0) + options
    if sums:
        value = checksum(pseudo(6, len(head) + len(data)) + head + data)
        head = head[:16] + struct.pack(">H", value) + head[18:]
    return head + data


def udp(data, sums=True):
    head = struct.pack(">HHHH", 5000, 53, 8 + len(data), 0)
    if sums:
        value = checksum(pseudo(17, len(head) + len(data)) + head + data) or 0xffff
        head = head[:6] + struct.pack(">H", value)
    return head + data


def ether(payload, dst=PEER, src=MAC, kind=0x0800):
    return dst + src + struct.pack(">H", kind) + payload


def pci_enable(pc, slot=4):
    pc.config_write(slot, 0, 0x10, IO)
    pc.config_write(slot, 0, 0x14, MEM)
    pc.config_write(slot, 0, 0x04, 7, 2)


OWN, EOR, FS, LS = 1 << 31, 1 << 30, 1 << 29, 1 << 28
ROK, TOK, RXOVW, LINK, TIMEOUT = 0x1, 0x4, 0x10, 0x20, 0x4000
RING, TXRING, HIRING, RXRING = 0x100000, 0x180000, 0x181000, 0x182000
TXBUF, RXBUF, DUMP = 0x200000, 0x300000, 0x183000


class Rtl:
    """A small RTL8139C+ driver in both modes."""

    def __init__(self, pc, wire):
        self.pc, self.wire = pc, wire
        pci_enable(pc)
        self.reset()
        wire.drain()

    def reg(self, offset, size=4):
        return self.pc.inp(IO + offset, size)

    def set(self, offset, value, size=4):
        self.pc.out(IO + offset, value, size)

    def reset(self):
        self.set(0x37, 0x10, 1)
        assert not self.reg(0x37, 1) & 0x10
        self.set(0x50, 0xc0, 1)
        for i in range(6):
            self.set(i, MAC[i], 1)
        self.set(0x50, 0, 1)

    # C mode
    def start(self, rblen=0, wrap=0, accept=0x0a, loopback=False):
        """accept: APM, AB."""
        self.pc.fill(RING, 0x14000, 0x5a)
        self.set(0x30, RING)
        self.set(0x37, 0x0c, 1)
        self.set(0x44, accept | wrap << 7 | rblen << 11 | 0x700)
        self.set(0x40, 0x700 | (3 << 17 if loopback else 0))
        self.size = 8192 << rblen
        self.at = 0
        self.wrap = wrap
        self.slot = 0

    def transmit(self, data, addr=TXBUF):
        self.pc.write(addr, data)
        self.set(0x20 + 4 * self.slot, addr)
        self.set(0x10 + 4 * self.slot, len(data))
        status = self.reg(0x10 + 4 * self.slot)
        self.slot = (self.slot + 1) & 3
        return status

    def receive(self):
        """The next frame of the ring: (status, data without FCS); checks FCS and length."""
        self.pc.wait(lambda: not self.reg(0x37, 1) & 1, "a frame")
        head = self.pc.read(RING + self.at, 4)
        status, size = struct.unpack("<HH", head)
        start = self.at + 4
        if self.wrap:
            data = self.pc.read(RING + start, size)
        else:
            data = b"".join(self.pc.read(RING + at % self.size, min(self.size - at % self.size, end - at))
                            for at, end in self.pieces(start, size))
        self.at = (self.at + 4 + size + 3 & ~3) % self.size
        self.set(0x38, (self.at - 16) & 0xffff, 2)
        assert data[-4:] == fcs(data[:-4]), "%s: FCS" % self.pc.kind
        return status, data[:-4]

    def pieces(self, start, size):
        first = max(0, min(size, self.size - start))
        if first:
            yield start, start + first
        if size > first:
            yield start + first, start + size

    # C+ mode
    def start_cplus(self, cpcr=3, entries=4, buffer=2048, accept=0x0a, loopback=False, give=True):
        self.set(0xe0, cpcr, 2)
        self.entries = entries
        self.tx = self.rx = 0
        for i in range(entries):
            last = EOR if i == entries - 1 else 0
            self.pc.write(TXRING + 16 * i, struct.pack("<IIII", last, 0, 0, 0))
            self.pc.write(HIRING + 16 * i, struct.pack("<IIII", last, 0, 0, 0))
            self.pc.write(RXRING + 16 * i, struct.pack("<IIQ", (OWN if give else 0) | last | buffer, 0,
                                                       RXBUF + 4096 * i))
        for reg, ring in ((0x20, TXRING), (0x28, HIRING), (0xe4, RXRING)):
            self.set(reg + 4, 0)
            self.set(reg, ring)
        self.set(0x37, 0x0c, 1)
        self.set(0x44, accept | 0x700)
        self.set(0x40, 0x700 | (3 << 17 if loopback else 0))

    def describe(self, data, bits=0, tag=0, addr=TXBUF, ring=TXRING, own=True):
        """Put one piece of a frame in the next descriptor."""
        last = EOR if self.tx == self.entries - 1 else 0
        self.pc.write(addr, data)
        self.pc.write(ring + 16 * self.tx, struct.pack("<IIQ", (OWN if own else 0) | last | bits | len(data),
                                                       tag, addr))
        at = self.tx
        self.tx = (self.tx + 1) % self.entries
        return at

    def poll(self, bit=0x40):
        self.set(0xd9, bit, 1)

    def send_cplus(self, data, bits=0, tag=0, addr=TXBUF):
        at = self.describe(data, bits | FS | LS, tag, addr)
        self.poll()
        status = struct.unpack("<I", self.pc.read(TXRING + 16 * at, 4))[0]
        assert not status & OWN, "%s: the card keeps the descriptor" % self.pc.kind
        return status

    def rx_desc(self, i):
        return struct.unpack("<IIQ", self.pc.read(RXRING + 16 * i, 16))

    def receive_cplus(self, give_back=True, buffer=2048):
        i = self.rx
        self.pc.wait(lambda: not self.rx_desc(i)[0] & OWN, "a frame")
        word0, word1, addr = self.rx_desc(i)
        data = self.pc.read(addr, word0 & 0x1fff)
        if give_back:
            self.pc.write(RXRING + 16 * i, struct.pack("<II", OWN | (word0 & EOR) | buffer, 0))
        self.rx = (i + 1) % self.entries
        return word0, word1, data[:-4]
