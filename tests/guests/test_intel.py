# SPDX-License-Identifier: GPL-2.0-or-later
"""Intel VT-x, and AMD-V under strict checks, in Bochs: each CPU generation runs the payload in
dom0's place; the main one runs Debian's dom0 with guests.

Bochs 2.7 (Debian's) and 3.0 both serve; see docs/testing.md.
"""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile

import test_floppy
import test_hvm
import test_pvh
from harness import HVM, INTEL_APPEND, Failure, Skip, case, check
from lab import bochs, hypervisor, machine
from test_shadow import HAP

# Every group; the payload itself skips what dom0's surroundings do not have (PIC, PIT, IO-APIC).
PAYLOAD_OPTIONS = "skip=none"
SMP_OPTIONS = "tests=irq,apic,timer,smp"
# What Bochs 3.0 does in SVM guests (docs/facts.md): exc: MOV to CR0 with PG and without PE is let through and ends Bochs;
# debug: a #DB exit leaves DR6 in the VMCB as it was, and a single step reaches the host after #VMEXIT; irq, apic:
# VMRUN masks a virtual interrupt until the guest's next change of IF. With that mended both groups pass.
SVM_OPTIONS = "skip=exc,debug,irq,apic"
PAYLOAD_LIMIT_S = 240
# Fewer would mean that a group silently did not run.
PASSED_AT_LEAST = {PAYLOAD_OPTIONS: 75, SMP_OPTIONS: 24, SVM_OPTIONS: 40}
# Debian's Bochs takes four times as long as a build without its debugger.
DOM0_LIMIT_S = 800
GUESTS_LIMIT_S = 2400
OLD_MODEL = "corei5_lynnfield_750"
NO_EPT_MODEL = "core2_penryn_t9600"
LINUX_CD = "linux.iso"
GRUB_LINUX = """set timeout=0
serial --unit=0 --speed=115200
terminal_output serial
menuentry linux {
	linux /boot/vmlinuz console=ttyS0 panic=5 $CMDLINE
	initrd /boot/initrd
}
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


def run_payload(lab, model, bits, append="", expect=r"VT-x: EPT", options=PAYLOAD_OPTIONS, smp=1):
    """The payload as dom0 on a CPU model; judged by what it reports. Returns what was printed."""
    need_bochs()
    log = lab.log_path(f"{model}-{bits}{append}-{smp}", "log")
    boot = bochs.PayloadBoot(f"payload{bits}-dom0", options, model=model, append=append, log=log,
                             smp=smp)
    try:
        with running(boot) as pc:
            pc.wait(r"PAYLOAD: \d+ passed, \d+ failed.*\n", PAYLOAD_LIMIT_S,
                    fail=r"PANIC|triple fault|crashed")
            text = pc.text
    except machine.MachineError as error:
        raise Failure(f"{model}, {bits} bits: {error}") from error
    check(re.search(expect, text), f"{model}: no {expect!r}")
    judge(text, PASSED_AT_LEAST[options])
    return text


@case(order=11, group="bochs", limit_s=600, combos=("product", "vmm"))
def test_vtx_payload(lab):
    """The full set of VT-x features, and the same CPU without APIC virtualization."""
    full = r"VT-x: EPT with pages up to 1 GiB, VPID, unrestricted guest, TPR shadow"
    run_payload(lab, "corei7_haswell_4770", 64, expect=full)
    run_payload(lab, "corei7_haswell_4770", 32, append="vmx-apicv=off", expect=full)


@case(order=12, group="bochs", limit_s=600, combos=("product",))
def test_vtx_payload_smp(lab):
    """Two CPUs: interrupts between them with and without virtual-interrupt delivery."""
    for append in ("", "vmx-apicv=off"):
        run_payload(lab, "corei7_haswell_4770", 64, append=append, options=SMP_OPTIONS, smp=2)


@case(order=12, group="bochs", limit_s=600, combos=("product",))
def test_vtx_posted_interrupts(lab):
    """The same by posted interrupts, which Bochs has from version 3.0 on."""
    text = run_payload(lab, "corei7_skylake_x", 64, options=SMP_OPTIONS, smp=2)
    if "posted interrupts" not in text:
        raise Skip("this Bochs has no posted interrupts (3.0 has)")


@case(order=12, group="bochs", limit_s=600, combos=("product",))
def test_vtx_first_generation(lab):
    """EPT with 2 MiB pages: with unrestricted guest, and without, where real mode is software."""
    run_payload(lab, "corei5_arrandale_m520", 64, expect="up to 2 MiB, VPID, unrestricted guest")
    for bits, append in ((64, ""), (32, ""), (32, "vmx-vm86=off")):
        run_payload(lab, OLD_MODEL, bits, append=append, expect="real mode in software")


@case(order=13, group="bochs", limit_s=300, combos=("product",))
def test_vtx_shadow_payload(lab):
    """On shadow tables: by choice, and on a CPU that has no EPT, whose log says so."""
    run_payload(lab, bochs.DEFAULT_MODEL, 64, append="hap=off", expect="dom0: runs on shadow tables")
    run_payload(lab, NO_EPT_MODEL, 64, expect=r"this CPU lacks EPT \(nested paging\): domain 0 and all guests")


@case(order=14, group="bochs", limit_s=600, combos=("product",))
def test_vtx_shadow_modes(lab):
    """The same with 32 bits, real mode interpreted, and two CPUs."""
    for append in ("", "vmx-vm86=off"):
        run_payload(lab, NO_EPT_MODEL, 32, append=append, expect="shadow paging, real mode in software")
    run_payload(lab, bochs.DEFAULT_MODEL, 32, append="hap=off vmx-apicv=off", expect="dom0: runs on shadow tables")
    run_payload(lab, bochs.DEFAULT_MODEL, 64, append="hap=off", options=SMP_OPTIONS, smp=2,
                expect="dom0: runs on shadow tables")


@case(order=14, group="bochs", limit_s=300, combos=("product",))
def test_svm_strict(lab):
    """AMD-V where VMRUN checks the state that it is given."""
    run_payload(lab, "ryzen", 64, expect="AMD-V: nested paging", options=SVM_OPTIONS)


def make_linux_cd(path, cmdline=""):
    """A CD from which GRUB starts a stock Debian kernel, on `path`."""
    with tempfile.TemporaryDirectory() as tree:
        os.makedirs(os.path.join(tree, "boot/grub"))
        for name, part in (("vmlinuz", "vmlinuz-6.1"), ("initrd", "domu.cpio.gz")):
            shutil.copy(hypervisor.out("dom0", part), os.path.join(tree, "boot", name))
        with open(os.path.join(tree, "boot/grub/grub.cfg"), "w", encoding="ascii") as file:
            file.write(GRUB_LINUX.replace("$CMDLINE", cmdline))
        subprocess.run(["grub-mkrescue", "-d", "/usr/lib/grub/i386-pc", "-o", path, tree],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def use_bochs(lab, model, smp, append="", network=False, dom0_append=""):
    """dom0 in Bochs, for this case and those after it in its group; with a network where VNC is looked at."""
    need_bochs()
    cds = []
    for cmdline in ("", "nopv"):
        cds.append(os.path.join(lab.logs, cmdline + LINUX_CD))
        if not lab.defaults:
            make_linux_cd(cds[-1], cmdline)
    floppy = os.path.join(os.environ.get("PLINTH_GUESTS", "/nowhere"), test_floppy.FREEDOS[0])
    files = [*cds, hypervisor.out("payload/payload64.elf")]
    files += [floppy] if os.path.exists(floppy) else []
    lab.use(bochs.BochsBoot, DOM0_LIMIT_S, model=model, smp=smp, files=files, guests=True, append=append,
            **({"dom0_append": dom0_append} if network else {"nic": "none", "dom0_append": f"lab.net=0 {dom0_append}"}))
    return lab.boot()


def linux_from_cd(lab, name, cd, vcpus, memory=160):
    """A stock kernel through hvmloader, SeaBIOS and GRUB: its report, and all that it printed."""
    dom0, log = lab.dom0, f"/run/lab/{name}.serial"
    dom0.run(f"mkdir -p /run/lab; rm -f {log}")
    lab.create_text(HVM + f'''memory = {memory}
vcpus = {vcpus}
disk = [ "file:/job/{cd},hdc:cdrom,r" ]
boot = "d"
serial = "file:{log}"
''', name)
    line = dom0.wait_for(f"grep -a DOMU-UP {log}", 240, 2)
    text = dom0.run(f"cat {log}")
    with open(lab.log_path(name, "txt"), "w", encoding="utf-8") as file:
        file.write(text)
    dom0.run(f"xl destroy {name}")
    return dict(re.findall(r"(\w+)=(\S*)", line)), text


@case(order=60, group="vtx", limit_s=DOM0_LIMIT_S, combos=("product",))
def test_vtx_dom0(lab):
    """Debian's dom0 to its tools."""
    dom0 = use_bochs(lab, bochs.DEFAULT_MODEL, 1)
    check(re.search(r"^virt_caps *: hvm hap", dom0.run("xl info"), re.M), "virt_caps")


