// Streams and memory.

#include "stream.hpp"

#include <new>
#include <string>

#include "chronotope/core/error.hpp"

namespace chronotope::cuda {

void check(cudaError_t status, const char* operation) {
  if (status == cudaSuccess) return;
  const std::string text = cudaGetErrorString(status);
  cudaGetLastError();  // told here: the next call must not find it again
  throw BackendError("[cuda] " + std::string(operation) + ": " + text);
}

void refuse_dtype(const char* operation, DType dtype) {
  throw DTypeError("[" + std::string(operation) + "] not defined for " + to_string(dtype));
}

/// Throws ShapeError.
[[noreturn]] static void refuse_layout(const BadId& bad) {
  constexpr const char* parts[] = {"", "offset", "query row", "prefix that ends with"};
  throw ShapeError("[attention] " + std::string(parts[static_cast<int>(bad.layout)]) + " " + std::to_string(bad.id) + " at position " +
                   std::to_string(bad.position) + " is against the rules of a layout of " + std::to_string(bad.rows) + " tokens");
}

void check(cublasStatus_t status, const char* operation) {
  if (status != CUBLAS_STATUS_SUCCESS) throw BackendError("[cuda] " + std::string(operation) + ": cuBLAS: " + cublasGetStatusString(status));
}

}  // namespace chronotope::cuda

namespace chronotope {

using cuda::check;
using cuda::DeviceGuard;

cuda_backend::stream::Impl::Impl(int on, cudaStream_t user_stream) : device(on), owned(!user_stream), stream(user_stream) {
  try {
    void* pinned = nullptr;
    check(cudaHostAlloc(&pinned, sizeof(cuda::BadId), cudaHostAllocMapped), "stream");
    bad_id = new (pinned) cuda::BadId;
    if (owned) check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
    memory.stream = stream;
  } catch (...) {
    release();
    throw;
  }
}

cuda_backend::stream::Impl::~Impl() {
  int before = device;
  cudaGetDevice(&before);
  if (before != device) cudaSetDevice(device);
  release();
  if (before != device) cudaSetDevice(before);
}

void cuda_backend::stream::Impl::release() noexcept {
  memory.release();
  if (workspace_) cudaFreeAsync(workspace_, stream);
  if (stream) cudaStreamSynchronize(stream);  // what it still reads and writes goes now
  if (blas_) cublasDestroy(blas_);
  plans = cuda::Plans();
  if (owned && stream) cudaStreamDestroy(stream);
  if (bad_id) cudaFreeHost(bad_id);
}

cuda::Workspace cuda_backend::stream::Impl::workspace() {
  constexpr std::size_t bytes = std::size_t{32} << 20;  // what NVIDIA recommends for its largest devices
  if (!workspace_) check(cudaMallocAsync(&workspace_, bytes, stream), "matmul");
  return {workspace_, bytes};
}

cublasHandle_t cuda_backend::stream::Impl::blas() {
  if (blas_) return blas_;
  cublasHandle_t handle = nullptr;
  check(cublasCreate(&handle), "matmul");
  try {
    check(cublasSetStream(handle, stream), "matmul");
    const auto [data, bytes] = workspace();
    check(cublasSetWorkspace(handle, data, bytes), "matmul");  // after SetStream, which takes it away
  } catch (...) {
    cublasDestroy(handle);
    throw;
  }
  return blas_ = handle;
}

void cuda_backend::stream::Impl::wait(const char* operation) {
  check(cudaStreamSynchronize(stream), operation);
  check(std::exchange(failed_free, cudaSuccess), "deallocate");
  if (!bad_id->found) return;
  const cuda::BadId bad = std::exchange(*bad_id, cuda::BadId{});
  if (bad.layout != cuda::LayoutPart::none) cuda::refuse_layout(bad);
  throw ShapeError("[" + std::string(bad.scatter ? "scatter_add" : "gather") + "] id " + std::to_string(bad.id) + " at position " +
                   std::to_string(bad.position) + " is outside a table of " + std::to_string(bad.rows) + " rows");
}

void cuda_backend::stream::Impl::must_not_record(const char* operation) const {
  if (recording) throw BackendError("[cuda] " + std::string(operation) + ": nothing can be read or waited for while a graph is being recorded");
}

namespace {

std::unique_ptr<cuda_backend::stream::Impl> make_impl(int device, cudaStream_t user_stream) {
  int count = 0;
  check(cudaGetDeviceCount(&count), "stream");
  if (device < 0 || device >= count)
    throw BackendError("[cuda] stream: there is no device " + std::to_string(device) + "; there are " + std::to_string(count));
  const DeviceGuard guard(device, "stream");
  return std::make_unique<cuda_backend::stream::Impl>(device, user_stream);
}

}  // namespace

cuda_backend::stream::stream(int device, MathMode math) : impl_(make_impl(device, nullptr)) { impl_->math = math; }
cuda_backend::stream::stream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
cuda_backend::stream cuda_backend::stream::wrap(void* user_stream, int device) {
  // Null and 1 both mean the legacy default stream, which waits for all others.
  if (reinterpret_cast<std::uintptr_t>(user_stream) <= 1) throw BackendError("[cuda] stream: the legacy default stream cannot be wrapped");
  return stream(make_impl(device, static_cast<cudaStream_t>(user_stream)));
}
cuda_backend::stream::~stream() = default;
cuda_backend::stream::stream(stream&&) noexcept = default;
cuda_backend::stream& cuda_backend::stream::operator=(stream&&) noexcept = default;
int cuda_backend::stream::device() const { return impl_->device; }
MathMode cuda_backend::stream::math() const { return impl_->math; }
void cuda_backend::stream::set_math(MathMode math) { impl_->math = math; }
void* cuda_backend::stream::native() const { return impl_->stream; }

int cuda_backend::device_count() {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
  cudaGetLastError();
  return 0;
}

void* cuda_backend::allocate(stream& s, std::size_t bytes) {
  const DeviceGuard guard(s.impl().device, "allocate");
  return s.impl().memory.allocate(bytes, ("allocate " + std::to_string(bytes) + " bytes").c_str());
}

void cuda_backend::deallocate(stream& s, void* data) noexcept {
  try {
    const DeviceGuard guard(s.impl().device, "deallocate");
    const cudaError_t status = s.impl().memory.deallocate(data);
    if (status != cudaSuccess) s.impl().failed_free = status;
  } catch (const Error&) {
    s.impl().failed_free = cudaErrorInvalidDevice;
  }
}

void cuda_backend::trim(stream& s) noexcept {
  try {
    const DeviceGuard guard(s.impl().device, "trim");
    s.impl().memory.trim();
  } catch (const Error&) {
    s.impl().failed_free = cudaErrorInvalidDevice;
  }
}

void cuda_backend::upload(stream& s, void* device, const void* host, std::size_t bytes) {
  const DeviceGuard guard(s.impl().device, "upload");
  s.impl().staging.upload(s.impl().stream, device, host, bytes);
}

void cuda_backend::download(stream& s, void* host, const void* device, std::size_t bytes) {
  s.impl().must_not_record("download");
  const DeviceGuard guard(s.impl().device, "download");
  if (bytes > 0) check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, s.impl().stream), "download");
  s.impl().wait("download");
}

void cuda_backend::synchronize(stream& s) {
  s.impl().must_not_record("synchronize");
  const DeviceGuard guard(s.impl().device, "synchronize");
  s.impl().wait("synchronize");
}

}  // namespace chronotope
