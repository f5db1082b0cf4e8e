# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of `make run`: guests' screens by Debian's noVNC, dom0's console, commands there.

Listens on 127.0.0.1 only, and answers only below a path that cannot be guessed, because whoever reaches the page is
root in the emulated dom0. A screen is a WebSocket (RFC 6455) whose bytes are handed on to the guest's VNC port.
"""

import base64
import hashlib
import http.server
import json
import mimetypes
import os
import secrets
import socket
import struct
import threading
import urllib.parse

from .machine import MachineError

NOVNC = "/usr/share/novnc"
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BINARY, CLOSE, PING, PONG = 2, 8, 9, 10
# What a browser sends in one piece is keys, pointer and clipboard.
MOST_FRAME = 1 << 20
MOST_LOG = 1 << 16
HTML = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Plinth</title>
<style>body{font-family:sans-serif;margin:1em}pre{background:#111;color:#ddd;padding:.5em;height:22em;overflow:auto}
iframe{width:100%;height:640px;border:1px solid #888}input{width:60%;font-family:monospace}</style>
<h1>Plinth</h1><h2>Guest's screen</h2><p>Display: <span id="displays"></span></p><iframe id="screen" title="screen"></iframe>
<h2>Domains</h2><pre id="domains" style="height:7em"></pre>
<h2>dom0</h2><p><input id="command" placeholder="a command for dom0's root shell, such as xl list">
<button id="run">Run</button></p><pre id="answer" style="height:10em"></pre>
<h2>Console of hypervisor and dom0</h2><pre id="log"></pre>
<script>
const at = id => document.getElementById(id), port = location.port || 80, base = location.pathname.slice(1);
const show = n => { at("screen").src = NOVNC ? "novnc/vnc_lite.html?host=" + location.hostname + "&port=" + port +
	"&scale=true&path=" + base + "screen/" + n : "novnc/"; };
for (let n = 0; n < DISPLAYS; n++) {
	const button = document.createElement("button");
	button.textContent = n; button.onclick = () => show(n); at("displays").append(button, " ");
}
let from = 0;
async function follow() {
	const part = await (await fetch("log?from=" + from)).json(), log = at("log");
	const low = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
	from = part.next; log.textContent += part.text; if (low) log.scrollTop = log.scrollHeight;
	setTimeout(follow, 2000);
}
async function ask(command, place) {
	const answer = await (await fetch("command", { method: "POST", body: command })).json();
	at(place).textContent = answer.output + (answer.status ? "\\n(status " + answer.status + ")" : "");
}
at("run").onclick = () => ask(at("command").value, "answer");
at("command").onkeydown = event => { if (event.key === "Enter") at("run").click(); };
ask("xl list", "domains"); setInterval(() => ask("xl list", "domains"), 10000); follow(); show(0);
</script></html>
"""


def send_frame(link, turn, kind, data=b""):
    """One unmasked frame, as a server sends it, and whole: two threads send."""
    size = len(data)
    head = struct.pack("!BB", 0x80 | kind, size) if size < 126 else struct.pack("!BBH", 0x80 | kind, 126, size) \
        if size < 65536 else struct.pack("!BBQ", 0x80 | kind, 127, size)
    with turn:
        link.sendall(head + data)


def read_frame(file):
    """(kind, data) of a client's frame; None at the end, or when it is not as RFC 6455 has it."""
    head = file.read(2)
    if len(head) < 2 or not head[1] & 0x80:
        return None
    size = head[1] & 0x7f
    if size > 125:
        size, = struct.unpack("!H" if size == 126 else "!Q", file.read(2 if size == 126 else 8).rjust(2, b"\0"))
    if size > MOST_FRAME:
        return None
    mask, data = file.read(4), file.read(size)
    if len(mask) < 4 or len(data) < size:
        return None
    return head[0] & 15, bytes(byte ^ mask[index & 3] for index, byte in enumerate(data))


def to_browser(screen, link, turn):
    try:
        while data := screen.recv(65536):
            send_frame(link, turn, BINARY, data)
        send_frame(link, turn, CLOSE)
    except OSError:
        pass


def from_browser(file, link, turn, screen):
    """Until the browser closes, or says what is no frame."""
    while frame := read_frame(file):
        kind, data = frame
        if kind == CLOSE:
            return
        if kind == PING:
            send_frame(link, turn, PONG, data)
        elif kind != PONG:
            screen.sendall(data)


