# What cmake --install puts where:
#
#   bin/                     drover-broker, drover-worker, drover
#   libexec/drover/          the helper programs that the broker and the command line start
#   lib/                     libdrover-client, libdrover-worker; lib/drover/drivers/: drivers, executables and modules
#   include/drover/          the public headers
#   lib/pkgconfig/           drover-client.pc, drover-worker.pc
#   lib/cmake/drover/        find_package(drover): drover::client, drover::worker
#   lib/systemd/system/      drover-broker.service
#   share/doc/drover/        README, sample configuration; share/man/: man pages (docs/CMakeLists.txt)
include(CMakePackageConfigHelpers)

set(DROVER_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/drover)

# drover_install_library(TARGET NAME DESCRIPTION HEADER-DIR): a library with its headers, its .pc file and its place in
# the CMake package as drover::NAME.
function(drover_install_library target name description headers)
  if(NOT TARGET ${target})
    return()
  endif()
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS ${target} EXPORT drover-targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY ${headers}/drover DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
  # The .pc file finds its prefix from where it lies, so an installed tree may be moved as a whole.
  file(RELATIVE_PATH up ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
  string(REGEX REPLACE "/$" "" PC_UP "${up}")
  set(PC_NAME drover-${name})
  set(PC_DESCRIPTION ${description})
  configure_file(${CMAKE_SOURCE_DIR}/cmake/drover.pc.in ${CMAKE_BINARY_DIR}/drover-${name}.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/drover-${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

drover_install_library(drover_client client "call services of a drover broker" ${CMAKE_SOURCE_DIR}/client/include)
drover_install_library(drover_worker_sdk worker "write drivers for drover" ${CMAKE_SOURCE_DIR}/worker/include)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/common/include/drover DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.def")

if(TARGET drover_client AND TARGET drover_worker_sdk)
  install(EXPORT drover-targets NAMESPACE drover:: DESTINATION ${DROVER_PACKAGE_DIR})
  configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/drover-config.cmake.in
    ${CMAKE_BINARY_DIR}/drover-config.cmake INSTALL_DESTINATION ${DROVER_PACKAGE_DIR}
    NO_SET_AND_CHECK_MACRO)
  write_basic_package_version_file(${CMAKE_BINARY_DIR}/drover-config-version.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${CMAKE_BINARY_DIR}/drover-config.cmake ${CMAKE_BINARY_DIR}/drover-config-version.cmake
    DESTINATION ${DROVER_PACKAGE_DIR})
endif()

foreach(program drover_broker drover_worker_program drover_cli)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()

configure_file(${CMAKE_SOURCE_DIR}/deploy/systemd/drover-broker.service.in
  ${CMAKE_BINARY_DIR}/drover-broker.service @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/drover-broker.service DESTINATION lib/systemd/system)
install(FILES README.md ARCHITECTURE.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES deploy/drover.yaml deploy/users.json DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
