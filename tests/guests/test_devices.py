# SPDX-License-Identifier: GPL-2.0-or-later
"""Emulated devices as Debian's stock drivers see them: network cards, CD change, USB, keyboard.

One guest serves the cases of a group: Debian 12 from its IDE disk, one network card on dom0's bridge by the
hotplug script vif-bridge, another routed by vif-route, a CD, disks of every spelling, a USB tablet and keyboard.
"""

import re

from harness import HVM, Guest, case, check
import vnc

COMBOS = ("product", "parts")
CONFIG = HVM + '''memory = 384
vcpus = 1
disk = [ "tap:aio:/guests/debian.img,hda,w", "file:/guests/rescue.iso,hdc:cdrom,r", "phy:/dev/lab-phy,hdd,w" ]
boot = "c"
serial = "pty"
usb = 1
usbdevice = [ "tablet", "keyboard" ]
vif = [ "bridge=xenbr0,model=rtl8139,mac=00:16:3e:01:02:03",
	"model=ne2k_pci,script=vif-route,ip=10.0.9.2,gatewaydev=xenbr0" ]
'''
# A disk that our device model alone can have: qemu-xen refuses a serial number beside -drive.
TRIM = '''device_model_args_hvm = [ "-drive",
	"file=/run/lab/trim.img,if=ide,index=1,format=raw,discard=unmap,serial=LAB-TRIM" ]
'''
# driver: address of the guest, of dom0, port
CARDS = {"8139cp": ("10.0.8.2", "10.0.8.1", 7200), "ne2k-pci": ("10.0.9.2", "10.0.9.1", 7200)}
TRANSFER_MIB = 4
SPARE_MIB = 16
# Every printable key of an American keyboard, in two lines of which the tty's editor changes nothing.
TYPED = "The quick brown fox jumps over the lazy dog 0123456789\n~!@#$%^&*()_+{}|:\"<>? `-=[]\\;',./"
# What the guest sends is summed; what it gets is random, too.
SERVERS = f'''[ ! -e /run/lab/source ] || exit 0
ip addr add 10.0.8.1/24 dev xenbr0; ip addr add 10.0.9.1/24 dev xenbr0
head -c {TRANSFER_MIB << 20} /dev/urandom > /run/lab/source
echo 'head -c {TRANSFER_MIB << 20} | cksum' > /run/lab/sink
setsid socat TCP-LISTEN:7200,fork,reuseaddr EXEC:"bash /run/lab/sink" >/dev/null 2>&1 &
setsid socat -U TCP-LISTEN:7201,fork,reuseaddr OPEN:/run/lab/source,rdonly >/dev/null 2>&1 &
'''

VNC_OPTIONS = HVM.replace("127.0.0.1", "127.0.0.1:3,websocket=on") + '''memory = 64
vcpus = 1
vncpasswd = "geheim"
'''
# RFC 6143, 7.1.2: how many security types there are, and which: VNC's password (2) alone.
VNC_TYPES = r'''exec 3<> /dev/tcp/127.0.0.1/5903
head -c 12 <&3
printf 'RFB 003.008\n' >&3
head -c 2 <&3 | od -An -tu1
'''
# Another guest of the kind: a mouse, and a client with a German keyboard.
MOUSE = CONFIG.replace("tablet", "mouse") + 'keymap = "de"\n'
UPGRADE = "\r\n".join(("GET / HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
                       "Sec-WebSocket-Protocol: binary", "", ""))


def debian(lab, name="devices", config=CONFIG + TRIM, dm=None):
    """The guest at its prompt, from the previous case if it is still there."""
    dom0 = lab.boot(guests=True)
    status, number = dom0.command(f"xl domid {name} 2>/dev/null")
    if status == 0:
        return Guest(lab, name, int(number))
    dom0.run(f"mkdir -p /run/lab; rm -f /run/lab/{name}.serial; [ -e /run/lab/phy.img ] || "
             f"{{ truncate -s {SPARE_MIB}M /run/lab/phy.img && "
             "ln -s $(losetup -f --show /run/lab/phy.img) /dev/lab-phy; }; "
             f"rm -f /run/lab/trim.img; truncate -s {SPARE_MIB}M /run/lab/trim.img")
    guest = lab.create_text(config, name, dm)
    guest.wait_screen(r"root@debian:~#", 420)
    return guest


