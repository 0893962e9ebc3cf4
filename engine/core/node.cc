#include "engine/core/node.h"

#include <utility>

#include "absl/log/check.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/core/harbor_frame.h"

namespace skysim {

namespace {

// What a send to a name looks at (network.md 6.1).
constexpr size_t kSentNameBytesMax = 16;

// The library's faults of the past, for services (lualib/loader.lua).
constexpr char kLegacyKey[] = "sim_legacy";

uint32_t HarborFrom(const Config& config) {
  uint32_t harbor = 0;
  return absl::SimpleAtoi(config.Get("harbor", "0"), &harbor) ? harbor & 0xff : 0;
}

SocketServer::Options SocketOptionsFrom(const Config& config) {
  SocketServer::Options options;
  if (!absl::SimpleAtoi(config.Get("socket_queue_max", "0"), &options.queue_bytes_max)) {
    options.queue_bytes_max = Config::kSocketQueueMax;
  }
  return options;
}

std::pair<std::string, std::string> SplitCommandLine(const std::string& line) {
  size_t blank = line.find(' ');
  if (blank == std::string::npos) return {line, ""};
  return {line.substr(0, blank), line.substr(blank + 1)};
}

// What service lists show: the script's name rather than its host's.
std::string ScriptOf(const std::string& module, const std::string& args) {
  return module == "snlua" ? args : absl::StrCat(module, args.empty() ? "" : " ", args);
}

}  // namespace

Node::Node(Platform platform, Options options)
    : platform_(platform),
      options_(std::move(options)),
      legacy_(options_.legacy.value_or(Legacy{})),
      env_(options_.config.entries),
      harbor_(HarborFrom(options_.config)),
      profiles_(options_.config.Get("profile", "true") != "false"),
      registry_(harbor_),
      timers_(platform.clock, *this, legacy_.ticks_by_wall_clock),
      sockets_(std::make_unique<SocketServer>(platform.transport, platform.executor,
                                              platform.memory, platform.observer, platform.clock,
                                              static_cast<SocketEventSink&>(*this),
                                              SocketOptionsFrom(options_.config))) {
  CHECK(platform.is_simulated || !options_.legacy.has_value()) << options_.name;
  absl::MutexLock lock(&env_mutex_);
  env_.erase(kLegacyKey);
  if (!legacy_.patches.empty()) env_[kLegacyKey] = legacy_.patches;
}

// A crash is silent: finalisers of services close sockets, and that must reach nobody.
Node::~Node() {
  sockets_->Abandon();
  registry_.Clear();
}

absl::Status Node::Boot() {
  const Config& config = options_.config;
  std::string log_service = config.Get("logservice", "logger");
  logger_ = Launch(log_service, config.Get("logger"), nullptr);
  if (logger_ == 0) {
    return absl::InvalidArgumentError(absl::StrCat("Can't launch ", log_service, " service"));
  }
  registry_.AddName("logger", logger_);
  std::string line = config.Get("bootstrap", "snlua bootstrap");
  auto [module, args] = SplitCommandLine(line);
  if (Launch(module, args, nullptr) == 0) {
    return absl::InvalidArgumentError(absl::StrCat("Bootstrap error : ", line));
  }
  return absl::OkStatus();
}

Handle Node::Launch(const std::string& module, const std::string& args,
                    const ServiceContext* creator) {
  if (is_aborting_) return 0;
  platform_.executor.Flush();
  absl::StatusOr<std::unique_ptr<Service>> service = MakeService(module);
  if (!service.ok()) {
    Log(creator == nullptr ? 0 : creator->handle(),
        absl::StrCat("error: ", service.status().message()));
    return 0;
  }
  auto* context = new ServiceContext(*this, *std::move(service), ScriptOf(module, args));
  context->Ref();  // ours: Init may retire it
  ServiceRef ours(context);
  Handle handle = registry_.Add(context);

  Event event{EventKind::kLaunch};
  event.service = handle;
  event.peer = creator == nullptr ? 0 : creator->handle();
  event.cause = creator == nullptr ? 0 : creator->cause();
  std::string line = absl::StrCat(module, args.empty() ? "" : " ", args);
  event.text = line;
  uint64_t cause = platform_.observer.Record(event);

  absl::Status status = context->Start(args, cause);
  if (!status.ok()) {
    Log(handle, absl::StrCat("error: launch ", module, " FAILED: ", status.message()));
    Retire(handle, 0, cause);
    return 0;
  }
  if (is_aborting_) {  // Abort() may have counted before it was there
    Retire(handle, 0, cause);
    return 0;
  }
  if (logger_ != 0) Log(handle, absl::StrCat("LAUNCH ", line));
  return handle;
}

absl::StatusOr<std::unique_ptr<Service>> Node::MakeService(const std::string& module) {
  auto factory = options_.modules.find(module);
  if (factory != options_.modules.end()) return factory->second();
  if (!options_.load_module) {
    return absl::NotFoundError(absl::StrCat("there is no native service called ", module));
  }
  absl::StatusOr<std::unique_ptr<Service>> service = options_.load_module(*this, module);
  if (service.ok()) return service;
  return absl::NotFoundError(
      absl::StrCat("try open ", module, " failed : ", service.status().message()));
}

bool Node::Send(Handle destination, Message message) {
  if (IsRemote(destination)) return SendThroughHarbor(destination, "", std::move(message));
  ServiceRef target = registry_.Find(destination);
  Event event{EventKind::kSend};
  event.type = static_cast<uint8_t>(message.type);
  event.service = message.source;
  event.peer = destination;
  event.session = message.session;
  event.size = message.payload.size();
  event.cause = message.cause;
  event.bytes = message.payload.bytes();
  if (!target) {
    event.kind = EventKind::kDeadLetter;
    platform_.observer.Record(event);
    if (message.type == MessageType::kSocket) FreeSocketBuffer(platform_.memory, message);
    return false;
  }
  message.cause = platform_.observer.Record(event);
  Put(std::move(target), std::move(message));
  return true;
}

void Node::Put(ServiceRef target, Message message) {
  if (platform_.executor.IsDeferring()) {
    const bool is_to_itself = message.source == target->handle();
    if (is_to_itself) target->OnItsWay(1);
    platform_.executor.Defer(
        [target = std::move(target), message = std::move(message), is_to_itself]() mutable {
          if (is_to_itself) target->OnItsWay(-1);
          target->Push(std::move(message));
        });
  } else {
    target->Push(std::move(message));
  }
}

bool Node::SendGlobal(const std::string& name, Message message) {
  return SendThroughHarbor(0, absl::string_view(name).substr(0, kSentNameBytesMax),
                           std::move(message));
}

// The harbor service takes it as a message from the same source with the same session, so that a
// request that it can no longer take is answered as any other.
bool Node::SendThroughHarbor(Handle destination, absl::string_view name, Message message) {
  ServiceRef harbor = registry_.Find(harbor_service_);
  bool may_travel = message.type != MessageType::kSystem &&
                    message.type != MessageType::kHarbor &&
                    message.payload.size() <= OutgoingFrame::kPayloadBytesMax;
  Event event{harbor && may_travel ? EventKind::kSend : EventKind::kDeadLetter};
  event.type = static_cast<uint8_t>(message.type);
  event.service = message.source;
  event.peer = destination;
  event.session = message.session;
  event.size = message.payload.size();
  event.cause = message.cause;
  event.text = name;
  event.bytes = message.payload.bytes();
  uint64_t index = platform_.observer.Record(event);
  if (event.kind == EventKind::kDeadLetter) return false;
  Message outgoing;
  outgoing.source = message.source;
  outgoing.session = ExpectsReply(message.type, message.session) ? message.session : 0;
  outgoing.type = MessageType::kSystem;
  outgoing.payload = OutgoingFrame::Pack(platform_.memory, message, destination, name);
  outgoing.cause = index;
  Put(std::move(harbor), std::move(outgoing));
  return true;
}

void Node::Retire(Handle handle, Handle by, uint64_t cause) {
  platform_.executor.Flush();
  ServiceRef service = registry_.Remove(handle);
  if (!service) return;
  Event event{EventKind::kExit};
  event.service = handle;
  event.peer = by;
  event.cause = cause;
  uint64_t index = platform_.observer.Record(event);
  Handle monitor = monitor_;
  if (monitor != 0 && monitor != handle) {
    Message notice;
    notice.source = handle;
    notice.type = MessageType::kClient;
    notice.cause = index;
    Send(monitor, std::move(notice));
  }
  service->Retire();
  CheckOver();
}

void Node::Abort() {
  is_aborting_ = true;
  for (Handle handle : registry_.Handles()) {
    if (handle != logger_) Retire(handle, 0, 0);
  }
  // The logger goes last: the reason of the abort is among what it has still to write.
  if (ServiceRef logger = registry_.Find(logger_)) logger->RetireWhenEmpty();
}

void Node::CheckOver() {
  if (registry_.size() > 0 || over_.exchange(true)) return;
  if (options_.on_over) options_.on_over();
}

void Node::AnswerDeadLetter(Handle dead, const Message& message) {
  if (message.type == MessageType::kSocket) FreeSocketBuffer(platform_.memory, message);
  // Only requests have somebody who waits. Skynet also answers dropped replies and one-way
  // messages; the error could then hit another call of theirs that happens to have the same
  // session.
  if (!ExpectsReply(message.type, message.session) || message.source == 0) return;
  Message answer;
  answer.source = dead;
  answer.session = legacy_.answers_leftovers_with_0 ? 0 : message.session;
  answer.type = MessageType::kError;
  answer.cause = message.cause;
  Send(message.source, std::move(answer));
}

void Node::Log(Handle source, absl::string_view text) {
  if (logger_ == 0) return;
  Event event{EventKind::kLog};
  event.service = source;
  event.text = text;
  uint64_t index = platform_.observer.Record(event);
  Message line;
  line.source = source;
  line.type = MessageType::kText;
  line.payload = Payload::Copy(platform_.memory, text);
  line.cause = index;
  ServiceRef logger = registry_.Find(logger_);
  if (!logger) return;
  logger->Push(std::move(line));
  logger.ReleaseOnWorker();  // the caller may hold a lock
}

const std::string* Node::GetEnv(const std::string& key) const {
  absl::ReaderMutexLock lock(&env_mutex_);
  auto it = env_.find(key);
  return it == env_.end() ? nullptr : &it->second;
}

absl::Status Node::SetEnv(const std::string& key, std::string value) {
  platform_.executor.Flush();
  absl::MutexLock lock(&env_mutex_);
  if (!env_.emplace(key, std::move(value)).second) {
    return absl::AlreadyExistsError(absl::StrCat("Can't setenv exist key : ", key));
  }
  return absl::OkStatus();
}

std::optional<Handle> Node::FindAddress(absl::string_view text) const {
  if (text.empty()) return std::nullopt;
  if (text[0] == ':') return ParseHandle(text);
  if (text[0] == '.') return registry_.FindName(text.substr(1));
  return std::nullopt;
}

void Node::OnSocketEvent(Handle owner, SocketMessage message, absl::string_view text,
                         uint64_t cause) {
  ServiceRef target = registry_.Find(owner);
  if (!target) {
    platform_.memory.Free(message.buffer);
    return;
  }
  size_t size = sizeof(message) + (message.buffer == nullptr ? text.size() : 0);
  char* block = static_cast<char*>(platform_.memory.Allocate(size));
  std::memcpy(block, &message, sizeof(message));
  if (message.buffer == nullptr && !text.empty()) {
    std::memcpy(block + sizeof(message), text.data(), text.size());
  }
  Message event;
  event.type = MessageType::kSocket;
  event.payload = Payload(platform_.memory, block, size);
  event.cause = cause;
  target->Push(std::move(event));
  target.ReleaseOnWorker();  // the socket server's lock is held; a service's end closes its sockets
}

void Node::OnSocketLog(Handle owner, absl::string_view text) { Log(owner, text); }

void Node::OnTimer(Handle handle, int32_t session, uint64_t cause) {
  ServiceRef target = registry_.Find(handle);
  if (!target) return;
  Event event{EventKind::kTimer};
  event.service = handle;
  event.session = session;
  event.cause = cause;
  Message expiry;
  expiry.session = session;
  expiry.type = MessageType::kResponse;
  expiry.cause = platform_.observer.Record(event);
  target->Push(std::move(expiry));
}

}  // namespace skysim
