# SPDX-License-Identifier: GPL-2.0-or-later
"""A virtual X server (Xvfb) and a small X11 client with nothing but Python's library, to see a
window's pixels as the server has them and to press keys as a user does (XTEST)."""
import os
import socket
import struct
import subprocess
import time

KEY_PRESS, KEY_RELEASE, BUTTON_PRESS, BUTTON_RELEASE, MOTION = 2, 3, 4, 5, 6
MAP_STATE_VIEWABLE = 2
# Keycodes are evdev's key numbers + 8.
KEYS = {"ctrl": 37, "alt": 64, "a": 38, "f": 41, "g": 42, "u": 30, "left": 113, "pause": 127,
        "altgr": 108, "less": 94, "home": 110, "kp_enter": 104, "shift": 50, "num1": 10}


BAD_MATCH = 8


class XError(Exception):
    pass


class Xvfb:
    """A server of its own on a free display number."""

    def __init__(self, size="1400x1050x24"):
        self.pipe, end = os.pipe()
        self.proc = subprocess.Popen(["Xvfb", "-displayfd", str(end), "-screen", "0", size, "-ac",
                                      "-nolisten", "tcp", "-noreset"], pass_fds=(end,),
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
        os.close(end)
        number = b""
        while not number.endswith(b"\n"):
            part = os.read(self.pipe, 16)
            assert part, "Xvfb did not start"
            number += part
        self.number = int(number)
        self.display = ":%d" % self.number

    def kill(self):
        self.proc.kill()
        self.proc.wait()
        for path in ("/tmp/.X%d-lock" % self.number, "/tmp/.X11-unix/X%d" % self.number):
            if os.path.exists(path):
                os.unlink(path)

    def close(self):
        if self.proc.poll() is None:
            self.proc.terminate()
            self.proc.wait(10)
        os.close(self.pipe)


class Client:
    def __init__(self, server):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect("/tmp/.X11-unix/X%d" % server.number)
        self.sock.sendall(struct.pack("<BxHHHHxx", ord("l"), 11, 0, 0, 0))
        ok, words = struct.unpack("<BxxxxxH", self.recv(8))
        assert ok == 1, "the X server refuses us"
        setup = self.recv(words * 4)
        vendor, formats = struct.unpack_from("<H", setup, 16)[0], setup[21]
        self.root = struct.unpack_from("<I", setup, 32 + (vendor + 3 & ~3) + 8 * formats)[0]
        found = self.ask(98, 0, struct.pack("<Hxx", 5) + b"XTEST\0\0\0")
        assert found[8], "no XTEST"
        self.xtest = found[9]

    def recv(self, count):
        data = b""
        while len(data) < count:
            part = self.sock.recv(count - len(data))
            if not part:
                raise EOFError("the X server is gone")
            data += part
        return data

    def send(self, opcode, detail, body):
        self.sock.sendall(struct.pack("<BBH", opcode, detail, 1 + len(body) // 4) + body)

    def ask(self, opcode, detail, body):
        self.send(opcode, detail, body)
        while True:
            head = self.recv(32)
            if head[0] == 0:
                raise XError(head[1])
            if head[0] == 1:
                return head + self.recv(4 * struct.unpack_from("<I", head, 4)[0])

    def sync(self):
        self.ask(43, 0, b"")

    def atom(self, name):
        data = name.encode()
        data += bytes(-len(data) % 4)
        return struct.unpack_from("<I", self.ask(16, 0, struct.pack("<Hxx", len(name)) + data),
                                  8)[0]

    def property(self, window, name):
        body = struct.pack("<IIIII", window, self.atom(name), 0, 0, 1000)
        answer = self.ask(20, 0, body)
        return answer[32:32 + struct.unpack_from("<I", answer, 16)[0]]

    def children(self):
        answer = self.ask(15, 0, struct.pack("<I", self.root))
        return struct.unpack_from("<%dI" % struct.unpack_from("<H", answer, 16)[0], answer, 32)

    def viewable(self, window):
        return self.ask(3, 0, struct.pack("<I", window))[26] == MAP_STATE_VIEWABLE

    def find_window(self, name, wait=15):
        """The mapped window whose caption has this in it."""
        end = time.monotonic() + wait
        while time.monotonic() < end:
            for window in self.children():
                if name in self.property(window, "_NET_WM_NAME").decode() and self.viewable(window):
                    return window
            time.sleep(0.02)
        raise LookupError("no window \"%s\"" % name)

    def caption(self, window):
        return self.property(window, "_NET_WM_NAME").decode()

    def geometry(self, window):
        return struct.unpack_from("<hhHH", self.ask(14, 0, struct.pack("<I", window)), 12)

    def pixels(self, window):
        """(width, height, RGB bytes), or None when a part of the window is not on the screen."""
        _, _, width, height = self.geometry(window)
        try:
            data = self.ask(73, 2, struct.pack("<IhhHHI", window, 0, 0, width, height,
                                               0xffffffff))[32:]
        except XError as e:
            if e.args[0] == BAD_MATCH:
                return None
            raise
        rgb = bytearray(width * height * 3)
        rgb[0::3], rgb[1::3], rgb[2::3] = data[2::4], data[1::4], data[0::4]
        return width, height, bytes(rgb)

    def move_resize(self, window, x, y, width, height):
        self.send(12, 0, struct.pack("<IHxxiiII", window, 15, x, y, width, height))
        self.sync()

    def close_window(self, window):
        """What a window manager does when its close button is pressed."""
        event = struct.pack("<BBHIIII12x", 33, 32, 0, window, self.atom("WM_PROTOCOLS"),
                            self.atom("WM_DELETE_WINDOW"), 0)
        self.send(25, 0, struct.pack("<II", window, 0) + event)
        self.sync()

    def fake(self, kind, detail, x=0, y=0):
        self.send(self.xtest, 2, struct.pack("<BBxxII8xhh8x", kind, detail, 0, 0, x, y))
        self.sync()

    def key(self, name, down):
        self.fake(KEY_PRESS if down else KEY_RELEASE, KEYS[name])

    def press(self, *names):
        """All down in order, and up again."""
        for name in names:
            self.key(name, True)
        for name in reversed(names):
            self.key(name, False)

    def button(self, number, down):
        self.fake(BUTTON_PRESS if down else BUTTON_RELEASE, number)

    def move_to(self, x, y):
        self.fake(MOTION, 0, x, y)

    def move_by(self, dx, dy):
        self.fake(MOTION, 1, dx, dy)
