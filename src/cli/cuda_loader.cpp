#include "cli/cuda_loader.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

#include "chronotope/core/error.hpp"

namespace chronotope::cli {

std::string cuda_module() {
  if (const char* named = std::getenv("CHRONOTOPE_CUDA_MODULE")) return named;
  std::error_code unknown;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", unknown).parent_path();
  for (const auto& file : {folder / CHRONOTOPE_CUDA_MODULE_FILE, folder / CHRONOTOPE_CUDA_MODULE_INSTALLED})
    if (std::filesystem::exists(file, unknown)) return file.lexically_normal();
  return {};
}

namespace {

/// A function of the module, null where it has none of that name. Throws BackendError.
template <class Function> Function* find(const char* name) {
  const std::string file = cuda_module();
  if (file.empty()) throw BackendError("this program was installed without its CUDA module (" CHRONOTOPE_CUDA_MODULE_FILE "); build with nvcc for it");
  void* const module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);  // for good: streams hold functions of it
  if (!module) throw BackendError("the CUDA module cannot be loaded, are CUDA's libraries on this machine? " + std::string(dlerror()));
  return reinterpret_cast<Function*>(dlsym(module, name));
}

template <class Function> Function* find_nccl(const char* name) {
  if (Function* const found = find<Function>(name)) return found;
  throw BackendError("several processes with a GPU each are connected by NCCL, and the CUDA module was built without it: install libnccl-dev (from NVIDIA) and "
                     "build it again, or leave mpirun out");
}

}  // namespace

any_backend::stream cuda_stream(int device, MathMode math, const std::shared_ptr<Timings>& timings) {
  const auto make = find<CudaModuleFunction>(CHRONOTOPE_CUDA_MODULE_NAME);
  if (!make) throw BackendError(cuda_module() + " is not the CUDA module of this version of chronotope");
  any_backend::stream made;
  make(device, math, timings, made);
  return made;
}

std::string nccl_id() {
  std::string id;
  find_nccl<CudaModuleId>(CHRONOTOPE_CUDA_MODULE_ID_NAME)(id);
  return id;
}

Connection connect_by_nccl(int rank, int size, const std::string& id, int device) {
  Connection made;
  find_nccl<CudaModuleConnect>(CHRONOTOPE_CUDA_MODULE_CONNECT_NAME)(rank, size, id, device, made);
  return made;
}

}  // namespace chronotope::cli
