# SPDX-License-Identifier: GPL-2.0-or-later
"""A small RFB (VNC) client: screenshots, keyboard, pointer.

RFC 6143, version 3.8, security type None, raw encoding and the DesktopSize pseudo-encoding. It is
an oracle for the device model's server, so it accepts nothing that the RFC does not allow.
"""

import select
import socket
import struct
import time
import zlib

RAW, DESKTOP_SIZE = 0, -223
KEYSYMS = {"\n": 0xff0d, "\t": 0xff09, "\b": 0xff08, "\x1b": 0xff1b}
NAMED_KEYS = {"up": 0xff52, "down": 0xff54, "left": 0xff51, "right": 0xff53, "enter": 0xff0d,
              "escape": 0xff1b, "shift": 0xffe1, "control": 0xffe3, "alt": 0xffe9,
              "delete": 0xffff, "f2": 0xffbf, "f12": 0xffc9}
SHIFTED = '~!@#$%^&*()_+{}|:"<>?'


class VncError(Exception):
    """The server broke the protocol, or did not answer in time."""


class Screen:
    """A frame: `pixels` are 4 bytes each (blue, green, red, unused), row by row."""

    def __init__(self, width, height, pixels):
        self.width, self.height, self.pixels = width, height, pixels

    def save_png(self, path):
        """Write an RGB PNG file."""
        raw = bytearray()
        stride = self.width * 4
        for row in range(self.height):
            line = self.pixels[row * stride:(row + 1) * stride]
            rgb = bytearray(self.width * 3)
            rgb[0::3], rgb[1::3], rgb[2::3] = line[2::4], line[1::4], line[0::4]
            raw += b"\0" + rgb

        def chunk(kind, data):
            body = kind + data
            return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        with open(path, "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
                       + chunk(b"IDAT", zlib.compress(bytes(raw), 6)) + chunk(b"IEND", b""))

    def colours(self):
        """How many different colours the frame holds (counts up to 1000)."""
        seen = set()
        for start in range(0, len(self.pixels), 4):
            seen.add(self.pixels[start:start + 3])
            if len(seen) > 1000:
                break
        return len(seen)


class Vnc:
    """A connection to a VNC server on 127.0.0.1."""

    def __init__(self, port, timeout_s=60):
        end = time.monotonic() + timeout_s
        while True:
            try:
                self._open(port, timeout_s)
                return
            except (OSError, VncError) as error:
                if time.monotonic() > end:
                    raise VncError(f"no VNC server at port {port}: {error}") from error
                time.sleep(0.5)

    def _open(self, port, timeout_s):
        self.link = socket.create_connection(("127.0.0.1", port), timeout_s)
        self.link.settimeout(timeout_s)
        greeting = self._read(12)
        if greeting[:4] != b"RFB ":
            raise VncError(f"not a VNC server: {greeting!r}")
        self.link.sendall(b"RFB 003.008\n")
        kinds = self._read(self._read(1)[0])
        if not kinds:
            raise VncError("refused: " + self._read(self._u32()).decode("utf-8", "replace"))
        if 1 not in kinds:
            raise VncError(f"the server wants a password (types {list(kinds)})")
        self.link.sendall(b"\x01")
        if self._u32():
            raise VncError("security handshake failed")
        self.link.sendall(b"\x01")
        self.width, self.height = struct.unpack(">HH", self._read(4))
        self._read(16)
        self.name = self._read(self._u32()).decode("utf-8", "replace")
        # 32 bits, depth 24, little-endian, true colour, red at 16, green at 8, blue at 0.
        self.link.sendall(struct.pack(">B3xBBBBHHHBBB3x", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
        self.link.sendall(struct.pack(">BxHii", 2, 2, RAW, DESKTOP_SIZE))
        self._resize(self.width, self.height)
        self.pending = False

    def _read(self, size):
        data = bytearray()
        while len(data) < size:
            piece = self.link.recv(min(size - len(data), 1 << 20))
            if not piece:
                raise VncError("the server closed the connection")
            data += piece
        return bytes(data)

    def _u32(self):
        return struct.unpack(">I", self._read(4))[0]

    def _resize(self, width, height):
        self.width, self.height = width, height
        self.frame = bytearray(width * height * 4)

    def _request(self, incremental=0):
        self.link.sendall(struct.pack(">BBHHHH", 3, incremental, 0, 0, self.width, self.height))

    def _rectangle(self):
        x, y, width, height, encoding = struct.unpack(">HHHHi", self._read(12))
        if encoding == DESKTOP_SIZE:
            self._resize(width, height)
            return 0
        if encoding != RAW:
            raise VncError(f"encoding {encoding} was not asked for")
        if x + width > self.width or y + height > self.height:
            raise VncError("a rectangle lies outside the screen")
        data = self._read(width * height * 4)
        for row in range(height):
            start = ((y + row) * self.width + x) * 4
            self.frame[start:start + width * 4] = data[row * width * 4:(row + 1) * width * 4]
        return width * height

    def _message(self):
        """Read one message; the number of pixels it brought, None after a resize."""
        kind = self._read(1)[0]
        if kind == 0:
            self._read(1)
            size, pixels = (self.width, self.height), 0
            for _ in range(struct.unpack(">H", self._read(2))[0]):
                pixels += self._rectangle()
            return None if size != (self.width, self.height) else pixels
        if kind == 1:
            self._read(3)
            self._read(6 * struct.unpack(">H", self._read(2))[0])
        elif kind == 3:
            self._read(3)
            self._read(self._u32())
        elif kind != 2:
            raise VncError(f"unknown message {kind}")
        return 0

    def screen(self):
        """A complete, current frame."""
        self._request()
        seen = 0
        while seen < self.width * self.height:
            got = self._message()
            if got is None:
                seen = 0
                self._request()
            else:
                seen += got
        return self.current()

    def update(self, timeout_s):
        """Ask for changes only and wait up to timeout_s for them; True when there were some."""
        if not self.pending:
            self._request(incremental=1)
            self.pending = True
        if not select.select([self.link], [], [], timeout_s)[0]:
            return False
        got = self._message()
        if got is None:
            self.screen()
        self.pending = got == 0
        return got is None or got > 0

    def current(self):
        """The frame as it is known here."""
        return Screen(self.width, self.height, bytes(self.frame))

    def key(self, keysym, down):
        self.link.sendall(struct.pack(">BBxxI", 4, int(down), keysym))

    def press(self, *names):
        """Press keys together, by name or character, and release them."""
        keysyms = [NAMED_KEYS.get(name) or KEYSYMS.get(name) or ord(name) for name in names]
        # At once: a guest repeats a key whose release is late.
        self.link.sendall(b"".join(struct.pack(">BBxxI", 4, down, keysym)
                                   for down, order in ((1, keysyms), (0, reversed(keysyms))) for keysym in order))

    def type(self, text, gap_s):
        """Type text on an American keyboard; the gap lets a 16-byte keyboard queue drain."""
        for character in text:
            if character.isupper() or character in SHIFTED:
                self.press("shift", character)
            else:
                self.press(character)
            time.sleep(gap_s)

    def pointer(self, x, y, buttons=0):
        self.link.sendall(struct.pack(">BBHH", 5, buttons, x, y))

    def close(self):
        self.link.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
