# SPDX-License-Identifier: GPL-2.0-or-later
"""xl migrate between two hosts: two emulated machines on one network, ssh, and a disk that both have by NBD."""

import os
import re

from harness import Lab, Skip, case, check, hypervisor
from test_migrate import FILL
from test_pv import FRONT, shell
from test_pvh import create
from lab import machine

# Each machine's second card; dom0's bridge on it.
CARD = ("-netdev", "socket,id=net1,{0}=127.0.0.1:{1}", "-device", "e1000,netdev=net1,mac=52:54:00:00:09:0{2},romfile=")
ADDRESS = "192.168.9.{}"
GUEST_ADDRESS = 50
BRIDGE = ("insmod /job/nbd.ko; brctl addbr xenbr1 && brctl addif xenbr1 eth1 && ip link set eth1 up && ip link set xenbr1 up && "
          "ip addr add {}/24 dev xenbr1; mkdir -p /root/.ssh /run/sshd /run/lab; chmod 700 /root /root/.ssh; "
          "echo 'sshd:x:100:65534::/run/sshd:/bin/false' >> /etc/passwd; ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519; "
          "nbd-client 10.0.2.2 {} /dev/nbd0")
SSHD = "/usr/bin/sshd -h /root/.ssh/id_ed25519 -f /dev/null && cat /root/.ssh/id_ed25519.pub"
DISK_MIB = 32
FILL_BYTES = 2000000
MEMORY = {"mem_mib": 1600, "dom0_mib": 768}
NUMBERS = "/run/lab/numbers"


def module(name):
    """A module of dom0's kernel that is not among those which it always has."""
    with open(hypervisor.out("debs/kernels"), encoding="ascii") as file:
        version = dict(line.split() for line in file)["6.1"]
    for directory, _, files in os.walk(hypervisor.out(f"debs/x/linux-image-{version}/lib/modules/{version}/kernel")):
        if f"{name}.ko" in files:
            return os.path.join(directory, f"{name}.ko")
    raise Skip(f"no module {name}")


class Storage:
    """The disk's server, on the machine that runs the emulators."""

    def __init__(self, lab):
        self.path, self.port = os.path.join(lab.logs, "shared.img"), machine.free_port()
        with open(self.path, "wb") as file:
            file.truncate(DISK_MIB << 20)
        try:
            self.server = machine.spawn(["qemu-nbd", "-f", "raw", "-b", "127.0.0.1", "-p", str(self.port), "--shared=4",
                                         "--persistent", "--cache=writeback", self.path])
        except FileNotFoundError as error:
            raise Skip("no qemu-nbd") from error

    def close(self):
        self.server.kill()
        self.server.wait()
        os.unlink(self.path)


def host(lab, number, how, port, storage):
    """One of the two, with its bridge, its disk, and its key."""
    card = [word.format(how, port, number) for word in CARD]
    dom0 = lab.boot(files=[module("nbd"), hypervisor.out("payload/payload64.elf")], guests=True, archives=("hosts",), extra=card,
                    **MEMORY)
    dom0.run(BRIDGE.format(ADDRESS.format(number), storage.port), 120)
    return dom0, dom0.run(SSHD).strip()


def acquaint(dom0, address, key):
    """As who has logged in there once."""
    dom0.run(f"echo '{key}' >> /root/.ssh/authorized_keys; chmod 600 /root/.ssh/authorized_keys; "
             f"echo '{address} {' '.join(key.split()[:2])}' >> /root/.ssh/known_hosts")


class Pair:
    """Two hosts that know each other; the lab's own is the first."""

    def __init__(self, lab):
        self.storage = Storage(lab)
        self.other = Lab(lab.combo, lab.logs)
        self.other.case_name = lab.case_name + "-second"
        try:
            port = machine.free_port()
            self.first, key1 = host(lab, 1, "listen", port, self.storage)
            self.second, key2 = host(self.other, 2, "connect", port, self.storage)
            acquaint(self.first, ADDRESS.format(2), key2)
            acquaint(self.second, ADDRESS.format(1), key1)
            self.first.run(f"ping -c 3 {ADDRESS.format(2)}")
        except Exception:
            self.close()
            raise

    def close(self):
        self.other.stop()
        self.storage.close()


