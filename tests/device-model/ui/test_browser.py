# SPDX-License-Identifier: GPL-2.0-or-later
"""VNC in a browser: Debian's noVNC in Chromium, without a proxy between it and the device model.

Chromium is driven by its DevTools protocol: JSON messages over WebSocket, to a port that it writes to a file.
"""
import base64
import functools
import http.server
import json
import os
import shutil
import subprocess
import threading
import time
import urllib.request

import qtest
import rfb
from test_vga import vbe_mode
from test_vnc import Env, keyboard_bytes, mouse_packet, start, translate_on
from test_websocket import TEXT, WebSocket, frame, request

NOVNC = "/usr/share/novnc"
BROWSER = "chromium"
PASSWORD = "geheim"
PAGE = """<!DOCTYPE html><body style="margin:0"><div id="screen"></div><script type="module">
import RFB from "/core/rfb.js";
const rfb = new RFB(document.getElementById("screen"), "ws://127.0.0.1:%d/");
window.state = "connecting";
rfb.addEventListener("connect", () => { rfb.focus(); window.state = "connected"; });
rfb.addEventListener("disconnect", () => window.state = "disconnected");
rfb.addEventListener("desktopname", event => window.desktop = event.detail.name);
rfb.addEventListener("credentialsrequired", () => {
  window.asked = true; rfb.sendCredentials({password: "%s"}); });
</script></body>
"""
# The canvas as red, green and blue bytes.
PIXELS = """(() => { const c = document.querySelector("canvas"), w = c.width, h = c.height;
const d = c.getContext("2d").getImageData(0, 0, w, h).data; let s = "";
for (let i = 0; i < d.length; i += 4) s += String.fromCharCode(d[i], d[i + 1], d[i + 2]);
return [w, h, btoa(s)]; })()"""


class Site(http.server.SimpleHTTPRequestHandler):
    """noVNC's files as Debian installs them, and the page."""

    page = ""

    def do_GET(self):
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.page.encode())

    def log_message(self, *_):
        pass


def missing():
    """What a run needs and does not have, or None."""
    if not shutil.which(BROWSER):
        return "%s is the client and is not installed" % BROWSER
    return None if os.path.isdir(NOVNC) else "package novnc is the client and is not installed"


def wait(condition, what, limit=20):
    end = time.monotonic() + limit
    while not (value := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return value


class Chromium:
    """A page in a browser without a window."""

    def __init__(self, url, folder):
        # Its own confinement needs a user that is not root.
        self.process = subprocess.Popen(
            [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
             "--window-size=1100,900", "--user-data-dir=" + folder, url],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.number = 0
        port_file = os.path.join(folder, "DevToolsActivePort")
        try:
            wait(lambda: os.path.exists(port_file) and open(port_file).read().count("\n"), "no browser")
            port = int(open(port_file).readline())
            path = wait(lambda: self.page_path(port, url), "no page in the browser")
            head = request(Origin=None, Host="127.0.0.1:%d" % port, Sec_WebSocket_Protocol=None)
            self.link = WebSocket(port, head.replace(b"/websockify", path.encode()))
        except BaseException:
            self.close()
            raise

    @staticmethod
    def page_path(port, url):
        with urllib.request.urlopen("http://127.0.0.1:%d/json/list" % port, timeout=10) as answer:
            for target in json.load(answer):
                if target["url"].rstrip("/") == url.rstrip("/"):
                    return "/" + target["webSocketDebuggerUrl"].split("/", 3)[3]
        return None

    def call(self, method, **params):
        self.number += 1
        message = json.dumps({"id": self.number, "method": method, "params": params})
        self.link.raw.sendall(frame(TEXT, message.encode()))
        while True:
            answer = json.loads(self.link.frame()[1])
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return answer["result"]

    def value(self, expression):
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def key(self, key, code):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code)

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def close(self):
        self.process.terminate()
        self.process.wait(20)


def create(program, work):
    env = Env(program, os.path.join(work, "browser"))
    shutil.rmtree(os.path.join(env.work, "profile"), ignore_errors=True)
    env.m = start(env, vnc="127.0.0.1:90,to=99,websocket=on,password=on")
    env.m.qmp.run("change-vnc-password", password=PASSWORD)
    site = functools.partial(type("Page", (Site,), {
        "page": PAGE % (qtest.wait_port(env.m, "WebSocket"), PASSWORD)}), directory=NOVNC)
    env.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), site)
    threading.Thread(target=env.server.serve_forever, daemon=True).start()
    env.browser = Chromium("http://127.0.0.1:%d/" % env.server.server_port, os.path.join(env.work, "profile"))
    return env


def close(env):
    env.browser.close()
    env.server.shutdown()
    env.m.close()


def test_connect(env):
    """The password is asked for and taken, and the guest's name arrives."""
    wait(lambda: env.browser.value("window.state") == "connected", "noVNC does not connect")
    assert env.browser.value("window.asked") is True, "no password asked"
    assert "Plinth" in env.browser.value("window.desktop")


def test_picture(env):
    """The canvas has the pixels that a plain client gets, also after a change of mode."""
    for x, y in ((640, 480), (800, 600)):
        vbe_mode(env.m, x, y, 32)
        plain = rfb.Client(env.m.vnc_port, password=PASSWORD)
        plain.update()
        wanted = [plain.width, plain.height, base64.b64encode(plain.rgb()).decode()]
        plain.close()
        assert wanted[:2] == [x, y]
        wait(lambda: env.browser.value(PIXELS) == wanted, "the canvas differs at %dx%d" % (x, y))


def test_keys(env):
    """Which key it was reaches the guest, whatever letter the user's layout has on it."""
    translate_on(env.m)
    for key, code, want in (("a", "KeyA", [0x1e, 0x9e]), ("z", "KeyY", [0x15, 0x95]),
                            ("\u00fc", "BracketLeft", [0x1a, 0x9a]),
                            ("ArrowUp", "ArrowUp", [0xe0, 0x48, 0xe0, 0xc8])):
        env.browser.key(key, code)
        got = keyboard_bytes(env.m, len(want))
        assert got == want, "%s: %s" % (code, got)


def test_pointer(env):
    """The mouse over the canvas, which lies in the middle of the page."""
    env.m.outb(0x64, 0xd4)
    env.m.outb(0x60, 0xf4)
    assert keyboard_bytes(env.m, 1) == [0xfa]
    env.browser.mouse("mouseMoved", 500, 300)
    mouse_packet(env.m, 0.5)
    env.browser.mouse("mouseMoved", 510, 295)
    got = mouse_packet(env.m)
    assert got == [0x08, 10, 5], "right 10, up 5: %s" % got
    env.browser.mouse("mousePressed", 510, 295, button="left", buttons=1, clickCount=1)
    assert mouse_packet(env.m) == [0x09, 0, 0], "left button"


TESTS = [test_connect, test_picture, test_keys, test_pointer]
