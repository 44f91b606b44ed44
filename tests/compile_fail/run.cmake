# A source that must not compile: cmake -DCOMPILER=… -DINCLUDE=dir -DSOURCE=file -DWANT=text -P run.cmake
# With -DCORRECTED the same file must compile, so the failure has the one cause the case is about. Without it the compiler
# must fail, say WANT (a regular expression) and need at most 25 lines. No flag shortens the messages: this is what
# every user sees.
set(command ${COMPILER} -std=c++20 -fsyntax-only -fno-diagnostics-color -I${INCLUDE} ${SOURCE})
execute_process(COMMAND ${command} -DCORRECTED RESULT_VARIABLE status ERROR_VARIABLE message)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "the corrected version must compile:\n${message}")
endif()

execute_process(COMMAND ${command} RESULT_VARIABLE status ERROR_VARIABLE message)
if(status EQUAL 0)
  message(FATAL_ERROR "${SOURCE} compiles, but must not")
endif()
string(REGEX MATCHALL "\n" lines "${message}")
list(LENGTH lines count)
foreach(text IN LISTS WANT)
  if(NOT message MATCHES "${text}")
    message(FATAL_ERROR "the message does not say '${text}':\n${message}")
  endif()
endforeach()
if(count GREATER 25)
  message(FATAL_ERROR "the message has ${count} lines, at most 25 are wanted:\n${message}")
endif()
message("${count} lines:\n${message}")
