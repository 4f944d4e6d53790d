# How drover makes its targets: every flag is a property of an interface target, none is global.

add_library(drover_flags INTERFACE)
target_compile_definitions(drover_flags INTERFACE _GNU_SOURCE DROVER_VERSION="${PROJECT_VERSION}")
target_include_directories(drover_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/common/include)
target_compile_options(drover_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wswitch-enum -Wvla -Wundef -Wformat=2 -fno-common
  -UNDEBUG # programming errors are asserted in release builds too
  $<$<BOOL:${DROVER_WERROR}>:-Werror>
  $<$<CONFIG:Release>:-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>)
target_link_options(drover_flags INTERFACE
  $<$<CONFIG:Release>:-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack>)
if(DROVER_SANITIZE)
  target_compile_options(drover_flags INTERFACE -fsanitize=${DROVER_SANITIZE}
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(drover_flags INTERFACE -fsanitize=${DROVER_SANITIZE})
endif()
if(DROVER_COVERAGE)
  target_compile_options(drover_flags INTERFACE --coverage)
  target_link_options(drover_flags INTERFACE --coverage)
  find_program(GCOVR gcovr)
  if(GCOVR)
    add_custom_target(coverage_report VERBATIM
      COMMAND ${GCOVR} --root ${CMAKE_SOURCE_DIR} --exclude tests/ --print-summary
              --html-details ${CMAKE_BINARY_DIR}/coverage.html ${CMAKE_BINARY_DIR})
  endif()
endif()

# drover_library(NAME SOURCES ... [LINK ...]): an internal static library; the includes start at the top folder.
function(drover_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC drover_flags ${ARG_LINK})
endfunction()

# drover_shared(NAME OUTPUT name SOURCES ... LINK ... INCLUDE dir): an installed library. Only what the installed headers
# mark DROVER_EXPORT is visible (tests/api compares the headers with the symbols of the libraries).
function(drover_shared name)
  cmake_parse_arguments(ARG "" "OUTPUT;INCLUDE" "SOURCES;LINK" ${ARGN})
  add_library(${name} SHARED ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES OUTPUT_NAME ${ARG_OUTPUT}
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
  target_link_libraries(${name} PRIVATE drover_flags ${ARG_LINK})
  target_include_directories(${name}
    PRIVATE ${ARG_INCLUDE}
    INTERFACE $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/common/include> $<BUILD_INTERFACE:${ARG_INCLUDE}>
              $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  if(NOT DROVER_SANITIZE)
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  endif()
endfunction()

# drover_program(NAME [OUTPUT name] SOURCES ... LINK ...): a program in build/<preset>/bin.
function(drover_program name)
  cmake_parse_arguments(ARG "" "OUTPUT" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE drover_flags ${ARG_LINK})
  set_target_properties(${name} PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  if(ARG_OUTPUT)
    set_target_properties(${name} PROPERTIES OUTPUT_NAME ${ARG_OUTPUT})
  endif()
endfunction()
