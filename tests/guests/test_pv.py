# SPDX-License-Identifier: GPL-2.0-or-later
"""What PVH guests and the tools do to each other: back ends of dom0, hot-plug, memory, vCPUs, life.

The guest's side is a stock kernel with busybox; its shell is typed at through the console's pty, and judged by
the console's log.
"""

import mmap
import os
import re
import shutil
import subprocess
import time

from harness import HVM, case, check, hypervisor
from test_intel import make_linux_cd
from test_pvh import COMBOS, LOG, create, gone, scratch_device, scratch_disk, wait_up

FREE = "xl info | awk '/^free_memory/ { print $3 }'"
NET = 'vif = [ "bridge=xenbr0,mac=00:16:3e:00:00:{0}" ]'
FRONT = "console=hvc0 quiet guest.do=front guest.ip=10.0.2.{0}"
# So much is sent each way, of random bytes, and compared by its SHA-256.
TRANSFER_BYTES = 4 << 20
MANY = 20


def front(dom0, name, number, extra="", **options):
    """A guest with a network card and its front ends loaded."""
    create(dom0, name, FRONT.format(number), extra=NET.format(number) + "\n" + extra, **options)
    dom0.wait_for(f"grep -a '@@ FRONT-UP' {LOG.format(name)}", 120)


def shell(dom0, name, command, timeout_s=60, log=None):
    """Type a command at the guest's console; its output, once it has ended well. The console's log may have another name."""
    log = LOG.format(log or name)
    size = int(dom0.run(f"wc -c < {log}"))
    dom0.run(f"tty=$(xenstore-read /local/domain/$(xl domid {name})/console/tty); "
             f"printf '%s\\r' '{command}; echo @@RC\"\"=$?' > $tty")
    text = dom0.wait_for(f"tail -c +{size + 1} {log} | tr -d '\\r' | grep -a -B99 '^@@RC='", timeout_s)
    check("@@RC=0" in text, f"{name}: {command}: {text[-300:]}")
    return text


def memory_of(dom0, name):
    return int(dom0.run(f"xl list {name}").splitlines()[1].split()[2])


@case(order=38, group="pv", limit_s=300, combos=COMBOS)
def test_pv_network(lab):
    """vif-bridge and netback: ping both ways, and bytes both ways that arrive as they were sent."""
    dom0 = lab.boot(guests=True, disks=[{"path": scratch_disk(lab)}])
    front(dom0, "net1", 50)
    check(", 0% packet loss" in shell(dom0, "net1", "ping -c 3 10.0.2.15"), "guest to dom0")
    check(", 0% packet loss" in dom0.run("ping -c 3 10.0.2.50"), "dom0 to guest")
    dom0.run(f"head -c {TRANSFER_BYTES} /dev/urandom > /run/lab/sent; "
             "(nc -l -p 7100 < /run/lab/sent >/dev/null 2>&1 &); "
             "(sleep 120 | nc -l -p 7101 > /run/lab/back 2>/dev/null &)")
    # busybox's nc ends when its input does, on either side: sleep keeps the reader's open.
    shell(dom0, "net1", "sleep 20 | nc 10.0.2.15 7100 > /got; nc 10.0.2.15 7101 < /got", 90)
    dom0.wait_for("cmp /run/lab/sent /run/lab/back", 30)


@case(order=39, group="pv", limit_s=240, combos=COMBOS)
def test_pv_hotplug(lab):
    """Disks and network cards come and go while the guest runs (in the guest of pv_network)."""
    dom0 = lab.boot(guests=True, disks=[{"path": scratch_disk(lab)}])
    if dom0.command("xl domid net1")[0]:
        front(dom0, "net1", 50)
    dom0.run("truncate -s 8M /run/lab/small.img")
    dom0.run(f"xl block-attach net1 phy:{scratch_device(dom0)},xvdb,w && "
             "xl block-attach net1 phy:$(losetup -f --show /run/lab/small.img),xvdc,w")
    dom0.wait_for("[ $(xl block-list net1 | grep -c ' 4 ') = 2 ]", 60)
    shell(dom0, "net1", "grep xvdb /proc/partitions && grep xvdc /proc/partitions && "
          "dd if=/dev/urandom of=/r bs=64k count=16 && dd if=/r of=/dev/xvdc bs=64k conv=fsync && "
          "head -c 1048576 /dev/xvdc | cmp - /r", 90)
    dom0.run("xl block-detach net1 xvdb && xl block-detach net1 xvdc")
    shell(dom0, "net1", "! grep xvd[bc] /proc/partitions")
    dom0.run("xl network-attach net1 bridge=xenbr0 mac=00:16:3e:00:01:01")
    shell(dom0, "net1", "for i in 1 2 3 4 5 6 7 8; do [ -e /sys/class/net/eth1 ] && break; sleep 1; done; "
          "ip link set eth1 up")
    dom0.run("xl network-detach net1 1")
    shell(dom0, "net1", "! [ -e /sys/class/net/eth1 ]")
    dom0.run("xl destroy net1")


