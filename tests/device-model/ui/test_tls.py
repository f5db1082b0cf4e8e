# SPDX-License-Identifier: GPL-2.0-or-later
"""VNC over TLS: VeNCrypt with and without certificates and passwords, wss:// for browsers.

The clients are libvncclient (GnuTLS) and Python's ssl (OpenSSL), neither of which anybody here wrote.
"""
import os
import random
import socket
import ssl
import struct
import subprocess
import time

import rfb
from test_vga import LFB, vbe_mode
from test_vnc import Env, start
from test_websocket import WebSocket

VENCRYPT, TLS_NONE, TLS_VNC, X509_NONE, X509_VNC = 19, 257, 258, 260, 261
PICTURE = random.Random(7).randbytes(320 * 200 * 4)
SUBJECTS = {"ca": "Test CA", "server": "127.0.0.1", "client": "A viewer", "stranger": "A stranger"}


def openssl(folder, *args):
    subprocess.run(["openssl", *args], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def certificates(folder):
    """A CA, a server's and a client's certificate by it, and a stranger who signed his own."""
    os.makedirs(folder, exist_ok=True)
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    for name in ("ca", "stranger"):
        openssl(folder, "req", "-x509", *key, "-keyout", name + "-key.pem", "-out",
                name + "-cert.pem", "-days", "30", "-subj", "/CN=" + SUBJECTS[name])
    with open(os.path.join(folder, "san"), "w") as f:
        f.write("subjectAltName=IP:127.0.0.1\n")
    for name in ("server", "client"):
        openssl(folder, "req", *key, "-keyout", name + "-key.pem", "-out", name + ".csr", "-subj",
                "/CN=" + SUBJECTS[name])
        openssl(folder, "x509", "-req", "-in", name + ".csr", "-CA", "ca-cert.pem", "-CAkey",
                "ca-key.pem", "-CAcreateserial", "-days", "30", "-extfile", "san", "-out",
                name + "-cert.pem")


class Tls:
    """Start servers of one kind each, and run libvncclient against them."""

    def __init__(self, program, client, work):
        self.program, self.client, self.work = program, client, work
        self.certs, self.picture = os.path.join(work, "certs"), os.path.join(work, "tls.picture")
        with open(self.picture, "wb") as f:
            f.write(PICTURE)
        certificates(self.certs)

    def server(self, kind, *options, vnc=""):
        env = Env(self.program, self.work)
        creds = "tls-creds-anon,id=t" if kind == "anon" else "tls-creds-x509,id=t,dir=" + self.certs
        m = start(env, "-object", ",".join([creds, "endpoint=server", *options]),
                  vnc="127.0.0.1:35,to=99,tls-creds=t" + vnc)
        vbe_mode(m, 320, 200, 32)
        m.write(LFB, PICTURE)
        return m

    def file(self, name):
        return os.path.join(self.certs, name + ".pem")

    def library(self, m, *args):
        """What libvncclient says once it has seen the right picture; None when it was not let in."""
        done = subprocess.run([self.client, str(m.vnc_port), "320", "200", self.picture, *args], timeout=40,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert done.returncode in (0, 1), "connected, and the picture is another one: " + done.stderr.decode()
        return done.stdout.decode().strip() if not done.returncode else None


def vencrypt(port, sub, version=(0, 2)):
    """The plain part of the handshake; the socket on which TLS begins."""
    s = socket.create_connection(("127.0.0.1", port), 20)
    assert s.recv(12) == b"RFB 003.008\n"
    s.sendall(b"RFB 003.008\n")
    assert s.recv(2) == bytes([1, VENCRYPT]), "only VeNCrypt is offered"
    s.sendall(bytes([VENCRYPT]))
    assert s.recv(2) == b"\0\2"
    s.sendall(bytes(version))
    answer = s.recv(1)
    if answer != b"\0":
        raise EOFError("version refused")
    assert s.recv(1) == b"\1"
    offered = struct.unpack(">I", s.recv(4))[0]
    assert offered == sub, "sub-type %d is offered" % offered
    s.sendall(struct.pack(">I", sub))
    if s.recv(1) != b"\1":
        raise EOFError("sub-type refused")
    return s


class Rest:
    """A socket after the negotiation, to rfb.Client: it makes the handshake's plain part up."""

    def __init__(self, sock):
        self.sock, self.made_up, self.to_drop = sock, b"RFB 003.008\n\1\1", 13

    def recv(self, count):
        if self.made_up:
            part, self.made_up = self.made_up[:count], self.made_up[count:]
            return part
        return self.sock.recv(count)

    def sendall(self, data):
        drop = min(self.to_drop, len(data))
        self.to_drop -= drop
        if data[drop:]:
            self.sock.sendall(data[drop:])

    def close(self):
        self.sock.close()


def expect(answer, sub):
    assert answer == "security 19 sub %d tls 1" % sub, answer


def test_anonymous(tls):
    m = tls.server("anon")
    try:
        expect(tls.library(m), TLS_NONE)
        assert m.qmp.run("query-vnc")["auth"] == "vencrypt"
    finally:
        m.close()


def test_password(tls):
    """The password is asked inside of TLS, and a wrong one is refused."""
    m = tls.server("anon", vnc=",password=on")
    try:
        m.qmp.run("change-vnc-password", password="sesame")
        expect(tls.library(m, "password=sesame"), TLS_VNC)
        assert tls.library(m, "password=wrong") is None
    finally:
        m.close()


def test_certificates(tls):
    """Client and server know each other by certificates; strangers and the nameless stay outside."""
    m = tls.server("x509", vnc=",password=on")
    try:
        m.qmp.run("change-vnc-password", password="sesame")
        known = ("ca=" + tls.file("ca-cert"), "cert=" + tls.file("client-cert"),
                 "key=" + tls.file("client-key"), "password=sesame")
        expect(tls.library(m, *known), X509_VNC)
        assert tls.library(m, known[0], known[3]) is None, "no certificate"
        assert tls.library(m, known[0], "cert=" + tls.file("stranger-cert"),
                           "key=" + tls.file("stranger-key"), known[3]) is None, "a stranger's"
        assert tls.library(m, "ca=" + tls.file("stranger-cert"), *known[1:]) is None, \
            "the client does not know the server's issuer"
        expect(tls.library(m, *known), X509_VNC)
    finally:
        m.close()


def context(tls):
    c = ssl.create_default_context(cafile=tls.file("ca-cert"))
    return c


def test_openssl(tls):
    """TLS 1.2 and 1.3 by OpenSSL, small records, early bytes; then wss:// on the WebSocket's port."""
    m = tls.server("x509", "verify-peer=off", vnc=",websocket=on")
    try:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            c = context(tls)
            c.minimum_version = c.maximum_version = version
            s = c.wrap_socket(vencrypt(m.vnc_port, X509_NONE), server_hostname="127.0.0.1")
            client = rfb.Client(0, sock=Rest(s))
            client.update()
            assert (client.width, client.height) == (320, 200)
            # One byte to a record, and many messages to one.
            for byte in struct.pack(">BBHHHH", 3, 0, 0, 0, 320, 200):
                s.sendall(bytes([byte]))
            s.sendall(struct.pack(">BBHH", 5, 0, 1, 1) * 2000)
            client.close()
        old = context(tls)
        old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        try:
            old.wrap_socket(vencrypt(m.vnc_port, X509_NONE), server_hostname="127.0.0.1")
            raise AssertionError("TLS 1.1 was accepted")
        except (ssl.SSLError, OSError):
            pass
        wss(tls, m)
    finally:
        m.close()


class TlsWebSocket(WebSocket):
    def __init__(self, tls, port):
        connect = socket.create_connection
        socket.create_connection = lambda *a: context(tls).wrap_socket(
            connect(*a), server_hostname="127.0.0.1")
        try:
            super().__init__(port)
        finally:
            socket.create_connection = connect


def wss(tls, m):
    from qtest import wait_port
    port = wait_port(m, "WebSocket")
    ws = TlsWebSocket(tls, port)
    assert b"101" in ws.head
    client = rfb.Client(0, sock=ws)
    client.update()
    assert (client.width, client.height) == (320, 200)
    client.close()


def expect_closed(s, end=False):
    s.settimeout(15)
    try:
        if end:
            s.shutdown(socket.SHUT_WR)
        while s.recv(4096):
            pass
    except OSError:
        pass
    s.close()


def test_hostile_tls(tls):
    """Wrong choices, noise and silence in the place of TLS: refused, and others are served."""
    m = tls.server("anon")
    try:
        plain = socket.create_connection(("127.0.0.1", m.vnc_port), 20)
        plain.sendall(b"RFB 003.008\n\1\1")  # security type None
        expect_closed(plain)
        old = socket.create_connection(("127.0.0.1", m.vnc_port), 20)
        old.sendall(b"RFB 003.003\n")
        expect_closed(old)
        for version in ((0, 1), (1, 0), (255, 255)):
            try:
                vencrypt(m.vnc_port, TLS_NONE, version)
                raise AssertionError("version %s was accepted" % (version,))
            except EOFError:
                pass
        rng = random.Random(3)
        silent = [vencrypt(m.vnc_port, TLS_NONE) for _ in range(4)]
        for i in range(30):
            s = vencrypt(m.vnc_port, TLS_NONE)
            noise = rng.randbytes(rng.randrange(1, 9000))
            # Half of them look like a record of a handshake.
            s.sendall(b"\x16\x03\x01" + noise if i & 1 else noise)
            if i % 3 == 0:
                s.close()
            else:
                expect_closed(s, end=True)
        expect(tls.library(m), TLS_NONE)
        for s in silent:
            s.close()
        end = time.monotonic() + 5
        while m.qmp.run("query-vnc")["clients"] and time.monotonic() < end:
            time.sleep(0.02)
        assert m.alive()
    finally:
        m.close()


def test_refused_options(tls):
    """Missing files and wrong names are said when the program starts."""
    empty = os.path.join(tls.work, "empty")
    os.makedirs(empty, exist_ok=True)
    for args, text in (((), "no -object tls-creds"),
                       (("-object", "tls-creds-x509,id=t,dir=" + empty), "server-cert.pem"),
                       (("-object", "tls-creds-x509,id=t"), "needs id="),
                       (("-object", "tls-creds-psk,id=t"), "not supported")):
        done = subprocess.run([tls.program, "-qtest", "stdio", "-m", "16", *args, "-vnc",
                               "127.0.0.1:60,to=99,tls-creds=t"], stdin=subprocess.DEVNULL, timeout=30,
                              stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, check=False)
        assert done.returncode == 1 and text in done.stderr.decode(), (args, done.stderr)


TESTS = [test_anonymous, test_password, test_certificates, test_openssl, test_hostile_tls,
         test_refused_options]