def transfers(guest, driver, limit_s=240):
    """Both directions over the card of a driver; the fields that lab-net printed."""
    address, peer, port = CARDS[driver]
    line = guest.serial_shell(f"lab-net {driver} {address} {peer} {port} {TRANSFER_MIB}",
                              f"^NET {driver}", limit_s)
    fields = dict(word.split("=", 1) for word in line.split() if "=" in word)
    check("send_kBps" in fields, f"lab-net says {line!r}")
    sums = guest.lab.dom0.run("cksum < /run/lab/source").split()
    check(fields["sent"] == fields["peer"], f"{driver}: what dom0 got differs: {line}")
    check(fields["got"] == ":".join(sums[:2]), f"{driver}: what the guest got differs: {line}")
    check(fields["links_lost"] == "0" and fields["errors"] == "0" and fields["carrier"] == "1",
          f"{driver}: {line}")
    return fields


def cksum(dom0, text):
    """What cksum says of a file with this line."""
    dom0.write("/run/lab/typed", text + "\n")
    return dom0.run("cksum < /run/lab/typed").split()[0]


@case(order=47, group="devices", limit_s=900, combos=COMBOS)
def test_nic_transfers(lab):
    """4 MiB each way over both cards with Debian's drivers, on the bridge and routed; the MACs."""
    guest = debian(lab)
    lab.dom0.run(SERVERS)
    ports = lab.dom0.run("ls /sys/class/net/xenbr0/brif").split()
    check(f"vif{guest.number}.0-emu" in ports, f"on the bridge: {ports}")
    routes = lab.dom0.run("ip route show 10.0.9.2")
    check(f"dev vif{guest.number}.1-emu" in routes, f"routes to the guest: {routes}")
    fields = transfers(guest, "8139cp")
    check(fields["mac"] == "00:16:3e:01:02:03", f"MAC {fields['mac']}")
    fields = transfers(guest, "ne2k-pci")
    check(re.fullmatch(r"00:16:3e(:[0-9a-f]{2}){3}", fields["mac"]), f"MAC {fields['mac']}")


@case(order=48, group="devices", limit_s=700, combos=COMBOS)
def test_cd_change(lab):
    """xl cd-eject and cd-insert while Debian runs: it sees no medium, then the other one."""
    guest = debian(lab)
    label = "blkid -p -o value -s LABEL /dev/sr0"
    guest.serial_shell(f'echo CD-1 "$({label})"', "^CD-1 ISOIMAGE", 60)
    # Debian's udev locks a medium; the first try only asks it to open the tray.
    lab.dom0.wait_for(f"xl cd-eject {guest.name} hdc", 60, 3)
    guest.serial_shell(f'echo CD-2 "$({label} 2>&1)" end', "^CD-2 .*end", 60)
    # On a slow machine udev's lock for the first medium comes only now.
    lab.dom0.wait_for(f"xl cd-insert {guest.name} hdc /guests/memtest.iso", 60, 3)
    guest.serial_shell(f"until {label} | grep MT86PLUS; do sleep 1; done; echo CD-3", "^CD-3", 120)


def input_events(guest, tag, device, steps):
    """What the guest's input devices of a name report, a list of (kind, code, value); kinds are key, rel and abs.

    A step is what to do with the VNC connection, and how many events the guest must have got of it before the next:
    it may see two positions as one. Keys that the guest's kernel repeats do not count.
    """
    log, line = f"/run/lab/{guest.name}.serial", rf"^{tag} (key [0-9]+ [01]|(rel|abs) [0-9]+ -?[0-9]+) "
    # The prompt may be there before udev has found the device.
    guest.serial_shell(f"until cat /sys/class/input/event*/device/name | grep -q \"{device}\"; do sleep 1; done; "
                       f"lab-input {tag} \"{device}\" 2", f"^{tag} ready .", 120)
    total = 0
    with vnc.Vnc(guest.vnc_port()) as link:
        link.screen()
        for action, count in steps:
            action(link)
            total += count
            guest.lab.dom0.wait_for(f"[ $(grep -acE '{line}' {log}) -ge {total} ]", 120, 0.2)
        guest.serial_shell("that is all", f"^{tag} end", 120)
    text = guest.lab.dom0.run(f"tr -d '\\r' < {log}")
    found = (match[1].split() for match in re.finditer(line, text, re.M))
    return [(kind, int(code), int(value)) for kind, code, value in found]


