#ifndef ENGINE_OS_NAME_RESOLVER_H_
#define ENGINE_OS_NAME_RESOLVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

namespace skysim {

// Numeric addresses of a host name; may block. Called from any thread.
using NameLookup = std::function<absl::StatusOr<std::vector<std::string>>(const std::string& host)>;

// NameResolver looks names up on a thread of its own, one after the other in order of asking; the
// thread begins with the first name. Any thread may call it.
//
// A name server may be silent for minutes and nothing can interrupt the look-up, so the destructor
// does not wait: the thread ends by itself after the look-up under way, whose answer nobody hears.
// `lookup` must bear that, so it owns what it uses.
class NameResolver final {
 public:
  struct Answer {
    uint64_t ticket;
    absl::StatusOr<std::vector<std::string>> addresses;
  };

  // `on_answer` is called on the resolver's thread whenever there is something to TakeAnswers(),
  // never after the destructor. It must not call the resolver.
  NameResolver(NameLookup lookup, absl::AnyInvocable<void()> on_answer);
  ~NameResolver();
  NameResolver(const NameResolver&) = delete;
  NameResolver& operator=(const NameResolver&) = delete;

  // Never blocks. The answer has `ticket`.
  void Ask(uint64_t ticket, const std::string& host);
  std::vector<Answer> TakeAnswers();

 private:
  struct State;
  static void Run(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace skysim

#endif  // ENGINE_OS_NAME_RESOLVER_H_
