# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines that serve register scripts, test(machine, around), one after the other."""
import shutil

QEMU = "qemu-system-x86_64"
# A register script's machine, without firmware that would interfere: options add what has to run.
QEMU_OPTIONS = ["-accel", "tcg", "-qtest-log", "/dev/null", "-nodefaults", "-display", "none"]


def kinds(program):
    """Both machines on which a script has to hold; the second's program may be None."""
    return (("plinth", program), ("qemu", shutil.which(QEMU)))


class Bench:
    """begin(test) gives a machine and what is around it, which serve until a script fails, or each script its own.

    again(machine, around) makes them fit for the next script, end(around) is for what outlives the machine.
    """

    def __init__(self, begin, again=None, end=None):
        self.begin, self.again, self.end = begin, again, end
        self.pair = None

    def run(self, test):
        if not self.pair:
            self.pair = self.begin(test)
        elif self.again:
            self.again(*self.pair)
        try:
            test(*self.pair)
        except BaseException:
            self.pair[0].kill()
            self.pair = None
            raise
        if not self.again:
            self.close()

    def close(self):
        if self.pair:
            machine, around = self.pair
            self.pair = None
            machine.close()
            if self.end:
                self.end(around)


def run_scripts(results, program, prefix, tests, bench):
    for test in tests:
        results.on(program, prefix + test.__name__.removeprefix("test_"), lambda: bench.run(test))
    if bench.again:
        results.run(prefix + "end", bench.close)