def put(x, y, buttons=0):
    """Move the pointer."""
    return lambda link: link.pointer(x, y, buttons)


# Linux's codes (input-event-codes.h).
BTN_LEFT, BTN_RIGHT, BTN_MIDDLE, ABS_X, ABS_Y, REL_WHEEL = 272, 273, 274, 0, 1, 8
KEY_Y, KEY_LEFTBRACE, KEY_Z = 21, 26, 44


@case(order=48, group="devices", limit_s=700, combos=COMBOS)
def test_disk_spellings(lab):
    """phy: and a drive in the device model's own arguments: data, serial numbers, TRIM."""
    guest = debian(lab)
    phy = "/dev/disk/by-id/ata-*_PL00004"
    guest.serial_shell(f"head -c 4M /dev/urandom > /dev/shm/r; dd if=/dev/shm/r of=$(readlink -f {phy}) conv=fsync; "
                       "echo PHY $(cksum < /dev/shm/r)", "^PHY [0-9]", 90)
    line = guest.serial_shell(None, "^PHY [0-9]", 10)
    check(line.split()[1:] == lab.dom0.run("head -c 4194304 /dev/lab-phy | cksum").split(), f"phy: {line}")
    guest.serial_shell("d=$(readlink -f /dev/disk/by-id/ata-*_LAB-TRIM); dd if=/dev/urandom of=$d bs=1M count=8 "
                       "conv=fsync 2>&1; echo TRIM-1 $d end", "^TRIM-1 /dev/sd. end", 90)
    used = "du -k /run/lab/trim.img | cut -f1"
    check(int(lab.dom0.run(used)) >= 8192, "the written sectors are not in the image")
    guest.serial_shell("blkdiscard -f $d; echo TRIM-2 $?", "^TRIM-2 0", 60)
    check(int(lab.dom0.run(used)) < 1024, "the host has not got the trimmed space back")


@case(order=49, group="devices", limit_s=700, combos=COMBOS)
def test_usb_tablet(lab):
    """The pointer of VNC arrives at Linux's input layer where it was put; buttons and wheel, too."""
    guest = debian(lab)
    places = ((0, 0), (100, 50), (360, 200), (719, 399))

    def text_mode(link):
        check((link.width, link.height) == (720, 400), "not the text mode that the places are for")

    # Of the wheel Linux tells notches and parts of them, and not that its button is up.
    events = input_events(guest, "TABLET", "USB Tablet", [(text_mode, 0)]
                          + [(put(x, y), 2) for x, y in places[1:] + places[:1]]
                          + [(put(0, 0, buttons), 1) for buttons in (1, 0, 2, 0, 4, 0)]
                          + [(put(0, 0, buttons), count) for buttons, count in ((8, 2), (0, 0), (16, 2), (0, 0))])
    for axis, code, size in ((0, ABS_X, 720), (1, ABS_Y, 400)):
        seen = [value for kind, number, value in events if (kind, number) == ("abs", code)]
        wanted = [place[axis] * 0x7fff / (size - 1) for place in places[1:] + places[:1]]
        check(len(seen) == len(wanted) and all(abs(a - b) <= 1 for a, b in zip(seen, wanted)),
              f"axis {axis}: {seen}, not {wanted}")
    others = [event for event in events if event[0] != "abs" and event[1] <= BTN_MIDDLE]
    others = [event for event in others if event[0] == "key" or event[1] == REL_WHEEL]
    buttons = [("key", code, value) for code in (BTN_LEFT, BTN_MIDDLE, BTN_RIGHT) for value in (1, 0)]
    check(others == buttons + [("rel", REL_WHEEL, 1), ("rel", REL_WHEEL, -1)], f"buttons: {others}")


def typed_text(guest, tag, text):
    """Type text at the guest's VGA console into a file, and read that when its end was seen there."""
    # The kernel would repeat a key that is up soon if the guest stands still meanwhile (DECARM).
    guest.serial_shell(f"printf \"\\033[?8l\" > /dev/tty1; echo {tag}-ONCE", f"^{tag}-ONCE", 60)
    guest.type(f"cat > /dev/shm/{tag}; touch /dev/shm/{tag}-END\n{text}\n")
    with vnc.Vnc(guest.vnc_port()) as link:
        link.press("control", "d")
    return guest.serial_shell(
        f"until [ -e /dev/shm/{tag}-END ]; do sleep 1; done; echo {tag} $(cksum < /dev/shm/{tag})",
        f"^{tag} [0-9]", 240)