@case(order=40, group="pv", limit_s=240, combos=COMBOS)
def test_pv_memory_and_vcpus(lab):
    """Started below its maximum (populate on demand), ballooned down and up; vCPUs on and off line."""
    dom0 = lab.boot(guests=True, disks=[{"path": scratch_disk(lab)}])
    before = dom0.run(FREE)
    create(dom0, "mem1", memory=192, vcpus=1, extra="maxmem = 320\nmaxvcpus = 2")
    check(wait_up(dom0, "mem1")["cpus"] == "1", "vCPUs at the start")
    check(memory_of(dom0, "mem1") <= 193, "memory above the target at the start")
    dom0.run("xl mem-set mem1 128")
    dom0.wait_for("[ $(xl list mem1 | awk 'NR == 2 { print $3 }') -le 129 ]", 60)
    dom0.run("xl mem-set mem1 300")
    dom0.wait_for("[ $(xl list mem1 | awk 'NR == 2 { print $3 }') -ge 299 ]", 60)
    dom0.run("xl mem-max mem1 310")
    check(dom0.command("xl mem-set mem1 400")[0] != 0, "mem-set above the maximum was accepted")
    for online, text in ((2, "0-1"), (1, "0")):
        dom0.run(f"xl vcpu-set mem1 {online}")
        shell(dom0, "mem1", "for i in 1 2 3 4 5 6 7 8 9; do grep -qx "
              f"{text} /sys/devices/system/cpu/online && break; sleep 1; "
              "[ -e /sys/devices/system/cpu/cpu1/online ] && [ " + str(online) + " = 2 ] && "
              "echo 1 > /sys/devices/system/cpu/cpu1/online; done; "
              f"grep -x {text} /sys/devices/system/cpu/online")
    dom0.run("xl destroy mem1")
    dom0.wait_for(f"[ \"$({FREE})\" = '{before.strip()}' ]", 30)


@case(order=41, group="hvmpod", limit_s=300, combos=("product",))
def test_hvm_populate_on_demand(lab):
    """An HVM guest of a stock kernel, started below its maximum: it fills what it has, grows, and leaves nothing."""
    path = lab.log_path("linux", "iso")
    make_linux_cd(path, "guest.do=fill")
    dom0, log = lab.boot(files=[path]), "/run/lab/pod.serial"
    dom0.run("mkdir -p /run/lab")
    before = dom0.run(FREE)
    guest = lab.create_text(HVM + f'''memory = 288
maxmem = 400
disk = [ "file:/job/{os.path.basename(path)},hdc:cdrom,r" ]
boot = "d"
serial = "file:{log}"
''', "pod")
    dom0.wait_for(f"grep -a '@@ FILLED' {log}", 200)
    check(memory_of(dom0, "pod") <= 289, "memory above the target after the guest has filled its own")
    dom0.run("xl mem-set pod 380")  # of which xl takes the video memory off
    dom0.wait_for("[ $(xl list pod | awk 'NR == 2 { print $3 }') -ge 360 ]", 60)
    guest.destroy()
    dom0.wait_for(f"[ \"$({FREE})\" = '{before.strip()}' ]", 30)


@case(order=41, group="pv", limit_s=300, combos=COMBOS)
def test_pv_commands(lab):
    """xl's questions and orders: sysrq, trigger, list -l, vcpu-list, top, pause, shutdown and reboot by xenstore."""
    dom0 = lab.boot(guests=True, disks=[{"path": scratch_disk(lab)}])
    create(dom0, "cmd1")
    wait_up(dom0, "cmd1")
    dom0.run("xl sysrq cmd1 h")
    dom0.wait_for(f"grep -a 'sysrq: HELP' {LOG.format('cmd1')}", 30)
    dom0.run("xl trigger cmd1 nmi 0")
    dom0.wait_for(f"grep -a 'NMI' {LOG.format('cmd1')}", 30)
    check('"name": "cmd1"' in dom0.run("xl list -l cmd1"), "list -l")
    check(re.search(r"^cmd1 +\d+ +256 ", dom0.run("xl sched-credit2"), re.M), "sched-credit2")
    check("cmd1" in dom0.run("xentop -b -i 1"), "xentop")
    dom0.run("xl pause cmd1 && xl list cmd1 | grep -q -- '[-b]p---' && xl unpause cmd1")
    first = dom0.run("xl domid cmd1").strip()
    dom0.run("xl reboot -w cmd1", 90)
    dom0.wait_for(f"n=$(xl domid cmd1) && [ $n != {first} ]", 60)
    # The console's log goes on over the reboot.
    dom0.wait_for(f"[ $(grep -ac DOMU-UP {LOG.format('cmd1')}) -ge 2 ]", 120)
    dom0.run("xl shutdown -w cmd1", 90)
    gone(dom0, "cmd1")


