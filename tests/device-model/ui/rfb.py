# SPDX-License-Identifier: GPL-2.0-or-later
"""A small RFB client (RFC 6143) with nothing but Python's library, for tests and screenshots."""
import socket
import struct
import zlib

RAW, COPY, DESKTOP_SIZE, LAST_RECT, POINTER_MODE, EXT_KEYS, EXT_SIZE = 0, 1, -223, -224, -257, -258, -308


class Client:
    def __init__(self, port, host="127.0.0.1", encodings=(RAW, DESKTOP_SIZE), password=None,
                 minor=8, timeout=20, sock=None, shared=1):
        self.sock = sock or socket.create_connection((host, port), timeout)
        self.pointer_mode = None
        self.ext_keys = False
        self.handshake(minor, password, shared)
        if encodings is not None:
            self.set_encodings(encodings)

    def recv(self, count):
        parts = []
        while count:
            part = self.sock.recv(min(count, 1 << 20))
            if not part:
                raise EOFError("server closed the connection")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def handshake(self, minor, password, shared):
        version = self.recv(12)
        assert version == b"RFB 003.008\n", version
        self.sock.sendall(b"RFB 003.%03d\n" % minor)
        if minor >= 7:
            types = self.recv(self.recv(1)[0])
            wanted = 2 if password is not None else 1
            if wanted not in types:
                raise PermissionError("security types offered: %s" % list(types))
            self.sock.sendall(bytes([wanted]))
        else:
            wanted = struct.unpack(">I", self.recv(4))[0]
        if wanted == 2:
            import des
            self.sock.sendall(des.vnc_response(password, self.recv(16)))
        if wanted == 2 or minor >= 8:
            result = struct.unpack(">I", self.recv(4))[0]
            if result:
                raise PermissionError("authentication failed")
        self.sock.sendall(bytes([shared]))
        self.width, self.height = struct.unpack(">HH", self.recv(4))
        self.format = self.recv(16)
        self.name = self.recv(struct.unpack(">I", self.recv(4))[0]).decode()
        self.screen = bytearray(self.width * self.height * 4)
        # Blue in the lowest byte: the order the screenshots below expect.
        self.sock.sendall(struct.pack(">Bxxx", 0) +
                          struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))

    def set_encodings(self, encodings):
        self.sock.sendall(struct.pack(">BxH", 2, len(encodings)) +
                          b"".join(struct.pack(">i", e) for e in encodings))

    def request(self, incremental=False):
        self.sock.sendall(struct.pack(">BBHHHH", 3, incremental, 0, 0, self.width, self.height))

    def key(self, keysym, down):
        self.sock.sendall(struct.pack(">BBxxI", 4, down, keysym))

    def ext_key(self, keysym, code, down):
        self.sock.sendall(struct.pack(">BBHII", 255, 0, down, keysym, code))

    def press(self, keysym):
        self.key(keysym, 1)
        self.key(keysym, 0)

    def type(self, text):
        for c in text:
            self.press({"\n": 0xff0d, "\t": 0xff09}.get(c, ord(c)))

    def pointer(self, x, y, buttons=0):
        self.sock.sendall(struct.pack(">BBHH", 5, buttons, x, y))

    def resize(self, width, height):
        self.width, self.height = width, height
        self.screen = bytearray(width * height * 4)

    def rectangle(self):
        x, y, w, h, encoding = struct.unpack(">HHHHi", self.recv(12))
        if encoding == RAW:
            data = self.recv(w * h * 4)
            for line in range(h):
                at = ((y + line) * self.width + x) * 4
                self.screen[at:at + w * 4] = data[line * w * 4:(line + 1) * w * 4]
        elif encoding == DESKTOP_SIZE:
            self.resize(w, h)
        elif encoding == EXT_SIZE:
            self.recv(4 + self.peek_screens())
            self.resize(w, h)
        elif encoding == POINTER_MODE:
            self.pointer_mode = x
        elif encoding == EXT_KEYS:
            self.ext_keys = True
        else:
            raise ValueError("encoding %d was not asked for" % encoding)
        return encoding, (x, y, w, h)

    def peek_screens(self):
        return 16 * self.sock.recv(1, socket.MSG_PEEK)[0]

    def message(self):
        """One message; the rectangles of an update, or an empty list."""
        kind = self.recv(1)[0]
        if kind == 0:
            count = struct.unpack(">xH", self.recv(3))[0]
            return [self.rectangle() for _ in range(count)]
        if kind == 1:
            self.recv(6 * struct.unpack(">xHH", self.recv(5))[1])
        elif kind == 3:
            self.recv(struct.unpack(">xxxI", self.recv(7))[0])
        elif kind != 2:
            raise ValueError("message type %d" % kind)
        return []

    def update(self, incremental=False):
        """Ask, and wait for pixels; size changes on the way ask again."""
        self.request(incremental)
        while True:
            rects = self.message()
            kinds = [r[0] for r in rects]
            if RAW in kinds:
                return rects
            # After a size all pixels are new; a full request would bring EXT_SIZE once more.
            if DESKTOP_SIZE in kinds or EXT_SIZE in kinds:
                self.request(True)

    def rgb(self):
        s = self.screen
        out = bytearray(self.width * self.height * 3)
        out[0::3], out[1::3], out[2::3] = s[2::4], s[1::4], s[0::4]
        return bytes(out)

    def close(self):
        self.sock.close()


def write_png(path, width, height, rgb):
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    rows = b"".join(b"\0" + rgb[y * width * 3:(y + 1) * width * 3] for y in range(height))
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2,
                                                                   0, 0, 0)) +
                chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