@case(order=50, group="devices", limit_s=700, combos=COMBOS)
def test_keyboards(lab):
    """Text through VNC into a file: over the USB keyboard, and over PS/2 once Linux has let go of that."""
    guest = debian(lab)
    for tag, device in (("USBKEYS", "USB Keyboard"), ("PS2KEYS", "AT Translated Set 2 keyboard")):
        events = input_events(guest, tag, device, [(lambda link: link.press("shift"), 2)])
        check(events == [("key", 42, 1), ("key", 42, 0)], f"{device}: {events}")
        line = typed_text(guest, tag + "T", TYPED)
        check(line.split()[1] == cksum(lab.dom0, TYPED), f"{device}: {line}")
        guest.serial_shell("cd /sys/bus/usb/drivers/usb; for d in [0-9]*; do grep -q Keyboard $d/product && "
                           f"echo $d > unbind; done; cd; echo {tag}-GONE", f"^{tag}-GONE", 60)
    guest.destroy()


@case(order=51, group="devices", limit_s=700, combos=COMBOS)
def test_usb_mouse(lab):
    """A USB mouse instead of the tablet: relative motion."""
    guest = debian(lab, "mouse", MOUSE)
    # The first position only says where the pointer is.
    events = input_events(guest, "MOUSE", "USB Mouse", [
        (put(100, 100), 0), (put(110, 95), 2), (put(107, 115), 2), (put(107, 115, 1), 1), (put(107, 115), 1)])
    check(events == [
        ("rel", 0, 10), ("rel", 1, -5), ("rel", 0, -3), ("rel", 1, 20),
        ("key", BTN_LEFT, 1), ("key", BTN_LEFT, 0)], f"the mouse says {events}")


@case(order=52, group="devices", limit_s=700, combos=COMBOS)
def test_keymap(lab):
    """keymap="de": what a client calls z, y and u-umlaut are the keys that carry these letters there."""
    guest = debian(lab, "mouse", MOUSE)
    events = input_events(guest, "KEYMAP", "USB Keyboard", [(lambda link: [link.press(key) for key in "zy\u00fc"], 6)])
    pressed = [code for kind, code, value in events if kind == "key" and value == 1]
    check(pressed == [KEY_Y, KEY_Z, KEY_LEFTBRACE], f"the keys {pressed}")
    guest.destroy()


@case(order=53, group="vncoptions", limit_s=300, combos=("product", "parts"))
def test_vnc_options(lab):
    """vncpasswd= and a WebSocket from an xl configuration: what the server offers, and that it asks."""
    dom0 = lab.boot()
    guest = lab.create_text(VNC_OPTIONS, "vncoptions")
    dom0.write("/run/lab/vnc-types", VNC_TYPES)
    answer = dom0.run("timeout 20 bash /run/lab/vnc-types").split()
    check(answer == ["RFB", "003.008", "1", "2"], f"the server says {answer}")
    dom0.write("/run/lab/upgrade", UPGRADE)
    page = dom0.run("timeout 20 bash -c 'exec 3<>/dev/tcp/127.0.0.1/5703; cat /run/lab/upgrade >&3; head -n 5 <&3'")
    # The answer to this key is the example of RFC 6455, 1.3.
    check(" 101 " in page and "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in page, f"WebSocket: {page!r}")
    guest.destroy()


@case(order=53, group="devices", limit_s=2400, combos=COMBOS)
def test_nic_rates(lab):
    """The same transfers with qemu-xen's cards; the rates side by side."""
    rates = []
    for name, dm in (("ours", None), ("peer", "xen")):
        guest = debian(lab, name, CONFIG, dm)
        lab.dom0.run(SERVERS)
        for driver in CARDS:
            fields = transfers(guest, driver, 600)
            rates.append(f"{name} {driver} sends {fields['send_kBps']} kB/s, "
                         f"receives {fields['receive_kBps']} kB/s")
        guest.destroy()
    lab.note("; ".join(rates))
