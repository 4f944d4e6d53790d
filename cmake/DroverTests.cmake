# How drover makes its tests: one line a test.
#
# Labels: unit, wire, sim, law, api, fuzz (a corpus replayed), examples are fast and run by tests/run; system, install,
# stress and bench take longer and are run by .ci/run. Each test has a time limit and may end with 77: skipped.

if(DROVER_TESTS)
  pkg_check_modules(CRITERION REQUIRED IMPORTED_TARGET criterion)
endif()

# What fails a test whatever its exit status: a sanitizer's report (Criterion does not fail for a leak), and a Criterion
# program that has no test at all.
set(DROVER_FAIL_PATTERN
  "(ERROR|WARNING): [A-Za-z]+Sanitizer" "runtime error:" "Criterion v[0-9.]+[\r\n]+.====. Synthesis")

# drover_test_properties(NAME SECONDS): what every test has in common. Sanitizers take three times as long.
function(drover_test_properties name timeout)
  if(DROVER_SANITIZE)
    math(EXPR timeout "3 * ${timeout}")
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${timeout} FAIL_REGULAR_EXPRESSION "${DROVER_FAIL_PATTERN}"
    SKIP_RETURN_CODE 77)
endfunction()

# What test programs share: flags, where they land, how they find the sources and the programs they start.
function(drover_test_target name)
  target_link_libraries(${name} PRIVATE drover_flags)
  target_compile_definitions(${name} PRIVATE DROVER_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
    DROVER_BINARY_DIR="${CMAKE_BINARY_DIR}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endfunction()

# drover_unit_test(common/base/text LINK drover_base): tests/unit/common/base/test_text.c as ctest unit.common.base.text
function(drover_unit_test path)
  cmake_parse_arguments(ARG "" "TIMEOUT" "LINK;SOURCES" ${ARGN})
  get_filename_component(folder ${path} DIRECTORY)
  get_filename_component(file ${path} NAME)
  string(REPLACE "/" "." name "unit.${path}")
  add_executable(${name} ${CMAKE_SOURCE_DIR}/tests/unit/${folder}/test_${file}.c ${ARG_SOURCES})
  drover_test_target(${name})
  target_link_libraries(${name} PRIVATE PkgConfig::CRITERION ${ARG_LINK})
  # --verbose shows each skipped test with its reason; tests/count.awk counts them.
  add_test(NAME ${name} COMMAND ${name} -j2 --verbose=1)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  drover_test_properties(${name} ${ARG_TIMEOUT})
  set_tests_properties(${name} PROPERTIES LABELS unit)
endfunction()

# drover_program_test(NAME LABEL SOURCES ... LINK ... [ARGS ...] [TIMEOUT s]): a test that is a plain program.
function(drover_program_test name label)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;ARGS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  drover_test_target(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  add_test(NAME ${name} COMMAND ${name} ${ARG_ARGS})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  drover_test_properties(${name} ${ARG_TIMEOUT})
  set_tests_properties(${name} PROPERTIES LABELS ${label})
endfunction()

# drover_system_test(NAME [TIMEOUT s]): tests/system/test_NAME.c as ctest system.NAME: a Criterion program that starts real
# brokers. One test after the other, and nothing beside them: they measure how soon something happens.
function(drover_system_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "" ${ARGN})
  add_executable(system.${name} test_${name}.c)
  drover_test_target(system.${name})
  target_link_libraries(system.${name} PRIVATE system_rig PkgConfig::CRITERION)
  add_test(NAME system.${name} COMMAND system.${name} -j1 --verbose=1)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  drover_test_properties(system.${name} ${ARG_TIMEOUT})
  set_tests_properties(system.${name} PROPERTIES LABELS system RUN_SERIAL TRUE)
endfunction()