# How a guest ends, the options of the payload that does it, the option of its configuration that says what follows,
# and the state that `xl list` shows then. (A stock kernel's panic is in pvh_crash and pv_coredump.)
ENDS = (("poweroff", "tests=cpuid", "on_poweroff", "s"), ("reboot", "hostile=triple", "on_reboot", "s"),
        ("crash", "hostile=crash", "on_crash", "c"), ("hang", "hostile=hang seconds=5", "on_watchdog", "s"))
ACTIONS = {
    "destroy": "! xl domid {name} >/dev/null 2>&1",
    "preserve": "xl list {name} | tail -1 | awk '{{ exit $5 !~ /{state}/ }}'",
    "restart": "n=$(xl domid {name}) && [ $n != {domid} ]",
    # xl renames it to its name and the time; the new one ends the same way.
    "rename-restart": "xl list | grep '^{name}-20' && xl domid {name}",
}


@case(order=42, group="pv", limit_s=600, combos=COMBOS)
def test_pv_actions(lab):
    """on_poweroff, on_reboot, on_crash, on_watchdog: what the configuration says is what happens."""
    dom0 = lab.boot(guests=True, disks=[{"path": scratch_disk(lab)}])
    for does, options, option, state in ENDS:
        for number, (action, test) in enumerate(ACTIONS.items()):
            name = f"{does}{number}"  # its own: an xl that was killed leaves a name behind
            create(dom0, name, options, memory=32, kernel='kernel = "/guests/payload64.elf"',
                   extra=f'{option} = "{action}"')
            domid = dom0.run(f"xl domid {name} 2>/dev/null || echo 0").strip()
            dom0.wait_for(test.format(name=name, domid=domid, state=state), 120, 1)
            # The new one ends the same way, and xl starts the next: xl ends first.
            dom0.wait_for(f"! pkill -KILL -f '[x]l create .*{name}[.]cfg'", 30, 1)
            dom0.wait_for(f"for n in $(xl list | awk '/^{name}/ {{ print $1 }}'); do xl destroy $n; done; "
                          f"! xl list | grep ^{name}", 60, 1)


def dumped(lab, name, mib, test):
    """A guest that has crashed is dumped, for minutes; then `test` holds, and the file has its memory."""
    start = time.monotonic()
    lab.dom0.wait_for(test, 900, 2)
    lab.note(f"{mib} MiB dumped in {time.monotonic() - start:.0f} s")
    lab.dom0.run(f"cd /var/lib/xen/dump && ls -l && [ $(stat -c %s {name}) -gt $((({mib} - 3) << 20)) ] && "
                 f"head -c 4 {name} | grep ELF && rm {name}")


@case(order=42, group="pv", limit_s=900, combos=COMBOS)
def test_pv_coredump(lab):
    """on_crash = coredump-destroy: all of the guest's memory, and its registers, are in a file."""
    dom0 = lab.boot(guests=True, disks=[{"path": scratch_disk(lab)}])
    dom0.run("mkdir -p /var/lib/xen/dump")
    create(dom0, "core1", "console=hvc0 quiet guest.do=panic", memory=128, extra='on_crash = "coredump-destroy"')
    dom0.wait_for("xl list core1 | tail -1 | awk '{ exit $5 !~ /c/ }'", 120)
    dumped(lab, "core1", 128, "! xl domid core1 >/dev/null 2>&1")


@case(order=42, group="pv", limit_s=900, combos=COMBOS)
def test_pv_coredump_restart(lab):
    """on_crash = coredump-restart: the same, and the guest is there again, which ends the same way."""
    dom0 = lab.boot(guests=True, disks=[{"path": scratch_disk(lab)}])
    dom0.run("mkdir -p /var/lib/xen/dump")
    create(dom0, "core2", "hostile=crash seconds=20", memory=16, kernel='kernel = "/guests/payload64.elf"',
           extra='on_crash = "coredump-restart"')
    first = dom0.run("xl domid core2").strip()
    dumped(lab, "core2", 16, f"n=$(xl domid core2) && [ $n != {first} ]")
    dom0.wait_for("xl list core2 | tail -1 | awk '{ exit $5 !~ /c/ }'", 60)
    dom0.run("pkill -f '[x]l create -q .*core2' ; xl destroy core2")


def loops(dom0, count, mib=32):
    """Loop devices of dom0 with new images, for phy: disks."""
    dom0.run("mkdir -p /run/lab")
    return [dom0.run(f"truncate -s {mib}M /run/lab/loop{n}.img && losetup -f --show /run/lab/loop{n}.img").strip()
            for n in range(count)]


def free_loops(dom0, devices):
    for device in devices:
        dom0.wait_for(f"losetup -d {device} && ! losetup {device} 2>/dev/null", 30)


