# SPDX-License-Identifier: GPL-2.0-or-later
"""The VNC server, by a client of our own: well-behaved, hostile, slow and many."""
import os
import random
import socket
import struct
import time

import qtest
import rfb
from qmp import Qmp
from test_vga import vbe_mode, LFB
from vga_modes import MODES, set_mode


def start(env, *extra, vnc="127.0.0.1:30,to=99"):
    path = os.path.join(env.work, "plinth.qmp")
    if os.path.exists(path):
        os.unlink(path)
    m = qtest.plinth(env.program, env.work, "-chardev",
                     "socket,id=libxl-cmd,path=%s,server=on,wait=off" % path, "-mon",
                     "chardev=libxl-cmd,mode=control", *extra, vnc=vnc)
    m.qmp = Qmp(path)
    m.config(m.find_pci(0x11111234), 0x10, LFB)
    m.config(m.find_pci(0x11111234), 0x04, 3, 2)
    return m


def raw_connect(m):
    return socket.create_connection(("127.0.0.1", m.vnc_port), 10)


def keyboard_bytes(m, count, wait=3):
    """Scan codes from the controller, as they come."""
    got, end = [], time.monotonic() + wait
    while len(got) < count and time.monotonic() < end:
        if m.inb(0x64) & 1:
            got.append(m.inb(0x60))
        else:
            time.sleep(0.01)
    time.sleep(0.05)
    while m.inb(0x64) & 1:
        got.append(m.inb(0x60))
    return got


def translate_on(m):
    m.outb(0x64, 0x60)
    m.outb(0x60, 0x43)


def test_sizes(env):
    """Connect with each protocol version; the size follows the guest's mode."""
    m = env.m
    set_mode(m, MODES["text 80x25, 9 dots"])
    for minor in (3, 7, 8):
        c = rfb.Client(m.vnc_port, minor=minor)
        c.update()
        assert "Plinth" in c.name, c.name
        c.close()
    for encodings in ((0, rfb.DESKTOP_SIZE), (0, rfb.EXT_SIZE)):
        c = rfb.Client(m.vnc_port, encodings=encodings)
        for x, y in ((640, 480), (1024, 768), (800, 600)):
            vbe_mode(m, x, y, 32)
            wait_size(c, x, y)
        c.close()


def wait_size(c, x, y, wait=10):
    end = time.monotonic() + wait
    while (c.width, c.height) != (x, y):
        assert time.monotonic() < end, "size %dx%d, expected %dx%d" % (c.width, c.height, x, y)
        c.update()


def test_two_clients(env):
    """Both see a change, each by incremental updates that carry only the changed lines."""
    m = env.m
    vbe_mode(m, 640, 480, 8)
    clients = [rfb.Client(m.vnc_port) for _ in range(2)]
    for c in clients:
        wait_size(c, 640, 480)
        c.update()
    for value in (10, 20, 30):
        m.writeb(0xa0000, value)
        m.outw(0x3c8, 0)
    for c in clients:
        c.update(False)
    assert clients[0].rgb() == clients[1].rgb()
    for c in clients:
        c.close()


def test_keysyms(env):
    """What a client types arrives as set-1 codes, with a Shift that the client did not send."""
    m = env.m
    translate_on(m)
    keyboard_bytes(m, 0)
    c = rfb.Client(m.vnc_port)
    for text, want in (("a", [0x1e, 0x9e]), ("A", [0x2a, 0x1e, 0xaa, 0x9e]),
                       ("!", [0x2a, 0x02, 0xaa, 0x82]), ("\n", [0x1c, 0x9c]),
                       ("/", [0x35, 0xb5])):
        c.type(text)
        got = keyboard_bytes(m, len(want))
        assert got == want, "%r: %s, expected %s" % (text, got, want)
    c.key(0xffe1, 1)
    c.type("B")
    c.key(0xffe1, 0)
    got = keyboard_bytes(m, 4)
    assert got == [0x2a, 0x30, 0xb0, 0xaa], "Shift and B: %s" % got
    c.press(0xff51)
    got = keyboard_bytes(m, 4)
    assert got == [0xe0, 0x4b, 0xe0, 0xcb], "Left: %s" % got
    c.close()


