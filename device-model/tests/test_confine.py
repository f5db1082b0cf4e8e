# SPDX-License-Identifier: GPL-2.0-or-later
"""Confinement: what ends the process, that only it ends, and that a confined device model still works."""
import os
import shutil
import signal
import subprocess
import time

from ide import Drive
from results import Skip
from test_process import Guest, Monitor, drives
import pc as pc_module

FORBIDDEN = [("execve", 59), ("fork", 57), ("clone-process", 56), ("clone-newuser", 56), ("mmap-exec", 9),
             ("mprotect-exec", 10), ("socket-unix", 41), ("socket-inet", 41), ("socket-netlink", 41),
             ("ptrace", 101), ("setuid", 105), ("unshare", 272), ("kill", 62), ("tgkill", 234),
             ("unlink", 87), ("io_uring", 425), ("ioctl-tiocsti", 16), ("ioctl-privcmd-mmap", 16),
             ("sigsys", 13), ("x32", 0x40000000)]


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
    assert call(program, "on", "main", "ioctl-dm-op").stdout == "alive done\n"
    assert call(program, "net", "main", "socket-inet").stdout == "alive done\n"
    assert call(program, "grants", "main", "ioctl-map-grant").stdout == "alive done\n"
    for mode, name in (("on", "ioctl-map-grant"), ("grants", "ioctl-privcmd-mmap"),
                       ("grants", "socket-unix"), ("grants", "execve")):
        assert call(program, mode, "main", name).returncode == -signal.SIGSYS, (mode, name)
    assert call(program, "net", "main", "socket-netlink").returncode == -signal.SIGSYS


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
    guest.pc.wait(lambda: set(status_of(guest.pc.proc.pid, "Seccomp")) == {"2"}, "filter")


def test_on_by_default(program, work, images):
    g = Guest(program, work, images, ["-vnc", "127.0.0.1:40,to=99"])
    pid = g.pc.proc.pid
    filtered(g)
    assert len(status_of(pid, "Seccomp")) > 1, "the VNC library has a thread"
    assert set(status_of(pid, "NoNewPrivs")) == {"1"}
    limits = limits_of(pid)
    assert limits["Max core file size"] == "0"
    assert int(limits["Max open files"]) <= 4096
    assert limits["Max address space"] != "unlimited"
    g.pc.close()


def test_off(program, work, images):
    g = Guest(program, work, images, ["-sandbox", "off"])
    g.monitor.run("query-status")
    assert set(status_of(g.pc.proc.pid, "Seccomp")) == {"0"}
    g.pc.close()
    r = subprocess.run([program, "-qtest", "stdio", "-sandbox", "maybe"], stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, timeout=60)
    assert r.returncode == 1 and "known: on, off, log" in r.stderr


def qcow2_images(images, work):
    if not shutil.which("qemu-img"):
        raise Skip("no qemu-img (package qemu-utils)")
    over = os.path.join(work, "over.qcow2")
    if os.path.exists(over):
        os.unlink(over)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", images.disk_path, "-F", "raw", over],
                   check=True)
    return over


def test_disks_and_state(program, work, images):
    """An overlay written by the pool's threads, another CD, saved and restored state: all filtered."""
    over = qcow2_images(images, work)
    other = os.path.join(work, "other.iso")
    with open(other, "wb") as f:
        f.write(os.urandom(40 * 2048))
    argv = [a.replace("file=%s,if=ide,index=0,format=raw" % images.disk_path,
                      "file=%s,if=ide,index=0,format=qcow2" % over) for a in drives(images)]
    path = os.path.join(work, "qmp.sock")
    argv = [program] + argv + ["-qmp", "unix:" + path]
    pc = pc_module.Pc("plinth", argv, work)
    monitor = Monitor(path)
    monitor.run("qmp_capabilities")
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


def namespaces(pid):
    return {kind: os.readlink("/proc/%s/ns/%s" % (pid, kind)) for kind in ("net", "ipc", "uts")}


def test_as_libxl_restricts(program, work, images):
    """dm_restrict=1: an empty root, a user of its own, descriptors in the place of names."""
    if os.geteuid():
        raise Skip("changing root and user takes root")
    root = os.path.join(work, "root")
    os.makedirs(root, exist_ok=True)
    g = Guest(program, work, images,
              ["-xen-domid-restrict", "-chroot", root, "-runas", "65530:65530", "-S", "-sandbox",
               "on,obsolete=deny,elevateprivileges=allow,spawn=deny,resourcecontrol=deny"])
    pid = g.pc.proc.pid
    filtered(g)
    assert os.readlink("/proc/%d/root" % pid) == root
    for name in ("Uid", "Gid"):
        assert set(status_of(pid, name)) == {"65530"}, name
    assert set(status_of(pid, "CapEff")) == {"0000000000000000"}
    own, theirs = namespaces("self"), namespaces(pid)
    assert all(own[kind] != theirs[kind] for kind in own), theirs
    g.monitor.run("cont")
    assert Drive(g.pc).read_pio(0, 4) == images.disk[:4 * 512]
    fd = os.open(images.cd_path, os.O_RDONLY)
    added = g.monitor.run("add-fd", fd=fd, fdset_id=5, opaque="ro:cd")
    os.close(fd)
    assert added["fdset-id"] == 5
    g.monitor.run("blockdev-change-medium", id="ide-5632", filename="/dev/fdset/5", format="raw")
    reply = g.monitor.raw('{"execute": "blockdev-change-medium", "arguments": '
                          '{"id": "ide-5632", "filename": "%s"}}' % images.cd_path)
    assert "error" in reply, "a name outside its root was opened"
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
    first.pc.proc.send_signal(signal.SIGSYS)
    end = time.monotonic() + 20
    while first.pc.proc.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    assert first.pc.proc.returncode == -signal.SIGSYS, first.pc.proc.returncode
    assert second.config_read(0, 0, 0) == 0x12378086
    second.close()


TESTS = [test_forbidden_call_ends_process, test_filter_holds_in_threads, test_allowed_calls, test_log_mode,
         test_on_by_default, test_off, test_disks_and_state, test_as_libxl_restricts, test_death_is_alone]