@case(order=67, group="vtxsmp", limit_s=DOM0_LIMIT_S, combos=("product",))
def test_vtx_dom0_two_cpus(lab):
    """The same with two CPUs, each of which gets its events."""
    dom0 = use_bochs(lab, bochs.DEFAULT_MODEL, 2)
    check(dom0.run("nproc").strip() == "2", "dom0 has not both CPUs")
    ticks = dom0.run("awk '/HYP:/ { print $2, $3 }' /proc/interrupts").split()
    check(len(ticks) == 2 and all(int(n) > 0 for n in ticks), f"events of the CPUs: {ticks}")


@case(order=61, group="vtx", limit_s=GUESTS_LIMIT_S, combos=("product",))
def test_vtx_pvh(lab):
    """A PVH guest with two vCPUs, a stock kernel."""
    dom0 = use_bochs(lab, bochs.DEFAULT_MODEL, 1)
    test_pvh.create(dom0, "pvh", vcpus=2)
    report = test_pvh.wait_up(dom0, "pvh")
    check(report["cpus"] == "2" and report["guest_type"] == "PVH", f"guest reports {report}")
    dom0.run("xl destroy pvh")


@case(order=63, group="vtxguests", limit_s=GUESTS_LIMIT_S, combos=("product",))
def test_vtx_shadow_guests(lab):
    """Guests on shadow tables beside dom0 on nested ones: a small one in long mode, and through real mode to 32 bits."""
    dom0 = use_bochs(lab, bochs.DEFAULT_MODEL, 1, INTEL_APPEND)
    test_pvh.payload_passes(dom0, HAP)
    test_hvm.payload_passes(lab, "payload32.iso", extra=HAP)


