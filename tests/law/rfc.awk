# rfc.awk - the tables of docs/rfc/1.md against the tables of the code
#
# Input: commands.def, header.def and status.def, then the RFC. A row of the code stands in the RFC as `| number | NAME |`
# and, for commands and statuses, all that the code says of it in further columns. A table of the RFC most of
# whose names are of one kind (commands, fields, statuses) is the table of that kind, and has no other names.

# The text of a cell: no blanks around it, no `marks`.
function cell(text)
{
    gsub(/[`*]/, "", text)
    gsub(/[ \t]+/, " ", text)
    sub(/^ /, "", text)
    sub(/ $/, "", text)
    return text
}

# An argument of a table of the code as the RFC writes it: A | FIELD_B -> A, B; nothing -> -
function argument(text)
{
    text = cell(text)
    gsub(/FIELD_/, "", text)
    gsub(/ ?\| ?/, ", ", text)
    return text == "0" ? "-" : text
}

# A row of the code: `text` is what stands behind the bracket that opens.
function learn(kind, text, place, summary, part, count, i, row, name)
{
    match(text, /"[^"]*"/)
    summary = substr(text, RSTART + 1, RLENGTH - 2)
    count = split(substr(text, 1, RSTART - 1), part, ",") - 1
    name = cell(part[1])
    row = "| " cell(part[2]) " | " name " |"
    for (i = 3; i <= count; i++)
        row = row " " argument(part[i]) " |"
    if (kind != "field")
        row = row " " summary " |"
    wanted[kind, name] = row
    where[kind, name] = place
    rows[kind]++
}

# The table of the RFC that ended is compared: lines `table_from` to `table_to`.
function compare(kind, most, i, name, k, known)
{
    for (k in rows) {
        known = 0
        for (i = 1; i <= table_rows; i++)
            known += (k, row_name[i]) in wanted
        if (2 * known > table_rows)
            kind = k
    }
    for (i = 1; i <= table_rows && kind != ""; i++) {
        name = row_name[i]
        if (!((kind, name) in wanted))
            print rfc ":" row_line[i] ": " kind " " name " is in no table of the code"
        else if (index(row_text[i], wanted[kind, name]) != 1)
            print rfc ":" row_line[i] ": " kind " " name " reads otherwise in " \
                where[kind, name] ": " wanted[kind, name]
        told[kind, name] = 1
    }
    table_rows = 0
}

FILENAME != rfc && match($0, /^(COMMAND|FIELD|DROVER_STATUS)\(/) {
    macro = substr($0, 1, RLENGTH - 1)
    text = ""
    first = FILENAME ":" FNR
}

FILENAME != rfc {
    if (macro == "")
        next
    text = text " " $0
    if (text !~ /"\)[ \t]*$/)
        next
    sub(/^[^(]*\(/, "", text)
    learn(macro == "COMMAND" ? "command" : macro == "FIELD" ? "field" : "status", text, first)
    macro = ""
    next
}

/^[ \t]*\|[ \t`*]*[0-9]+[ \t`*]*\|[ \t`*]*[A-Z][A-Z_]*[ \t`*]*\|/ {
    count = split($0, part, "|")
    row = "|"
    for (i = 2; i < count; i++)
        row = row " " cell(part[i]) " |"
    row_name[++table_rows] = cell(part[3])
    row_text[table_rows] = row
    row_line[table_rows] = FNR
    next
}

!/^[ \t]*\|/ {
    compare()
}

END {
    compare()
    for (key in wanted) {
        split(key, part, SUBSEP)
        if (!(key in told))
            print where[key] ": " part[1] " " part[2] " has no row in a table of " rfc ": " wanted[key]
    }
    if (!rows["command"] || !rows["field"] || !rows["status"])
        print rfc ":1: a table of the code was not understood"
}
