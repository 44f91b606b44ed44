#define CHRONOTOPE_GEMM gemm_avx2
#include "gemm_kernel.inc"
