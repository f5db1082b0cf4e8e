# SPDX-License-Identifier: GPL-2.0-or-later
"""xl migrate within one host: guests go on in a new domain, and where they were when it fails."""

import re

from harness import case, check, hypervisor
from test_pv import shell
from test_pvh import create, gone, wait_up
from test_save import CDROM, IMAGE, boot, ticks
from test_shadow import HAP, is_on_shadow_tables

# The stream goes from one process to the other; no ssh.
MIGRATE = "xl migrate -s '' {name} '{receiver}' 2>&1"
RECEIVER = "xl migrate-receive"
# Ends with the stream's first piece: while memory is being sent.
CUT = "head -c 20000000 | xl migrate-receive"
# Ends behind the receiver's greeting: when the whole guest has arrived.
DUMB = "exec 3<&0; xl migrate-receive <&3 3<&- | dd bs=1 count=60 2>/dev/null & exec >&- 3<&-; wait"
# The console's log of a guest that came: by the name that it had until it was unpaused.
ARRIVED = "{}--incoming"
# Of the guest, in a file of its memory.
FILL = "head -c 8000000 /dev/urandom > /fill && md5sum /fill > /sum && md5sum -c /sum"


def migrate(dom0, name, receiver=RECEIVER):
    return dom0.command(MIGRATE.format(name=name, receiver=receiver), 180)


def moved(dom0, name):
    """Migrates the guest to a new domain; nothing is left of the old one."""
    then = dom0.run(f"xl domid {name}").strip()
    status, text = migrate(dom0, name)
    check(status == 0, f"xl migrate: {text[-600:]}")
    check(dom0.run(f"xl domid {name}").strip() != then, "it is the same domain")
    gone(dom0, f"{name}--migratedaway")


def stays(dom0, name, receiver):
    """A migration that fails leaves the guest where it is, and nothing where it would have gone."""
    then = dom0.run(f"xl domid {name}").strip()
    status, text = migrate(dom0, name, receiver)
    check(status != 0, f"xl migrate says that it is well: {text[-600:]}")
    dom0.command(f"xl destroy {name}--incoming")
    gone(dom0, f"{name}--incoming")
    check(dom0.run(f"xl domid {name}").strip() == then, "it is another domain")
    state = dom0.run(f"xl list {name}").splitlines()[1].split()[4]
    check(not set(state) & set("psc"), f"{name} is in state {state}: {text[-600:]}")


@case(order=48, group="save", limit_s=600, combos=("vmm", "peer"))
def test_migrate_pvh(lab):
    """A stock kernel with two vCPUs moves, with its memory, and goes on in place after failures."""
    dom0 = boot(lab)
    create(dom0, "mig1", memory=128, vcpus=2)
    wait_up(dom0, "mig1")
    shell(dom0, "mig1", FILL, 120)
    for receiver in (CUT, DUMB):
        stays(dom0, "mig1", receiver)
        shell(dom0, "mig1", "md5sum -c /sum && grep -c processor /proc/cpuinfo | grep 2", 120)
    for _ in range(2):
        moved(dom0, "mig1")
        shell(dom0, "mig1", "md5sum -c /sum && grep -c processor /proc/cpuinfo | grep 2", 120, ARRIVED.format("mig1"))
    dom0.run("xl destroy mig1")


# A guest with a program that looks at its clocks on both CPUs.
CLOCKS = 'kernel = "/guests/vmlinuz-6.1"\nramdisk = "/run/lab/clocks.cpio"'
MIGRATIONS = 3
HOURS = 5


def clocks(dom0, name, log):
    """Ends the watch; what it has seen."""
    text = shell(dom0, name, "touch /stop; wait", 120, log)
    return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", text.split("@@ CLOCKS", 1)[1])}


