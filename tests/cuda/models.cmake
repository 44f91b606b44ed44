# The tests of whole models that run on the CUDA backend too, on a device and on the host.
set(areas ${CMAKE_CURRENT_LIST_DIR}/..)
file(GLOB model_sources CONFIGURE_DEPENDS ${areas}/golden/*_test.cpp ${areas}/*/gradient_*test.cpp)
list(FILTER model_sources EXCLUDE REGEX "gradient_check_test|gradient_exchange_test")  # of the check itself; of several processes

function(chronotope_models_on_cuda target)
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/..)
  target_link_libraries(${target} PRIVATE chronotope::models chronotope::testing doctest::doctest)
  target_compile_definitions(${target} PRIVATE CHRONOTOPE_HAVE_CUDA CHRONOTOPE_CHECKED_ON_CUDA
    CHRONOTOPE_TESTS_DIR="${chronotope_SOURCE_DIR}/tests")
  target_compile_options(${target} PRIVATE $<IF:$<CONFIG:Release>,-O1,-O0>)
endfunction()
