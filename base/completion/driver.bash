# Fills COMPREPLY with what of the kind $1 begins with $2; $3: the program, $4: the pipeline
# file on the line, $5: the word in front.
_tundish_fill() {
    local name
    case $1 in
        @path) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
        @folder) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
        @file-stage) if [ -n "$4" ]; then _tundish_fill @stage "$2" "$3" "$4"; else _tundish_fill @path "$2"; fi ;;
        @stage)
            [ -n "$4" ] || return 0
            while IFS= read -r name; do
                [[ $name == "$2"* ]] && COMPREPLY+=("$(printf %q "$name")")
            done < <("$3" graph --format names -- "$4" 2>/dev/null)
            ;;
        @command)
            name=$(_tundish_words "$5")
            mapfile -t COMPREPLY < <(compgen -W "${name:-$(_tundish_words '')}" -- "$2") ;;
        @*) ;;
        *) mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2") ;;
    esac
    return 0
}
_tundish() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} name= rest=2 file= kind i
    COMPREPLY=()
    # --option=value comes as three words
    if [ "$cur" = = ]; then cur=; elif [ "$prev" = = ]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi
    if [ "$COMP_CWORD" -eq 1 ]; then _tundish_fill "$(_tundish_words '')" "$cur"; return 0; fi
    name=${COMP_WORDS[1]}
    if [ -n "$(_tundish_words "$name")" ]; then
        if [ "$COMP_CWORD" -eq 2 ]; then _tundish_fill "$(_tundish_words "$name")" "$cur"; return 0; fi
        name="$name ${COMP_WORDS[2]}"; rest=3
    fi
    for ((i = rest; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in *.yaml|*.yml) [ -f "${COMP_WORDS[i]}" ] && { file=${COMP_WORDS[i]}; break; } ;; esac
    done
    kind=$(_tundish_value "$name" "$prev")
    if [ -z "$kind" ]; then
        case $cur in -*) kind=$(_tundish_options "$name") ;; *) kind=$(_tundish_plain "$name") ;; esac
    fi
    _tundish_fill "$kind" "$cur" "${COMP_WORDS[0]}" "$file" "$prev"
}
complete -F _tundish tundish
