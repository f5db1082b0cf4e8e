# SPDX-License-Identifier: GPL-2.0-or-later
"""VNC inside WebSocket (RFC 6455), by a client of our own: well-behaved and hostile."""
import os
import random
import socket
import struct

import qtest
import rfb
from test_vnc import Env, keyboard_bytes, responsive, start, translate_on, wait_size
from test_vga import vbe_mode

# The example of RFC 6455, 1.3.
KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
BINARY, TEXT, CLOSE, PING, PONG = 2, 1, 8, 9, 10


def frame(op, data, fin=True, masked=True):
    head = bytes([op | (0x80 if fin else 0)])
    bit = 0x80 if masked else 0
    if len(data) < 126:
        head += bytes([bit | len(data)])
    elif len(data) < 65536:
        head += struct.pack(">BH", bit | 126, len(data))
    else:
        head += struct.pack(">BQ", bit | 127, len(data))
    if not masked:
        return head + data
    mask = os.urandom(4)
    return head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data))


def request(**changed):
    headers = {"Host": "localhost", "Upgrade": "websocket", "Connection": "keep-alive, Upgrade",
               "Sec-WebSocket-Key": KEY, "Sec-WebSocket-Version": "13", "Origin": "http://x",
               "Sec-WebSocket-Protocol": "binary"}
    headers.update({k.replace("_", "-"): v for k, v in changed.items()})
    return ("GET /websockify HTTP/1.1\r\n" +
            "".join("%s: %s\r\n" % i for i in headers.items() if i[1] is not None) +
            "\r\n").encode()


