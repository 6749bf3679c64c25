# bash completion of xiaotud(8)
_xiaotud()
{
	local cur prev words cword
	_init_completion || return

	case $prev in
	-c | --config)
		_filedir
		return
		;;
	-s | --signal)
		COMPREPLY=($(compgen -W 'reload stop quit reopen upgrade' -- "$cur"))
		return
		;;
	esac
	COMPREPLY=($(compgen -W '-c --config -t --test -T --show -q --quiet -d --daemon
		-s --signal -V --version -h --help' -- "$cur"))
} &&
	complete -F _xiaotud xiaotud