class Handler(http.server.BaseHTTPRequestHandler):
    """One request; `page` is set in the class that Page makes of it."""

    page = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Nobody reads these."""

    def reply(self, status, data, kind):
        """Behind a refusal the connection ends: what else of the request is there was not read."""
        self.close_connection = self.close_connection or status >= 400
        data = data if isinstance(data, bytes) else data.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(data)

    def place(self):
        """What is asked for below the secret path; None without that."""
        url = urllib.parse.urlsplit(self.path)
        secret, slash, rest = url.path[1:].partition("/")
        known = slash and secrets.compare_digest(secret.encode(), self.page.secret.encode())
        return (rest, urllib.parse.parse_qs(url.query)) if known else None

    def do_GET(self):
        found = self.place()
        if not found:
            return self.reply(403, "the address that make run printed is the whole one\n", "text/plain")
        rest, query = found
        if not rest:
            text = HTML.replace("DISPLAYS", str(len(self.page.screens))).replace("NOVNC", str(int(os.path.isdir(NOVNC))))
            return self.reply(200, text, "text/html; charset=utf-8")
        if rest == "log":
            start = query.get("from", ["0"])[0]
            if not start.isdecimal():
                return self.reply(400, "", "text/plain")
            return self.reply(200, json.dumps(self.page.log_from(int(start))), "application/json")
        if rest.startswith("novnc/"):
            return self.file(rest[6:])
        if rest.startswith("screen/") and rest[7:].isdecimal() and int(rest[7:]) < len(self.page.screens):
            return self.screen(self.page.screens[int(rest[7:])])
        return self.reply(404, "there is nothing here\n", "text/plain")

    def do_POST(self):
        found = self.place()
        if not found or found[0] != "command":
            return self.reply(403, "", "text/plain")
        size = self.headers.get("Content-Length", "0")
        if not size.isdecimal() or int(size) > MOST_LOG:
            return self.reply(400, "", "text/plain")
        text = self.rfile.read(int(size)).decode("utf-8", "replace")
        try:
            with self.page.turn:
                status, output = self.page.command(text) if text.strip() else (0, "")
        except (OSError, MachineError) as error:
            status, output = 255, str(error)
        return self.reply(200, json.dumps({"status": status, "output": output}), "application/json")

    def file(self, name):
        path = os.path.realpath(os.path.join(NOVNC, name))
        if not os.path.isdir(NOVNC):
            return self.reply(404, "for screens here: tools/deps browser (package novnc); or use a VNC viewer\n", "text/plain")
        if not path.startswith("/usr/share/") or not os.path.isfile(path):
            return self.reply(404, "", "text/plain")
        with open(path, "rb") as file:
            return self.reply(200, file.read(), mimetypes.guess_type(path)[0] or "application/octet-stream")

    def screen(self, port):
        """A WebSocket to a VNC port."""
        self.close_connection = True
        key = self.headers.get("Sec-WebSocket-Key")
        if not key or self.headers.get("Upgrade", "").lower() != "websocket":
            return self.reply(400, "a WebSocket is wanted here\n", "text/plain")
        try:
            screen = socket.create_connection(("127.0.0.1", port), 10)
        except OSError:
            return self.reply(502, "no guest has this display\n", "text/plain")
        with screen:
            screen.settimeout(None)
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode())
            if "binary" in self.headers.get("Sec-WebSocket-Protocol", ""):
                self.send_header("Sec-WebSocket-Protocol", "binary")
            self.end_headers()
            self.wfile.flush()
            turn = threading.Lock()
            threading.Thread(target=to_browser, args=(screen, self.connection, turn), daemon=True).start()
            try:
                from_browser(self.rfile, self.connection, turn, screen)
                screen.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        return None


class Page:
    """A server in threads of its own. `screens`: VNC ports here; `command`: runs shell text in dom0; `log`: a file."""

    def __init__(self, screens, command, log):
        self.screens, self.command, self.log = screens, command, log
        self.secret = secrets.token_urlsafe(9)
        self.turn = threading.Lock()  # dom0's shell answers one after the other
        handler = type("PageHandler", (Handler,), {"page": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/{self.secret}/"

    def log_from(self, start):
        """What the log has from a byte on, or its end where that would be long."""
        with open(self.log, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(min(start, size), size - MOST_LOG))
            data = file.read()
            return {"text": data.decode("utf-8", "replace"), "next": file.tell()}
