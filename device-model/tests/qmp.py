# SPDX-License-Identifier: GPL-2.0-or-later
"""A monitor connection (QEMU Machine Protocol) for the tests."""
import json
import socket


class Qmp:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(path)
        self.file = self.sock.makefile("rb")
        json.loads(self.file.readline())
        self.run("qmp_capabilities")

    def run(self, command, **arguments):
        self.sock.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            answer = json.loads(self.file.readline())
            if "event" in answer:
                continue
            assert "return" in answer, "%s: %s" % (command, answer)
            return answer["return"]

    def close(self):
        self.file.close()
        self.sock.close()
