# SPDX-License-Identifier: GPL-2.0-or-later
"""PVH guests: a stock kernel with busybox, started and managed by xl."""

import re

from harness import Skip, case, check, hypervisor

LOG = "/var/log/xen/guest-{}.log"
COMBOS = ("vmm", "peer")
# What a guest takes besides its memory, generously.
SPARE_MIB = 96


LINUX = 'kernel = "/guests/vmlinuz-6.1"\nramdisk = "/guests/domu.cpio.gz"'


def create(dom0, name, cmdline="console=hvc0 quiet", memory=256, vcpus=1, extra="", paused=False, kernel=LINUX):
    """xl create a PVH guest from text."""
    dom0.run(f"rm -f {LOG.format(name)}")
    dom0.write(f"/run/lab/{name}.cfg", f'''name = "{name}"
type = "pvh"
memory = {memory}
vcpus = {vcpus}
{kernel}
cmdline = "{cmdline}"
{extra}
''')
    dom0.run(f"xl create -q {'-p' if paused else ''} /run/lab/{name}.cfg", 90)


def wait_up(dom0, name, timeout_s=120):
    """Wait for the guest's report; a dictionary of its fields."""
    line = dom0.wait_for(f"grep -a DOMU-UP {LOG.format(name)}", timeout_s)
    return dict(re.findall(r"(\w+)=(\S*)", line))


def gone(dom0, name, timeout_s=60):
    dom0.wait_for(f"! xl domid {name} >/dev/null 2>&1", timeout_s)


@case(order=30, group="pvh", limit_s=300, combos=COMBOS)
def test_pvh_boots(lab):
    dom0 = lab.boot(guests=True)
    create(dom0, "pvh1")
    report = wait_up(dom0, "pvh1")
    check(report["hv"] == "xen" and report["guest_type"] == "PVH", f"guest reports {report}")
    check(report["cpus"] == "1" and 180000 < int(report["mem_kib"]) < 262144, f"{report}")
    check(dom0.run("xl list pvh1").splitlines()[1].split()[2] == "256", "xl list: memory")
    dom0.run("xl destroy pvh1")
    gone(dom0, "pvh1")


@case(order=31, group="pvh", limit_s=240, combos=COMBOS)
def test_pvh_vcpus(lab):
    dom0 = lab.boot(guests=True)
    for vcpus in (2, 4):
        create(dom0, "pvh2", vcpus=vcpus, memory=512)
        report = wait_up(dom0, "pvh2")
        check(report["cpus"] == str(vcpus), f"guest reports {report}")
        check(len(dom0.run("xl vcpu-list pvh2").splitlines()) == vcpus + 1, "xl vcpu-list")
        dom0.run("xl vcpu-pin pvh2 1 0 && xl destroy pvh2")


@case(order=32, group="pvh", limit_s=240, combos=COMBOS)
def test_pvh_pause(lab):
    """A paused guest does not run, an unpaused one goes on."""
    dom0 = lab.boot(guests=True)
    create(dom0, "pvh3", paused=True)
    state = dom0.run("xl list pvh3").splitlines()[1].split()
    check("p" in state[4], f"state {state[4]}")
    time_then = float(state[5])
    dom0.run("sleep 2")
    check(float(dom0.run("xl list pvh3").splitlines()[1].split()[5]) == time_then,
          "a paused guest used CPU time")
    dom0.run("xl unpause pvh3")
    wait_up(dom0, "pvh3")
    dom0.run("xl destroy pvh3")


@case(order=33, group="pvh", limit_s=240, combos=COMBOS)
def test_pvh_console(lab):
    """xl console carries both ways."""
    dom0 = lab.boot(guests=True)
    create(dom0, "pvh4")
    wait_up(dom0, "pvh4")
    dom0.wait_for("echo 'echo $((6*7))-answer' | timeout 2 socat -t1 - EXEC:'xl console pvh4',pty,"
                  f"rawer >/dev/null; grep -a -q 42-answer {LOG.format('pvh4')}", 60)
    dom0.run("xl destroy pvh4")
    # xl create -c: the console from the first line on.
    log = LOG.format("pvh4")
    text = dom0.run(f"rm -f {log}; (until grep -aq DOMU-UP {log}; do sleep 1; done; sleep 2; xl destroy pvh4) & "
                    "timeout 150 socat -u EXEC:'xl create -c /run/lab/pvh4.cfg',pty,rawer,ctty,setsid - | "
                    "tr -d '\\r'", 180)
    check("DOMU-UP" in text, f"xl create -c shows {text[-300:]}")