WRITE_BOTH = ("dd if=/dev/urandom of=/r bs=64k count=128 2>/dev/null; for d in {0}; do "
              "dd if=/r of=/dev/$d bs=256k conv=fsync 2>/dev/null & done; wait; "
              "echo 3 > /proc/sys/vm/drop_caches; for d in {0}; do head -c 8388608 /dev/$d | cmp - /r || exit 1; done")


@case(order=42, group="pv", limit_s=300, combos=COMBOS)
def test_pv_devices(lab):
    """Several disks and cards with several queues, grants that persist and grants that do not; destroyed in full use."""
    dom0 = lab.boot(guests=True, disks=[{"path": scratch_disk(lab)}])
    before = dom0.run(FREE)
    dom0.run("echo 2 > /sys/module/xen_netback/parameters/max_queues; "
             "echo 2 > /sys/module/xen_blkback/parameters/max_queues")
    disks = loops(dom0, 3)
    front(dom0, "dev1", 51, vcpus=2, extra=f'disk = [ "phy:{disks[0]},xvda,w", "phy:{disks[1]},xvdb,w" ]\n'
          'vif = [ "bridge=xenbr0,mac=00:16:3e:00:00:51", "bridge=xenbr0,mac=00:16:3e:00:00:52" ]')
    number = dom0.run("xl domid dev1").strip()
    shell(dom0, "dev1", "ls -d /sys/class/net/eth0 /sys/class/net/eth1 && "
          "[ $(ls -d /sys/class/net/eth0/queues/tx-* | wc -l) = 2 ]")
    for what in ("vif/0", "vbd/51712"):
        check(dom0.run(f"xenstore-read /local/domain/{number}/device/{what}/multi-queue-num-queues").strip() == "2",
              f"{what}: queues")
    persistent = f"xenstore-read /local/domain/{number}/device/vbd/{{}}/feature-persistent"
    check(dom0.run(persistent.format(51712)).strip() == "1", "grants of xvda do not persist")
    shell(dom0, "dev1", WRITE_BOTH.format("xvda xvdb"), 120)
    dom0.run("echo N > /sys/module/xen_blkback/parameters/feature_persistent && "
             f"xl block-attach dev1 phy:{disks[2]},xvdc,w; echo Y > /sys/module/xen_blkback/parameters/feature_persistent")
    dom0.wait_for("[ $(xl block-list dev1 | grep -c ' 4 ') = 3 ]", 60)
    backend = f"/local/domain/0/backend/vbd/{number}/51744/feature-persistent"
    check(dom0.run(f"xenstore-read {backend}").strip() == "0", "grants of xvdc persist")
    shell(dom0, "dev1", WRITE_BOTH.format("xvdc"), 120)
    shell(dom0, "dev1", "(while :; do dd if=/dev/zero of=/dev/xvda bs=1M 2>/dev/null; done) & "
          "(while :; do dd if=/dev/xvdc of=/dev/null bs=64k 2>/dev/null; done) & ping -c 2 10.0.2.15")
    dom0.run("xl debug-keys g; sleep 1")
    check(re.search(rf"d{number} ref \d+: d0 ", dom0.run("xl dmesg | tail -300")), "no grant is mapped: nothing is tested")
    dom0.run("xl destroy dev1")
    free_loops(dom0, disks)
    # dom0's own tables for what it maps have grown, once; the pages that were mapped, ten MiB, are back.
    dom0.wait_for(f"[ $({FREE}) -ge {int(before) - 4} ]", 60)
    dom0.run("xl debug-keys g && xl debug-keys e && xl debug-keys q; sleep 1")
    dump = dom0.run("xl dmesg | tail -60").rsplit("'g' pressed", 1)[-1]
    check(not re.search(rf"\bd{number}\b", dump), f"something of the guest is left: {dump[-300:]}")


@case(order=42, group="pv", limit_s=240, combos=COMBOS)
def test_pv_routed(lab):
    """vif-route and vif-nat, Debian's scripts: dom0 and guest reach each other without a bridge."""
    dom0 = lab.boot(guests=True, disks=[{"path": scratch_disk(lab)}])
    for name, script, guest, peer in (("route1", "vif-route", "10.8.0.2", "10.0.2.15"),
                                      ("nat1", "vif-nat", "10.7.0.1", "10.7.0.128")):
        create(dom0, name, f"console=hvc0 quiet guest.do=front guest.ip={guest}",
               extra=f'vif = [ "script={script},ip={guest},gatewaydev=xenbr0,mac=00:16:3e:00:02:01" ]')
        dom0.wait_for(f"grep -a '@@ FRONT-UP' {LOG.format(name)}", 120)
        shell(dom0, name, f"ip route add 10.0.2.15 dev eth0; ping -c 2 {peer}")
        check(", 0% packet loss" in dom0.run(f"ping -c 2 {guest}"), f"{script}: dom0 to guest")
        dom0.run(f"xl destroy {name}")


