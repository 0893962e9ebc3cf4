#ifndef ENGINE_CORE_SERVICE_CONTEXT_H_
#define ENGINE_CORE_SERVICE_CONTEXT_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "engine/core/mailbox.h"
#include "engine/core/message.h"
#include "engine/core/message_log.h"
#include "engine/core/service.h"
#include "engine/platform/executor.h"

namespace skysim {

class Node;

// ServiceContext is what the runtime keeps for one service: handle, mailbox, sessions, counters. It
// lives from launch until it is retired, nothing runs it, and nobody holds a ServiceRef.
//
// Threads: Push() and the counters from any; RunOne() from one worker at a time; NewSession(),
// Send() and cause() only within a dispatch of this service (or before its first).
class ServiceContext final : public Runnable {
 public:
  // `script` says what it runs, for reports ("clusterd", "logger").
  ServiceContext(Node& node, std::unique_ptr<Service> service, std::string script);
  ~ServiceContext() override;

  Node& node() const { return node_; }
  Handle handle() const { return handle_; }
  void set_handle(Handle handle) { handle_ = handle; }  // by the registry, once
  const std::string& script() const { return script_; }
  Service& service() const { return *service_; }

  // Runs Init and lets the mail through that came meanwhile. On an error the service is retired,
  // and that mail is answered with kError. `cause` is the index of the launch's event.
  absl::Status Start(const std::string& args, uint64_t cause);

  // Puts a message into the mailbox and submits the service if it was idle.
  void Push(Message message);

  bool RunOne() override;
  void Drop() override;

  // The next session: 1 .. 2^31-1, then 1 again.
  int32_t NewSession();
  // The next NewSession() follows `last`: a test need not wait for the wrap-around.
  void SkipSessions(int32_t last) { session_ = last; }

  // Sends as this service. `session` 0: one-way. False: no such destination.
  bool Send(Handle destination, MessageType type, int32_t session, Payload payload);

  // Writes the messages that come from now on into <logpath>/<handle>.log; without `logpath` in the
  // configuration nothing happens, as in skynet. False: the file cannot be written. Any thread.
  bool StartLog();
  void StopLog();

  // Index of the event that is being handled, for what it causes.
  uint64_t cause() const { return cause_; }

  // No dispatch begins after this one; what waits is answered with kError.
  void Retire();
  // The node retires it as soon as its mailbox is empty.
  void RetireWhenEmpty();
  bool is_retired() const { return is_retired_.load(std::memory_order_acquire); }

  // A message that it has sent to itself is held back by its stretched dispatch (+1), or comes (-1):
  // to the service it is there. Single threaded: real executors hold nothing back.
  void OnItsWay(int change) { on_its_way_ += static_cast<size_t>(change); }

  // -- Figures of the STAT command --------------------------------------------------------------
  // With what is on its way (OnItsWay).
  size_t mailbox_size() const { return mailbox_.size() + on_its_way_; }
  uint64_t message_count() const { return message_count_.load(std::memory_order_relaxed); }
  int64_t cpu_ns() const { return cpu_ns_.load(std::memory_order_relaxed); }
  // CPU time of the dispatch under way.
  int64_t dispatch_cpu_ns() const;
  bool TakeEndless() { return is_endless_.exchange(false); }
  void MarkEndless() { is_endless_ = true; }

  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  // Unref() for callers that hold a lock which the service's end may want: if it is the last
  // reference, a worker destroys the service.
  void UnrefOnWorker();

 private:
  bool IsUnreferenced() const { return references_.load(std::memory_order_acquire) == 0; }
  void Dispatch(Message message);
  bool AnswerRest();  // false: nothing waited
  void Wake();

  Node& node_;
  std::unique_ptr<Service> service_;
  std::string script_;
  Handle handle_ = 0;
  Mailbox mailbox_;
  size_t on_its_way_ = 0;
  int32_t session_ = 0;
  uint64_t cause_ = 0;
  std::atomic<uint64_t> message_count_{0};  // this and the next: written by its worker only
  std::atomic<int64_t> cpu_ns_{0};
  int64_t dispatch_began_cpu_ns_ = 0;
  const bool profiles_;
  std::atomic<bool> has_log_{false};
  absl::Mutex log_mutex_;
  std::unique_ptr<MessageLog> log_ ABSL_GUARDED_BY(log_mutex_);  // null: nothing is written down
  std::atomic<bool> is_retired_{false};
  std::atomic<bool> retires_when_empty_{false};
  std::atomic<bool> is_endless_{false};
  std::atomic<int> references_{1};  // the registry's
};

// Keeps a context alive. Move only; may be null.
class ServiceRef final {
 public:
  ServiceRef() = default;
  explicit ServiceRef(ServiceContext* context) : context_(context) {  // takes over one reference
  }
  ServiceRef(ServiceRef&& other) noexcept : context_(other.context_) { other.context_ = nullptr; }
  ServiceRef& operator=(ServiceRef&& other) noexcept {
    std::swap(context_, other.context_);
    return *this;
  }
  ~ServiceRef() {
    if (context_ != nullptr) context_->Unref();
  }
  // See ServiceContext::UnrefOnWorker(). Null afterwards.
  void ReleaseOnWorker() {
    if (context_ != nullptr) std::exchange(context_, nullptr)->UnrefOnWorker();
  }
  ServiceContext* operator->() const { return context_; }
  ServiceContext& operator*() const { return *context_; }
  ServiceContext* get() const { return context_; }
  explicit operator bool() const { return context_ != nullptr; }

 private:
  ServiceContext* context_ = nullptr;
};

}  // namespace skysim

#endif  // ENGINE_CORE_SERVICE_CONTEXT_H_