@case(order=34, group="pvh", limit_s=300, combos=COMBOS)
def test_pvh_poweroff_and_reboot(lab):
    dom0 = lab.boot(guests=True)
    create(dom0, "pvh5", "console=hvc0 quiet guest.do=poweroff")
    gone(dom0, "pvh5", 120)
    create(dom0, "pvh6", "console=hvc0 quiet guest.do=reboot")
    first = dom0.run("xl domid pvh6").strip()
    dom0.wait_for(f"n=$(xl domid pvh6) && [ $n != {first} ]", 120)
    dom0.run("xl destroy pvh6")


@case(order=35, group="pvh", limit_s=300, combos=COMBOS)
def test_pvh_crash(lab):
    """A guest that panics is reported as crashed; nobody else notices."""
    dom0 = lab.boot(guests=True)
    create(dom0, "pvh7", "console=hvc0 quiet guest.do=panic", extra='on_crash = "preserve"')
    dom0.wait_for("xl list pvh7 | tail -1 | awk '{ exit $5 !~ /c/ }'", 120)
    dom0.run("xl destroy pvh7; xl info >/dev/null")


def no_entry(dom0, reason):
    """A guest starts a vCPU in a state that no processor enters: it ends, the log says why and what the state was."""
    create(dom0, "pvh8", "hostile=entry", memory=16, vcpus=2, kernel='kernel = "/guests/payload64.elf"',
           extra='on_crash = "destroy"')
    gone(dom0, "pvh8", 120)
    log = dom0.run("xl dmesg | tail -n 120")
    check(re.search(rf"crashed: .*({reason})", log), f"xl dmesg does not say {reason!r}")
    check(re.search(r"(?i)efer\W+[01]*100\b", log), "EFER is not in the dump")


@case(order=35, group="pvh", limit_s=240, combos=("vmm",))
def test_pvh_no_entry(lab):
    no_entry(lab.boot(guests=True), "VM entry fails|invalid VMCB")


@case(order=36, group="pvh", limit_s=240, combos=COMBOS)
def test_pvh_memory_sizes(lab):
    """From small to over the 4 GiB hole, as far as the machine's memory goes."""
    dom0 = lab.boot(guests=True)
    free_mib = int(dom0.run("xl info | awk '/^free_memory/ { print $3 }'"))
    for memory in (129, min(1500, free_mib - SPARE_MIB)):
        create(dom0, "pvhm", memory=memory, cmdline="console=hvc0 quiet guest.do=wait")
        report = wait_up(dom0, "pvhm")
        check(int(report["mem_kib"]) > memory * 1024 * 0.5, f"{memory} MiB: {report}")
        dom0.run("xl destroy pvhm")


PAYLOAD = 'kernel = "/job/payload64.elf"'

# Configurations that start, in both spellings that xl knows.
CPUID = (
    'cpuid = "host,htt=0"',
    'cpuid = "host,tm=0,sse3=0"',
    'cpuid = "host,x2apic=k,avx=0,rdtscp=0,htt=k"',
    'cpuid = "host,family=6,model=15,stepping=3"',
    'cpuid = [ "0x1:ecx=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx0" ]',
    'cpuid = [ "1:ecx=0xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "0x80000001:edx=xxxx0xxxxxxxxxxxxxxxxxxxxxxxxxxx" ]',
)
# Configurations that do not, and what the log says.
REFUSED = (
    ('type = "pv"', r'type="pvh".*pvshim=1'),
    ("nestedhvm = 1", r"nestedhvm=1"),
)


@case(order=36, group="pvhsmall", limit_s=300, combos=("product",))
def test_pvh_cpuid(lab):
    """cpuid= in all its spellings: the guest starts, and its tests of CPUID pass."""
    dom0 = lab.boot(files=[hypervisor.out("payload/payload64.elf")])
    for text in CPUID:
        create(dom0, "cpuid", "tests=cpuid,msr", memory=16, kernel=PAYLOAD, extra=text + '\non_poweroff = "destroy"')
        dom0.wait_for(f"grep -a 'PAYLOAD: .* passed' {LOG.format('cpuid')}", 60, 1)
        report = dom0.run(f"grep -aE '^(not ok|PAYLOAD)' {LOG.format('cpuid')}")
        check(re.search(r"PAYLOAD: [1-9]\d* passed, 0 failed", report), f"{text}: {report}")
        gone(dom0, "cpuid")


