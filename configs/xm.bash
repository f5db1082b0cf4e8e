# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for xm(8): its own commands, then configurations for create, names of domains for others

_xm()
{
	local word=${COMP_WORDS[COMP_CWORD]}

	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$(xm --help | sed -n 's/^Of its own: //p' | tr -d ,)" -- "$word")
	elif [[ ${COMP_WORDS[1]} == create ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word"; cd /etc/xen 2> /dev/null && compgen -f -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -W "$(xl list 2> /dev/null | awk 'NR > 1 { print $1 }')" -- "$word")
	fi
}
complete -o filenames -F _xm xm
