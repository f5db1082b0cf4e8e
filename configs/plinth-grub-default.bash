# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for plinth-grub-default(8)

complete -W 'on off status --root --help' plinth-grub-default