@case(order=36, group="pvhsmall", limit_s=240, combos=("product",))
def test_pvh_refused(lab):
    """What cannot be is refused by xl create, and xl dmesg says why and what to write instead."""
    dom0 = lab.boot(files=[hypervisor.out("payload/payload64.elf")])
    for text, reason in REFUSED:
        dom0.write("/run/lab/bad.cfg", f'''name = "bad"
{"" if "type" in text else 'type = "pvh"'}
memory = 16
{PAYLOAD}
{text}
''')
        seen = int(dom0.run("xl dmesg | grep -c 'is refused' || true"))
        check(dom0.command("xl create -q /run/lab/bad.cfg")[0] != 0, f"{text}: it starts")
        log = dom0.run(f"xl dmesg | grep 'is refused' | tail -n +{seen + 1}")
        check(re.search(r"domctl createdomain is refused \(-22\): .*" + reason, log), f"{text}: the log has {log!r}")


def payload_passes(dom0, extra=""):
    """The test payload, which is among the boot's files, in the smallest guest."""
    create(dom0, "small", "tests=cpuid,exc,paging,fpu,xen", memory=16, kernel=PAYLOAD, extra=f'on_poweroff = "destroy"\n{extra}')
    line = dom0.wait_for(f"grep -a 'PAYLOAD: .* passed' {LOG.format('small')}", 120)
    check(re.search(r"PAYLOAD: [1-9]\d* passed, 0 failed", line), line)
    gone(dom0, "small")


@case(order=36, group="pvhsmall", limit_s=300, combos=("product",))
def test_pvh_16_mib(lab):
    """The test payload in the smallest guest."""
    payload_passes(lab.boot(files=[hypervisor.out("payload/payload64.elf")]))


def clear_on_demand(dom0, fill_mib, extra=""):
    """Start a guest of 64 MiB that sees 256, clears all of them and fills some."""
    create(dom0, "ondemand", f"tests=ram fill={fill_mib}", memory=64, kernel=PAYLOAD, extra=f"maxmem = 256\n{extra}")


@case(order=36, group="pvhsmall", limit_s=300, combos=("product", "peer"))
def test_pvh_clears_all_memory(lab):
    """Populate on demand: a guest clears four times what it has; one that fills it ends, with the reason."""
    dom0 = lab.boot(files=[hypervisor.out("payload/payload64.elf")])
    clear_on_demand(dom0, 40)
    line = dom0.wait_for(f"grep -a 'PAYLOAD: .* passed' {LOG.format('ondemand')}", 120)
    check("PAYLOAD: 1 passed, 0 failed" in line, line)
    gone(dom0, "ondemand")
    clear_on_demand(dom0, 120, 'on_crash = "preserve"')
    dom0.wait_for("xl list ondemand | tail -1 | awk '{ exit $5 !~ /c/ }'", 120)
    if lab.combo != "peer":
        dom0.run("xl dmesg | grep 'crashed: no memory to populate'")
    dom0.run("xl destroy ondemand")


@case(order=36, group="hvmlarge", limit_s=400, combos=("product",))
def test_pvh_above_4_gib(lab):
    """Memory on both sides of the hole below 4 GiB."""
    dom0 = lab.boot(guests=True, mem_mib=7168)
    create(dom0, "pvhl", memory=4608, cmdline="console=hvc0 quiet guest.do=wait")
    report = wait_up(dom0, "pvhl")
    check(int(report["mem_kib"]) > 4608 * 1024 * 0.95, f"guest reports {report}")
    dom0.run("xl destroy pvhl")


SCRATCH_BYTES = 64 << 20


def scratch_disk(lab):
    """An empty raw image for dom0's second disk."""
    path = lab.log_path("scratch", "img")
    with open(path, "wb") as file:
        file.truncate(SCRATCH_BYTES)
    return path


def scratch_device(dom0):
    """Its name in dom0, where the disk that answers first is sda."""
    return "/dev/" + dom0.run(f"grep -lx {SCRATCH_BYTES // 512} /sys/block/sd*/size").split("/")[3]


@case(order=37, group="pvhblk", limit_s=300, combos=COMBOS)
def test_blkback(lab):
    """A PV disk through dom0's blkback onto an emulated AHCI disk, read back the same."""
    dom0 = lab.boot(guests=True, disks=[{"path": scratch_disk(lab)}])
    create(dom0, "pvhd", "console=hvc0 quiet guest.do=disk",
           extra=f'disk = [ "phy:{scratch_device(dom0)},xvda,w" ]')
    dom0.wait_for(f"grep -a '@@ DISK-OK' {LOG.format('pvhd')}", 150)
    dom0.run("xl destroy pvhd")


