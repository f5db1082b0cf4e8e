# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts of what passed, for the programs that run register scripts."""
import os
import time
import traceback


class Skip(Exception):
    """This machine lacks what the test needs; the text says what."""


class Results:
    def __init__(self, wanted):
        self.wanted = wanted
        self.passed = self.failed = self.skipped = 0

    def wants(self, name):
        return not self.wanted or any(w in name for w in self.wanted)

    def test(self, module, test, action, kind=""):
        """One of a module's, if it is wanted."""
        name = kind + module.__name__.removeprefix("test_") + "." + test.__name__.removeprefix("test_")
        if self.wants(name):
            self.run(name, action)

    def on(self, program, name, action):
        """One that needs this program, which may not be installed."""
        if self.wants(name) and program:
            self.run(name, action)
        elif self.wants(name):
            self.skipped += 1

    def skip(self, what, count, why):
        self.skipped += count
        print("SKIP %s: %s" % (what, why))

    def run(self, name, action):
        begin = time.monotonic()
        try:
            action()
            self.passed += 1
            if os.environ.get("V"):
                print("ok   %s (%.1f s)" % (name, time.monotonic() - begin))
        except Skip as why:
            self.skip(name, 1, why)
        except Exception as e:
            self.failed += 1
            print("FAIL %s: %s" % (name, e))
            if os.environ.get("V") or not isinstance(e, AssertionError):
                traceback.print_exc()
