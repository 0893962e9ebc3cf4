#include "engine/core/service_context.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/core/node.h"

// Lifetime: the registry owns one reference, every ServiceRef one, and the executor one while the
// mailbox is scheduled (taken in Push or Start, given back when RunOne returns false).

namespace skysim {

ServiceContext::ServiceContext(Node& node, std::unique_ptr<Service> service, std::string script)
    : node_(node),
      service_(std::move(service)),
      script_(std::move(script)),
      profiles_(node.profiles()) {}

// The service first: what it does while it ends may look at us.
ServiceContext::~ServiceContext() { service_.reset(); }

absl::Status ServiceContext::Start(const std::string& args, uint64_t cause) {
  cause_ = cause;
  absl::Status status = service_->Init(*this, args);
  if (!status.ok()) is_retired_.store(true, std::memory_order_release);
  if (mailbox_.KeepsScheduled()) {
    Ref();
    node_.platform().executor.Submit(this);
  }
  return status;
}

void ServiceContext::Push(Message message) {
  if (!mailbox_.Push(std::move(message))) return;
  Ref();
  node_.platform().executor.Submit(this);
}

void ServiceContext::UnrefOnWorker() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    node_.platform().executor.Submit(this);
  }
}

void ServiceContext::Drop() {
  if (IsUnreferenced()) {
    delete this;
  } else {
    Unref();
  }
}

bool ServiceContext::RunOne() {
  if (IsUnreferenced()) {  // see UnrefOnWorker()
    delete this;
    return false;
  }
  Message message;
  bool has_acted = false;
  if (!is_retired() && mailbox_.Pop(&message)) {
    has_acted = true;
    if (size_t length = mailbox_.TakeOverload(); length != 0) {
      node_.Log(handle_, absl::StrFormat("error: May overload, message queue length = %d", length));
    }
    Dispatch(std::move(message));
  }
  if (retires_when_empty_ && !is_retired() && mailbox_.size() == 0) {
    node_.Retire(handle_, 0, cause_);
  }
  if (is_retired() && AnswerRest()) has_acted = true;
  // What was deferred is still ours: the executor must come back.
  if (has_acted && node_.platform().executor.IsDeferring()) return true;
  if (mailbox_.KeepsScheduled()) return true;
  Unref();
  return false;
}

int32_t ServiceContext::NewSession() {
  session_ = session_ == INT32_MAX ? 1 : session_ + 1;
  return session_;
}

bool ServiceContext::Send(Handle destination, MessageType type, int32_t session, Payload payload) {
  Message message;
  message.source = handle_;
  message.session = session;
  message.type = type;
  message.payload = std::move(payload);
  message.cause = cause_;
  return node_.Send(destination, std::move(message));
}

bool ServiceContext::StartLog() {
  const std::string* folder = node_.GetEnv("logpath");
  absl::MutexLock lock(&log_mutex_);
  if (log_ != nullptr || folder == nullptr) return true;
  std::string path = absl::StrFormat("%s/%08x.log", *folder, handle_);
  Platform& platform = node_.platform();
  auto log =
      MessageLog::Open(platform.storage, path, platform.clock.WallNs(), node_.timers().Now());
  if (!log.ok()) {
    node_.Log(handle_, absl::StrCat("error: Open log file ", log.status().message()));
    return false;
  }
  log_ = *std::move(log);
  has_log_ = true;
  node_.Log(handle_, absl::StrCat("Open log file ", path));
  return true;
}

void ServiceContext::StopLog() {
  absl::MutexLock lock(&log_mutex_);
  if (log_ == nullptr) return;
  log_->Close(node_.timers().Now());
  log_ = nullptr;
  has_log_ = false;
  node_.Log(handle_, absl::StrFormat("Close log file %08x.log", handle_));
}

// Somebody must answer what waits: the worker that runs or will run it.
void ServiceContext::Retire() {
  is_retired_.store(true, std::memory_order_release);
  Wake();
}

void ServiceContext::RetireWhenEmpty() {
  retires_when_empty_.store(true, std::memory_order_release);
  Wake();
}

void ServiceContext::Wake() {
  Message wake;
  wake.source = handle_;
  wake.type = MessageType::kError;  // never answered
  Push(std::move(wake));
}

int64_t ServiceContext::dispatch_cpu_ns() const {
  if (!profiles_) return 0;
  return node_.platform().clock.CpuNs() - dispatch_began_cpu_ns_;
}

void ServiceContext::Dispatch(Message message) {
  Event event{EventKind::kDispatch};
  event.type = static_cast<uint8_t>(message.type);
  event.service = handle_;
  event.peer = message.source;
  event.session = message.session;
  event.size = message.payload.size();
  event.cause = message.cause;
  cause_ = node_.platform().observer.Record(event);
  node_.platform().executor.NoteDispatch(message.source, handle_);
  message_count_.store(message_count() + 1, std::memory_order_relaxed);
  if (has_log_) {
    absl::MutexLock lock(&log_mutex_);
    if (log_ != nullptr) log_->Add(message, node_.timers().Now());
  }
  if (!profiles_) {
    service_->OnMessage(std::move(message));
    return;
  }
  Clock& clock = node_.platform().clock;
  dispatch_began_cpu_ns_ = clock.CpuNs();
  service_->OnMessage(std::move(message));
  cpu_ns_.store(cpu_ns() + clock.CpuNs() - dispatch_began_cpu_ns_, std::memory_order_relaxed);
}

bool ServiceContext::AnswerRest() {
  Message message;
  bool has_answered = false;
  for (; mailbox_.Pop(&message); has_answered = true) node_.AnswerDeadLetter(handle_, message);
  return has_answered;
}

}  // namespace skysim
