# SPDX-License-Identifier: GPL-2.0-or-later
"""The display, the VNC server, the SDL window, PS/2 and the UART."""
import os
import shutil

import qtest
import test_browser
import test_ports
import test_sdl
import test_tls
import test_vga
import test_vnc
import test_websocket


NAME = "check-dm-ui"


def run_all(results, module, env):
    for test in module.TESTS:
        results.test(module, test, lambda: test(env))


def run_vga(results, program, work):
    if not shutil.which("qemu-system-x86_64"):
        results.skip("vga", len(test_vga.TESTS), "qemu-system-x86_64 is the reference and is not installed")
        return
    ours = qtest.plinth(program, work, vnc="127.0.0.1:20,to=99")
    theirs = qtest.qemu(work)
    try:
        pair = test_vga.Pair(ours, theirs, lambda m: qtest.screendump(m, work), work)
        run_all(results, test_vga, pair)
    finally:
        ours.close()
        theirs.close()


def run_ports(results, program, work):
    if not shutil.which("qemu-system-x86_64"):
        results.skip("ports", len(test_ports.TESTS), "qemu-system-x86_64 is the reference and is not installed")
        return
    pair = test_ports.Pair(program, work)
    try:
        run_all(results, test_ports, pair)
    finally:
        pair.close()


def run_vnc(results, program, work):
    env = test_vnc.Env(program, work)
    env.m = test_vnc.start(env)
    try:
        run_all(results, test_vnc, env)
    finally:
        env.m.close()
    env = test_websocket.create(program, work)
    try:
        run_all(results, test_websocket, env)
    finally:
        env.m.close()


def run_browser(results, program, work):
    if missing := test_browser.missing():
        results.skip("browser", len(test_browser.TESTS), missing)
        return
    env = test_browser.create(program, work)
    try:
        run_all(results, test_browser, env)
    finally:
        test_browser.close(env)


def run_tls(results, program, client, work):
    if not shutil.which("openssl"):
        results.skip("tls", len(test_tls.TESTS), "openssl makes the certificates and is not installed")
        return
    tls = test_tls.Tls(program, client, work)
    run_all(results, test_tls, tls)


def run_sdl(results, program, work):
    if not shutil.which("Xvfb"):
        results.skip("sdl", len(test_sdl.TESTS), "Xvfb (package xvfb) is the display and is not installed")
        return
    env = test_sdl.Env(program, work)
    try:
        run_all(results, test_sdl, env)
    finally:
        env.close()


def arguments(parser):
    parser.add_argument("--device-model", required=True)
    parser.add_argument("--vnc-client", required=True)


def run(results, args):
    program, work = os.path.abspath(args.device_model), args.work
    run_vga(results, program, work)
    run_vnc(results, program, work)
    run_browser(results, program, work)
    run_tls(results, program, os.path.abspath(args.vnc_client), work)
    run_ports(results, program, work)
    run_sdl(results, program, work)
