# code.awk - C without comments and without what stands in strings: `file:line:text`, empty lines left out
#
# What an #include names is kept.

# The code of one line; in_comment lives on from line to line.
function code(line, out, token, closed)
{
    out = ""
    while (line != "") {
        if (in_comment) {
            if (!match(line, /\*\//))
                return out
            line = substr(line, RSTART + 2)
            in_comment = 0
            continue
        }
        if (!match(line, /\/\*|\/\/|"|'/))
            return out line
        out = out substr(line, 1, RSTART - 1)
        token = substr(line, RSTART, RLENGTH)
        line = substr(line, RSTART + RLENGTH)
        if (token == "//")
            return out
        if (token == "/*") {
            in_comment = 1
            out = out " "
            continue
        }
        out = out token token
        closed = token == "'" ? match(line, /^([^'\\]|\\.)*'/) : match(line, /^([^"\\]|\\.)*"/)
        line = closed ? substr(line, RLENGTH + 1) : ""
    }
    return out
}

FNR == 1 {
    in_comment = 0
}

!in_comment && match($0, /^[ \t]*#[ \t]*include[ \t]*(<[^>]*>|"[^"]*")/) {
    print FILENAME ":" FNR ":" substr($0, 1, RLENGTH)
    next
}

{
    text = code($0)
    if (text ~ /[^ \t]/)
        print FILENAME ":" FNR ":" text
}