def test_keys_wait(env):
    """All that is typed before the guest looks is there when it does; Shift goes with its letters."""
    m = env.m
    translate_on(m)
    keyboard_bytes(m, 0)
    c = rfb.Client(m.vnc_port)
    c.request()
    c.type("aB" * 100)
    c.close()
    got = keyboard_bytes(m, 600)
    assert got == [0x1e, 0x9e, 0x2a, 0x30, 0xaa, 0xb0] * 100, "%d bytes: %s" % (len(got), got)


def test_extended_keys(env):
    """QEMU's extended key event carries the key itself."""
    m = env.m
    translate_on(m)
    c = rfb.Client(m.vnc_port, encodings=(0, rfb.DESKTOP_SIZE, rfb.EXT_KEYS))
    c.update()
    assert c.ext_keys, "the server acknowledges the encoding"
    for code, want in ((0x1e, [0x1e, 0x9e]), (0xc8, [0xe0, 0x48, 0xe0, 0xc8]),
                       (0x56, [0x56, 0xd6]), (0xc6, [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5])):
        c.ext_key(0, code, 1)
        c.ext_key(0, code, 0)
        got = keyboard_bytes(m, len(want))
        assert got == want, "key %02x: %s, expected %s" % (code, got, want)
    c.close()


def test_held_keys(env):
    """A client that disappears lets go of its keys."""
    m = env.m
    translate_on(m)
    c = rfb.Client(m.vnc_port)
    c.key(0xffe3, 1)
    assert keyboard_bytes(m, 1) == [0x1d]
    c.close()
    assert keyboard_bytes(m, 1) == [0x9d], "Ctrl is released"


def mouse_packet(m, wait=3):
    return keyboard_bytes(m, 3, wait)


def test_pointer(env):
    """Relative motion: from positions, and from a client that knows the pointer mode."""
    m = env.m
    m.outb(0x64, 0xd4)
    m.outb(0x60, 0xf4)
    assert keyboard_bytes(m, 1) == [0xfa]
    c = rfb.Client(m.vnc_port)
    c.pointer(100, 100)
    c.pointer(110, 95)
    assert mouse_packet(m) == [0x08, 10, 5], "right 10, up 5"
    c.pointer(110, 95, 1)
    assert mouse_packet(m) == [0x09, 0, 0], "left button"
    c.pointer(90, 100, 0)
    assert mouse_packet(m) == [0x38, 0x100 - 20, 0x100 - 5], "left 20, down 5"
    c.close()
    c = rfb.Client(m.vnc_port, encodings=(0, rfb.DESKTOP_SIZE, rfb.POINTER_MODE))
    c.update()
    assert c.pointer_mode == 0, "the server says that the mouse is relative"
    c.pointer(0x7fff + 3, 0x7fff - 4, 4)
    assert mouse_packet(m) == [0x0a, 3, 4], "right button and motion"
    c.close()
    mouse_packet(m, 0.3)


def responsive(env, what):
    """A fresh client gets a picture, and the guest's side answers, at once."""
    start_time = time.monotonic()
    c = rfb.Client(env.m.vnc_port)
    c.update()
    c.close()
    env.m.inb(0x64)
    took = time.monotonic() - start_time
    assert took < 4, "%s: a new client waits %.1f s" % (what, took)


def test_garbage(env):
    """Nonsense at every stage of the protocol ends that connection only."""
    r = random.Random(77)
    hello = [b"", b"RFB 003.008\n", b"RFB 003.008\n\1", b"RFB 003.008\n\1\1", b"RFB 003.003\n\1",
             b"GET / HTTP/1.1\r\n\r\n", b"\x16\3\1", b"RFB 004.000\n"]
    for i in range(80):
        s = raw_connect(env.m)
        try:
            s.sendall(r.choice(hello) + r.randbytes(r.randrange(1, 3000)))
            if i % 3:
                s.shutdown(socket.SHUT_WR)
                s.settimeout(0.2)
                while s.recv(65536):
                    pass
        except OSError:
            pass
        s.close()
        assert env.m.alive(), env.m.log()
    responsive(env, "after garbage")