def numbers(dom0):
    """What has come over the guest's connection: its number of lines, all there and in order, and the longest pause in s."""
    text = dom0.run(f"awk '$2 != NR - 1 {{ print \"BAD\", NR, $0; exit }} {{ if (NR > 1 && $1 - t > most) most = $1 - t; t = $1 }} "
                    f"END {{ print NR, most }}' {NUMBERS}")
    check("BAD" not in text, f"numbers over TCP: {text}")
    count, pause = text.split()
    return int(count), float(pause)


LISTEN = ("(sleep 3000 | nc -l -p 7200 | while read n; do read t rest < /proc/uptime; echo $t $n; done > {} 2>/dev/null &) "
          ">/dev/null 2>&1 </dev/null").format(NUMBERS)
COUNT = "(i=0; while echo $i; do i=$((i + 1)); usleep 50000; done | nc {} 7200) >/dev/null 2>&1 & true"
WRITE = "(n=0; while dd if=/fill of=/dev/xvda bs=64k conv=fsync; do n=$((n + 1)); done) >/dev/null 2>&1 & echo $! > /writer"


def go(first, second, name, address):
    """To the other host by ssh, as users do; seconds that it took there."""
    status, text = first.command(f"time xl migrate {name} {address} 2>&1", 700)
    check(status == 0, f"xl migrate: {text[-800:]}")
    check(first.command(f"xl domid {name}")[0] != 0, "it is still there")
    second.run(f"xl domid {name}")
    return re.findall(r"real\s*(\S+)", text)[-1]


@case(order=60, group="hosts", limit_s=1800, combos=("product", "peer"))
def test_hosts_pvh(lab):
    """A stock kernel goes to another host and comes back, with memory, disk, and a TCP connection."""
    pair = Pair(lab)
    try:
        first, second = pair.first, pair.second
        create(first, "host1", FRONT.replace("10.0.2", "192.168.9").format(GUEST_ADDRESS), memory=112,
               extra='vif = [ "bridge=xenbr1,mac=00:16:3e:00:09:50" ]\ndisk = [ "phy:/dev/nbd0,xvda,w" ]')
        first.wait_for("grep -a '@@ FRONT-UP' /var/log/xen/guest-host1.log", 240)
        shell(first, "host1", FILL.replace("8000000", str(FILL_BYTES)), 120)
        first.run(LISTEN)
        shell(first, "host1", COUNT.format(ADDRESS.format(1)))
        shell(first, "host1", WRITE)
        first.wait_for(f"[ $(wc -l < {NUMBERS}) -gt 20 ]", 60)
        took = go(first, second, "host1", ADDRESS.format(2))
        there, log = numbers(first), "host1--incoming"
        first.wait_for(f"[ $(wc -l < {NUMBERS}) -gt {there[0] + 20} ]", 120)
        lab.note(f"to the other host in {took}; the connection stood still for {numbers(first)[1]:.2f} s")
        shell(second, "host1", "md5sum -c /sum", 120, log)
        took = go(second, first, "host1", ADDRESS.format(1))
        there = numbers(first)
        first.wait_for(f"[ $(wc -l < {NUMBERS}) -gt {there[0] + 20} ]", 120)
        lab.note(f"and back in {took}; it stood still for {numbers(first)[1]:.2f} s at the most")
        shell(first, "host1", "md5sum -c /sum", 120, log)
        shell(first, "host1", "kill $(cat /writer); sleep 1; dd if=/fill of=/dev/xvda bs=64k conv=fsync && "
              f"echo 3 > /proc/sys/vm/drop_caches && head -c {FILL_BYTES} /dev/xvda | cmp - /fill", 120, log)
        first.run("xl destroy host1")
    finally:
        pair.close()
