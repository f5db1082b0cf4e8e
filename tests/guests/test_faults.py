# SPDX-License-Identifier: GPL-2.0-or-later
"""Save, restore and migration that fail on purpose, in all their steps.

Whatever fails, the guest runs in one place or its image is whole, xl says what happened, and nothing is left behind.
The guests count on their consoles: one without devices, one with a device model and a disk.
"""

import re

from harness import HVM, case, check
from test_save import PAYLOAD, boot

TIMES = 50
CONFIG = {
    "pvh": f'type = "pvh"\nmemory = 16\nvcpus = 2\n{PAYLOAD}\ncmdline = "hostile=tick"\n',
    "hvm": HVM.replace("stdvga", "none") + '''memory = 16
disk = [ "file:/job/hostile-tick.iso,hdc:cdrom,r", "/run/lab/hvm.img,raw,hda,w" ]
boot = "d"
serial = "file:/run/lab/hvm.serial"
''',
}
TICKS = {"pvh": "cat /var/log/xen/guest-pvh*.log | grep -ac 'HOSTILE: tick'",
         "hvm": "grep -ac 'HOSTILE: tick' /run/lab/hvm.serial"}
IMAGE = "/run/lab/{}.image"

# What dom0's shell uses below. A stream stops after some bytes, and goes on when the fault has been made.
SHELL = r"""
cd /run/lab
pass()
{
	dd bs=4096 count=$(($1 / 4096)) iflag=fullblock 2>/dev/null
	touch stopped
	hold 600 test -e go
	cat
}

# hold TENTHS CONDITION...: waits so long.
hold()
{
	n=$1
	shift
	until "$@" >/dev/null 2>&1 || [ $((n -= 1)) -lt 0 ]; do sleep 0.1; done
}

# The process whose command line has these words.
process()
{
	ps -o pid,args | grep -e "$1" | grep -v grep | awk '{ print $1; exit }'
}

# strike WORDS: that process is there soon, and ends.
strike()
{
	hold 200 process_is "$1"
	kill -9 $(process "$1")
}

none_of()
{
	! pidof "$1"
}

process_is()
{
	[ -n "$(process "$1")" ]
}

fresh()
{
	rm -f stopped go fifo back out
	mkfifo fifo back
}

# The receiver's own answers: the greeting passes, what comes behind it waits as the stream does.
answers()
{
	dd bs=1 count=54 2>/dev/null
	dd bs=1 count=1 > first 2>/dev/null
	touch stopped
	hold 600 test -e go
	cat first - 2>/dev/null
}
"""
# Page tables of dom0 count as free: where it maps guests' pages is its own choice, and a table that it needed once stays.
# The nodes left out: libxl writes them for a domain that is gone, when it was destroyed while it was saved; and both ends
# of a migration have one UUID in /vm, so what goes first takes that of the other, and a new name brings it back.
COUNTS = r"""
xl debug-keys q
xl debug-keys m
echo "pages $(xl dmesg | awk '/ pages of RAM, / { free = $5; claimed = $7 } /^d0: dom0 refs / { next_is = 1; next }
	next_is && / page tables, and / { tables = $1; next_is = 0 } END { print free + tables, "free,", claimed, "claimed" }')"
echo "domains $(xl list | awk '{ print $1 }' | sort | xargs)"
echo "processes $(ps -o args | grep -cE '[p]linth-dm|[l]ibxl-save-helper|^[x]l ')"
echo "nodes $(xenstore-ls -f | grep -vE '/device-model(/[0-9]+(/logdirty(/cmd)?)?)? = |^/vm/[^/]+(/name)? = ' | wc -l)"
echo "files $(ls -d /run/xen/* /var/lib/xen/* /run/plinth*/* 2>/dev/null | sed 's/-d\.[0-9]*\./-d./; s/.[0-9]*$//' | xargs)"
echo "loops $(losetup -a | wc -l)"
echo "handles $(ls /proc/$(cat /run/xenstored.pid)/fd /proc/$(cat /run/xenconsoled.pid)/fd | wc -l)"
"""
SAVE = "exec xl save {name} fifo"
RESTORE = "exec xl restore fifo"
MIGRATE = "exec xl migrate -s '' {name} 'bash /run/lab/receiver'"


def no_worse(before, after):
    """Whether nothing was lost or left between two texts of COUNTS."""
    for one, other in zip(before.split("\n"), after.split("\n"), strict=True):
        kind = one.split(" ")[0]
        was, now = ([int(word) for word in re.findall(r"\d+", text)] for text in (one, other))
        if kind == "pages" and not (now[0] >= was[0] and now[1] == was[1]):
            return False
        if kind in ("processes", "handles") and now[0] > was[0]:
            return False
        if kind not in ("pages", "processes", "handles") and one != other:
            return False
    return True


