# SPDX-License-Identifier: GPL-2.0-or-later
"""Confinement: what ends the process, that only it ends, and that a confined device model still works."""
import json
import os
import shutil
import signal
import socket
import subprocess
import time

from ide import Drive
from results import Skip
from qmp import Qmp
from test_process import Guest, drives
from test_storage import Machine
import pc as pc_module

FORBIDDEN = [("execve", 59), ("fork", 57), ("clone-process", 56), ("clone-newuser", 56), ("mmap-exec", 9),
             ("mprotect-exec", 10), ("socket-unix", 41), ("socket-inet", 41), ("socket-netlink", 41),
             ("ptrace", 101), ("setuid", 105), ("unshare", 272), ("kill", 62), ("tgkill", 234),
             ("unlink", 87), ("io_uring", 425), ("ioctl-tiocsti", 16), ("ioctl-privcmd-mmap", 16),
             ("ioctl-hypercall", 16), ("fchdir", 81), ("mount", 165), ("sigsys", 13), ("x32", 0x40000000)]


def helper(program):
    return os.path.join(os.path.dirname(program), "confine_call")


def call(program, mode, where, name):
    return subprocess.run([helper(program), mode, where, name], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60)


def test_forbidden_call_ends_process(program, work, _):
    for name, number in FORBIDDEN:
        r = call(program, "on", "main", name)
        assert r.returncode == -signal.SIGSYS, "%s: %s" % (name, r)
        assert "forbidden system call %d:" % number in r.stderr, "%s: %s" % (name, r.stderr)
        assert "alive" not in r.stdout, name
    r = call(program, "on", "main", "int80")  # another table of calls: no handler, no line
    assert r.returncode == -signal.SIGSYS and "alive" not in r.stdout, r


def test_filter_holds_in_threads(program, work, _):
    for where in ("old", "new"):
        r = call(program, "on", where, "execve")
        assert r.returncode == -signal.SIGSYS and "alive" not in r.stdout, "%s: %s" % (where, r)


def test_allowed_calls(program, work, _):
    for where in ("main", "old", "new"):
        assert call(program, "on", where, "nothing").stdout == "alive done\n", where
    for name in ("ioctl-dm-op", "ioctl-break"):
        assert call(program, "on", "main", name).stdout == "alive done\n", name
    assert call(program, "net", "main", "socket-inet").stdout == "alive done\n"
    for name in ("ioctl-map-grant", "open-write"):
        assert call(program, "keeper", "main", name).stdout == "alive done\n"
    for mode, name in (("on", "ioctl-map-grant"), ("net", "ioctl-map-grant"),
                       ("keeper", "ioctl-privcmd-mmap"), ("keeper", "socket-unix"),
                       ("keeper", "socket-inet"), ("keeper", "execve"), ("keeper", "ptrace")):
        assert call(program, mode, "main", name).returncode == -signal.SIGSYS, (mode, name)
    assert call(program, "net", "main", "socket-netlink").returncode == -signal.SIGSYS


def test_names_are_not_found(program, work, _):
    """What looks for a file fails and does not end the process: libraries try that at any time."""
    for name in ("open", "open-write", "open-create", "stat"):
        assert call(program, "on", "main", name).stdout == "alive EACCES\n", name
    assert call(program, "net", "main", "open").stdout == "alive done\n"
    for name in ("open-write", "open-create"):
        assert call(program, "net", "main", name).stdout == "alive EACCES\n", name


def test_log_mode(program, work, _):
    for name in ("execve", "socket-unix", "mmap-exec"):
        r = call(program, "log", "main", name)
        assert r.returncode == 0 and r.stdout == "alive EPERM\n", "%s: %s" % (name, r)
        assert "forbidden system call" in r.stderr and "it fails" in r.stderr


def status_of(pid, name):
    """One field of every thread's status."""
    found = []
    for tid in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/status" % (pid, tid)) as f:
            found += [line.split()[1] for line in f if line.startswith(name + ":")]
    return found


