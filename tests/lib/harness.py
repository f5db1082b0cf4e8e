# SPDX-License-Identifier: GPL-2.0-or-later
"""What a whole-boot test is written with.

A test is a function with @case in tests/guests/test_*.py; it takes a Lab, which boots dom0 with
the parts of its combination (and reuses a boot that nothing has spoilt), and raises on failure.
"""

import json
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), "tools"))
from lab import bochs, dom0, hypervisor, machine  # noqa: E402
import ocr  # noqa: E402
import vnc  # noqa: E402

# Which hypervisor, device model and loader run together: docs/testing.md, "Whole boots".
COMBINATIONS = {
    "product": ("plinth", "plinth", "plinth"),
    "vmm": ("plinth", "xen", "xen"),
    "parts": ("xen", "plinth", "plinth"),
    "peer": ("xen", "xen", "xen"),
    "intel": ("plinth", "plinth", "plinth"),
}
# On Intel's virtualization, in Bochs: all that our hypervisor runs elsewhere, but what is about QEMU's machine.
QEMU_ONLY = ("test_boot", "test_console", "test_grub", "test_intel")
DM_OVERRIDE = {"xen": "/usr/libexec/xen-qemu-system-i386", "plinth": "/usr/lib/plinth/bin/plinth-dm"}
LOADER_OVERRIDE = {"xen": "/usr/lib/xen-4.17/boot/hvmloader",
                   "plinth": "/usr/lib/plinth/boot/hvmloader"}
# Bochs may deliver a virtual interrupt of VT-x behind a CLI, by which Linux waits for itself for ever, once in some long boots
# (docs/facts.md). So interrupts are injected there; what test_intel.py boots has the processor's delivery.
INTEL_APPEND = "vmx-apicv=off"
BOOT_LIMIT_S = 240
FIRST_VNC_PORT = 5900
# Time between screen updates, which cost dom0 more than they cost us.
REFRESH_S = 0.5
# From a login on the screen to one on the serial console.
SERIAL_SHELL_LIMIT_S = 120
# Between keys: qemu-xen forgets those behind the sixteenth event that the guest has not taken.
KEY_GAP_S = 0.05
CASES = []
# What the configurations of all HVM guests under test begin with.
HVM = '''type = "hvm"
vga = "stdvga"
vnc = 1
vnclisten = "127.0.0.1"
sdl = 0
on_poweroff = "destroy"
on_reboot = "destroy"
on_crash = "destroy"
'''


class Skip(Exception):
    """A prerequisite of the test is truly missing."""


class Failure(Exception):
    """What the test looked for is not so."""


def slowness(combo):
    """Limits are for QEMU; how much longer things may take in a combination."""
    try:
        return bochs.slowness() if combo == "intel" else 1
    except hypervisor.MissingPiece:
        return 1  # its cases will say what is missing


def check(condition, text):
    if not condition:
        raise Failure(text)


class Case:
    """One test function and how to run it."""

    def __init__(self, function, combos, limit_s, group, order):
        self.function, self.combos, self.limit_s = function, combos, limit_s
        self.group, self.order = group, order
        self.name = function.__name__.removeprefix("test_")

    def runs_in(self, combo):
        if combo == "intel":
            return self.function.__module__ not in QEMU_ONLY and {"product", "vmm"} & set(self.combos)
        return combo in self.combos


def case(limit_s=240, combos=("product", "vmm", "peer"), group=None, order=50):
    """Mark a test. Cases of one group and combination run after each other in one process.

    `combos` are the combinations for which it says something new; "peer" tells whether the test
    itself is right and runs only when asked for or when there is nothing of our own to run.
    """
    def mark(function):
        CASES.append(Case(function, combos, limit_s, group or function.__name__, order))
        return function
    return mark


class Guest:
    """An HVM guest with its console."""

    def __init__(self, lab, name, number):
        self.lab, self.name, self.number = lab, name, number

    def vnc_port(self):
        display = self.lab.dom0.run(f"xenstore-read /local/domain/{self.number}/console/vnc-port")
        return self.lab.dom0.machine.vnc_ports[int(display) - FIRST_VNC_PORT]

    def screen_text(self):
        with vnc.Vnc(self.vnc_port()) as link:
            return ocr.read(link.screen())

    def screenshot(self, label=""):
        """Save what the guest shows; returns the text on it."""
        with vnc.Vnc(self.vnc_port()) as link:
            screen = link.screen()
        screen.save_png(self.lab.log_path(f"{self.name}{label}", "png"))
        return ocr.read(screen)

    def wait_screen(self, pattern, timeout_s, keys=None):
        """Wait for text on the guest's VGA console; saves a picture either way."""
        timeout_s *= self.lab.slowness
        end = time.monotonic() + timeout_s
        with vnc.Vnc(self.vnc_port()) as link:
            text = ocr.read(link.screen())
            if keys:
                link.type(keys, KEY_GAP_S * self.lab.slowness)
            while not (found := re.search(pattern, text, re.M)) and time.monotonic() < end:
                time.sleep(REFRESH_S)
                if link.update(1):
                    text = ocr.read(link.current())
            link.current().save_png(self.lab.log_path(self.name, "png"))
        with open(self.lab.log_path(self.name, "screen"), "w", encoding="utf-8") as out:
            out.write(text + "\n")
        if not found:
            raise Failure(f"no {pattern!r} on {self.name}'s screen in {timeout_s} s; last line: "
                          f"{(text.strip() or '(nothing)').splitlines()[-1]!r}")
        return text

    def type(self, text):
        """A keyboard's queue drains at the guest's speed."""
        with vnc.Vnc(self.vnc_port()) as link:
            link.type(text, KEY_GAP_S * self.lab.slowness)

    def _listen(self, tty, log):
        """Record the serial console, and wait for its shell: what is typed before it runs, getty may throw away."""
        dom0 = self.lab.dom0
        if dom0.command(f"test -e {log}")[0] == 0:
            return
        dom0.run(f"mkdir -p /run/lab; (setsid socat -u {tty},raw,echo=0 CREATE:{log} >/dev/null 2>&1 &)")
        dom0.wait_for(f"printf '\\r' > {tty}; sleep 1; tail -c 80 {log} | tr -d '\\r' | grep -a '# $'",
                      SERIAL_SHELL_LIMIT_S, 1)

    def serial_shell(self, command, pattern, timeout_s):
        """Type at the guest's serial console (a pty in dom0) and wait for a whole line of its answer."""
        log = f"/run/lab/{self.name}.serial"
        tty = self.lab.dom0.run(f"xenstore-read /local/domain/{self.number}/serial/0/tty").strip()
        self._listen(tty, log)
        if command:
            self.lab.dom0.run(f"printf '%s\\r' '{command}' > {tty}")
        return self.lab.dom0.wait_for(f"tr '\\r' '\\n' < {log} | sed '$d' | grep -a -m1 -E '{pattern}'", timeout_s,
                                      1)

    def destroy(self):
        self.lab.dom0.run(f"xl destroy {self.name}", 60)