def test_bad_messages(env):
    """Well-formed handshakes, then messages with absurd contents."""
    bad = [struct.pack(">BxH", 2, 65535), struct.pack(">BxxxI", 6, 0x7fffffff),
           struct.pack(">Bxxx", 0) + struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255,
                                                200, 8, 0),
           struct.pack(">Bxxx", 0) + struct.pack(">BBBBHHHBBBxxx", 24, 24, 0, 1, 255, 255, 255, 0,
                                                8, 16),
           struct.pack(">BBxxI", 4, 1, 0xffffffff), struct.pack(">BBHHHH", 3, 0, 65535, 65535,
                                                               65535, 65535),
           b"\x07\1\2\3" * 9, b"\xf8" + bytes(20), b"\x08\xff\0\0" * 4,
           struct.pack(">BxHHBx", 251, 65535, 65535, 1) + bytes(16)]
    for message in bad:
        c = rfb.Client(env.m.vnc_port)
        try:
            c.sock.sendall(message * 3)
            c.request()
            c.sock.settimeout(0.3)
            while c.sock.recv(65536):
                pass
        except OSError:
            pass
        c.close()
        assert env.m.alive(), env.m.log()
    responsive(env, "after bad messages")


def test_formats(env):
    """Every pixel format that the protocol allows, and every encoding the library has."""
    for bpp, depth, true, maxes, shifts in ((8, 8, 1, (7, 7, 3), (0, 3, 6)), (8, 8, 0, (0, 0, 0),
                                                                             (0, 0, 0)),
                                            (8, 0, 0, (0, 0, 0), (0, 0, 0)),
                                            (16, 16, 1, (31, 63, 31), (11, 5, 0)),
                                            (16, 15, 1, (31, 31, 31), (10, 5, 0)),
                                            (32, 0, 1, (255, 255, 255), (16, 8, 0)),
                                            (32, 24, 1, (255, 255, 255), (0, 8, 16))):
        for encoding in (1, 2, 4, 5, 6, 7, 8, 9, 16, 17):
            c = rfb.Client(env.m.vnc_port, encodings=(encoding,))
            c.sock.sendall(struct.pack(">Bxxx", 0) + struct.pack(">BBBBHHHBBBxxx", bpp, depth, 0,
                                                                true, *maxes, *shifts))
            c.request()
            c.sock.settimeout(10)
            assert c.recv(1) in (b"\0", b"\1"), "an update for encoding %d" % encoding
            c.close()
    responsive(env, "after all formats")


def colours(c, count, bpp, big, maxes, shifts):
    """Ask for the first line's first pixels, raw; each as three parts of its colour, from 0 to 1."""
    c.sock.sendall(struct.pack(">BBHHHH", 3, 0, 0, 0, count, 1))
    palette, size = None, bpp // 8
    while (kind := c.recv(1)[0]) == 1:
        first, entries = struct.unpack(">xHH", c.recv(5))
        palette = {first + i: [v / 65535 for v in struct.unpack(">HHH", c.recv(6))] for i in range(entries)}
    assert kind == 0, "message %d" % kind
    rects, x, y, width, height, encoding = struct.unpack(">xHHHHHi", c.recv(15))
    assert (rects, x, y, width, height, encoding) == (1, 0, 0, count, 1, 0), (rects, x, y, width, height, encoding)
    data = c.recv(count * size)
    values = [int.from_bytes(data[i:i + size], "big" if big else "little") for i in range(0, len(data), size)]
    if palette:
        return [palette[v] for v in values]
    return [[(v >> shift & top) / top for top, shift in zip(maxes, shifts)] for v in values]