@case(order=69, group="vtxnoept", limit_s=GUESTS_LIMIT_S, combos=("product",))
def test_vtx_no_ept_guests(lab):
    """All on shadow tables: dom0 to its tools, and the same guests. Page-table isolation would only cost time."""
    dom0 = use_bochs(lab, NO_EPT_MODEL, 1, dom0_append="nopti")
    caps = dom0.run("xl info | grep ^virt_caps")
    check("shadow" in caps and "hap" not in caps, caps)
    test_pvh.payload_passes(dom0)
    test_hvm.payload_passes(lab, "payload32.iso")


@case(order=62, group="vtxguests", limit_s=GUESTS_LIMIT_S, combos=("product",))
def test_vtx_payload_guests(lab):
    """Our payload through hvmloader and SeaBIOS: 64 bits with two vCPUs, 32 bits with one.

    Interrupts are injected: the processor's delivery, which vtx_payload has, goes wrong in Bochs now and then.
    """
    use_bochs(lab, bochs.DEFAULT_MODEL, 1, INTEL_APPEND)
    test_hvm.payload_passes(lab, "payload64.iso", vcpus=2)
    test_hvm.payload_passes(lab, "payload32.iso")


def counters(dom0):
    """What debug key c shows."""
    text = dom0.run("xl debug-keys c; sleep 1; xl dmesg | tail -n 60")
    return {name: int(value) for name, value in re.findall(r"^ *(\w+) +(\d+)$", text, re.M)}


# What the hypervisor does against speculation, and against code in large pages.
COUNTED = ("l1d_by_command", "l1d_by_reading", "buffers_cleared", "prediction_barriers", "code_pages_split")


