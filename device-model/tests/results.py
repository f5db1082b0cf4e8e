# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts of what passed, for the programs that run register scripts."""
import os
import traceback


class Skip(Exception):
    """This machine lacks what the test needs; the text says what."""


class Results:
    def __init__(self, wanted):
        self.wanted = wanted
        self.passed = self.failed = self.skipped = 0

    def wants(self, name):
        return not self.wanted or any(w in name for w in self.wanted)

    def run(self, name, action):
        try:
            action()
            self.passed += 1
        except Skip as why:
            self.skipped += 1
            print("SKIP %s: %s" % (name, why))
        except Exception as e:
            self.failed += 1
            print("FAIL %s: %s" % (name, e))
            if os.environ.get("V") or not isinstance(e, AssertionError):
                traceback.print_exc()
