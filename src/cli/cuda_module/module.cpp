#include "cli/cuda_module/module.hpp"

#include "chronotope/backend/cuda_backend.hpp"

using namespace chronotope;

extern "C" __attribute__((visibility("default"))) void chronotope_cuda_stream_0_1(int device, MathMode math,
                                                                                  const std::shared_ptr<Timings>& timings, any_backend::stream& made) {
  cuda_backend::stream own(device, math);
  made = timings ? any_stream<timed<cuda_backend>>({std::move(own), timings}) : any_stream<cuda_backend>(std::move(own));
}
