#ifndef ENGINE_OS_DESCRIPTOR_H_
#define ENGINE_OS_DESCRIPTOR_H_

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace skysim {

// Descriptor owns a descriptor of the operating system and closes it at its end. -1: none.
class Descriptor final {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    Close();
    number_ = other.Release();
    return *this;
  }
  ~Descriptor() { Close(); }

  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }

  // The caller closes it from now on, or nobody does.
  int Release() { return std::exchange(number_, -1); }

  // close(2): the number is free after EINTR as well, so it is never tried twice.
  void Close() {
    if (is_open()) close(Release());
  }

 private:
  int number_ = -1;
};

// Repeats a system call that a signal interrupted.
template <typename Call>
auto Uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace skysim

#endif  // ENGINE_OS_DESCRIPTOR_H_