@case(order=43, group="pv", limit_s=300, combos=("product",))
def test_pv_qdisk(lab):
    """A raw image by the paravirtual back end of the device model."""
    dom0 = lab.boot(guests=True, disks=[{"path": scratch_disk(lab)}])
    dom0.run("mkdir -p /run/lab; truncate -s 64M /run/lab/raw.img")
    create(dom0, "qd1", "console=hvc0 quiet guest.do=disk",
           extra='device_model_override = "/usr/lib/plinth/bin/plinth-dm"\n'
                 'disk = [ "format=raw,vdev=xvda,access=w,backendtype=qdisk,target=/run/lab/raw.img" ]')
    dom0.wait_for(f"grep -a '@@ DISK-OK' {LOG.format('qd1')}", 150)
    dom0.run("xl destroy qd1")
    dom0.wait_for("! ls -l /proc/*/exe 2>/dev/null | grep -q plinth-dm", 30)
    dom0.run("! grep -a 'forbidden system call' /var/log/xen/*.log")


@case(order=44, group="pvmany", limit_s=900, combos=COMBOS)
def test_pv_many(lab):
    """Twenty small guests at once in a machine of 4 GiB; then nothing of them is left."""
    dom0 = lab.boot(guests=True, mem_mib=4096)
    create(dom0, "many0", paused=True)
    dom0.run("xl destroy many0")
    before = dom0.run(FREE)
    for number in range(MANY):
        create(dom0, f"many{number}", memory=132)
    for number in range(MANY):
        wait_up(dom0, f"many{number}", 500)
    check(len(dom0.run("xl list").splitlines()) == MANY + 2, "twenty guests and dom0")
    dom0.run(f"for n in $(seq 0 {MANY - 1}); do xl destroy many$n; done", 200)
    dom0.wait_for(f"[ \"$({FREE})\" = '{before.strip()}' ]", 30)
    dom0.run("xl debug-keys qeg; sleep 1")
    dump = dom0.run("xl dmesg | tail -200")
    check(not re.search(r"^.*\bd[1-9]\d*: (PVH|HVM|event channels|\d+ grant frames)", dump, re.M),
          "the debug keys show a domain that is gone")


# What xl runs as the boot loader, in the place of pygrub: dom0 has no Python, so pygrub has been run before.
LOADER = """#!/bin/bash
for word; do case $word in --output=*) out=${word#*=} ;; esac; done
[ -b "${word}" ] || exit 1
printf 'kernel /run/lab/boot_kernel\\0ramdisk /run/lab/boot_ramdisk\\0args %s\\0\\0' "$(cat /job/boot_args)" > $out
"""


