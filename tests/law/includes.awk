# includes.awk - the includes of the tree against layers.txt
#
# Input: layers.txt, then the names of all files, then code.awk's output. An include in quotes is looked for from the
# top folder, then beside the file; <drover/...> in the folders of public headers; any other is a system's or a library's.

# The row of layers.txt that a file belongs to, or "".
function layer(file, folder)
{
    folder = file
    while (sub(/\/[^\/]*$/, "", folder))
        if (folder in allowed)
            return folder
    return ""
}

# The file of the tree that an include means: "" for none of ours, "?" for one of ours that is missing.
function target(name, quoted, file, beside, i)
{
    if (quoted) {
        beside = file
        sub(/[^\/]*$/, "", beside)
        if (name in exists)
            return name
        return (beside name) in exists ? beside name : "?"
    }
    if (name !~ /^drover\//)
        return ""
    for (i = 1; i <= public_count; i++)
        if ((public[i] "/" name) in exists)
            return public[i] "/" name
    return "?"
}

FILENAME == layers {
    sub(/#.*/, "")
    if (NF == 0)
        next
    allowed[$1] = ""
    for (i = 2; i <= NF; i++)
        allowed[$1] = allowed[$1] " " $i
    allowed[$1] = allowed[$1] " " $1 " "
    if ($1 ~ /\/include$/)
        public[++public_count] = $1
    next
}

FILENAME == files {
    exists[$0] = 1
    if (layer($0) == "")
        print $0 ":1: folder without a row in tests/law/layers.txt"
    next
}

match($0, /:[ \t]*#[ \t]*include[ \t]*/) {
    place = substr($0, 1, RSTART - 1)
    name = substr($0, RSTART + RLENGTH)
    quoted = name ~ /^"/
    name = substr(name, 2, length(name) - 2)
    file = place
    sub(/:[0-9]+$/, "", file)
    found = target(name, quoted, file)
    from = layer(file)
    to = layer(found)
    if (from == "")
        next # said above
    if (found == "?")
        print place ": includes " name ", which is not in the tree"
    else if (found != "" && index(allowed[from], " * ") == 0 && index(allowed[from], " " to " ") == 0)
        print place ": " from " must not use " to " (" name ")"
}
