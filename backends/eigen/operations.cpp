// Every operation compiled for this backend, once.

#include "chronotope/backend/eigen_backend.hpp"
#include "chronotope/ops/instantiate.hpp"

CHRONOTOPE_INSTANTIATE(eigen_backend)
