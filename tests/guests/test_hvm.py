# SPDX-License-Identifier: GPL-2.0-or-later
"""HVM guests: real systems from emulated disks and CDs, judged by their VGA and serial consoles."""

import re

from harness import HVM, Failure, case, check
from lab.machine import MachineError

COMBOS = ("product", "vmm", "parts", "peer")
CD = HVM + '''memory = {memory}
vcpus = {vcpus}
disk = [ "file:/guests/{iso},hdc:cdrom,r" ]
boot = "d"
serial = "file:/run/lab/{name}.serial"
{extra}
'''


def start_cd(lab, name, iso, memory=128, vcpus=1, extra=""):
    lab.dom0.run(f"mkdir -p /run/lab; rm -f /run/lab/{name}.serial")
    return lab.create_text(CD.format(name=name, iso=iso, memory=memory, vcpus=vcpus, extra=extra),
                           name)


def run_payload(lab, iso, machine=None, **settings):
    """Run one of our payload CDs to its end; its serial output."""
    lab.boot(guests=True, **(machine or {}))
    if lab.dom0.command(f"test -e /guests/{iso}")[0]:
        raise Failure(f"{iso} is not on the guest disk")
    start_cd(lab, "payload", iso, **settings)
    lab.dom0.wait_for("grep -a '^PAYLOAD: .* passed' /run/lab/payload.serial", 240, 1)
    lab.dom0.wait_for("! xl domid payload >/dev/null 2>&1", 60, 2)
    text = lab.dom0.run("cat /run/lab/payload.serial")
    with open(lab.log_path("payload", "txt"), "w", encoding="utf-8") as file:
        file.write(text)
    return text


def payload_passes(lab, iso, besides=None, **settings):
    """All tests but those that match `besides`; what it says."""
    text = run_payload(lab, iso, **settings)
    found = re.search(r"PAYLOAD: (\d+) passed, (\d+) failed", text)
    check(found, f"no result line; the end is {text[-200:]!r}")
    bad = [line for line in re.findall(r"^not ok .*", text, re.M)
           if not besides or not re.search(besides, line)]
    check(not bad and int(found.group(1)) > 80, "; ".join(bad)[:600] or found.group(0))
    return text


def grub_shell(guest, word):
    """From GRUB's menu to its shell, which says a word. A BIOS keeps 15 keys, so not all are typed at once."""
    guest.wait_screen(r"^grub>", 150, keys="c")
    guest.wait_screen(rf"grub> echo {word}\s+{word}", 150, keys=f"echo {word}\n")


@case(order=40, group="hvmcd", limit_s=520, combos=COMBOS)
def test_rescue_cd(lab):
    """A GRUB CD: its menu on the VGA screen, keys by VNC, power-off by ACPI or APM."""
    lab.boot(guests=True)
    guest = start_cd(lab, "rescue", "rescue.iso")
    guest.wait_screen(r"GNU GRUB  version 2\.06", 150)
    text = guest.wait_screen(r"Rescue: nothing to boot", 90)
    check("Rescue: power off" in text, "the menu is not complete")
    grub_shell(guest, "cold-storage")
    guest.destroy()


# What xl.cfg(5) lets a user switch off or on: sets of which no switch hides what another one does.
SWITCHES = (("acpi=0", 'vga="none"', "nx=0", 'tsc_mode="always_emulate"'),
            ("apic=0", "acpi_s3=0", "xen_platform_pci=0", "vpt_align=0", 'tsc_mode="native"'),
            ("hpet=0", "pae=0", "acpi_s4=0", "usb=1", "mmio_hole=2048", "timer_mode=1"),
            ("acpi_laptop_slate=1", "nomigrate=1", 'cpuid="host,htt=0"', 'bios="seabios"'))


@case(order=41, group="hvmcd", limit_s=400, combos=("product",))
def test_switches(lab):
    """With each switch of the configuration the loader still comes to the BIOS."""
    dom0 = lab.boot(guests=True)
    for switches in SWITCHES:
        dom0.run("xl dmesg -c > /dev/null")
        guest = start_cd(lab, "switches", "rescue.iso", memory=32, extra="\n".join(switches))
        try:
            dom0.wait_for("xl dmesg | grep 'starting the BIOS'", 60, 1)
        except MachineError as error:
            raise Failure(f"with {', '.join(switches)}: {error}") from error
        guest.destroy()


@case(order=41, group="hvmcd", limit_s=400, combos=COMBOS)
def test_payload_32(lab):
    """Our 32-bit payload: CPUID, MSRs, paging modes, interrupts, timers."""
    payload_passes(lab, "payload32.iso")


@case(order=42, group="hvmcd", limit_s=400, combos=COMBOS)
def test_payload_64(lab):
    payload_passes(lab, "payload64.iso")


@case(order=43, group="hvmcd", limit_s=400, combos=("product", "vmm"))
def test_payload_two_vcpus(lab):
    """And with Microsoft's interface before Xen's."""
    groups = '"defaults", "reference_tsc", "hcall_remote_tlb_flush", "hcall_ipi"'
    text = payload_passes(lab, "payload64.iso", vcpus=2, extra=f"viridian = [ {groups} ]")
    check(len(re.findall(r"^ok .*viridian:", text, re.M)) == 4, "the interface was not there")


@case(order=44, group="hvmlarge", limit_s=600, combos=("product",))
def test_payload_memory_sizes(lab):
    """16 MiB beside as much video memory; and memory above the 4 GiB hole. Clocks are for payload_64."""
    for memory in (4608, 32):
        payload_passes(lab, "payload64.iso", besides="timer", memory=memory,
                       machine={"mem_mib": 7168})


