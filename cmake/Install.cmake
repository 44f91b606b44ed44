# One export file for each component, so that a user of one needs neither the libraries nor the dependencies of another.
# `cpu` (objects of the CPU
# backends, already inside their libraries) is exported only because they name it.
include(CMakePackageConfigHelpers)

set(chronotope_vectors_dependencies "")
if(CHRONOTOPE_BUILD_FAISS)
  set(chronotope_vectors_dependencies OpenMP faiss)
endif()
set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/chronotope)
set(chronotope_installed "")
foreach(component IN ITEMS core models vectors mpi cpu eigen onednn cuda nccl testing)
  if(NOT TARGET chronotope_${component})
    continue()
  endif()
  list(APPEND chronotope_installed ${component})
  set_target_properties(chronotope_${component} PROPERTIES EXPORT_NAME ${component})
  install(TARGETS chronotope_${component} EXPORT chronotope_${component}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT chronotope_${component} FILE chronotope-${component}.cmake NAMESPACE chronotope::
    DESTINATION ${config_dir})
endforeach()

if(TARGET chronotope)
  install(TARGETS chronotope RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  if(TARGET chronotope_cuda_module)
    install(TARGETS chronotope_cuda_module LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/chronotope)
  endif()
endif()
install(DIRECTORY ${chronotope_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/chronotopeConfig.cmake.in
  ${PROJECT_BINARY_DIR}/cmake/chronotopeConfig.cmake INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cmake/chronotopeConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cmake/chronotopeConfig.cmake
  ${PROJECT_BINARY_DIR}/cmake/chronotopeConfigVersion.cmake ${CMAKE_CURRENT_LIST_DIR}/chronotopeDependencies.cmake
  DESTINATION ${config_dir})
