# Settings of a build of this project itself; a project that includes chronotope keeps its own.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Not for nvcc, which takes neither; backends/cuda has its own.
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wall> $<$<COMPILE_LANGUAGE:CXX>:-Wextra>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)  # GCC bug 105651: false alarms on std::string's operator+
endif()
if(CHRONOTOPE_WERROR)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()

find_program(CHRONOTOPE_CCACHE ccache)
mark_as_advanced(CHRONOTOPE_CCACHE)
if(CHRONOTOPE_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CHRONOTOPE_CCACHE})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${CHRONOTOPE_CCACHE})
endif()

include(CheckLinkerFlag)
check_linker_flag(CXX -fuse-ld=mold CHRONOTOPE_HAVE_MOLD)
if(CHRONOTOPE_HAVE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

if(CHRONOTOPE_SANITIZE)
  add_compile_options(-fsanitize=${CHRONOTOPE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${CHRONOTOPE_SANITIZE})
endif()
