# Adds what there is of the kind $1; $2: the pipeline file on the line, $3: the word in front.
_tundish_add() {
    local -a list
    local found
    case $1 in
        @path) _files ;;
        @folder) _files -/ ;;
        @file-stage) if [[ -n $2 ]]; then _tundish_add @stage "$2"; else _files; fi ;;
        @stage)
            [[ -n $2 ]] || return 1
            list=("${(@f)$($words[1] graph --format names -- $2 2>/dev/null)}")
            compadd -- $list ;;
        @command)
            found=$(_tundish_words "$3")
            compadd -- ${=found:-$(_tundish_words '')} ;;
        @*) return 1 ;;
        *) compadd -- ${=1} ;;
    esac
}
_tundish() {
    local name rest=3 file kind prev=$words[CURRENT-1] i
    local -a list
    if (( CURRENT == 2 )); then _tundish_add "$(_tundish_words '')"; return; fi
    name=$words[2]
    if [[ -n $(_tundish_words $name) ]]; then
        if (( CURRENT == 3 )); then _tundish_add "$(_tundish_words $name)"; return; fi
        name="$name $words[3]"; rest=4
    fi
    for (( i = rest; i < CURRENT; i++ )); do
        if [[ $words[i] == *.(yaml|yml) && -f $words[i] ]]; then file=$words[i]; break; fi
    done
    if [[ $PREFIX == --*=* ]]; then
        prev=${PREFIX%%=*}
        compset -P 1 '*='
    fi
    kind=$(_tundish_value $name $prev)
    if [[ -z $kind && $PREFIX == -* ]]; then
        list=("${(@f)$(_tundish_described $name)}")
        _describe -o option list
        return
    fi
    _tundish_add "${kind:-$(_tundish_plain $name)}" "$file" "$prev"
}
if [[ $funcstack[1] == _tundish ]]; then _tundish "$@"; else compdef _tundish tundish; fi