def pygrub(lab):
    """Debian's pygrub on the Debian image: files for dom0 with what it found."""
    xen = hypervisor.out("debs/x/libxenmisc4.17/usr/lib/xen-4.17/lib/x86_64-linux-gnu")
    folder = os.path.join(lab.logs, "pygrub")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    output = os.path.join(folder, "output")
    with open(output, "w", encoding="utf-8"):
        pass
    subprocess.run(["/usr/bin/python3", hypervisor.out("debs/x/xen-utils-4.17/usr/lib/xen-4.17/bin/pygrub"), "-q",
                    f"--output={output}", "--output-format=simple", f"--output-directory={folder}",
                    hypervisor.out("guests/debian.img")], check=True, timeout=60, stderr=subprocess.DEVNULL,
                   env={**os.environ, "LD_LIBRARY_PATH": xen, "FSIMAGE_FSDIR": os.path.join(xen, "xenfsimage")})
    with open(output, encoding="utf-8") as file:
        found = dict(line.split(" ", 1) for line in file.read().splitlines() if line)
    for name, kind in (("boot_kernel", "kernel"), ("boot_ramdisk", "ramdisk")):
        os.rename(found[kind], os.path.join(folder, name))
    for name, text in (("boot_args", found["args"]), ("loader", LOADER)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    os.chmod(os.path.join(folder, "loader"), 0o755)
    return tuple(os.path.join(folder, name) for name in ("boot_kernel", "boot_ramdisk", "boot_args", "loader"))


def grub_lab(lab):
    image = hypervisor.out("debs/x/grub-xen-host/usr/lib/grub-xen/grub-i386-xen_pvh.bin")
    return lab.boot(guests=True, files=(image, *pygrub(lab)))


def debian_from_disk(dom0, name, first):
    """A PVH guest whose kernel comes from its disk: to its shell."""
    disk = dom0.run("losetup -f --show /guests/debian.img").strip()
    dom0.write(f"/run/lab/{name}.cfg", f'''name = "{name}"
type = "pvh"
memory = 512
{first}
disk = [ "phy:{disk},xvda,w" ]
''')
    dom0.run(f"xl create -q /run/lab/{name}.cfg", 90)
    dom0.wait_for(f"grep -a 'debian login: *$' {LOG.format(name)}", 300)
    dom0.run(f"printf 'root\\r' > $(xenstore-read /local/domain/$(xl domid {name})/console/tty)")
    dom0.wait_for(f"grep -a 'root@debian:~# *$' {LOG.format(name)}", 60)
    shell(dom0, name, "findmnt -no SOURCE / | grep -x /dev/xvda1 && grep -x PVH /sys/hypervisor/guest_type")
    dom0.run(f"xl destroy {name}; losetup -d {disk}")


@case(order=47, group="pvgrub", limit_s=500, combos=COMBOS)
def test_pv_grub(lab):
    """Debian's GRUB as the kernel of a PVH guest: it reads the disk by its own front end and starts Debian from it."""
    debian_from_disk(grub_lab(lab), "grub1", 'kernel = "/job/grub-i386-xen_pvh.bin"')


@case(order=47, group="pvgrub", limit_s=500, combos=COMBOS)
def test_pv_pygrub(lab):
    """The kernel and ramdisk that Debian's pygrub finds in the image, handed to xl as a boot loader does."""
    dom0 = grub_lab(lab)
    dom0.run("mkdir -p /run/lab && cp /job/boot_kernel /job/boot_ramdisk /run/lab/")
    debian_from_disk(dom0, "grub2", 'bootloader = "/job/loader"')


def choose_second_entry(dom0):
    """GRUB in the Debian image starts the entry without xen_emul_unplug=never."""
    with open(hypervisor.out("guests/debian.img"), "rb") as file:
        with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as image:
            at = image.find(b"set default=0\n")
    check(at > 0, "no grub.cfg in the image")
    at += len("set default=")
    dom0.run(f"printf 1 | dd of=/guests/debian.img bs=1 seek={at} conv=notrunc 2>/dev/null")


@case(order=48, group="pvhvm", limit_s=600, combos=("product",))
def test_pv_drivers_in_hvm(lab):
    """A stock Debian HVM guest takes its disk and its card over from the emulated ones."""
    dom0 = lab.boot(guests=True)
    choose_second_entry(dom0)
    disk = dom0.run("losetup -f --show /guests/debian.img").strip()
    guest = lab.create_text(HVM + f'''memory = 384
disk = [ "phy:{disk},hda,w" ]
vif = [ "bridge=xenbr0,mac=00:16:3e:00:03:01" ]
boot = "c"
serial = "pty"
''', "pvhvm")
    guest.wait_screen(r"root@debian:~#", 400)
    guest.serial_shell("findmnt -no SOURCE /", "^/dev/xvda1", 60)
    guest.serial_shell("ls /sys/block | grep -c ^sd; echo EMULATED-$(ls /sys/block | grep -c ^sd)", "^EMULATED-0", 60)
    guest.serial_shell("echo CARDS-$(cat /sys/bus/pci/devices/*/class | grep -c ^0x0200)", "^CARDS-0", 60)
    dom0.wait_for("! ip link | grep emu", 30)
    guest.serial_shell("n=$(ls /sys/bus/xen/drivers/vif/vif-0/net); ip addr add 10.0.2.53/24 dev $n; "
                       "ip link set $n up; echo CARD-$n-", "^CARD-e", 60)
    dom0.wait_for("ping -c 3 10.0.2.53 | grep ', 0% packet loss'", 30)
    dom0.run("(nc -l -p 7110 > /run/lab/got 2>/dev/null; nc -l -p 7111 < /run/lab/got >/dev/null 2>&1) "
             ">/dev/null 2>&1 &")
    guest.serial_shell(f"head -c {TRANSFER_BYTES} /dev/urandom > /sent; cat /sent > /dev/tcp/10.0.2.15/7110; "
                       "until (cat < /dev/tcp/10.0.2.15/7111) > /got; do :; done; cmp /sent /got && echo SAME-BYTES",
                       "^SAME-BYTES", 120)
    line = guest.serial_shell("lab-crc write", "^CRC write: [0-9]+ 67108864", 240)
    written = line.split(":")[1].strip()
    line = guest.serial_shell("echo 3 > /proc/sys/vm/drop_caches; lab-crc read", "^CRC read: [0-9]+ 67108864", 240)
    check(line.split(":")[1].strip() == written, f"read {line!r}, wrote {written!r}")
    dom0.run("xl shutdown -w pvhvm", 120)
    gone(dom0, "pvhvm")


WATCH = ("(p=0; while :; do read u x < /proc/uptime; n=${u%.*}${u#*.}; [ $n -ge $p ] || echo @@BACKWARDS; p=$n; done) & "
         "(p=0; while :; do n=$(date +%s); [ $n -ge $p ] || echo @@BACKWARDS; p=$n; done) & "
         "(dd if=/dev/urandom of=/dev/null bs=64k 2>/dev/null &)")
CLOCK_SOAK_S = 1200


@case(order=49, group="pvclock", limit_s=1600, combos=("vmm",))
def test_pv_clock_soak(lab):
    """Twenty minutes with load on both vCPUs: the clock never goes back, nor stays behind dom0's, and stays chosen."""
    dom0 = lab.boot(guests=True, disks=[{"path": scratch_disk(lab)}])
    create(dom0, "clock1", vcpus=2)
    check(wait_up(dom0, "clock1")["clock"] == "xen", "clocksource at the start")
    shell(dom0, "clock1", WATCH)
    apart = int(shell(dom0, "clock1", "date +@@NOW=%s").split("@@NOW=")[-1].split()[0]) - int(dom0.run("date +%s"))
    end = time.monotonic() + CLOCK_SOAK_S
    while time.monotonic() < end:
        shell(dom0, "clock1", "grep -x xen /sys/devices/system/clocksource/clocksource0/current_clocksource; "
              "! dmesg | grep -iE \"went backwards|.xen. as unstable|soft lockup|detected stall\"", 120)
        # What was typed has more after the word.
        check(dom0.command(f"tr -d '\\r' < {LOG.format('clock1')} | grep -a '@@BACKWARDS$'")[0] == 1, "the clock went back")
        dom0.run("sleep 20", 60)
    now = int(shell(dom0, "clock1", "date +@@NOW=%s").split("@@NOW=")[-1].split()[0]) - int(dom0.run("date +%s"))
    check(abs(now - apart) <= 2, f"the guest's clock was {apart} s and is {now} s off dom0's")
    dom0.run("xl destroy clock1")


SOAK = '''name = "soak"
type = "pvh"
memory = 128
vcpus = 2
kernel = "/guests/payload64.elf"
cmdline = "hostile=soak seed={seed} wild={wild} seconds={seconds}"
on_poweroff = "destroy"
on_reboot = "destroy"
on_crash = "destroy"
'''
CANARY_BYTES = 32 << 20
PATTERN = b"P" * 4096


def pattern_pages(lab, mem_mib):
    """Addresses of the machine's pages that hold the pattern of guest.do=fill."""
    step = 64 << 20
    return {base + at for base in range(0, mem_mib << 20, step)
            for memory in [lab.dom0.machine.read_physical(base, step)]
            for at in range(0, step, 4096) if memory[at:at + 4096] == PATTERN}


def soak(lab, seconds, each_s):
    """Guests that make random hypercalls, one after the other, beside one that only keeps a pattern.

    Whatever becomes of them: the host and dom0 go on, dom0's and the other guest's memory stays as it was,
    and all memory comes back.
    """
    readable = lab.combo != "intel"  # Bochs does not let others read the machine's memory, and has less of it
    mem_mib = 2560 if readable else 2048  # all of it below 4 GiB, where it is looked for
    dom0 = lab.boot(guests=True, mem_mib=mem_mib)
    create(dom0, "warm", paused=True)
    dom0.run("xl destroy warm")
    before = dom0.run(FREE)
    dom0.run(f"head -c {CANARY_BYTES} /dev/urandom > /run/lab/canary; sha256sum /run/lab/canary > /run/lab/canary.sum")
    create(dom0, "victim", "console=hvc0 quiet guest.do=fill")
    dom0.wait_for(f"grep -a '@@ FILLED' {LOG.format('victim')}", 200)
    dom0.run("xl pause victim")
    pages = pattern_pages(lab, mem_mib) if readable else set()
    check(len(pages) > 20000 or not readable, f"only {len(pages)} pages hold the pattern: nothing is tested")
    calls, end, seed = 0, time.monotonic() + seconds, 0
    while time.monotonic() < end:
        seed += 1
        dom0.run(f"rm -f {LOG.format('soak')}")
        dom0.write("/run/lab/soak.cfg", SOAK.format(seed=seed, wild=seed % 2, seconds=each_s))
        dom0.run("xl create -q /run/lab/soak.cfg", 90)
        status, _ = dom0.command(f"i=0; while xl domid soak >/dev/null 2>&1; do i=$((i + 1)); "
                                 f"[ $i -lt {each_s * 2 + 40} ] || exit 1; sleep 1; done", each_s * 6 + 200)
        if status:
            dom0.run("xl destroy soak")  # it sleeps for ever, by a call of its own
        text = dom0.run(f"xl dmesg | grep -a 'soak of seed {seed}: ' | tail -1; :")
        calls += int((re.findall(r"(\d+) calls", text) or [0])[-1])
    check(calls > 2000, f"{calls} calls in {seed} guests: nothing is tested")
    check(not readable or pages <= pattern_pages(lab, mem_mib), "a page of another guest changed")
    dom0.run("xl unpause victim")
    shell(dom0, "victim", "! tr -d P < /fill/pattern | grep -q .", 120)
    dom0.run("sha256sum -c /run/lab/canary.sum && rm /run/lab/canary*")
    dom0.run("xl destroy victim")
    dom0.wait_for(f"[ \"$({FREE})\" = '{before.strip()}' ]", 30)


HOSTILES = 2


def smp_soak(lab, seconds):
    """Guests of three vCPUs call for the next domids, while dom0 creates, lists and destroys on two CPUs.

    The host goes on whatever they meet, and all memory comes back.
    """
    dom0 = lab.boot(guests=True, smp=2, threads="multi")
    create(dom0, "warm", memory=16, kernel='kernel = "/guests/payload64.elf"', paused=True)
    first = int(dom0.run("xl domid warm")) + 1 + HOSTILES  # the domid of the first one that comes and goes
    dom0.run("xl destroy warm")
    before = dom0.run(FREE)
    for number in range(HOSTILES):
        create(dom0, f"smp{number}", f"hostile=smp seed={number + 1} seconds={seconds} first={first}", memory=32, vcpus=3,
               kernel='kernel = "/guests/payload64.elf"', extra='on_poweroff = "destroy"\non_crash = "destroy"')
    dom0.write("/run/lab/next.cfg", 'name = "next"\ntype = "pvh"\nmemory = 16\nvcpus = 2\n'
                                    'kernel = "/guests/payload64.elf"\ncmdline = "hostile=hang seconds=600"\n')
    cycles, met, end = 0, 0, time.monotonic() + seconds
    while time.monotonic() < end:
        dom0.run("(while ! [ -e /run/lab/stop ]; do xl list > /dev/null; done) & "
                 "for i in 1 2 3; do xl create -q /run/lab/next.cfg && xl destroy next || exit 1; done; "
                 "touch /run/lab/stop; wait; rm /run/lab/stop", 300)
        cycles += 3
        text = dom0.run("xl dmesg | grep -a 'smp: ' | tail -9; :")
        met = max([met, *(int(times) for times in re.findall(r"(\d+) met a domain", text))])
    # One that its own calls ended, and xl started again, looks for domids that are over.
    check(met > cycles / 2, f"{cycles} domains, met {met} times: nothing is tested")
    lab.note(f"{cycles} domains came and went, and one guest met some {met} times")
    for number in range(HOSTILES):
        dom0.command(f"xl destroy smp{number}")  # their time may be over
    dom0.wait_for(f"[ \"$({FREE})\" = '{before.strip()}' ]", 60)


@case(order=45, group="smpsoak", limit_s=700, combos=("vmm",))
def test_smp_short(lab):
    smp_soak(lab, 60)


@case(order=45, group="smpsoak", limit_s=1500, combos=("vmm",))
def test_smp_soak(lab):
    """The same for ten minutes."""
    smp_soak(lab, 600)


@case(order=45, group="pvsoak", limit_s=700, combos=("vmm",))
def test_hypercalls_short(lab):
    soak(lab, 60, 20)


@case(order=46, group="pvsoak", limit_s=2400, combos=("vmm",))
def test_hypercalls_soak(lab):
    """The same for ten minutes."""
    soak(lab, 600, 60)


GUESSES = 'kernel = "/guests/payload64.elf"\non_poweroff = "destroy"\non_crash = "destroy"'


def guess(lab, rounds):
    """A guest calls for the next domain's number, on all its CPUs, while dom0 creates, lists and destroys.

    Whatever it meets half-made or half gone: the host and dom0 go on, and all memory comes back.
    """
    dom0 = lab.boot(guests=True, smp=2, threads="multi", fresh=True)
    create(dom0, "warm", paused=True)
    dom0.run("xl destroy warm")
    before = dom0.run(FREE)
    create(dom0, "guess", "hostile=guess seconds=7200", memory=32, vcpus=3, kernel=GUESSES)
    dom0.run("(while [ ! -e /run/lab/listed ]; do xl list; sleep 0.1; done) >/dev/null 2>&1 & :")
    for number in range(rounds):
        create(dom0, "small", paused=True, memory=16, vcpus=1 + number % 4, kernel=GUESSES)
        dom0.run("xl destroy small", 120)
    dom0.run("touch /run/lab/listed")
    line = dom0.run(f"grep -a 'domains met' {LOG.format('guess')} | tail -1")
    cpus, calls, met = (int(n) for n in re.findall(r"(\d+) (?:CPUs|calls|domains)", line))
    check(cpus == 3 and calls > 1000 and met >= rounds // 2, f"{line.strip()}: nothing is tested")
    dom0.run("xl destroy guess", 120)
    dom0.wait_for(f"[ \"$({FREE})\" = '{before.strip()}' ]", 60)


@case(order=47, group="guess", limit_s=1200, combos=("product",))
def test_domains_guessed(lab):
    guess(lab, 12)
