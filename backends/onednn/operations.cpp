// Every operation compiled for this backend, once.

#include "chronotope/backend/onednn_backend.hpp"
#include "chronotope/ops/instantiate.hpp"

CHRONOTOPE_INSTANTIATE(onednn_backend)