class WebSocket:
    """Looks like a socket to rfb.Client."""

    def __init__(self, port, first=None):
        self.raw = socket.create_connection(("127.0.0.1", port), 20)
        self.data = b""
        self.raw.sendall(first or request())
        self.head = b""
        while not self.head.endswith(b"\r\n\r\n"):
            part = self.raw.recv(1)
            if not part:
                break
            self.head += part

    def exactly(self, count):
        data = b""
        while len(data) < count:
            part = self.raw.recv(count - len(data))
            if not part:
                raise EOFError("server closed the connection")
            data += part
        return data

    def frame(self):
        op, size = self.exactly(2)
        assert op & 0x80 and not size & 0x80, "servers do not mask, and this one does not fragment"
        if size == 126:
            size = struct.unpack(">H", self.exactly(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.exactly(8))[0]
        return op & 15, self.exactly(size)

    def recv(self, count):
        while not self.data:
            op, data = self.frame()
            if op == CLOSE:
                return b""
            assert op == BINARY, "frame type %d" % op
            self.data = data
        part, self.data = self.data[:count], self.data[count:]
        return part

    def sendall(self, data):
        self.raw.sendall(frame(BINARY, data))

    def close(self):
        self.raw.close()


def connect(env, **kwargs):
    return rfb.Client(0, sock=WebSocket(env.ws), **kwargs)


def test_upgrade(env):
    ws = WebSocket(env.ws)
    lines = ws.head.decode().split("\r\n")
    assert lines[0].startswith("HTTP/1.1 101 "), lines
    assert "Sec-WebSocket-Accept: " + ACCEPT in lines and "Sec-WebSocket-Protocol: binary" in lines
    assert ws.frame() == (BINARY, b"RFB 003.008\n")
    ws.close()
    ws = WebSocket(env.ws, request(Sec_WebSocket_Protocol=None))
    assert b"Protocol:" not in ws.head, "no subprotocol that was not offered"
    ws.close()


def test_refusals(env):
    """What is no WebSocket request gets an HTTP error and an end."""
    for text, status in ((b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
                         (request(Sec_WebSocket_Version="8"), b"426"),
                         (request(Sec_WebSocket_Key="short"), b"400"),
                         (request(Upgrade="h2c"), b"400"), (b"POST" + request()[3:], b"400"),
                         (b"GET /" + b"a" * 9000 + b"\r\n\r\n", b"400"), (b"RFB 003.008\n\0", b"400")):
        ws = WebSocket(env.ws, text)
        assert ws.head.startswith(b"HTTP/1.1 " + status), "%r: %r" % (text[:60], ws.head[:60])
        try:
            assert ws.raw.recv(100) == b""
        except ConnectionResetError:
            pass
        ws.close()


def test_picture(env):
    """The same picture as without WebSocket; the monitor tells the two clients apart."""
    m = env.m
    vbe_mode(m, 800, 600, 32)
    plain, ws = rfb.Client(m.vnc_port), connect(env)
    for c in (plain, ws):
        wait_size(c, 800, 600)
        c.update()
    assert plain.rgb() == ws.rgb()
    clients = m.qmp.run("query-vnc")["clients"]
    assert sorted(c["websocket"] for c in clients) == [False, True], clients
    plain.close()
    ws.close()


def test_frames(env):
    """Messages in any cut, with pings in between; a close is answered."""
    m = env.m
    translate_on(m)
    c = connect(env)
    down = struct.pack(">BBxxI", 4, 1, 0x61)
    up = struct.pack(">BBxxI", 4, 0, 0x61)
    raw = c.sock.raw
    raw.sendall(frame(BINARY, down[:3], fin=False) + frame(PING, b"hello") +
                frame(0, down[3:5], fin=False) + frame(PONG, b"") + frame(0, down[5:] + up))
    assert keyboard_bytes(m, 2) == [0x1e, 0x9e], "fragments"
    assert c.sock.frame() == (PONG, b"hello")
    for byte in frame(BINARY, down + up):
        raw.sendall(bytes([byte]))
    assert keyboard_bytes(m, 2) == [0x1e, 0x9e], "byte by byte"
    raw.sendall(frame(BINARY, struct.pack(">BxxxI", 6, 70000) + bytes(70000) + down + up))
    assert keyboard_bytes(m, 2) == [0x1e, 0x9e], "behind 70000 bytes in one frame"
    raw.sendall(frame(CLOSE, struct.pack(">H", 1000)))
    assert c.sock.frame() == (CLOSE, struct.pack(">H", 1000))
    assert raw.recv(1) == b""
    c.close()


def test_bad_frames(env):
    for bad, code in ((frame(BINARY, b"x", masked=False), 1002), (frame(TEXT, b"x"), 1003),
                      (frame(3, b"x"), 1002), (frame(0, b"x"), 1002), (frame(PING, b"", fin=False), 1002),
                      (frame(PING, bytes(126)), 1002), (b"\xc2\x81" + bytes(5), 1002),
                      (b"\x82\xff" + b"\xff" * 12, 1002)):
        ws = WebSocket(env.ws)
        ws.frame()
        ws.raw.sendall(bad)
        assert ws.frame() == (CLOSE, struct.pack(">H", code)), bad[:20]
        ws.close()


def test_garbage(env):
    r = random.Random(5)
    for i in range(60):
        ws = WebSocket(env.ws)
        try:
            if i % 2:
                ws.sendall(b"RFB 003.008\n\1\1" + r.randbytes(r.randrange(1, 3000)))
            ws.raw.sendall(r.randbytes(r.randrange(1, 3000)))
        except OSError:
            pass
        ws.close()
    responsive(env, "after garbage")


def test_unread_pings(env):
    """A client that pings and does not read is held up itself, and nobody else is."""
    ws = WebSocket(env.ws)
    ws.raw.settimeout(0.5)
    sent, pings = 0, frame(PING, bytes(125)) * 500
    try:
        while sent < 64 << 20:
            sent += ws.raw.send(pings)
    except socket.timeout:
        pass
    assert sent < 64 << 20, "the server takes and keeps everything"
    responsive(env, "beside unread pings")
    ws.close()


def create(program, work):
    env = Env(program, os.path.join(work, "websocket"))
    env.m = start(env, vnc="127.0.0.1:80,to=99,websocket=on")
    env.ws = qtest.wait_port(env.m, "WebSocket")
    return env


TESTS = [test_upgrade, test_refusals, test_picture, test_frames, test_bad_frames, test_garbage,
         test_unread_pings]
