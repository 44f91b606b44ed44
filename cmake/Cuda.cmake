# nvcc: whether there is one, and turning it on. Users of the installed library never need it.

# Looked for where the project itself is built, and not under sanitizers: what runs there is tests/cuda_on_host.
set(CHRONOTOPE_HAVE_NVCC OFF)
if(PROJECT_IS_TOP_LEVEL AND NOT CHRONOTOPE_SANITIZE)
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    set(CHRONOTOPE_HAVE_NVCC ON)
  else()
    message(STATUS "chronotope: no nvcc, so no CUDA backend (put nvcc on PATH or name it: -DCMAKE_CUDA_COMPILER=…)")
  endif()
endif()

# A macro, because enable_language acts on the directory.
macro(chronotope_enable_cuda)
  include(CheckLanguage)
  check_language(CUDA)
  if(NOT CMAKE_CUDA_COMPILER)
    message(FATAL_ERROR "chronotope: nvcc was not found. Put it on PATH or name it (-DCMAKE_CUDA_COMPILER=…), or build without "
      "this part: -DCHRONOTOPE_BUILD_CUDA=OFF.")
  endif()
  if(NOT CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 80-real 90)  # A100; H100, and PTX for what comes after
  endif()
  enable_language(CUDA)
  set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)  # the one that the library is linked with
  if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12)
    message(FATAL_ERROR "chronotope: nvcc ${CMAKE_CUDA_COMPILER_VERSION} cannot compile C++20, version 12 can; or build without "
      "this part: -DCHRONOTOPE_BUILD_CUDA=OFF.")
  endif()
endmacro()
