# `cmake --install`: the tool, its completion and manual page, the runtime's sources for firmware builds, and the libraries
# as a CMake package: find_package(tinyml-opt), then tinyml::passes, tinyml::onnx, tinyml::csource, ...
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tinyml-opt)
set(rooms support ir quant math ops exec data runtime device passes onnx csource report)

set(library_targets tinyml_warnings)
foreach(room ${rooms})
  if(TARGET tinyml_${room})
    set_target_properties(tinyml_${room} PROPERTIES EXPORT_NAME ${room})
    list(APPEND library_targets tinyml_${room})
  endif()
endforeach()
install(TARGETS ${library_targets} EXPORT tinyml-optTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT libraries)
install(EXPORT tinyml-optTargets NAMESPACE tinyml:: DESTINATION ${package_dir} COMPONENT libraries)
configure_package_config_file(${CMAKE_SOURCE_DIR}/scripts/packaging/tinyml-optConfig.cmake.in ${CMAKE_BINARY_DIR}/tinyml-optConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/tinyml-optConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/tinyml-optConfig.cmake ${CMAKE_BINARY_DIR}/tinyml-optConfigVersion.cmake
        DESTINATION ${package_dir} COMPONENT libraries)
foreach(folder lib passes formats)
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tinyml-opt COMPONENT libraries
          FILES_MATCHING PATTERN "*.h" PATTERN "runtime" EXCLUDE)
endforeach()
# Headers name each other from the root of the project, so the runtime's is there under that name too.
install(FILES ${CMAKE_SOURCE_DIR}/lib/runtime/tinyml_runtime.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tinyml-opt/lib/runtime
        COMPONENT libraries)

# Firmware compiles the runtime for its own core, so it is installed as sources.
install(DIRECTORY ${CMAKE_SOURCE_DIR}/lib/runtime/ DESTINATION ${CMAKE_INSTALL_DATADIR}/tinyml-opt/runtime COMPONENT tool
        FILES_MATCHING PATTERN "*.h" PATTERN "*.c" PATTERN "*.def")
install(FILES ${CMAKE_SOURCE_DIR}/lib/runtime/tinyml_runtime.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT tool)

if(TARGET tinyml-opt)
  install(TARGETS tinyml-opt RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tool)
  install(FILES ${CMAKE_SOURCE_DIR}/scripts/packaging/completion.bash RENAME tinyml-opt COMPONENT tool
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  add_custom_command(TARGET tinyml-opt POST_BUILD VERBATIM
                     COMMAND ${CMAKE_SOURCE_DIR}/scripts/packaging/make_man_page.sh $<TARGET_FILE:tinyml-opt>
                             ${CMAKE_BINARY_DIR}/tinyml-opt.1)
  install(FILES ${CMAKE_BINARY_DIR}/tinyml-opt.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT tool)
endif()
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE ${CMAKE_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT tool)

# cpack -G DEB
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME tinyml-opt)
set(CPACK_PACKAGE_CONTACT "tinyml-opt developers <tinyml-opt@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Turns a trained ONNX model into verified int8 firmware for microcontrollers")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL tool)
set(CPACK_DEBIAN_TOOL_PACKAGE_NAME tinyml-opt)
include(CPack)
