# SPDX-License-Identifier: GPL-2.0-or-later
"""The runs of `make run` in one tree: each has a number, a serial log and a file with its ports.

OUT/run-N.lock is locked as long as run N lives, whatever ends it, and holds the ports once dom0
answers, as JSON. The first run's log is OUT/run.log, the others' OUT/run-N.log.
"""

import fcntl
import json
import os
import re

from . import hypervisor

MOST = 16


class Run:
    """The lowest number that no living run has; raises MissingPiece when all are taken."""

    def __init__(self):
        os.makedirs(hypervisor.OUT, exist_ok=True)
        for number in range(1, MOST + 1):
            self.file = open(lock_path(number), "a+", encoding="ascii")
            if locked(self.file, fcntl.LOCK_EX):
                self.number = number
                self.file.truncate(0)
                self.log = hypervisor.out("run.log" if number == 1 else f"run-{number}.log")
                return
            self.file.close()
        raise hypervisor.MissingPiece(f"{MOST} runs live in {hypervisor.OUT} already")

    def ready(self, **ports):
        """dom0 answers at these ports."""
        json.dump(ports, self.file)
        self.file.flush()

    def end(self):
        """Nobody finds this run from now on."""
        os.unlink(self.file.name)
        self.file.close()


def lock_path(number):
    return hypervisor.out(f"run-{number}.lock")


def locked(file, kind):
    """Take the lock if nobody has it, and if the file is still the one that others find."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
        return os.fstat(file.fileno()).st_ino == os.stat(file.name).st_ino
    except OSError:
        return False


def living():
    """{number: ports, or {} while it boots} of the runs of this tree."""
    found = {}
    names = os.listdir(hypervisor.OUT) if os.path.isdir(hypervisor.OUT) else []
    for number in sorted(int(name[4:-5]) for name in names if re.fullmatch(r"run-\d+\.lock", name)):
        try:
            with open(lock_path(number), encoding="ascii") as file:
                if not locked(file, fcntl.LOCK_SH):
                    found[number] = json.loads(file.read() or "{}")
        except FileNotFoundError:
            pass
    return found
