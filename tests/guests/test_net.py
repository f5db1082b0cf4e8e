# SPDX-License-Identifier: GPL-2.0-or-later
"""Network cards in HVM guests: iPXE from the card's ROM gets an address and a script by TFTP."""

from harness import HVM, case

COMBOS = ("product", "parts")
PXE = HVM + '''memory = 64
vcpus = 1
boot = "n"
device_model_args_hvm = [ "-netdev", "user,id=u0,tftp=/run/lab/tftp,bootfile=/hello.ipxe",
	"-device", "{model},netdev=u0", "-object", "filter-dump,id=d0,netdev=u0,file=/run/lab/{model}.pcap" ]
'''
SCRIPT = r'''#!ipxe
echo script-by-tftp for ${net0/mac} at ${net0/ip}
prompt
'''


def boots_from_user_network(lab, model):
    lab.boot()
    lab.dom0.run("mkdir -p /run/lab/tftp")
    lab.dom0.write("/run/lab/tftp/hello.ipxe", SCRIPT)
    guest = lab.create_text(PXE.format(model=model), model.replace("_", "-"))
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
