// Every operation once more with the fused hooks of onednn_backend hidden: what fused_test.cpp compares with.

#ifdef CHRONOTOPE_HAVE_ONEDNN
#include "chronotope/backend/onednn_backend.hpp"
#include "chronotope/backend/primitives_only.hpp"
#include "chronotope/ops/instantiate.hpp"

CHRONOTOPE_INSTANTIATE(primitives_only<onednn_backend>)
#endif
