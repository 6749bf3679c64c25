# bash completion of xiaotuctl(8)
_xiaotuctl()
{
	local cur prev words cword i command= options='-s --socket -c --config --json -V --version -h --help'
	_init_completion || return

	case $prev in
	-s | --socket | -c | --config)
		_filedir
		return
		;;
	esac
	for ((i = 1; i < cword; i++)); do
		case ${words[i]} in
		-s | --socket | -c | --config) ((i++)) ;;
		-*) ;;
		*) command=${words[i]} ;;
		esac
	done
	[[ -n $command && $command != status ]] || options+=' --prometheus'
	if [[ -n $command || $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$options" -- "$cur"))
	else
		COMPREPLY=($(compgen -W 'status workers chats robots config reload reopen stop quit
			upgrade top' -- "$cur"))
	fi
} &&
	complete -F _xiaotuctl xiaotuctl
