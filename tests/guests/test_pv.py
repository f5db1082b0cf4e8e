# SPDX-License-Identifier: GPL-2.0-or-later
"""What PVH guests and the tools do to each other: back ends of dom0, hot-plug, memory, vCPUs, life.

The guest's side is a stock kernel with busybox; its shell is typed at through the console's pty, and judged by
the console's log.
"""

import re

from harness import case, check
from test_pvh import COMBOS, LOG, create, gone, scratch_disk, wait_up

FREE = "xl info | awk '/^free_memory/ { print $3 }'"
NET = 'vif = [ "bridge=xenbr0,mac=00:16:3e:00:00:{0}" ]'
FRONT = "console=hvc0 quiet guest.do=front guest.ip=10.0.2.{0}"
# So much is sent each way, of random bytes, and compared by its SHA-256.
TRANSFER_BYTES = 4 << 20


def front(dom0, name, number, extra="", **options):
    """A guest with a network card and its front ends loaded."""
    create(dom0, name, FRONT.format(number), extra=NET.format(number) + "\n" + extra, **options)
    dom0.wait_for(f"grep -a '@@ FRONT-UP' {LOG.format(name)}", 120)


def shell(dom0, name, command, timeout_s=60):
    """Type a command at the guest's console; its output, once it has ended well."""
    log = LOG.format(name)
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
    dom0.run("xl block-attach net1 phy:/dev/sdb,xvdb,w && "
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


@case(order=41, group="pv", limit_s=300, combos=COMBOS)
def test_pv_commands(lab):
    """xl's questions and orders: sysrq, trigger, list -l, vcpu-list, top, pause, shutdown and reboot by xenstore."""
    dom0 = lab.boot(guests=True, disks=[{"path": scratch_disk(lab)}])
    create(dom0, "cmd1")
    wait_up(dom0, "cmd1")
    dom0.run("xl sysrq cmd1 h")
    dom0.wait_for(f"grep -a 'sysrq: HELP' {LOG.format('cmd1')}", 30)
    check('"name": "cmd1"' in dom0.run("xl list -l cmd1"), "list -l")
    check(re.search(r"^cmd1 +\d+ +256 ", dom0.run("xl sched-credit2"), re.M), "sched-credit2")
    check("cmd1" in dom0.run("xentop -b -i 1"), "xentop")
    dom0.run("xl pause cmd1 && xl list cmd1 | grep -q -- '--p---' && xl unpause cmd1")
    first = dom0.run("xl domid cmd1").strip()
    dom0.run("xl reboot -w cmd1", 90)
    dom0.wait_for(f"n=$(xl domid cmd1) && [ $n != {first} ]", 60)
    # The console's log goes on over the reboot.
    dom0.wait_for(f"[ $(grep -ac DOMU-UP {LOG.format('cmd1')}) -ge 2 ]", 120)
    dom0.run("xl shutdown -w cmd1", 90)
    gone(dom0, "cmd1")


@case(order=42, group="pv", limit_s=300, combos=COMBOS)
def test_pv_actions(lab):
    """on_poweroff, on_reboot, on_crash: what the configuration says is what happens."""
    dom0 = lab.boot(guests=True, disks=[{"path": scratch_disk(lab)}])
    create(dom0, "act1", "console=hvc0 quiet guest.do=poweroff", extra='on_poweroff = "preserve"')
    dom0.wait_for("xl list act1 | tail -1 | awk '{ exit $5 !~ /s/ }'", 120)
    dom0.run("xl destroy act1")
    create(dom0, "act2", "console=hvc0 quiet guest.do=poweroff", extra='on_poweroff = "restart"')
    first = dom0.run("xl domid act2").strip()
    dom0.wait_for(f"n=$(xl domid act2) && [ $n != {first} ]", 120)
    dom0.run("xl destroy act2")
    create(dom0, "act3", "console=hvc0 quiet guest.do=panic", extra='on_crash = "destroy"')
    gone(dom0, "act3", 120)
    create(dom0, "act4", "console=hvc0 quiet guest.do=reboot", extra='on_reboot = "destroy"')
    gone(dom0, "act4", 120)


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


@case(order=44, group="pvmany", limit_s=400, combos=COMBOS)
def test_pv_many(lab):
    """Eight small guests at once; then nothing of them is left."""
    dom0 = lab.boot(guests=True)
    create(dom0, "many0", paused=True)
    dom0.run("xl destroy many0")
    before = dom0.run(FREE)
    for number in range(8):
        create(dom0, f"many{number}", memory=160)
    for number in range(8):
        wait_up(dom0, f"many{number}", 200)
    check(len(dom0.run("xl list").splitlines()) == 10, "eight guests and dom0")
    dom0.run("for n in 0 1 2 3 4 5 6 7; do xl destroy many$n; done", 120)
    dom0.wait_for(f"[ \"$({FREE})\" = '{before.strip()}' ]", 30)
    dom0.run("xl debug-keys qeg")
    dump = dom0.run("xl dmesg | tail -200")
    check(not re.search(r"^.*\bd[1-9]\d*: (PVH|HVM|event channels|\d+ grant frames)", dump, re.M),
          "the debug keys show a domain that is gone")
