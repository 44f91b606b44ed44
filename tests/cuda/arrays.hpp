#pragma once
// Numbers on a device, for tests of cuda_backend on a real one and on the emulated one.

#include <algorithm>
#include <vector>

#include "chronotope/backend/cuda_backend.hpp"

template <chronotope::Element T> class Array {
 public:
  Array(chronotope::cuda_backend::stream& stream, const chronotope::Shape& shape, const std::vector<T>& values)
      : stream_(stream), view_(chronotope::contiguous_view(nullptr, chronotope::dtype_of<T>, shape)) {
    view_.data = chronotope::cuda_backend::allocate(stream, std::max<std::size_t>(1, values.size()) * sizeof(T));
    chronotope::cuda_backend::upload(stream, view_.data, values.data(), values.size() * sizeof(T));
  }
  Array(chronotope::cuda_backend::stream& stream, const chronotope::Shape& shape)
      : Array(stream, shape, std::vector<T>(static_cast<std::size_t>(shape.elements()))) {}
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array() { chronotope::cuda_backend::deallocate(stream_, view_.data); }

  const chronotope::View& view() const { return view_; }
  std::vector<T> fetch() const {
    std::vector<T> host(static_cast<std::size_t>(view_.elements()));
    chronotope::cuda_backend::download(stream_, host.data(), view_.data, host.size() * sizeof(T));
    return host;
  }

 private:
  chronotope::cuda_backend::stream& stream_;
  chronotope::View view_;
};
