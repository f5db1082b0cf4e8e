# SPDX-License-Identifier: GPL-2.0-or-later
"""Intel VT-x, and AMD-V under strict checks, in Bochs: each CPU generation runs the payload in
dom0's place; the main one runs Debian's dom0 with guests.

Bochs 2.7 (Debian's) and 3.0 both serve; see docs/testing.md.
"""

import contextlib
import os
import re

from harness import Failure, Skip, case, check
from lab import bochs, hypervisor, machine

# What dom0's surroundings leave of the payload: no PIC, PIT, IO-APIC; MSRs as the host has them.
PAYLOAD_OPTIONS = "tests=exc,paging,debug,fpu,pio,task,real"
# Bochs 3.0 ends itself over PG without PE in an SVM guest, and mishandles DR6 and single steps.
SVM_OPTIONS = "tests=paging,fpu,pio,task,real"
PAYLOAD_LIMIT_S = 240
DOM0_LIMIT_S = 1500
# Fewer would mean that a group silently did not run.
PASSED_AT_LEAST = {PAYLOAD_OPTIONS: 28, SVM_OPTIONS: 18}
JOB = r"""
xl info | grep -E '^(virt_caps|hw_caps|xen_version)'
guest() {
	name=$1
	cat > /tmp/$name.cfg
	xl create -q /tmp/$name.cfg && for i in $(seq $2); do
		xl domid $name >/dev/null 2>&1 || return 0
		sleep 1
	done
	echo "@@ $name does not end"
	xl destroy $name
}
common='memory=128
on_poweroff="destroy"
on_reboot="destroy"
on_crash="destroy"'
mkdir -p /run/lab
guest pvh 200 <<E
name="pvh"
type="pvh"
vcpus=1
kernel="/job/payload64.elf"
cmdline="skip=timer"
$common
E
sed 's/^/@@ pvh: /' /var/log/xen/console/guest-pvh.log /var/log/xen/guest-pvh.log 2>/dev/null
guest hvm 400 <<E
name="hvm"
type="hvm"
vcpus=1
disk=["file:/job/payload32.iso,hdc:cdrom,r"]
boot="d"
serial="file:/run/lab/hvm.serial"
vga="stdvga"
device_model_version="qemu-xen"
device_model_override="/usr/lib/plinth/bin/plinth-dm"
firmware_override="/usr/lib/plinth/boot/hvmloader"
$common
E
sed 's/^/@@ hvm: /' /run/lab/hvm.serial
"""


def need_bochs():
    try:
        bochs.program()
    except hypervisor.MissingPiece as error:
        raise Skip(str(error)) from error


@contextlib.contextmanager
def running(boot):
    pc = boot.start()
    try:
        yield pc
    finally:
        pc.stop()


def judge(text, passed_at_least):
    """Result lines of one payload run."""
    found = re.search(r"PAYLOAD: (\d+) passed, (\d+) failed", text)
    check(found, f"no result line; the end is {text[-300:]!r}")
    bad = re.findall(r"^.*not ok .*", text, re.M)
    check(found.group(2) == "0", "; ".join(bad)[:600])
    check(int(found.group(1)) >= passed_at_least, found.group(0))


def run_payload(lab, model, bits, append="", expect=r"VT-x: EPT", options=PAYLOAD_OPTIONS):
    """The payload as dom0 on a CPU model; judged by what it reports."""
    need_bochs()
    log = lab.log_path(f"{model}-{bits}{append}", "log")
    boot = bochs.PayloadBoot(f"payload{bits}-dom0", options, model=model, append=append, log=log)
    try:
        with running(boot) as pc:
            pc.wait(r"PAYLOAD: \d+ passed, \d+ failed.*\n", PAYLOAD_LIMIT_S,
                    fail=r"PANIC|triple fault|crashed")
            text = pc.text
    except machine.MachineError as error:
        raise Failure(f"{model}, {bits} bits: {error}") from error
    check(re.search(expect, text), f"{model}: no {expect!r}")
    judge(text, PASSED_AT_LEAST[options])


@case(order=11, group="bochs", limit_s=600, combos=("product", "vmm"))
def test_vtx_payload(lab):
    """The full set of VT-x features, and the same CPU without APIC virtualization."""
    full = r"VT-x: EPT with pages up to 1 GiB, VPID, unrestricted guest, TPR shadow"
    run_payload(lab, "corei7_haswell_4770", 64, expect=full)
    run_payload(lab, "corei7_haswell_4770", 32, append="vmx-apicv=off", expect=full)


@case(order=12, group="bochs", limit_s=600, combos=("product",))
def test_vtx_first_generation(lab):
    """EPT with 2 MiB pages: with unrestricted guest, and without, where real mode is software."""
    run_payload(lab, "corei5_arrandale_m520", 64, expect="up to 2 MiB, VPID, unrestricted guest")
    for bits in (64, 32):
        run_payload(lab, "corei5_lynnfield_750", bits, expect="real mode in software")


@case(order=13, group="bochs", limit_s=300, combos=("product",))
def test_vtx_refused(lab):
    """A CPU without EPT: one clear line, no dom0."""
    need_bochs()
    boot = bochs.PayloadBoot("payload64-dom0", "", model="core2_penryn_t9600",
                             log=lab.log_path("penryn", "log"))
    with running(boot) as pc:
        pc.wait(r"VT-x: this CPU lacks EPT \(nested paging\)", PAYLOAD_LIMIT_S, fail="PAYLOAD")


@case(order=14, group="bochs", limit_s=300, combos=("product",))
def test_svm_strict(lab):
    """AMD-V where VMRUN checks the state that it is given."""
    run_payload(lab, "ryzen", 64, expect="AMD-V: nested paging", options=SVM_OPTIONS)


@case(order=60, group="bochs", limit_s=DOM0_LIMIT_S, combos=("product",))
def test_vtx_dom0_and_guests(lab):
    """Debian's dom0 to its tools; a PVH guest; an HVM guest through hvmloader and SeaBIOS."""
    need_bochs()
    job = lab.log_path("job", "sh")
    with open(job, "w", encoding="ascii") as file:
        file.write(JOB)
    files = [hypervisor.out("payload", name) for name in ("payload64.elf", "payload32.iso")]
    for path in files:
        if not os.path.exists(path):
            raise Skip(f"{path} is not built")
    boot = bochs.BochsBoot(job=job, files=files, nic="none", dom0_append="lab.net=0",
                           log=lab.log_path("serial", "log"))
    with running(boot) as pc:
        pc.wait(r"@@ TOOLS-READY", DOM0_LIMIT_S - 60, fail=r"PANIC|Kernel panic|@@ FAIL")
        pc.wait(r"@@ JOB-DONE", DOM0_LIMIT_S - 60, fail=r"PANIC|Kernel panic")
        text = pc.text
    check(re.search(r"^virt_caps *: hvm hap", text, re.M), "virt_caps")
    judge("\n".join(re.findall(r"^@@ pvh: (.*)", text, re.M)), 50)
    judge("\n".join(re.findall(r"^@@ hvm: (.*)", text, re.M)), 50)
