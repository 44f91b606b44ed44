# What every target of the project has in common.

set(chronotope_components core models vectors mpi eigen onednn cuda nccl testing)

# Stops with what to install, or, where an option is named, what to turn off.
function(chronotope_require name)
  chronotope_find(${name})
  if(TARGET ${chronotope_${name}_target})
    return()
  endif()
  set(message "chronotope: ${name} was not found. Install it (Debian, Ubuntu: apt-get install "
    "${chronotope_${name}_package}) or name its prefix in CMAKE_PREFIX_PATH")
  if(ARGN)
    list(APPEND message ", or build without this part: -D${ARGV1}=OFF")
  endif()
  list(JOIN message "" message)
  message(FATAL_ERROR "${message}.")
endfunction()

# chronotope_library(NAME sources...): the static library chronotope::NAME.
function(chronotope_library name)
  add_library(chronotope_${name} STATIC ${ARGN})
  add_library(chronotope::${name} ALIAS chronotope_${name})
  set_target_properties(chronotope_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON LINKER_LANGUAGE CXX)
  target_compile_features(chronotope_${name} PUBLIC cxx_std_20)
  target_include_directories(chronotope_${name} PUBLIC $<BUILD_INTERFACE:${chronotope_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endfunction()

# Headers only: nothing of the dependency is linked, so users of the installed library need not have it.
function(chronotope_use_headers target name)
  target_include_directories(${target} SYSTEM PRIVATE
    $<TARGET_PROPERTY:${chronotope_${name}_target},INTERFACE_INCLUDE_DIRECTORIES>)
endfunction()
