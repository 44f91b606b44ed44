// Every operation compiled for this backend, once.

#include "chronotope/backend/cuda_backend.hpp"
#include "chronotope/ops/instantiate.hpp"

CHRONOTOPE_INSTANTIATE(cuda_backend)