@case(order=59, group="dma", limit_s=900, combos=("vmm",))
def test_dma_isolation(lab):
    """A guest's disk written by blkback never touches the machine pages at the foreign frames.

    dom0 maps foreign pages at frame numbers in its scratch space, where other domains' machine
    pages lie. One guest fills nearly all of those with a pattern and is paused; another writes to
    a disk; the machine's own memory, read by the emulator, tells whether a pattern page changed.
    """
    if lab.combo == "intel":
        raise Skip("Bochs does not let others read the machine's memory")
    page, pattern = 4096, b"P" * 4096
    dom0 = lab.boot(guests=True, mem_mib=2560, dom0_mib=1024,
                    disks=[{"path": scratch_disk(lab)}])
    free = int(dom0.run("xl info | awk '/^free_memory/ { print $3 }'"))
    create(dom0, "victim", "console=hvc0 quiet guest.do=fill", memory=free - 330)
    dom0.wait_for(f"grep -a '@@ FILLED' {LOG.format('victim')}", 540)
    dom0.run("xl pause victim")
    ranges = [[int(n, 16) for n in words.split("-")] for words in
              dom0.run("sed -n 's/^\\([0-9a-f-]*\\) : Xen scratch$/\\1/p' /proc/iomem").split()]
    check(ranges, "dom0 has no scratch space")
    before = [lab.dom0.machine.read_physical(start, end + 1 - start) for start, end in ranges]
    held = sum(memory[at:at + page] == pattern for memory in before
               for at in range(0, len(memory), page))
    pages = sum(len(memory) for memory in before) // page
    check(held > pages // 4, f"only {held} of {pages} pages hold the pattern: nothing is tested")
    create(dom0, "writer", "console=hvc0 quiet guest.do=disk",
           extra=f'disk = [ "phy:{scratch_device(dom0)},xvda,w" ]')
    dom0.wait_for(f"grep -a '@@ DISK-OK' {LOG.format('writer')}", 200)
    for (start, end), old in zip(ranges, before):
        new = lab.dom0.machine.read_physical(start, end + 1 - start)
        for at in range(0, len(old), page):
            check(old[at:at + page] != pattern or new[at:at + page] == pattern,
                  f"the machine page at {start + at:#x} was overwritten")
    dom0.run("xl destroy writer; xl destroy victim")


@case(order=60, group="leak", limit_s=900, combos=COMBOS)
def test_fifty_cycles(lab):
    """50 times created and destroyed: no page, no process is lost."""
    dom0 = lab.boot(guests=True)
    create(dom0, "pvhc", paused=True)
    dom0.run("xl destroy pvhc")
    state = "xl info | awk '/^free_memory/ { print $3 }'; ps -o comm | grep -cE '^(xl|qemu|plinth)' || :"
    before = dom0.run(state)
    for cycle in range(50):
        dom0.run("xl create -q /run/lab/pvhc.cfg", 60)
        if cycle % 10 == 9:
            wait_up(dom0, "pvhc")
        dom0.run("xl destroy pvhc", 60)
    dom0.wait_for(f"[ \"$({state})\" = '{before.strip()}' ]", 30)


@case(order=61, group="hostile", limit_s=300, combos=COMBOS)
def test_hostile_configs(lab):
    """Wrong values, a missing image, too much memory: an error each, nothing left behind."""
    dom0 = lab.boot(guests=True)
    free = "xl info | awk '/^free_memory/ { print $3 }'"
    before = dom0.run(free)
    base = {"name": '"bad"', "type": '"pvh"', "memory": "128", "vcpus": "1",
            "kernel": '"/guests/vmlinuz-6.1"', "ramdisk": '"/guests/domu.cpio.gz"'}
    for change in ({"memory": "1000000"}, {"kernel": '"/nowhere"'}, {"memory": "0"},
                   {"kernel": '"/guests/domu.cpio.gz"'}, {"kernel": '"/dev/null"'},
                   {"ramdisk": '"/nowhere"'}, {"vcpus": "100000"}, {"type": '"nonsense"'},
                   {"disk": '[ "file:/nowhere,xvda,w" ]'}):
        text = "\n".join(f"{key} = {value}" for key, value in {**base, **change}.items())
        dom0.write("/run/lab/bad.cfg", text + "\n")
        status, output = dom0.command("xl create /run/lab/bad.cfg", 90)
        check(status != 0, f"{change} was accepted")
        check(len(output.strip().splitlines()) > 0, f"{change}: no message")
    check(len(dom0.run("xl list").splitlines()) == 2, "something was left behind")
    dom0.wait_for(f"[ \"$({free})\" = '{before.strip()}' ]", 30)