def buffers_cleared(lab, model, append, expect):
    """A small guest on this model; these counters go up, and the others stay."""
    dom0 = use_bochs(lab, model, 1, append)
    before = counters(dom0)
    test_pvh.payload_passes(dom0)
    after = counters(dom0)
    grown = {name for name in COUNTED if after[name] > before[name]}
    check(grown == expect, f"{model}: counted {grown}, before {before}, then {after}")


@case(order=62, group="vtx", limit_s=GUESTS_LIMIT_S, combos=("product",))
def test_vtx_cache_cleared(lab):
    """A guest on a CPU with L1TF and without microcode for it: the L1 data cache by reading; code in small pages."""
    buffers_cleared(lab, bochs.DEFAULT_MODEL, "", {"l1d_by_reading", "code_pages_split"})


@case(order=68, group="vtxflush", limit_s=GUESTS_LIMIT_S, combos=("product",))
def test_vtx_buffers_cleared(lab):
    """By command, and buffers by VERW, on a CPU that has both and is told to use them; predictions as on its own."""
    buffers_cleared(lab, "corei7_icelake_u", "vmx-flush=force",
                    {"l1d_by_command", "buffers_cleared", "prediction_barriers", "code_pages_split"})
    check("enhanced IBRS against guests, IBPB between domains" in lab.dom0.run("xl dmesg"),
          "the log does not say how branch predictions are kept apart")


@case(order=63, group="vtx", limit_s=GUESTS_LIMIT_S, combos=("product",))
def test_vtx_linux(lab):
    """A stock kernel by SeaBIOS and GRUB, two vCPUs: with Xen's interfaces, and as on a bare PC."""
    use_bochs(lab, bochs.DEFAULT_MODEL, 1)
    report, text = linux_from_cd(lab, "linux", LINUX_CD, 2)
    check(report["cpus"] == "2" and report["hv"] == "xen", f"guest reports {report}")
    check(re.search(r"x2apic", text), "the guest does not use its x2APIC")
    report, text = linux_from_cd(lab, "bare", "nopv" + LINUX_CD, 2)
    check(report["cpus"] == "2", f"guest reports {report}")
    check(report["event"] == "lapic-deadline", f"guest's timer is {report['event']}")


@case(order=64, group="vtx", limit_s=GUESTS_LIMIT_S, combos=("product",))
def test_vtx_hostile(lab):
    """The hostile payloads: the host and dom0 live on, the guest ends where it should."""
    use_bochs(lab, bochs.DEFAULT_MODEL, 1)
    for kind in ("triple", "ud", "ports", "msrs", "mmio", "hypercalls"):
        test_hvm.hostile(lab, kind, r"(?i)triple fault" if kind == "triple" else None)
    test_pvh.no_entry(lab.dom0, r"VM entry fails \(invalid guest state\).*: EFER.LMA, EFER.LME, CR0.PG")


@case(order=65, group="vtxold", limit_s=GUESTS_LIMIT_S, combos=("product",))
def test_vtx_old_guests(lab):
    """A CPU without unrestricted guest: payload and a stock kernel, through their real mode."""
    use_bochs(lab, OLD_MODEL, 1)
    test_hvm.payload_passes(lab, "payload32.iso")
    report, _ = linux_from_cd(lab, "linux", LINUX_CD, 1)
    check(report["hv"] == "xen", f"guest reports {report}")


@case(order=66, group="vtxolddos", limit_s=GUESTS_LIMIT_S, combos=("product",))
def test_vtx_old_freedos(lab):
    """The same with a system that never leaves real mode."""
    use_bochs(lab, OLD_MODEL, 1, network=True)
    if not any(test_floppy.FREEDOS[0] in path for path in lab.defaults["files"]):
        raise Skip("PLINTH_GUESTS names no folder with floppy images")
    guest = lab.create_text(test_floppy.FLOPPY.format(image=test_floppy.FREEDOS[0], memory=32,
                                                      cards=""), "freedos")
    guest.wait_screen(r"^A:\\>", 240)
    test_floppy.say(guest, "echo cold-storage>x.txt")
    guest.wait_screen(r"x\.txt\s+A:\\>\s*$", 120)
    guest.destroy()
    lab.dom0.run(f"grep -aq cold-storage /job/{test_floppy.FREEDOS[0]}")
