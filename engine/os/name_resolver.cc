#include "engine/os/name_resolver.h"

#include <deque>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/os/thread_signals.h"

// The state belongs to the resolver and to its thread, whichever ends last.

namespace skysim {

struct NameResolver::State {
  struct Question {
    uint64_t ticket;
    std::string host;
  };

  State(NameLookup lookup, absl::AnyInvocable<void()> on_answer)
      : lookup(std::move(lookup)), on_answer(std::move(on_answer)) {}

  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return is_over || !questions.empty();
  }

  const NameLookup lookup;
  absl::Mutex mutex;
  absl::AnyInvocable<void()> on_answer ABSL_GUARDED_BY(mutex);
  bool has_thread ABSL_GUARDED_BY(mutex) = false;
  bool is_over ABSL_GUARDED_BY(mutex) = false;
  std::deque<Question> questions ABSL_GUARDED_BY(mutex);
  std::vector<Answer> answers ABSL_GUARDED_BY(mutex);
};

NameResolver::NameResolver(NameLookup lookup, absl::AnyInvocable<void()> on_answer)
    : state_(std::make_shared<State>(std::move(lookup), std::move(on_answer))) {}

NameResolver::~NameResolver() {
  absl::MutexLock lock(&state_->mutex);
  state_->is_over = true;
}

void NameResolver::Ask(uint64_t ticket, const std::string& host) {
  absl::MutexLock lock(&state_->mutex);
  state_->questions.push_back({ticket, host});
  if (std::exchange(state_->has_thread, true)) return;
  SignalsBlocked blocked;
  std::thread(&NameResolver::Run, state_).detach();
}

std::vector<NameResolver::Answer> NameResolver::TakeAnswers() {
  absl::MutexLock lock(&state_->mutex);
  return std::exchange(state_->answers, {});
}

void NameResolver::Run(std::shared_ptr<State> state) {
  absl::MutexLock lock(&state->mutex);
  while (true) {
    state->mutex.Await(absl::Condition(state.get(), &State::HasWork));
    if (state->is_over) return;
    State::Question question = std::move(state->questions.front());
    state->questions.pop_front();
    state->mutex.Unlock();
    absl::StatusOr<std::vector<std::string>> addresses = state->lookup(question.host);
    state->mutex.Lock();
    if (state->is_over) return;
    state->answers.push_back({question.ticket, std::move(addresses)});
    state->on_answer();
  }
}

}  // namespace skysim
