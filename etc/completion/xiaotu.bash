# bash completion of xiaotu(1)
_xiaotu()
{
	local cur prev words cword split
	_init_completion -s -n : || return

	case $prev in
	-m | --message | -t | --timeout)
		return
		;;
	--ca-file | --cert | --key | --token-file)
		_filedir
		return
		;;
	-u | --user)
		COMPREPLY=($(compgen -u -- "$cur"))
		return
		;;
	esac
	$split && return
	case $cur in
	-*)
		COMPREPLY=($(compgen -W '-u --user= -m --message= -t --timeout= --json --raw --tls --ca-file= --cert= --key=
			--token-file=
			-V --version -h --help' -- "$cur"))
		[[ ${COMPREPLY-} == *= ]] && compopt -o nospace
		;;
	*:*) ;;
	*/*)
		_filedir
		;;
	*)
		_known_hosts_real -- "$cur"
		;;
	esac
} &&
	complete -F _xiaotu xiaotu