def test_format_colours(env):
    """In every format of RFC 6143 the colours are the same, as near as its bits allow."""
    m = env.m
    vbe_mode(m, 640, 480, 32)
    shown = [(r, g, b) for r in (0, 51, 128, 255) for g in (0, 90, 255) for b in (0, 200, 255)]
    m.write(LFB, b"".join(bytes((b, g, r, 0)) for r, g, b in shown))
    for bpp, depth, big, maxes, shifts in (
            (8, 8, 0, (7, 7, 3), (0, 3, 6)), (8, 8, 0, None, None), (16, 16, 0, (31, 63, 31), (11, 5, 0)),
            (16, 16, 1, (31, 63, 31), (11, 5, 0)), (16, 15, 0, (31, 31, 31), (10, 5, 0)),
            (16, 15, 0, (31, 31, 31), (0, 5, 10)), (32, 32, 0, (1023, 1023, 1023), (20, 10, 0)),
            (32, 24, 0, (255, 255, 255), (16, 8, 0)), (32, 24, 1, (255, 255, 255), (16, 8, 0)),
            (32, 24, 1, (255, 255, 255), (24, 16, 8))):
        c = rfb.Client(m.vnc_port)
        wait_size(c, 640, 480)
        c.update()
        c.sock.sendall(struct.pack(">Bxxx", 0) + struct.pack(">BBBBHHHBBBxxx", bpp, depth, big, bool(maxes),
                                                            *(maxes or (0, 0, 0)), *(shifts or (0, 0, 0))))
        got = colours(c, len(shown), bpp, big, maxes, shifts)
        for want, has in zip(shown, got):
            for v, part, top in zip(want, has, maxes or (7, 7, 3)):
                assert abs(v / 255 - part) <= 1 / min(top, 255), \
                    "%d bits, depth %d: %r is %r" % (bpp, depth, want, has)
        c.close()


def test_hanging_clients(env):
    """Clients that stop reading in mid-picture do not slow others or the guest."""
    m = env.m
    vbe_mode(m, 1024, 768, 32)
    stuck = []
    for _ in range(4):
        c = rfb.Client(m.vnc_port)
        c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(60):
            c.request()
        stuck.append(c)
    half = [raw_connect(m) for _ in range(3)]
    for s in half:
        s.sendall(b"RFB 003.0")
    for i in range(6):
        m.write(LFB + 4096 * i, os.urandom(4096))
        responsive(env, "beside clients that hang")
    for s in half + [c.sock for c in stuck]:
        s.close()


def test_many_clients(env):
    """More connections than allowed: the surplus is turned away, the rest work, and end cleanly."""
    open_ones = [raw_connect(env.m) for _ in range(45)]
    time.sleep(0.5)
    refused = 0
    for s in open_ones:
        s.settimeout(2)
        if not s.recv(12):
            refused += 1
    assert refused == 45 - 32, "%d refused" % refused
    for s in open_ones:
        s.close()
    time.sleep(0.3)
    responsive(env, "after a crowd")


def test_query(env):
    info = env.m.qmp.run("query-vnc")
    assert info["enabled"] and info["service"] == str(env.m.vnc_port), info
    c = rfb.Client(env.m.vnc_port)
    c.update()
    info = env.m.qmp.run("query-vnc")
    assert len(info["clients"]) == 1, info
    c.close()


def test_ports(env):
    """to= finds the next free display; without it a taken one is an error."""
    first = env.m.vnc_port
    other = Env(env.program, os.path.join(env.work, "second"))
    other.m = start(other, vnc="127.0.0.1:%d,to=99" % (first - 5900))
    try:
        assert other.m.vnc_port > first
    finally:
        other.m.close()


def test_no_address(env):
    """vnclisten="": this machine only, and the log says so."""
    other = Env(env.program, os.path.join(env.work, "no-address"))
    other.m = start(other, vnc=":60,to=99")
    try:
        text = other.m.log()
        assert "only this machine can connect" in text and "listening on 127.0.0.1:" in text, text
    finally:
        other.m.close()


def test_password(env):
    other = Env(env.program, os.path.join(env.work, "password"))
    other.m = start(other, vnc="127.0.0.1:60,password=on,to=99")
    m = other.m
    try:
        for set_to, given, good in ((None, "", False), ("secret", "secret", True),
                                    ("secret", "Secret", False), ("longer-than-8", "longer-t", True),
                                    ("", "", False)):
            if set_to is not None:
                m.qmp.run("change-vnc-password", password=set_to)
            try:
                c = rfb.Client(m.vnc_port, password=given)
                c.update()
                c.close()
                got = True
            except (PermissionError, EOFError, ConnectionError):
                got = False
            assert got == good, "password %r, given %r: %s" % (set_to, given, got)
        # Input that follows a wrong response at once must not reach the guest.
        translate_on(m)
        s = raw_connect(m)
        s.sendall(b"RFB 003.008\n\2" + bytes(16) + b"\1" + struct.pack(">BBxxI", 4, 1, 0x61) * 5)
        assert keyboard_bytes(m, 1, 1) == [], "keys of an unknown client reach the guest"
        s.close()
    finally:
        m.close()