class Stand:
    """One boot with the guest under test."""

    def __init__(self, lab, name):
        self.lab, self.dom0, self.name = lab, boot(lab), name
        self.image = IMAGE.format(name)
        self.dom0.write("/run/lab/shell", SHELL)
        self.dom0.run("mkdir -p /run/lab/small; truncate -s 1M /run/lab/hvm.img")
        self.start()  # with its first guest, and its first save, dom0 gets page tables and handles that it keeps
        self.dom0.run(f"xl save {name} /dev/null 2>&1", 120)
        self.dom0.wait_for("! pidof xl && [ $(xl list | wc -l) = 2 ]", 30)

    def run(self, script, timeout_s=240):
        return self.dom0.command(f". /run/lab/shell\n{script}", timeout_s)

    def start(self):
        self.dom0.run("rm -f /var/log/xen/guest-pvh*.log /run/lab/hvm.serial")
        self.lab.create_text(CONFIG[self.name], self.name)
        self.goes_on()

    def destroy(self, name=None):
        self.dom0.command(f"xl destroy {name or self.name}")

    def counts(self):
        """What is there now, as text."""
        return self.dom0.run(COUNTS)

    def nothing_left(self, before, what):
        """Not fewer pages, no more processes and handles, the same domains, nodes, files as before; a moment later, as
        processes end by themselves. xl's process that waits for the guest's end leaves when the guest is suspended."""
        for _ in range(15):
            after = self.counts()
            if no_worse(before, after):
                return
            self.dom0.run("sleep 1")
        check(False, f"{what}: there was {before.split(chr(10))}, and now is {after.split(chr(10))}")

    def goes_on(self):
        """It counts: two more times, as the first may have been on its way."""
        count = TICKS[self.name]
        self.dom0.wait_for(f"a=$({count}); sleep 1.2; [ $({count}) -gt $a ]", 60, 0.1)

    def runs_here(self, name=None):
        """The guest runs, and is the only one of its kind that does."""
        names = {line.split()[0]: line.split()[4] for line in self.dom0.run("xl list").splitlines()[2:]}
        check(list(names) == [name or self.name], f"domains are {names}")
        check(not set(names[name or self.name]) & set("psc"), f"states are {names}")
        self.goes_on()

    def fault(self, command, act, stream="", timeout_s=240):
        """Runs xl in the background, strikes when its stream has come to a stop; (status, what xl said)."""
        text = f"""fresh
{stream}
({command.format(name=self.name)}) > out 2>&1 &
x=$!
hold 900 test -e stopped
{act.format(name=self.name)}
touch go
wait $x
echo "@@XL $?"
hold 900 none_of libxl-save-helper
grep -av progress out
"""
        output = self.run(text, timeout_s)[1]
        found = re.search(r"@@XL (\d+)\n(.*)", output, re.S)
        check(found, f"{command}: {output[-400:]}")
        return int(found.group(1)), found.group(2)

    def fails(self, words, result, what):
        """xl said that it failed, and why."""
        status, text = result
        check(status != 0, f"{what}: xl says that it is well: {text[-400:]}")
        check(re.search(words, text), f"{what}: no {words!r} in {text[-600:]}")


def saved(stand):
    """A whole image of the guest, which is gone; its length."""
    stand.dom0.run(f"rm -f {stand.image}; xl save {stand.name} {stand.image}", 120)
    return int(stand.dom0.run(f"wc -c < {stand.image}"))


def restored(stand):
    stand.dom0.run(f"xl restore {stand.image} 2>&1", 120)
    stand.runs_here()


def device_model_killed(stand, none):
    """Before it has given its state the guest is lost. Behind that its image becomes whole."""
    stand.start()
    stand.fails("QMP|device model", stand.run("kill -9 $(pidof plinth-dm); "
                                              f"xl save {stand.name} {stand.image} 2>&1"), "no device model")
    stand.destroy()
    stand.nothing_left(none, "no device model")
    stand.start()
    status, text = stand.fault(SAVE, "strike '^ *[0-9]* [^ ]*plinth-dm '", f"pass 1000000 < fifo > {stand.image} &")
    check(status == 0 and "log-dirty" in text, f"the device model killed: {status}, {text[-600:]}")
    restored(stand)
    stand.destroy()
    stand.nothing_left(none, "the device model killed")


