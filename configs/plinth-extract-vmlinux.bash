# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for plinth-extract-vmlinux(1)

_plinth_extract_vmlinux()
{
	local word=${COMP_WORDS[COMP_CWORD]}

	if [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W '--gzip --update --help' -- "$word")
	elif [[ " ${COMP_WORDS[*]} " == *' --update '* ]]; then
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "${word:-/boot/vmlinuz-}")
	fi
}
complete -o filenames -F _plinth_extract_vmlinux plinth-extract-vmlinux