def limits_of(pid):
    with open("/proc/%d/limits" % pid) as f:
        return {line[:26].strip(): line[26:].split()[1] for line in f}


def filtered(guest):
    """The filter is the last step of start-up: the first answer may come before it."""
    guest.pc.wait(lambda: set(status_of(guest.pc.pid(), "Seccomp")) == {"2"}, "filter")


def test_on_by_default(program, work, images):
    g = Guest(program, work, images, ["-vnc", "127.0.0.1:40,to=99"])
    pid = g.pc.pid()
    filtered(g)
    assert set(status_of(pid, "NoNewPrivs")) == {"1"}
    limits = limits_of(pid)
    assert limits["Max core file size"] == "0"
    assert int(limits["Max open files"]) <= 4096
    assert limits["Max address space"] != "unlimited"
    if not os.geteuid():
        uid = str(1900000000 + 0x7ff0)
        for name, value in (("Uid", uid), ("Gid", uid), ("CapEff", "0" * 16), ("CapPrm", "0" * 16),
                            ("CapInh", "0" * 16)):
            assert set(status_of(pid, name)) == {value}, (name, status_of(pid, name))
        own_namespaces(pid)
    for fd in os.listdir("/proc/%d/fd" % pid):
        assert not os.path.isdir("/proc/%d/fd/%s" % (pid, fd)), "names can be looked up from an open folder"
    keeper = privileged_part(g)
    assert set(status_of(keeper, "Seccomp")) == {"2"}
    assert set(status_of(keeper, "NoNewPrivs")) == {"1"}
    if not os.geteuid():
        assert set(status_of(keeper, "CapPrm")) == {"0000000000000026"}, status_of(keeper, "CapPrm")
    g.pc.close()
    g.pc.wait(lambda: gone(keeper), "end of the privileged part")


def gone(pid):
    """Ended, whether or not somebody has asked how."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_keeper_killed(program, work, images):
    """Nothing confined outlives its privileged part, also when it does not look."""
    for stopped in (False, True):
        g = Guest(program, work, images)
        pid = g.pc.pid()
        filtered(g)
        if stopped:
            os.kill(pid, signal.SIGSTOP)
        os.kill(privileged_part(g), signal.SIGKILL)
        g.pc.wait(lambda: gone(pid), "end of the confined process")
        g.pc.proc.wait()


def test_told_to_end(program, work, images):
    """As libxl ends it: asked first, killed when it does not listen, and its status is the whole's."""
    g = Guest(program, work, images)
    pid = g.pc.pid()
    filtered(g)
    g.pc.proc.send_signal(signal.SIGHUP)
    assert g.pc.proc.wait(20) == 0 and gone(pid), g.pc.log()
    g = Guest(program, work, images)
    pid = g.pc.pid()
    filtered(g)
    os.kill(pid, signal.SIGSTOP)
    g.pc.proc.send_signal(signal.SIGHUP)
    assert g.pc.proc.wait(60) == 128 + signal.SIGKILL and gone(pid), g.pc.log()
    assert "plinth-dm-keep: error: the device model does not end: it is killed" in g.pc.log()


def test_log_is_kept(program, work, images):
    """The confined process has no descriptor of its log, and what it says too much is left out."""
    g = Guest(program, work, images)
    pid = g.pc.pid()
    filtered(g)
    for fd in os.listdir("/proc/%d/fd" % pid):
        assert os.readlink("/proc/%d/fd/%s" % (pid, fd)) != g.pc.log_path, fd
    pipe = os.open("/proc/%d/fd/2" % pid, os.O_WRONLY)
    before = os.path.getsize(g.pc.log_path)
    os.write(pipe, b"plinth-dm-keep: forged \x1b[2J\n")
    g.pc.wait(lambda: "\nplinth-dm-kee?: forged ?[2J\n" in g.pc.log(), "line")
    line = b"x" * 99 + b"\n"
    for _ in range(20000):
        os.write(pipe, line)
    os.close(pipe)
    g.pc.close()
    assert 400000 < os.path.getsize(g.pc.log_path) - before < 600000