def test_keymaps(env):
    """-k: keysyms of another layout reach the keys that carry them there (QEMU's keymap files)."""
    if not os.path.exists("/usr/share/qemu/keymaps/de"):
        return
    other = Env(env.program, os.path.join(env.work, "keymap"))
    other.m = start(other, "-k", "de", vnc="127.0.0.1:60,to=99")
    m = other.m
    try:
        translate_on(m)
        c = rfb.Client(m.vnc_port)
        for keysym, want in ((ord("y"), [0x2c, 0xac]), (ord("z"), [0x15, 0x95]),
                             (0xe4, [0x28, 0xa8]), (ord("/"), [0x2a, 0x08, 0xaa, 0x88]),
                             (ord("@"), [0xe0, 0x38, 0x10, 0xe0, 0xb8, 0x90]),
                             # The same characters by their old keysyms and by Unicode's; the map has EuroSign.
                             (0x20ac, [0xe0, 0x38, 0x12, 0xe0, 0xb8, 0x92]),
                             (0x10020ac, [0xe0, 0x38, 0x12, 0xe0, 0xb8, 0x92]), (0x10000e4, [0x28, 0xa8]),
                             (0x1000079, [0x2c, 0xac]), (0xba3, [0x56, 0xd6]),
                             (0x1000142, [0xe0, 0x38, 0x11, 0xe0, 0xb8, 0x91]),
                             # Modifiers are themselves; the map calls Meta Shift and Alt.
                             (0xffe7, [0x38, 0xb8]), (0xffe9, [0x38, 0xb8]), (0xfe03, [0xe0, 0x38, 0xe0, 0xb8])):
            c.press(keysym)
            got = keyboard_bytes(m, len(want))
            assert got == want, "keysym %x: %s, expected %s" % (keysym, got, want)
        c.close()
    finally:
        m.close()


def test_exclusive(env):
    """A client that wants no others displaces them, unless the options let everybody stay."""
    for share, gone in (("", True), (",share=allow-exclusive", True), (",share=force-shared", False),
                        (",share=ignore", False)):
        other = Env(env.program, os.path.join(env.work, "exclusive"))
        other.m = start(other, vnc="127.0.0.1:60,to=99" + share)
        try:
            first, second = rfb.Client(other.m.vnc_port), rfb.Client(other.m.vnc_port)
            first.update()
            second.update()
            third = rfb.Client(other.m.vnc_port, shared=0)
            third.update()
            for c in (first, second):
                try:
                    c.update()
                    assert not gone, "a client stays beside one that wanted to be alone"
                except (EOFError, ConnectionError):
                    assert gone, "a client was displaced"
            rfb.Client(other.m.vnc_port).update()
            third.update()
        finally:
            other.m.close()


def test_whole_update(env):
    """A large picture is one update, in formats with and without a count of rectangles in front."""
    vbe_mode(env.m, 1024, 768, 32)
    env.m.write(LFB, os.urandom(1024 * 768 * 4))
    c = rfb.Client(env.m.vnc_port)
    while not (c.width, c.height) == (1024, 768):
        c.update()
    rects = [r[1] for r in c.update() if r[0] == rfb.RAW]
    assert sum(w * h for _, _, w, h in rects) == 1024 * 768 and len(rects) > 1, rects
    c.set_encodings((7, rfb.LAST_RECT))
    c.request()
    head = c.recv(16)
    assert head[:4] == b"\0\0\xff\xff" and head[12:16] == struct.pack(">i", 7), head
    data, end = b"", struct.pack(">HHHHi", 0, 0, 0, 0, rfb.LAST_RECT)
    while not data.endswith(end):
        data += c.sock.recv(1 << 20)
    assert data.count(end) == 1
    c.close()


class Env:
    def __init__(self, program, work):
        self.program, self.work, self.m = program, work, None
        os.makedirs(work, exist_ok=True)


TESTS = [test_sizes, test_two_clients, test_keysyms, test_keys_wait, test_extended_keys, test_held_keys,
         test_pointer, test_garbage, test_bad_messages, test_formats, test_format_colours, test_hanging_clients,
         test_many_clients, test_query, test_ports, test_password,
         test_keymaps, test_exclusive, test_whole_update]
