# What the umbrella header adds to a compilation: cmake -DCOMPILER=… -DINCLUDE=dir -DWORK=dir -DLIMIT_MS=1000 -P …
# Processor time (user + system) rather than wall time, so that other work on the machine does not count.
file(MAKE_DIRECTORY ${WORK})
file(WRITE ${WORK}/empty.cpp "")
file(WRITE ${WORK}/umbrella.cpp "#include \"chronotope/chronotope.hpp\"\n")

# The median of five compilations, in milliseconds.
function(median_time file result)
  set(times "")
  foreach(run RANGE 1 5)
    execute_process(COMMAND bash -c "TIMEFORMAT='%3U %3S'; time \"$@\" 2>&1" time
      ${COMPILER} -std=c++20 -O0 -I${INCLUDE} -c ${WORK}/${file} -o ${WORK}/out.o
      RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE seconds)
    if(NOT status EQUAL 0)
      message(FATAL_ERROR "${file} does not compile:\n${output}")
    endif()
    string(REGEX MATCH "([0-9]+)[.,]([0-9]+) ([0-9]+)[.,]([0-9]+)" matched "${seconds}")
    math(EXPR time "1000 * (${CMAKE_MATCH_1} + ${CMAKE_MATCH_3}) + 1${CMAKE_MATCH_2} + 1${CMAKE_MATCH_4} - 2000")
    list(APPEND times ${time})
  endforeach()
  list(SORT times COMPARE NATURAL)
  list(GET times 2 middle)
  set(${result} ${middle} PARENT_SCOPE)
endfunction()

median_time(empty.cpp empty)
median_time(umbrella.cpp umbrella)
math(EXPR difference "${umbrella} - ${empty}")
message("chronotope.hpp: ${umbrella} ms, empty file: ${empty} ms, difference ${difference} ms (at most ${LIMIT_MS})")
if(difference GREATER LIMIT_MS)
  message(FATAL_ERROR "the umbrella header takes too long to compile")
endif()
