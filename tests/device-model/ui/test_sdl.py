# SPDX-License-Identifier: GPL-2.0-or-later
"""The SDL window on a virtual X server: pixels as the server has them, input as a user gives it."""
import os
import random
import subprocess
import time

import pc
import qtest
import rfb
import usbhc
import x11
from test_vga import vbe_mode, LFB
from test_vnc import keyboard_bytes, mouse_packet, translate_on
from vga_modes import MODES, set_mode


class Env:
    def __init__(self, program, work):
        self.program, self.work = program, os.path.join(work, "sdl")
        os.makedirs(self.work, exist_ok=True)
        self.server = x11.Xvfb()
        os.environ.update(DISPLAY=self.server.display, SDL_VIDEODRIVER="x11",
                          # X11's and D-Bus's libraries keep what they allocate once.
                          LSAN_OPTIONS="suppressions=" + self.suppressions())
        self.x = x11.Client(self.server)
        self.m = qtest.plinth(program, self.work, "-name", "sdl test", "-display",
                              "sdl,gl=off,window-close=off", vnc="127.0.0.1:70,to=99")
        self.m.config(self.m.find_pci(0x11111234), 0x10, LFB)
        self.m.config(self.m.find_pci(0x11111234), 0x04, 3, 2)
        self.window = self.x.find_window("Plinth (sdl test)")
        # Nobody keeps windows on the screen here, and the server only has pixels that are on it.
        self.x.move_resize(self.window, 0, 0, *self.x.geometry(self.window)[2:])

    def suppressions(self):
        path = os.path.join(self.work, "suppressions")
        with open(path, "w") as f:
            for library in ("libSDL2", "libX11", "libdbus", "libXcursor", "libXi"):
                f.write("leak:%s\n" % library)
        return path

    def close(self):
        self.m.close()
        self.server.close()
        for name in ("DISPLAY", "SDL_VIDEODRIVER", "LSAN_OPTIONS"):
            del os.environ[name]


def wait(condition, what, limit=10):
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def shows(env, width, height, rgb, what):
    """The window gets to this size and these pixels."""
    got = None

    def equal():
        nonlocal got
        got = env.x.pixels(env.window) or got
        return got == (width, height, rgb)
    try:
        wait(equal, what)
    except AssertionError:
        assert got, what + ": the window is not on the screen"
        rfb.write_png(os.path.join(env.work, "window.png"), *got)
        raise AssertionError("%s: %dx%d, see %s/window.png" % (what, got[0], got[1], env.work))


