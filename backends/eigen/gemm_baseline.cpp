#define CHRONOTOPE_GEMM gemm_baseline
#include "gemm_kernel.inc"
