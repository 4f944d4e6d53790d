# count.awk - reads the JUnit file that ctest writes and counts tests
#
# A Criterion program counts as many tests as it ran, any other program as one. A program that ctest calls failed though
# each of its tests passed (a leak, a time-out) counts one failure more. Prints each failed program and each skipped test
# with its reason, then a last line: PASSED FAILED SKIPPED.

function finish() {
    if (name == "")
        return
    if (status == "run" && !criterion)
        passed++
    if (status == "fail" && inner_failed == 0)
        failed++
    if (status == "fail")
        print "failed: " name
    if (status == "disabled") {
        skipped++
        print "skipped: " name ": disabled"
    }
    name = ""
}

/<testcase name=/ {
    finish()
    match($0, /name="[^"]*"/)
    name = substr($0, RSTART + 6, RLENGTH - 7)
    match($0, /status="[^"]*"/)
    status = substr($0, RSTART + 8, RLENGTH - 9)
    criterion = inner_failed = said = 0
    next
}

# ctest also calls "skipped" what it could not start at all; that is a failure.
/<skipped message=/ && status == "notrun" {
    said = !/SKIP_/
    if (said) {
        failed++
        print "failed: " name ": could not be started"
    } else
        skipped++
    next
}

# The first line that a skipping program printed is its reason.
status == "notrun" && !said && /<system-out>/ {
    sub(/.*<system-out>/, "")
    sub(/<\/system-out>.*/, "")
    print "skipped: " name ": " $0
    said = 1
}

/^\[SKIP\] / {
    skipped++
    print "skipped: " name ": " substr($0, 8)
}

/^\[====\] Synthesis: Tested: [0-9]+ / {
    criterion = 1
    passed += $7
    inner_failed = $4 - $7
    failed += inner_failed
}

END {
    finish()
    print passed + 0, failed + 0, skipped + 0
}
