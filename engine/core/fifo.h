#ifndef ENGINE_CORE_FIFO_H_
#define ENGINE_CORE_FIFO_H_

#include <cstddef>
#include <utility>
#include <vector>

namespace skysim {

// A queue in one vector: the front is an index, what is behind it is moved down now and then. No
// allocation in the steady state and none when empty, unlike std::deque. Not thread safe.
template <typename T>
class Fifo final {
 public:
  bool empty() const { return head_ == items_.size(); }
  size_t size() const { return items_.size() - head_; }

  // 0 is the front.
  T& operator[](size_t i) { return items_[head_ + i]; }
  const T& operator[](size_t i) const { return items_[head_ + i]; }
  T& front() { return items_[head_]; }

  void Push(T item) { items_.push_back(std::move(item)); }

  // Not when empty().
  void Pop() {
    items_[head_++] = T();
    if (empty()) {
      Clear();
    } else if (head_ >= kCompactAt && head_ * 2 >= items_.size()) {
      items_.erase(items_.begin(), items_.begin() + static_cast<ptrdiff_t>(head_));
      head_ = 0;
    }
  }

  void Clear() {
    items_.clear();
    head_ = 0;
  }

 private:
  static constexpr size_t kCompactAt = 64;  // below it moving the rest is not worth the call

  std::vector<T> items_;
  size_t head_ = 0;
};

}  // namespace skysim

#endif  // ENGINE_CORE_FIFO_H_