class Lab:
    """Boots of one combination. Log files are OUT/test-logs/COMBO-CASE*."""

    def __init__(self, combo, log_directory):
        self.combo = combo
        self.vmm, self.dm, self.loader = COMBINATIONS[combo]
        self.logs = log_directory
        self.case_name = "none"
        self.dom0 = None
        self.settings = None
        self.boot_log = None
        self.slowness = 1
        self.kind, self.defaults, self.boot_limit_s = hypervisor.Boot, {}, BOOT_LIMIT_S
        if combo == "intel":
            self.use(bochs.BochsBoot, BOOT_LIMIT_S * slowness(combo), append=INTEL_APPEND)

    def use(self, kind, boot_limit_s, **defaults):
        """Boots of this lab are of another kind of machine, with settings that cases need not name."""
        self.kind, self.defaults, self.boot_limit_s = kind, defaults, boot_limit_s
        if issubclass(kind, bochs.BochsBoot):
            self.slowness = slowness("intel")

    def log_path(self, label, kind):
        return os.path.join(self.logs, f"{self.combo}-{self.case_name}-{label}.{kind}")

    def start(self, **settings):
        """Boot the hypervisor only; returns the Machine."""
        self.stop()
        try:
            self.boot_log = self.log_path("serial", "log")
            return self.kind(self.vmm, log=self.boot_log, **settings).start()
        except hypervisor.MissingPiece as error:
            raise Skip(str(error)) from error

    def boot(self, fresh=False, **settings):
        """A dom0 with these settings, freshly booted or left over from the previous case."""
        settings = {**self.defaults, **settings}
        if self.dom0 and not fresh and settings == self.settings:
            return self.dom0
        pc = self.start(**settings)
        try:
            self.dom0 = dom0.Dom0(pc, self.boot_limit_s, self.slowness)
        except Exception:
            pc.stop()
            raise
        self.settings = settings
        return self.dom0

    def overrides(self, dm=None):
        return (f'device_model_version="qemu-xen"',
                f'device_model_override="{DM_OVERRIDE[dm or self.dm]}"',
                f'firmware_override="{LOADER_OVERRIDE[self.loader]}"')

    def need_parts(self):
        """Skip unless the device model and loader of this combination are in dom0."""
        for path in (DM_OVERRIDE[self.dm], LOADER_OVERRIDE[self.loader]):
            if self.dom0.command(f"test -e {path}")[0]:
                raise Skip(f"{path} is not in dom0")

    def create(self, config, *extra):
        """Create the HVM guest of a file on the guest disk with this combination's parts."""
        self.need_parts()
        overrides = [*self.overrides(), *extra]
        name = self.dom0.run(f"sed -n 's/^name *= *\"\\(.*\\)\"/\\1/p' /guests/{config}").strip()
        for word in extra:
            name = re.sub(r'^name *= *"?([^"]*)"?$', r"\1", word) if word.startswith("name") else name
        number = self.dom0.create(f"/guests/{config}", overrides)
        return Guest(self, name, number)

    def create_text(self, text, name, dm=None):
        """Create an HVM guest from configuration text, with another device model than ours for dm="xen"."""
        self.need_parts()
        self.dom0.write(f"/run/lab/{name}.cfg", f'name = "{name}"\n' + text)
        return Guest(self, name, self.dom0.create(f"/run/lab/{name}.cfg", self.overrides(dm)))

    def note(self, text):
        """Something measured, for whoever reads the results: shown, and kept beside the logs."""
        print(json.dumps({"case": self.case_name, "event": "note", "why": text}), flush=True)
        with open(self.log_path("note", "txt"), "a", encoding="utf-8") as file:
            file.write(text + "\n")

    def collect(self):
        """After a failure: dom0's own logs beside the serial log."""
        if not self.dom0:
            return
        try:
            text = self.dom0.command("xl list; xl dmesg | tail -50; cd /var/log/xen; "
                                     "tail -n 60 *.log /run/lab/*.serial", 30)[1]
        except (OSError, machine.MachineError) as error:
            text = f"dom0 does not answer: {error}\n"
        with open(self.log_path("dom0", "log"), "w", encoding="utf-8") as file:
            file.write(text)

    def stop(self):
        if self.dom0:
            self.dom0.machine.stop()
        self.dom0 = None
        self.settings = None
