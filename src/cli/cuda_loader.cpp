#include "cli/cuda_loader.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

#include "chronotope/core/error.hpp"
#include "cli/cuda_module/module.hpp"

namespace chronotope::cli {

std::string cuda_module() {
  if (const char* named = std::getenv("CHRONOTOPE_CUDA_MODULE")) return named;
  std::error_code unknown;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", unknown).parent_path();
  for (const auto& file : {folder / CHRONOTOPE_CUDA_MODULE_FILE, folder / CHRONOTOPE_CUDA_MODULE_INSTALLED})
    if (std::filesystem::exists(file, unknown)) return file.lexically_normal();
  return {};
}

any_backend::stream cuda_stream(int device, MathMode math, const std::shared_ptr<Timings>& timings) {
  const std::string file = cuda_module();
  if (file.empty()) throw BackendError("this program was installed without its CUDA module (" CHRONOTOPE_CUDA_MODULE_FILE "); build with nvcc for it");
  void* const module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);  // for good: streams hold functions of it
  if (!module) throw BackendError("the CUDA module cannot be loaded, are CUDA's libraries on this machine? " + std::string(dlerror()));
  const auto make = reinterpret_cast<CudaModuleFunction*>(dlsym(module, CHRONOTOPE_CUDA_MODULE_NAME));
  if (!make) throw BackendError(file + " is not the CUDA module of this version of chronotope");
  any_backend::stream made;
  make(device, math, timings, made);
  return made;
}

}  // namespace chronotope::cli