@case(order=49, limit_s=900, combos=("vmm", "peer"))
def test_migrate_clocks(lab):
    """No clock of a guest goes back on either of its CPUs, and the time of day is right after hours in an image."""
    dom0 = lab.boot(files=[hypervisor.out("dom0/clockwatch.cpio")], guests=True)
    dom0.run("mkdir -p /run/lab; cat /job/clockwatch.cpio /guests/domu.cpio.gz > /run/lab/clocks.cpio")
    create(dom0, "clk", memory=96, vcpus=2, kernel=CLOCKS)
    wait_up(dom0, "clk")
    shell(dom0, "clk", "clockwatch /stop & sleep 2; kill -0 $!")
    for _ in range(MIGRATIONS):
        moved(dom0, "clk")
        shell(dom0, "clk", "sleep 1", 120, ARRIVED.format("clk"))
    seen = clocks(dom0, "clk", ARRIVED.format("clk"))
    lab.note(f"three migrations: {seen}")
    check(seen["cpus"] == 2 and seen["looks"] > 1000, f"it has not looked: {seen}")
    for clock in ("tsc", "monotonic", "realtime", "boottime"):
        check(not seen[f"{clock}_steps"], f"{clock} went back: {seen}")
    dom0.run(f"xl save clk {IMAGE} && date -s @$(( $(date +%s) + {HOURS * 3600} )) && xl restore {IMAGE} && rm {IMAGE}", 240)
    then = int(dom0.run("date +%s"))
    text = shell(dom0, "clk", "echo NOW=$(date +%s)", 120)
    apart = int(re.search(r"^NOW=(\d+)", text, re.M).group(1)) - then
    lab.note(f"after {HOURS} hours in an image the guest's clock is {apart} s from dom0's")
    check(-2 <= apart <= 60, f"the guest's clock is {apart} s from dom0's")
    dom0.run("xl destroy clk")


@case(order=48, group="save", limit_s=400, combos=("product", "peer"))
def test_migrate_hvm(lab):
    """A guest without drivers moves with its image's lock, and has it again after failures."""
    dom0, log = boot(lab), "/run/lab/tick.serial"
    dom0.run("mkdir -p /run/lab && truncate -s 8M /run/lab/mig.img")
    lab.create_text(CDROM.format(kind="tick").replace("disk = [", 'disk = [ "/run/lab/mig.img,raw,hda,w",'), "tick")
    dom0.wait_for(f"grep -a 'HOSTILE: tick' {log}", 120)
    for receiver in (CUT, DUMB):
        stays(dom0, "tick", receiver)
        ticks(dom0, log)
    then = ticks(dom0, log)
    moved(dom0, "tick")
    check(ticks(dom0, log) > then, "it began anew")
    moved(dom0, "tick")
    check(ticks(dom0, log) > then, "it began anew")
    dom0.run("xl destroy tick")


# While its memory is sent the guest writes files. Each is whole when it gets its name.
BUSY = "while :; do cp /fill /copy.new && mv /copy.new /copy; done & sleep 1"
LOOK = "kill $!; md5sum -c /sum && cmp /fill /copy"


@case(order=49, limit_s=420, combos=("product",))
def test_save_shadow(lab):
    """On shadow page tables: saved, restored, kept after a checkpoint, and migrated while it writes, which is logged."""
    dom0, log = boot(lab), "/run/lab/tick.serial"
    create(dom0, "shadow", memory=96, vcpus=2, extra=HAP)
    wait_up(dom0, "shadow")
    shell(dom0, "shadow", FILL, 120)
    dom0.run(f"xl save shadow {IMAGE}", 120)
    gone(dom0, "shadow")
    dom0.run(f"xl restore {IMAGE} && rm {IMAGE}", 120)
    is_on_shadow_tables(dom0, "shadow")
    shell(dom0, "shadow", "md5sum -c /sum && grep -c processor /proc/cpuinfo | grep 2", 120)
    dom0.run(f"xl save -c shadow {IMAGE} && rm {IMAGE}", 120)
    shell(dom0, "shadow", BUSY, 120)
    moved(dom0, "shadow")
    shell(dom0, "shadow", LOOK, 120, ARRIVED.format("shadow"))
    dom0.run("xl destroy shadow")
    lab.create_text(CDROM.format(kind="tick") + f"{HAP}\n", "tick")
    dom0.wait_for(f"grep -a 'HOSTILE: tick' {log}", 120)
    then = ticks(dom0, log)
    dom0.run(f"xl save tick {IMAGE} && xl restore {IMAGE} && rm {IMAGE}", 180)
    check(ticks(dom0, log) > then, "it began anew")
    dom0.run("xl destroy tick")