def test_unprivileged(program, work, images):
    """Without root a test protocol's machine starts, and says so; a guest does not, and says what to do."""
    if os.geteuid():
        raise Skip("becoming another user takes root")
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    r = subprocess.run(nobody + [program, "-qtest", "stdio", "-m", "16"], input="",
                       capture_output=True, text=True, timeout=60)
    assert r.returncode == 0 and "confinement: not root" in r.stderr, r
    r = subprocess.run(nobody + [program, "-xen-domid", "1", "-xen-attach"], stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, timeout=60)
    assert r.returncode == 1 and "no private namespaces" in r.stderr and "-sandbox off" in r.stderr, r
    # Root without the capability, as in a container.
    r = subprocess.run(["setpriv", "--bounding-set", "-sys_admin", program, "-qtest", "stdio"],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert r.returncode == 1 and "no private namespaces" in r.stderr, r


def test_named_files(program, work, images):
    """Files that a command names are opened once for it; a folder, and what no command names, never."""
    g = Guest(program, work, images, ["-fda", floppy(work, "a.img")])
    filtered(g)
    m, other = g.monitor, floppy(work, "b.img")
    m.run("blockdev-change-medium", id="floppy0", filename=other, format="raw")
    for name in ("/etc", "/dev/null", "/nonexistent"):
        reply = m.raw('{"execute": "blockdev-change-medium", "arguments": '
                      '{"id": "ide-5632", "filename": "%s"}}' % name)
        assert "error" in reply, name
    base = os.path.join(work, "base.raw")
    with open(base, "wb") as f:
        f.write(images.cd)
    over = qcow2_images(base, work)
    m.run("blockdev-change-medium", id="ide-5632", filename=over, format="qcow2")
    data = Drive(g.pc, 1, 0)
    data.packet_in([0])
    m.run("blockdev-change-medium", id="ide-5632", filename=over, format="raw")
    state = os.path.join(work, "by-name")
    m.run("stop")
    m.run("xen-save-devices-state", filename=state)
    assert os.path.getsize(state) > 1000
    assert "refuses" not in g.pc.log()
    # Commands come in any pieces, several at once, with white space and descriptors between them.
    text = '{"execute": "query-status", "id": 1}\n {"execute": "query-name", "id": 2}'
    for c in text[:60]:
        m.sock.sendall(c.encode())
    m.sock.sendall(text[60:].encode())
    assert [json.loads(m.file.readline())["id"] for _ in range(2)] == [1, 2]
    g.pc.close()


def writable(path):
    """By QEMU's tools, that is without asking us."""
    text = subprocess.run(["qemu-io", "-f", "raw", "-c", "write 0 512", path], capture_output=True, text=True,
                          check=False, timeout=60)
    return "lock" not in text.stdout + text.stderr


def test_media_are_locked(program, work, images):
    """By the privileged part, in the place of the confined one: a CD by name, by descriptor, a diskette; and let go."""
    if not shutil.which("qemu-io"):
        raise Skip("no qemu-io (package qemu-utils)")
    isos = []
    for name in ("one.iso", "two.iso"):
        isos.append(os.path.join(work, name))
        with open(isos[-1], "wb") as f:
            f.write(os.urandom(40 * 2048))
    g = Guest(program, work, images, ["-fda", floppy(work, "a.img")])
    filtered(g)
    m, other = g.monitor, floppy(work, "b.img")
    m.run("blockdev-change-medium", id="ide-5632", filename=isos[0], format="raw")
    assert not writable(isos[0]) and writable(isos[1])
    fd = os.open(isos[1], os.O_RDONLY)
    m.run("add-fd", fd=fd, fdset_id=5)
    os.close(fd)
    m.run("blockdev-change-medium", id="ide-5632", filename="/dev/fdset/5", format="raw")
    assert writable(isos[0]) and not writable(isos[1])
    m.run("remove-fd", fdset_id=5)
    m.run("eject", id="ide-5632", force=True)
    assert writable(isos[1])
    m.run("blockdev-change-medium", id="floppy0", filename=other, format="raw")
    assert not writable(other) and writable(os.path.join(work, "a.img"))
    # One that somebody writes to is refused, with the reason in the log.
    with subprocess.Popen(["qemu-io", "-f", "raw", isos[0]], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        writer.stdin.write(b"write 0 512\n")
        writer.stdin.flush()
        writer.stdout.readline()
        reply = m.raw('{"execute": "blockdev-change-medium", "arguments": {"id": "ide-5632", "filename": "%s"}}' % isos[0])
        assert "error" in reply and "writes to it" in g.pc.log(), reply
        writer.stdin.close()
    assert "refuses" not in g.pc.log()
    g.pc.close()


def test_header_change_is_said(program, work, images):
    """A qcow2 header that comes to name another file: the log says so, and nobody but its user changes the image."""
    over = os.path.join(work, "header.qcow2")
    base = os.path.join(work, "base.raw")
    if not shutil.which("qemu-img"):
        raise Skip("no qemu-img (package qemu-utils)")
    with open(base, "wb") as f:
        f.write(images.disk)
    for name, words in (("a backing file", ["-b", base, "-F", "raw", over]), ("none", [over, "16M"])):
        if os.path.exists(over):
            os.unlink(over)
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2"] + words, check=True)
        m = Machine(program, work, "file=%s,format=qcow2" % over)
        filtered(m)
        keeper = privileged_part(m)
        data = os.urandom(4096)
        m.write(64, data)
        with open(over, "r+b") as f:
            f.seek(8)
            f.write((4096).to_bytes(8, "big") + (11).to_bytes(4, "big"))
            f.seek(4096)
            f.write(b"/etc/shadow")
            f.seek(0)
            changed = f.read(65536)
        m.pc.proc.terminate()
        assert m.pc.proc.wait(20) == 0
        m.pc.wait(lambda: gone(keeper), "end of the privileged part")
        with open(over, "rb") as f:
            assert f.read(65536) == changed, name
        assert "came to name other files" in m.pc.log(), name
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", over, "16M"], check=True)
    # Nothing is said where nothing was changed.
    m = Machine(program, work, "file=%s,format=qcow2" % over)
    keeper = privileged_part(m)
    at = len(m.pc.log())
    m.write(0, os.urandom(4096))
    m.pc.close()
    m.pc.wait(lambda: gone(keeper), "end of the privileged part")
    assert "came to name" not in m.pc.log()[at:]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_serial_tcp(program, work, images):
    """Behind the filter: plain TCP, and telnet with its own bytes taken out; no host is this machine alone."""
    plain, telnet = free_port(), free_port()
    g = Guest(program, work, images, ["-serial", "tcp::%d,server,nowait" % plain,
                                      "-serial", "telnet:127.0.0.1:%d,server=on,wait=off" % telnet])
    filtered(g)
    with open("/proc/net/tcp") as f:
        assert " 0100007F:%04X " % plain in f.read(), "not on 127.0.0.1 alone"

    def talk(number, base, sent, received, first=b""):
        with socket.create_connection(("127.0.0.1", number), 20) as s:
            assert s.recv(len(first), socket.MSG_WAITALL) == first
            s.sendall(sent)
            for byte in received:
                g.pc.wait(lambda: g.pc.inp(base + 5) & 1, "received byte")
                assert g.pc.inp(base) == byte
                g.pc.step(2000000)
            assert not g.pc.inp(base + 5) & 1
            for byte in b"a\xffb":
                g.pc.out(base, byte)
                g.pc.step(2000000)
            want = b"a\xff\xffb" if first else b"a\xffb"
            assert s.recv(len(want), socket.MSG_WAITALL) == want
    talk(plain, 0x3f8, b"x\xff", b"x\xff")
    greeting = b"\xff\xfb\x01\xff\xfb\x03"
    talk(telnet, 0x2f8, b"\xff\xfd\x01\xff\xfa\x18\0vt\xff\xf0l\xff\xffs\r\0\r\n", b"l\xffs\r\r", greeting)
    talk(telnet, 0x2f8, b"\xff\xf1", b"", greeting)  # another time: it has not stayed in the middle of something


def test_serial_lines(program, work, images):
    """Behind the filter: a file, a pty with a break, a socket that somebody connects to later."""
    out, path = os.path.join(work, "serial.out"), os.path.join(work, "serial.sock")
    if os.path.exists(out):
        os.unlink(out)
    g = Guest(program, work, images, ["-serial", "file:" + out, "-serial", "pty", "-serial",
                                      "unix:%s,server=on,wait=off" % path])
    filtered(g)

    def send(port, c):
        g.pc.out(port, c)
        g.pc.step(2000000)
    for c in b"to the file":
        send(0x3f8, c)
    g.pc.wait(lambda: open(out, "rb").read() == b"to the file", "file")
    names = {c["label"]: c["filename"] for c in g.monitor.run("query-chardev")}
    with open(names["serial1"][len("pty:"):], "r+b", buffering=0) as pty:
        g.pc.step(1000000000)  # it looks for a peer now and then
        send(0x2f8, ord("x"))
        assert pty.read(1) == b"x"
        for lcr in (0x43, 3):
            send(0x2fb, lcr)
        send(0x2f8, ord("y"))
        assert b"y" in pty.read(8)
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(path)
        s.sendall(b"z")
        g.pc.wait(lambda: g.pc.inp(0x3ed) & 1, "received byte")
        assert g.pc.inp(0x3e8) == ord("z")
    g.pc.close()


def floppy(work, name):
    path = os.path.join(work, name)
    with open(path, "wb") as f:
        f.truncate(1440 * 1024)
    return path


def test_off(program, work, images):
    g = Guest(program, work, images, ["-sandbox", "off"])
    g.monitor.run("query-status")
    assert set(status_of(g.pc.pid(), "Seccomp")) == {"0"}
    g.pc.close()
    r = subprocess.run([program, "-qtest", "stdio", "-sandbox", "maybe"], stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, timeout=60)
    assert r.returncode == 1 and "known: on, off, log" in r.stderr


def qcow2_images(base, work):
    if not shutil.which("qemu-img"):
        raise Skip("no qemu-img (package qemu-utils)")
    over = os.path.join(work, "over.qcow2")
    if os.path.exists(over):
        os.unlink(over)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", over],
                   check=True)
    return over


def test_disks_and_state(program, work, images):
    """An overlay written by the pool's threads, another CD, saved and restored state: all filtered."""
    over = qcow2_images(images.disk_path, work)
    other = os.path.join(work, "other.iso")
    with open(other, "wb") as f:
        f.write(os.urandom(40 * 2048))
    argv = [a.replace("file=%s,if=ide,index=0,format=raw" % images.disk_path,
                      "file=%s,if=ide,index=0,format=qcow2" % over) for a in drives(images)]
    path = os.path.join(work, "qmp.sock")
    argv = [program] + argv + ["-qmp", "unix:" + path]
    pc = pc_module.Pc("plinth", argv, work)
    monitor = Qmp(path)
    drive = Drive(pc)
    assert drive.read_pio(0, 8) == images.disk[:8 * 512]
    data = os.urandom(512)
    drive.write_pio(3, data)
    assert drive.read_pio(3, 1) == data
    monitor.run("blockdev-change-medium", id="ide-5632", filename=other, format="raw")
    assert [b["inserted"]["file"] for b in monitor.run("query-block")
            if b["device"] == "ide-5632"] == [other]
    monitor.run("stop")
    state = os.path.join(work, "state")
    monitor.run("xen-save-devices-state", filename=state)
    pc.close()
    fd = os.open(state, os.O_RDONLY)
    argv = [a.replace(images.cd_path, other) for a in argv]
    pc = pc_module.Pc("plinth", argv + ["-incoming", "fd:%d" % fd], work, (fd,))
    os.close(fd)
    assert Drive(pc).read_pio(3, 1) == data
    pc.close()
    subprocess.run(["qemu-img", "check", "-q", over], check=True)


def namespaces(task):
    return {kind: os.readlink("/proc/%s/ns/%s" % (task, kind)) for kind in ("net", "ipc", "uts", "mnt")}


def own_namespaces(pid):
    """Of every thread."""
    own = namespaces("self")
    for tid in os.listdir("/proc/%d/task" % pid):
        theirs = namespaces("%d/task/%s" % (pid, tid))
        assert all(own[kind] != theirs[kind] for kind in own), (tid, theirs)
        assert not os.listdir("/proc/%d/task/%s/root" % (pid, tid))


def privileged_part(guest):
    """Its process id: the parent, with another name."""
    with open("/proc/%d/comm" % guest.pc.proc.pid) as f:
        assert f.read() == "plinth-dm-keep\n"
    with open("/proc/%d/comm" % guest.pc.pid()) as f:
        assert f.read() == "plinth-dm\n"
    return guest.pc.proc.pid


def test_as_libxl_restricts(program, work, images):
    """dm_restrict=1: an empty root directory, a user of its own, descriptors in the place of names."""
    if os.geteuid():
        raise Skip("changing root and user takes root")
    root = os.path.join(work, "root")
    os.makedirs(root, exist_ok=True)
    g = Guest(program, work, images,
              ["-xen-domid-restrict", "-chroot", root, "-runas", "65530:65530", "-S", "-sandbox",
               "on,obsolete=deny,elevateprivileges=allow,spawn=deny,resourcecontrol=deny"])
    pid = g.pc.pid()
    filtered(g)
    assert not os.listdir("/proc/%d/root" % pid)
    for name in ("Uid", "Gid"):
        assert set(status_of(pid, name)) == {"65530"}, name
    assert set(status_of(pid, "CapEff")) == {"0000000000000000"}
    own_namespaces(pid)
    g.monitor.run("cont")
    assert Drive(g.pc).read_pio(0, 4) == images.disk[:4 * 512]
    fd = os.open(images.cd_path, os.O_RDONLY)
    added = g.monitor.run("add-fd", fd=fd, fdset_id=5, opaque="ro:cd")
    os.close(fd)
    assert added["fdset-id"] == 5
    g.monitor.run("blockdev-change-medium", id="ide-5632", filename="/dev/fdset/5", format="raw")
    # Also by a name outside its root directory: the monitor may say so.
    g.monitor.run("blockdev-change-medium", id="ide-5632", filename=images.cd_path, format="raw")
    state = os.path.join(work, "restricted")
    fd = os.open(state, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    g.monitor.run("add-fd", fd=fd, fdset_id=6, opaque="state")
    os.close(fd)
    g.monitor.run("stop")
    g.monitor.run("xen-save-devices-state", filename="/dev/fdset/6")
    assert os.path.getsize(state) > 1000
    g.pc.close()


def test_death_is_alone(program, work, images):
    """Two device models: one gets the signal of a forbidden call and ends as by one, the other goes on."""
    os.makedirs(os.path.join(work, "second"), exist_ok=True)
    first = Guest(program, work, images, ["-serial", "null"])
    second = pc_module.Pc("plinth", [program, "-m", "16"], os.path.join(work, "second"))
    filtered(first)
    os.kill(first.pc.pid(), signal.SIGSYS)
    end = time.monotonic() + 20
    while first.pc.proc.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    assert first.pc.proc.returncode == 128 + signal.SIGSYS, first.pc.proc.returncode
    assert second.config_read(0, 0, 0) == 0x12378086
    second.close()


TESTS = [test_forbidden_call_ends_process, test_filter_holds_in_threads, test_allowed_calls,
         test_names_are_not_found, test_log_mode, test_keeper_killed, test_told_to_end,
         test_log_is_kept, test_unprivileged, test_named_files,
         test_media_are_locked, test_header_change_is_said, test_serial_lines,
         test_on_by_default, test_off, test_disks_and_state, test_as_libxl_restricts, test_death_is_alone]
