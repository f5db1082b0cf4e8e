# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for plinth-libvirt-rule(8)

complete -W 'on off --root --help' plinth-libvirt-rule