def save_faults(lab, name):
    stand = Stand(lab, name)
    none = stand.counts()
    stand.start()
    size = saved(stand)
    restored(stand)
    for pages in (1024, size // 4096):
        what = f"a disk of {pages} pages"
        result = stand.run(f"mount -t tmpfs -o size={pages * 4}k tmpfs small; xl save {name} small/image 2>&1; rc=$?; "
                           "umount small; exit $rc")
        stand.fails("No space left on device", result, what)
        stand.runs_here()
    middle = "pass 1000000 < fifo > /dev/null &"
    stand.fails("Killed", stand.fault(SAVE, "strike '[-]-save-domain'", middle), "the helper killed")
    stand.runs_here()
    status, text = stand.fault(SAVE, "kill -9 $x", middle)
    check(status == 137, f"xl killed: {text}")
    # It is stopped, and was not ended. One with drivers does not answer once more, and goes on for that.
    status, text = stand.run(f"xl save -c {name} /dev/null 2>&1", 200)
    check(status == 0, f"a checkpoint after that: {status}, {text[-600:]}")
    stand.runs_here()
    stand.fails("", stand.fault(SAVE, "xl destroy {name}", middle), "destroyed while it is saved")
    stand.nothing_left(none, "destroyed while it is saved")
    if name == "hvm":
        device_model_killed(stand, none)
    stand.dom0.run(f"rm -f {stand.image}")


@case(order=49, group="faults", limit_s=900, combos=("product",))
def test_faults_save_pvh(lab):
    """A guest is saved to a full disk, and while everything that takes part is killed."""
    save_faults(lab, "pvh")


@case(order=49, group="faults", limit_s=900, combos=("product",))
def test_faults_save_hvm(lab):
    """The same with a device model."""
    save_faults(lab, "hvm")


# Where the records of libxc's stream begin, one a line; the stream begins behind libxl's first record. Of those that
# name 1024 frames and hold none, the hundreds, only some are listed.
RECORDS = r"""
word() { od -An -tu4 -j$1 -N4 {image} 2>/dev/null | xargs; }
hollow() { [ "$(word $1)" = 1 ] && [ "$(word $(($1 + 4)))" = 8200 ]; }
at=$((48 + $(word 44)))
at=$((at + 16 + 8))
at=$((at + 24 + 16))
while [ $at -lt $(wc -c < {image}) ]; do
	echo $at $(word $at) $(word $((at + 4)))
	[ $(word $at) = 0 ] && break
	if hollow $at; then
		for n in 256 64 16 4 1; do
			while hollow $((at + n * 8208)); do at=$((at + n * 8208)); done
		done
	fi
	at=$((at + 8 + ($(word $((at + 4))) + 7) / 8 * 8))
done
"""


def records(stand):
    """(offset, type, length) of each record of libxc's stream in the image."""
    text = stand.dom0.run(RECORDS.replace("{image}", stand.image))
    found = [tuple(int(word) for word in line.split()) for line in text.splitlines()]
    check(len(found) > 8 and found[-1][1] == 0, f"the image has records {found[:12]}")
    return found


def refused(stand, before, make, words, what):
    """A file that is no whole image of the guest is not restored, and nothing is left."""
    result = stand.run(f"rm -f bad; {make.format(image=stand.image)}; xl restore bad 2>&1")
    stand.fails(words, result, what)
    stand.nothing_left(before, what)


def flipped(stand, before, places):
    """Bits turn: what can be noticed is refused, the rest is the guest's own; nothing is left either way."""
    well = 0
    for at in places:
        status, text = stand.run(f"cp {stand.image} bad; v=$(od -An -tu1 -j{at} -N1 bad); "
                                 f"printf \"\\\\$(printf %o $((v ^ {1 << at % 8})))\" | "
                                 f"dd of=bad bs=1 seek={at} conv=notrunc 2>/dev/null; xl restore -p bad 2>&1")
        check(not status or re.search("rror|ailed|Unable|[Ii]nvalid|magic|not|[Ww]rong|ndian", text), f"a bit at {at}: no word why: {text[-300:]}")
        well += not status
        stand.dom0.command(f"xl list | awk 'NR > 2 {{ print $2 }}' | xargs -r -n1 xl destroy; rm -f /run/lab/bad")
        stand.nothing_left(before, f"a bit at {at}, status {status}: {text[-300:]}")
    return well


def restore_faults(lab, name):
    stand = Stand(lab, name)
    before = stand.counts()
    stand.start()
    size = saved(stand)
    parts = records(stand)
    end = parts[-1][0]
    refused(stand, before, ": > bad", "fail|truncated|No such|rror", "an empty file")
    refused(stand, before, "cp /job/payload64.elf bad", "magic", "a program")
    refused(stand, before, "mkdir bad", "directory", "a directory")
    stand.dom0.run("rmdir /run/lab/bad")
    for length in (10, 100, 40 + parts[0][0], 3000000, end + 4, size - 40):
        refused(stand, before, f"head -c {length} {{image}} > bad", "truncated|[Ff]ailed|rror", f"{length} bytes of {size}")
    inside = [at + 8 + min(length // 2, 600) for at, kind, length in parts if length and kind != 1]
    places = [33, parts[0][0] - 30, parts[3][0], parts[3][0] + 5, parts[4][0] + 9, *inside, end + 9]
    lab.note(f"{name}: {flipped(stand, before, places)} of {len(places)} images with a bit turned were restored")
    middle = f"pass 1000000 < {stand.image} > fifo &"
    stand.fails("Killed", stand.fault(RESTORE, "strike '[-]-restore-domain'", middle), "the helper killed")
    stand.nothing_left(before, "the helper killed")
    stand.fault(RESTORE, "kill -9 $x", middle)
    stand.destroy()
    stand.nothing_left(before, "xl killed")
    stand.fails("", stand.fault(RESTORE, "xl destroy {name}", middle), "destroyed while it is restored")
    stand.nothing_left(before, "destroyed while it is restored")
    short_of_memory(stand, before)
    if name == "hvm":
        device_model_faults(stand, before)
    restored(stand)
    stand.fails("already exists", stand.run(f"xl restore {stand.image} 2>&1"), "restored twice")
    stand.runs_here()
    stand.destroy()
    stand.nothing_left(before, "all of it")
    stand.dom0.run(f"rm -f {stand.image}")


def ballast(stand):
    """Takes the machine's free memory, but 8 MiB."""
    stand.dom0.write("/run/lab/ballast.cfg", CONFIG["pvh"].replace("memory = 16", "memory = 64"))
    stand.dom0.run("m=$(($(xl info | awk '/^free_memory/ { print $3 }') - 12)); "
                   "xl create -q -p /run/lab/ballast.cfg name=\\\"ballast\\\" memory=$m 2>&1", 120)


def short_of_memory(stand, before):
    """The receiver has not enough memory."""
    ballast(stand)
    stand.fails("[Ff]ailed to populate|not enough|Cannot allocate|freeing memory", stand.run(f"xl restore {stand.image} 2>&1"),
                "no memory")
    stand.destroy("ballast")
    stand.nothing_left(before, "no memory")


def device_model_faults(stand, before):
    """The device model is killed before it runs; the image is another's; the disk is another guest's."""
    name = stand.name
    script = (f"(exec xl restore {stand.image}) > out 2>&1 & x=$!; until p=$(pidof plinth-dm); do sleep 0.05; done; "
              "kill -9 $p; wait $x; rc=$?; cat out; exit $rc")
    status, text = stand.run(script)
    if status:
        stand.fails("device model", (status, text), "the device model killed")
    stand.destroy()
    stand.nothing_left(before, f"the device model killed: {text[-300:]}")
    stand.dom0.write("/run/lab/other.cfg", f'name = "{name}"\n' + CONFIG[name] + "\n".join(stand.lab.overrides("xen")))
    stand.fails("device model", stand.run(f"xl restore other.cfg {stand.image} 2>&1"), "another device model")
    stand.nothing_left(before, "another device model")
    stand.lab.create_text(CONFIG[name].replace("hvm.serial", "twin.serial"), "twin")
    # libxl has the domain made, and does not start it.
    stand.run(f"xl restore {stand.image} 2>&1")
    stand.dom0.run(f"grep -a 'in use' /var/log/xen/qemu-dm-{name}.log; ! xl domid {name} || xl list {name} | awk 'NR > 1' | "
                   "grep -- '--p---'")
    stand.destroy()
    stand.destroy("twin")
    stand.nothing_left(before, "a disk in use")


@case(order=49, group="faults", limit_s=1200, combos=("product",))
def test_faults_restore_pvh(lab):
    """Images that are cut, damaged, or of another kind; too little memory; a restore that is killed in the middle."""
    restore_faults(lab, "pvh")


@case(order=49, group="faults", limit_s=1200, combos=("product",))
def test_faults_restore_hvm(lab):
    """The same with a device model, another device model's image, and a disk in use."""
    restore_faults(lab, "hvm")


# What the sender's xl runs, with the fault's place in it.
AT_ONCE = "true"
TALKS = "echo hello"
# Nothing else holds the way back when the receiver ends, as with ssh.
MIDDLE = "exec 3<&0; exec xl migrate-receive < <(pass 1000000 <&3) 3<&-"
# Until the whole guest has come.
ARRIVED = "xl migrate-receive | answers"
# name of the receiver, where the fault is made, what happens, what xl says
STAYS = (
    (MIDDLE, "strike '[-]-save-domain'", "Killed"),
    (AT_ONCE, "", ""),
    (TALKS, "", ""),
    (MIDDLE, "strike '[-]-restore-domain'", ""),
    (MIDDLE, "strike '[m]igrate-receive$'", ""),
    (MIDDLE, "xl destroy {name}--incoming", ""),
)


def receiver(stand, text):
    stand.dom0.write("/run/lab/receiver", f". /run/lab/shell\n{text}\n")


def migrate_faults(lab, name):
    stand = Stand(lab, name)
    none = stand.counts()
    stand.start()
    before = None
    for text, act, words in STAYS:
        what = f"{text}; {act}"
        receiver(stand, text)
        now = act if text == MIDDLE else "touch stopped"
        stand.fails(words, stand.fault(MIGRATE, now, "" if now == act else "touch stopped"), what)
        stand.destroy(f"{name}--incoming")
        stand.runs_here()
        # The first one leaves the guest with tables of small pages, which are used again.
        before = before or stand.counts()
        stand.nothing_left(before, what)
    sender_killed(stand, before)
    handshake_cut(stand, before)
    stand.destroy()
    stand.nothing_left(none, "all of it")


def sender_killed(stand, before):
    """While the guest still runs: it goes on. Behind that: it is stopped, and goes on when it is asked to."""
    name = stand.name
    receiver(stand, MIDDLE)
    stand.fault(MIGRATE, "kill -9 $x", "")
    stand.dom0.wait_for(f"! xl domid {name}--incoming", 60)
    stand.runs_here()
    receiver(stand, ARRIVED)
    stand.fault(MIGRATE, "kill -9 $x", "")
    stand.dom0.wait_for(f"! xl domid {name}--incoming", 60)
    stand.run(f"xl save -c {name} /dev/null 2>&1", 200)
    stand.runs_here()
    stand.nothing_left(before, "the sender killed")


def handshake_cut(stand, before):
    """What the receiver has is gone when it has said that it is ready: the guest runs nowhere, and goes on where the
    user says."""
    name = stand.name
    for act in ("strike '[m]igrate-receive$'", "xl destroy {name}--incoming"):
        receiver(stand, ARRIVED)
        stand.fails("final handshake", stand.fault(MIGRATE, act, ""), act)
        stand.destroy(f"{name}--incoming")
        stand.dom0.run(f"xl rename {name}--migratedaway {name}")
        stand.run(f"xl save -c {name} /dev/null 2>&1", 200)
        stand.runs_here()
        stand.nothing_left(before, act)


@case(order=49, group="faults", limit_s=1200, combos=("product",))
def test_faults_migrate_pvh(lab):
    """A migration's ends and helpers are killed while memory is sent, and when all has come."""
    migrate_faults(lab, "pvh")


@case(order=49, group="faults", limit_s=1200, combos=("product",))
def test_faults_migrate_hvm(lab):
    """The same with a device model."""
    migrate_faults(lab, "hvm")


def in_a_row(lab, name, times):
    stand = Stand(lab, name)
    none = stand.counts()
    stand.start()
    receiver(stand, "xl migrate-receive")
    moves = f"xl migrate -s '' {name} 'xl migrate-receive' > out 2>&1 || {{ cat out; exit 1; }}"
    check(stand.run(moves)[0] == 0, "the first one fails")
    before = stand.counts()
    for _ in range(times):
        status, text = stand.run(moves)
        check(status == 0, text[-600:])
    stand.runs_here()
    stand.nothing_left(before, f"{times} migrations")
    stand.destroy()
    stand.nothing_left(none, "all of it")


@case(order=49, group="faults", limit_s=1500, combos=("product",))
def test_migrate_often_pvh(lab):
    """So many migrations in a row leave as little behind as one."""
    in_a_row(lab, "pvh", TIMES)


@case(order=49, group="faults", limit_s=1500, combos=("product",))
def test_migrate_often_hvm(lab):
    """The same with a device model."""
    in_a_row(lab, "hvm", TIMES)