def to_rgb(bgrx):
    rgb = bytearray(len(bgrx) // 4 * 3)
    rgb[0::3], rgb[1::3], rgb[2::3] = bgrx[2::4], bgrx[1::4], bgrx[0::4]
    return bytes(rgb)


def draw(env, width, height, seed):
    """Set a mode and fill it; the pixels expected."""
    vbe_mode(env.m, width, height, 32)
    data = random.Random(seed).randbytes(width * 64 * 4) * (height // 64 + 1)
    data = data[:width * height * 4]
    env.m.write(LFB, data)
    return to_rgb(data)


def test_not_loaded(env):
    """A device model without a window has nothing of SDL in memory."""
    m = qtest.plinth(env.program, env.work)
    try:
        with open("/proc/%d/maps" % m.pid()) as f:
            assert "SDL" not in f.read()
    finally:
        m.close()
    with open("/proc/%d/maps" % env.m.pid()) as f:
        assert "libSDL2" in f.read()


def test_no_display(env):
    """No display server: an end at once, and a message that says what to look at."""
    for name, value in (("DISPLAY", ":4711"), ("DISPLAY", "")):
        done = subprocess.run([env.program, "-qtest", "stdio", "-sdl"], stdin=subprocess.DEVNULL,
                              env=dict(os.environ, **{name: value}), capture_output=True, text=True,
                              timeout=20)
        assert done.returncode == 1, done
        assert "SDL cannot" in done.stderr and "sdl_display=" in done.stderr, done.stderr


def test_text(env):
    """A text screen: the same picture as by VNC."""
    set_mode(env.m, MODES["text 80x25, 9 dots"])
    c = rfb.Client(env.m.vnc_port)
    c.update()
    assert (c.width, c.height) == (720, 400), "%dx%d" % (c.width, c.height)
    shows(env, 720, 400, c.rgb(), "text")
    c.close()


def test_sizes(env):
    """The window takes the size of the guest's picture, and shows each pixel as it is."""
    for width, height in ((640, 480), (1024, 768), (800, 600)):
        shows(env, width, height, draw(env, width, height, width), "%dx%d" % (width, height))


def test_changes(env):
    """Changed lines appear."""
    data = bytearray(draw(env, 640, 480, 1))
    for y in (0, 17, 479):
        env.m.write(LFB + y * 2560 + 40, b"\0\0\xff\0" * 3)
        data[y * 1920 + 30:y * 1920 + 39] = b"\xff\0\0" * 3
        shows(env, 640, 480, bytes(data), "line %d" % y)


def test_scaled(env):
    """A window sized by the user scales the picture and keeps its shape; Ctrl+Alt+U undoes it."""
    rgb = draw(env, 640, 480, 5)
    shows(env, 640, 480, rgb, "before")
    env.x.move_resize(env.window, 0, 0, 1280, 1000)
    rows = []
    for y in range(480):
        line = rgb[y * 1920:(y + 1) * 1920]
        row = b"".join(line[x:x + 3] * 2 for x in range(0, 1920, 3))
        rows += [row, row]
    bar = bytes(1280 * 20 * 3)
    shows(env, 1280, 1000, bar + b"".join(rows) + bar, "twice the size, between bars")
    small = draw(env, 320, 200, 6)
    rows = []
    for y in range(200):
        line = small[y * 960:(y + 1) * 960]
        rows += [b"".join(line[x:x + 3] * 4 for x in range(0, 960, 3))] * 4
    bar = bytes(1280 * 100 * 3)
    shows(env, 1280, 1000, bar + b"".join(rows) + bar, "four times the size, same window")
    env.x.press("ctrl", "alt", "u")
    shows(env, 320, 200, small, "Ctrl+Alt+U")
    keyboard_bytes(env.m, 4)


def test_keys(env):
    """Keys arrive as the key that was pressed, also those with prefixes."""
    translate_on(env.m)
    keyboard_bytes(env.m, 0)
    for name, want in (("a", [0x1e, 0x9e]), ("left", [0xe0, 0x4b, 0xe0, 0xcb]),
                       ("altgr", [0xe0, 0x38, 0xe0, 0xb8]), ("less", [0x56, 0xd6]),
                       ("kp_enter", [0xe0, 0x1c, 0xe0, 0x9c]),
                       ("pause", [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5])):
        env.x.press(name)
        got = keyboard_bytes(env.m, len(want))
        assert got == want, "%s: %s, expected %s" % (name, got, want)
    env.x.press("shift", "num1")
    assert keyboard_bytes(env.m, 4) == [0x2a, 0x02, 0x82, 0xaa]


def drain_mouse(m):
    while mouse_packet(m, 0.2):
        pass


def test_capture(env):
    """A relative mouse: captured by a click, let go by Ctrl+Alt+G; the caption says how."""
    m, x = env.m, env.x
    draw(env, 640, 480, 7)
    wait(lambda: x.geometry(env.window)[2:] == (640, 480), "640x480")
    x.move_resize(env.window, 100, 100, 640, 480)
    m.outb(0x64, 0xd4)
    m.outb(0x60, 0xf4)
    assert keyboard_bytes(m, 1) == [0xfa]
    x.move_to(300, 300)
    x.move_to(310, 310)
    assert mouse_packet(m, 0.3) == [], "the pointer is not the guest's yet"
    assert "capture" in x.caption(env.window), x.caption(env.window)
    x.button(1, True)
    x.button(1, False)
    wait(lambda: "release" in x.caption(env.window), "the click captures")
    drain_mouse(m)
    x.move_by(10, -5)
    assert mouse_packet(m) == [0x08, 10, 5], "right 10, up 5"
    x.button(1, True)
    assert mouse_packet(m) == [0x09, 0, 0], "left button"
    x.button(1, False)
    assert mouse_packet(m) == [0x08, 0, 0], "no button"
    x.button(3, True)
    assert mouse_packet(m) == [0x0a, 0, 0], "right button"
    x.move_by(-20, 5)
    assert mouse_packet(m) == [0x3a, 0x100 - 20, 0x100 - 5], "left 20, down 5"
    x.button(3, False)
    assert mouse_packet(m) == [0x08, 0, 0]
    translate_on(m)
    x.press("ctrl", "alt", "g")
    wait(lambda: "capture" in x.caption(env.window), "Ctrl+Alt+G lets go")
    got = keyboard_bytes(m, 4)
    assert sorted(got) == [0x1d, 0x38, 0x9d, 0xb8], "the guest holds nothing: %s" % got
    x.move_by(10, -5)
    assert mouse_packet(m, 0.3) == []


def test_focus(env):
    """Keys that are down when the window loses the focus are let go."""
    translate_on(env.m)
    env.x.key("ctrl", True)
    assert keyboard_bytes(env.m, 1) == [0x1d]
    env.x.send(42, 0, b"\1\0\0\0\0\0\0\0")  # SetInputFocus: PointerRoot
    env.x.move_to(5, 5)
    env.x.sync()
    assert keyboard_bytes(env.m, 1) == [0x9d]
    env.x.key("ctrl", False)


def test_stays_open(env):
    """window-close=off."""
    env.x.close_window(env.window)
    wait(lambda: "stays open" in env.m.log(), "a line in the log")
    assert env.m.alive()


def test_tablet_and_close(env):
    """An absolute pointer needs no capture; the close button switches the guest off."""
    m = pc.Pc("plinth", [env.program, "-m", "128", "-name", "tablet", "-device", "VGA,vgamem_mb=16",
                         "-sdl"], env.work)
    try:
        window = env.x.find_window("Plinth (tablet)")
        env.x.move_resize(window, 50, 60, 640, 400)
        u = usbhc.Uhci(m)
        u.configure()
        wait(lambda: env.x.caption(window) == "Plinth (tablet)", "no hint about capturing")
        for x, y, button in ((0, 0, 0), (639, 399, 0), (320, 100, 0), (320, 100, 1)):
            env.x.move_to(50 + x, 60 + y)
            if button:
                env.x.button(button, True)
            want = [button, x * 0x7fff // 639, y * 0x7fff // 399]
            got = last_report(u, want)
            assert got == want, "%s, expected %s" % (got, want)
        env.x.button(1, False)
        env.x.close_window(window)
        wait(lambda: m.inp(0x64) is not None and m.shutdowns, "the guest is switched off")
        assert m.shutdowns == [0], m.shutdowns
    finally:
        m.close()


def last_report(u, want, limit=5):
    end, last = time.monotonic() + limit, None
    while last != want and time.monotonic() < end:
        got = u.report()
        if got:
            last = [got[0], got[1] | got[2] << 8, got[3] | got[4] << 8]
    return last


def test_server_dies(env):
    """The display server ends: the window is gone, the guest and its VNC server are not."""
    env.server.kill()
    wait(lambda: "goes on without a window" in env.m.log(), "a line in the log")
    c = rfb.Client(env.m.vnc_port)
    vbe_mode(env.m, 800, 600, 32)
    wait(lambda: c.update() and (c.width, c.height) == (800, 600), "a picture by VNC")
    c.close()
    assert env.m.alive(), env.m.log()


TESTS = [test_not_loaded, test_no_display, test_text, test_sizes, test_changes, test_scaled,
         test_keys, test_capture, test_focus, test_stays_open, test_tablet_and_close,
         test_server_dies]
