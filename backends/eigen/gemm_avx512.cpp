#define CHRONOTOPE_GEMM gemm_avx512
#include "gemm_kernel.inc"
