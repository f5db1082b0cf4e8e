# SPDX-License-Identifier: GPL-2.0-or-later
"""Network boot of HVM guests: iPXE from the card's ROM, a script by TFTP, and Debian's installer.

The servers are libslirp's, inside the device model, and dnsmasq in dom0 on a bridge of its own: on xenbr0
the machine's emulator answers DHCP requests too.
"""

import time

from harness import HVM, Failure, case, check
import vnc

COMBOS = ("product", "parts")
PXE = HVM + '''memory = {memory}
vcpus = 1
boot = "n"
'''
USER = '''device_model_args_hvm = [ "-netdev", "user,id=u0,tftp={folder},bootfile={file}",
	"-device", "{model},netdev=u0", "-object", "filter-dump,id=d0,netdev=u0,file=/run/lab/{model}.pcap" ]
'''
BRIDGE = '''vif = [ "bridge=xenbr1,model={model}" ]
'''
SCRIPT = r'''#!ipxe
echo script-by-tftp for ${net0/mac} at ${net0/ip}
prompt
'''
DNSMASQ = '''ip link show xenbr1 >/dev/null 2>&1 || {
	ip link add xenbr1 type bridge && ip addr add 10.0.7.1/24 dev xenbr1 && ip link set xenbr1 up
}
mkdir -p /run/lab
[ -e /run/lab/dnsmasq.pid ] || dnsmasq --port=0 --interface=xenbr1 --bind-interfaces --user=root \\
	--dhcp-range=10.0.7.50,10.0.7.90,255.255.255.0 --dhcp-boot=pxelinux.0 --leasefile-ro \\
	--enable-tftp --tftp-root=/guests/netboot --pid-file=/run/lab/dnsmasq.pid \\
	--log-facility=/run/lab/dnsmasq.log --log-dhcp
'''
# The installer's menu, a picture of 640x480, has this many colours at least.
MENU_COLOURS = 500


def boots_from_user_network(lab, model):
    lab.boot()
    lab.dom0.run("mkdir -p /run/lab/tftp")
    lab.dom0.write("/run/lab/tftp/hello.ipxe", SCRIPT)
    config = PXE.format(memory=64) + USER.format(folder="/run/lab/tftp", file="/hello.ipxe", model=model)
    guest = lab.create_text(config, model.replace("_", "-"))
    guest.wait_screen(r"script-by-tftp for 00:16:3e:.* at 10\.0\.2\.15", 240)
    guest.destroy()
    lab.dom0.run(f"grep -aq 'hello.ipxe.octet' /run/lab/{model}.pcap")


@case(order=65, group="net", limit_s=400, combos=COMBOS)
def test_pxe_rtl8139(lab):
    """DHCP and TFTP of the user-mode network, without any set-up of the host."""
    boots_from_user_network(lab, "rtl8139")


@case(order=66, group="net", limit_s=400, combos=COMBOS)
def test_pxe_ne2k(lab):
    boots_from_user_network(lab, "ne2k_pci")


def wait_menu(guest, timeout_s):
    """Wait for the picture of the installer's boot menu."""
    end = time.monotonic() + timeout_s
    with vnc.Vnc(guest.vnc_port()) as link:
        screen = link.screen()
        while (screen.width, screen.height) != (640, 480) or screen.colours() < MENU_COLOURS:
            if time.monotonic() > end:
                screen.save_png(guest.lab.log_path(guest.name, "png"))
                raise Failure(f"no boot menu on {guest.name}'s screen in {timeout_s} s")
            link.update(1)
            screen = link.current()
        screen.save_png(guest.lab.log_path(f"{guest.name}-menu", "png"))


def installs(lab, network, model, limit_s=900):
    """Debian's netboot installer to its first dialog, at most limit_s after the boot menu."""
    config = PXE.format(memory=1024) + network.format(
        folder="/guests/netboot", file="/pxelinux.0", model=model)
    guest = lab.create_text(config, "installer-" + model.replace("_", "-"))
    wait_menu(guest, 240)
    # "boot:" instead of the menu: the dialog in the kernel's font, which can be read.
    guest.wait_screen(r"^boot:", 60, keys="\x1b")
    guest.wait_screen(r"^boot: install vga=normal fb=false", 60, keys="install vga=normal fb=false")
    guest.wait_screen(r"Select a language[\s\S]*English", limit_s, keys="\n")
    guest.destroy()


@case(order=67, group="installer", limit_s=1400, combos=COMBOS)
def test_installer_rtl8139(lab):
    """The installer by libslirp's DHCP and TFTP."""
    lab.boot(guests=True)
    installs(lab, USER, "rtl8139")


@case(order=68, group="installer", limit_s=2600, combos=("product",))
def test_installer_ne2k(lab):
    """iPXE reads each frame in 757 port accesses, so Xen would need hours."""
    lab.boot(guests=True)
    installs(lab, USER, "ne2k_pci", 2200)


@case(order=67, group="dnsmasq", limit_s=1400, combos=(*COMBOS, "peer"))
def test_installer_bridge_rtl8139(lab):
    """The installer by dnsmasq in dom0, over a tap device that vif-bridge puts on the bridge."""
    lab.boot(guests=True)
    lab.dom0.run(DNSMASQ)
    installs(lab, BRIDGE, "rtl8139")
    check("00:16:3e" in lab.dom0.run("cat /run/lab/dnsmasq.log"), "no made-up MAC in dnsmasq's log")


@case(order=68, group="dnsmasq", limit_s=2600, combos=("product",))
def test_installer_bridge_ne2k(lab):
    lab.boot(guests=True)
    lab.dom0.run(DNSMASQ)
    installs(lab, BRIDGE, "ne2k_pci", 2200)


@case(order=66, group="net", limit_s=400, combos=(*COMBOS, "peer"))
def test_pxe_no_server(lab):
    """A bridge where nobody answers: iPXE and the BIOS say so, and the guest stays."""
    dom0 = lab.boot()
    dom0.run("ip link add xenbr2 type bridge && ip link set xenbr2 up; mkdir -p /run/lab")
    guest = lab.create_text(PXE.format(memory=64) + 'vif = [ "bridge=xenbr2,model=rtl8139" ]\n', "alone")
    text = guest.wait_screen(r"No bootable device", 300)
    check("No configuration methods succeeded" in " ".join(text.split()), f"iPXE shows {text!r}")
    guest.destroy()
