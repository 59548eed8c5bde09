# Does the line begin with these words behind the program?
function __tundish_is
    set -l line (commandline -opc)
    test (count $line) -gt (count $argv); or return 1
    for i in (seq 1 (count $argv))
        set -l next (math $i + 1)
        test "$line[$next]" = "$argv[$i]"; or return 1
    end
end
# And is the next word the one at the cursor?
function __tundish_at
    test (count (commandline -opc)) -eq (math (count $argv) + 1); and __tundish_is $argv
end
function __tundish_file
    for word in (commandline -opc)
        string match -qr '\.ya?ml$' -- $word; and test -f $word; and echo $word; and return 0
    end
    return 1
end
function __tundish_stages
    set -l line (commandline -opc)
    set -l file (__tundish_file); and $line[1] graph --format names -- $file 2>/dev/null
end
complete -c tundish -f
