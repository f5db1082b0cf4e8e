# SPDX-License-Identifier: GPL-2.0-or-later
"""A monitor connection (QEMU Machine Protocol) for the tests."""
import array
import json
import socket
import time


class Qmp:
    def __init__(self, path, negotiate=True):
        self.events = []
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        for tries in range(200):
            try:
                self.sock.connect(path)
                break
            except OSError:
                if tries == 199:
                    raise
                time.sleep(0.05)
        self.file = self.sock.makefile("r")
        assert "QMP" in json.loads(self.file.readline())
        if negotiate:
            self.run("qmp_capabilities")

    def raw(self, text, fd=None):
        """The reply to this text, which a descriptor may go with."""
        control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))] if fd else []
        self.sock.sendmsg([text.encode()], control)
        while True:
            line = self.file.readline()
            assert line, "the monitor closed"
            reply = json.loads(line)
            if "event" not in reply:
                return reply
            self.events.append(reply["event"])

    def ask(self, command, fd=None, **arguments):
        """The reply, with "return" or "error" in it."""
        arguments = {k.replace("_", "-"): v for k, v in arguments.items()}
        reply = self.raw(json.dumps({"execute": command, "arguments": arguments, "id": 7}), fd)
        assert reply["id"] == 7
        return reply

    def run(self, command, fd=None, **arguments):
        reply = self.ask(command, fd, **arguments)
        assert "return" in reply, "%s: %s" % (command, reply)
        return reply["return"]

    def close(self):
        self.file.close()
        self.sock.close()
