# bash completion of nt. Install as /usr/share/bash-completion/completions/nt, or source it.
_nt() {
    local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]-}
    local verbs='boot shutdown status load unload sc log obj pool modules handles exports ioctl gdb cc new help'

    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "$verbs" -- "$word"))
        return
    fi
    case $verb in
    boot) COMPREPLY=($(compgen -W '--foreground --address --state --drivers --memory --processors --patience --processes-per-user --bus --trace --echo' -- "$word")) ;;
    help) COMPREPLY=($(compgen -W "$verbs" -- "$word")) ;;
    load) COMPREPLY=($(compgen -f -X '!*.@(so|sys)' -- "$word") $(compgen -W 'sharingmemory example systemmodules w2k_spy' -- "$word")) ;;
    unload) COMPREPLY=($(compgen -W "$(nt sc list 2>/dev/null | awk '{print $2}')" -- "$word")) ;;
    sc)
        if [ "$COMP_CWORD" -eq 2 ]; then
            COMPREPLY=($(compgen -W 'create start stop delete query list' -- "$word"))
        else
            COMPREPLY=($(compgen -W "$(nt sc list 2>/dev/null | awk '{print $2}')" -- "$word"))
        fi
        ;;
    log) COMPREPLY=($(compgen -W '-f --json' -- "$word")) ;;
    exports) COMPREPLY=($(compgen -W '--coverage --json' -- "$word")) ;;
    status | obj | pool | modules | handles) COMPREPLY=($(compgen -W '--json' -- "$word")) ;;
    cc) COMPREPLY=($(compgen -f -- "$word")) ;;
    esac
}
complete -F _nt nt
