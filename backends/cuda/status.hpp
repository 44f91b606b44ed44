#pragma once
// Statuses of the CUDA runtime and the right device: for the host side.

#include <cuda_runtime.h>

#include "launch.hpp"

namespace chronotope::cuda {

/// Makes a device current for its scope; the one before is put back.
class DeviceGuard {
 public:
  DeviceGuard(int device, const char* operation) : before_(device) {
    check(cudaGetDevice(&before_), operation);
    if (before_ != device) check(cudaSetDevice(device), operation);
    changed_ = before_ != device;
  }
  ~DeviceGuard() {
    if (changed_) cudaSetDevice(before_);
  }
  DeviceGuard(const DeviceGuard&) = delete;
  DeviceGuard& operator=(const DeviceGuard&) = delete;

 private:
  int before_;
  bool changed_ = false;
};

}  // namespace chronotope::cuda
