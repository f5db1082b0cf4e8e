#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run the display, input and serial tests: run.py --device-model PROGRAM --work FOLDER [NAME...]"""
import argparse
import os
import shutil
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tests"))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import qtest
import scratch
import test_browser
import test_ports
import test_sdl
import test_tls
import test_vga
import test_vnc
import test_websocket


class Result:
    def __init__(self, wanted):
        self.wanted = wanted
        self.passed = self.failed = self.skipped = 0

    def run(self, test, *args):
        name = test.__module__.replace("test_", "") + "." + test.__name__.replace("test_", "")
        if self.wanted and not any(w in name for w in self.wanted):
            return
        start = time.monotonic()
        try:
            test(*args)
        except Exception as e:
            self.failed += 1
            print("FAIL %s: %s" % (name, e))
            if not isinstance(e, AssertionError):
                traceback.print_exc()
            return
        self.passed += 1
        if os.environ.get("V"):
            print("ok   %s (%.1f s)" % (name, time.monotonic() - start))


def run_vga(result, program, work):
    if not shutil.which("qemu-system-x86_64"):
        print("SKIP vga: qemu-system-x86_64 is the reference and is not installed")
        result.skipped += len(test_vga.TESTS)
        return
    ours = qtest.plinth(program, work, vnc="127.0.0.1:20,to=99")
    theirs = qtest.qemu(work)
    try:
        pair = test_vga.Pair(ours, theirs, lambda m: qtest.screendump(m, work), work)
        for test in test_vga.TESTS:
            result.run(test, pair)
    finally:
        ours.close()
        theirs.close()


def run_ports(result, program, work):
    if not shutil.which("qemu-system-x86_64"):
        print("SKIP ports: qemu-system-x86_64 is the reference and is not installed")
        result.skipped += len(test_ports.TESTS)
        return
    pair = test_ports.Pair(program, work)
    try:
        for test in test_ports.TESTS:
            result.run(test, pair)
    finally:
        pair.close()


def run_vnc(result, program, work):
    env = test_vnc.Env(program, work)
    env.m = test_vnc.start(env)
    try:
        for test in test_vnc.TESTS:
            result.run(test, env)
    finally:
        env.m.close()
    env = test_websocket.create(program, work)
    try:
        for test in test_websocket.TESTS:
            result.run(test, env)
    finally:
        env.m.close()


def run_browser(result, program, work):
    if missing := test_browser.missing():
        print("SKIP browser: " + missing)
        result.skipped += len(test_browser.TESTS)
        return
    env = test_browser.create(program, work)
    try:
        for test in test_browser.TESTS:
            result.run(test, env)
    finally:
        test_browser.close(env)


def run_tls(result, program, client, work):
    if not shutil.which("openssl"):
        print("SKIP tls: openssl makes the certificates and is not installed")
        result.skipped += len(test_tls.TESTS)
        return
    tls = test_tls.Tls(program, client, work)
    for test in test_tls.TESTS:
        result.run(test, tls)


def run_sdl(result, program, work):
    if not shutil.which("Xvfb"):
        print("SKIP sdl: Xvfb (package xvfb) is the display and is not installed")
        result.skipped += len(test_sdl.TESTS)
        return
    env = test_sdl.Env(program, work)
    try:
        for test in test_sdl.TESTS:
            result.run(test, env)
    finally:
        env.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device-model", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--vnc-client", required=True)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    program, work = os.path.abspath(args.device_model), scratch.folder(args.work)
    result = Result(args.names)
    run_vga(result, program, work)
    run_vnc(result, program, work)
    run_browser(result, program, work)
    run_tls(result, program, os.path.abspath(args.vnc_client), work)
    run_ports(result, program, work)
    run_sdl(result, program, work)
    print("check-dm-ui: %d passed, %d failed%s" % (
        result.passed, result.failed, ", %d skipped" % result.skipped if result.skipped else ""))
    return 1 if result.failed or not result.passed else 0


if __name__ == "__main__":
    sys.exit(main())
