// Every operation compiled for this backend, once.

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/ops/instantiate.hpp"

CHRONOTOPE_INSTANTIATE(any_backend)