@case(order=45, group="hvmdisk", limit_s=420, combos=COMBOS)
def test_debian_boots(lab):
    """Debian 12 from its disk through SeaBIOS and GRUB to a shell on the VGA console."""
    lab.boot(guests=True)
    guest = lab.create("linux.cfg")
    guest.wait_screen(r"root@debian:~#", 360)
    guest.wait_screen(r"^Linux debian 6\.1", 150, keys="clear; uname -a\n")


@case(order=46, group="hvmdisk", limit_s=600, combos=COMBOS)
def test_debian_keeps_data(lab):
    """64 MiB written and flushed, the domain destroyed at once, read back in a new one."""
    dom0 = lab.boot(guests=True)
    if dom0.command("xl domid linux")[0]:
        lab.create("linux.cfg").wait_screen(r"root@debian:~#", 360)
    from harness import Guest
    guest = Guest(lab, "linux", int(dom0.run("xl domid linux")))
    line = guest.serial_shell("lab-crc write", "^CRC write: [0-9]+ 67108864", 240)
    guest.destroy()
    written = line.split(":")[1].strip()
    guest = lab.create("linux.cfg")
    dom0.run("rm -f /run/lab/linux.serial")
    guest.wait_screen(r"root@debian:~#", 360)
    line = guest.serial_shell("lab-crc read", "^CRC read: [0-9]+ 67108864", 240)
    check(line.split(":")[1].strip() == written, f"read {line!r}, wrote {written!r}")
    guest.destroy()


@case(order=55, group="memtest", limit_s=900, combos=COMBOS)
def test_memtest(lab):
    """memtest86+ through its first tests without an error."""
    lab.boot(guests=True)
    guest = start_cd(lab, "memtest", "memtest.iso", memory=32)
    guest.wait_screen(r"Memtest86\+ v6", 200)
    text = guest.wait_screen(r"(Errors: 0[\s\S]*)?Test.*#[3-9]", 600)
    check(re.search(r"Errors: *0\b", text), f"memtest shows {text!r}")
    guest.destroy()


@case(order=56, group="hvmtwo", limit_s=900, combos=COMBOS)
def test_two_guests(lab):
    """Two guests with a VNC console each; one destroyed, the other and the host go on."""
    lab.boot(guests=True)
    one = start_cd(lab, "one", "rescue.iso")
    two = start_cd(lab, "two", "rescue.iso")
    check(one.vnc_port() != two.vnc_port(), "both guests have the same VNC port")
    one.wait_screen(r"Rescue: nothing to boot", 200)
    two.wait_screen(r"Rescue: nothing to boot", 200)
    one.wait_screen(r"grub>", 150, keys="c")
    check("grub>" not in two.screen_text(), "a key for one guest reached the other")
    one.destroy()
    grub_shell(two, "still-here")
    lab.dom0.run("xl info >/dev/null; ! xl domid one 2>/dev/null; xl destroy two")


def hostile(lab, kind, reason=None):
    """Run a hostile payload; the host and dom0 go on, and the guest ends with a reason if it should."""
    dom0 = lab.boot(guests=True)
    if dom0.command(f"test -e /guests/hostile-{kind}.iso")[0]:
        raise Failure(f"hostile-{kind}.iso is not on the guest disk")
    start_cd(lab, "hostile", f"hostile-{kind}.iso")
    if reason:
        dom0.wait_for("! xl domid hostile >/dev/null 2>&1", 150, 2)
        check(re.search(reason, dom0.run("xl dmesg | tail -n 40")), f"xl dmesg does not say {reason!r}")
    else:
        # It may also have stopped itself for good, by an INIT to its own CPU, say: then its time is up.
        dom0.command("end=$((SECONDS + 45)); while [ $SECONDS -lt $end ]; do "
                     "grep -aq 'HOSTILE: .* done' /run/lab/hostile.serial && "
                     "break; xl domid hostile >/dev/null 2>&1 || break; sleep 1; done", 120)
        dom0.command("xl destroy hostile")
    check(len(dom0.run("xl list").splitlines()) == 2, "the guest is still there")
    check("panic" not in dom0.machine.text.lower().split("@@ dom0-ready")[1], "the host panicked")


@case(order=62, group="hostileguests", limit_s=300, combos=("product", "vmm"))
def test_hostile_triple_fault(lab):
    hostile(lab, "triple", r"(?i)triple fault")


@case(order=63, group="hostileguests", limit_s=300, combos=("product", "vmm"))
def test_hostile_instructions(lab):
    hostile(lab, "ud")


@case(order=63, group="hostileguests", limit_s=300, combos=("product", "vmm"))
def test_hostile_stack(lab):
    """A guest whose exceptions can never be delivered: dom0 has its time all the same, and ends it."""
    dom0 = lab.boot(guests=True)
    start_cd(lab, "hostile", "hostile-stack.iso")
    dom0.wait_for("grep -aq 'HOSTILE: a stack without' /run/lab/hostile.serial", 90)
    dom0.run("for i in 1 2 3; do xl list hostile >/dev/null; sleep 1; done; xl destroy hostile; ! xl domid hostile 2>/dev/null")


@case(order=64, group="hostileguests", limit_s=300, combos=("product", "vmm"))
def test_hostile_ports(lab):
    hostile(lab, "ports")


@case(order=65, group="hostileguests", limit_s=300, combos=("product", "vmm"))
def test_hostile_msrs(lab):
    hostile(lab, "msrs")


@case(order=66, group="hostileguests", limit_s=300, combos=("product", "vmm"))
def test_hostile_mmio(lab):
    hostile(lab, "mmio")


@case(order=67, group="hostileguests", limit_s=300, combos=("product", "vmm"))
def test_hostile_hypercalls(lab):
    hostile(lab, "hypercalls")
