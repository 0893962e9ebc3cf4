#include "engine/core/harbor_service.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "engine/core/node.h"

namespace skysim {

namespace {

constexpr size_t kNameBytesMax = 15;
constexpr uint32_t kHarborMax = 255;
// Drops that follow a logged one within this time belong to its burst.
constexpr int64_t kQuietNs = 1'000'000'000;

// What means something inside a node only; some of it holds pointers.
bool IsLocalOnly(MessageType type) {
  return type == MessageType::kSystem || type == MessageType::kHarbor ||
         type == MessageType::kSocket;
}

std::optional<uint32_t> ParseHarbor(absl::string_view text) {
  uint32_t harbor = 0;
  if (!absl::SimpleAtoi(text, &harbor) || harbor == 0 || harbor > kHarborMax) return std::nullopt;
  return harbor;
}

}  // namespace

absl::Status HarborService::Init(ServiceContext& context, const std::string& args) {
  context_ = &context;
  std::vector<std::string> words = absl::StrSplit(args, ' ', absl::SkipEmpty());
  if (words.size() != 2 || !absl::SimpleAtoi(words[0], &own_) ||
      !absl::SimpleAtoi(words[1], &slave_service_)) {
    return absl::InvalidArgumentError(
        absl::StrCat("harbor needs \"<harbor id> <handle of .cslave>\", not \"", args, "\""));
  }
  if (own_ != context.node().harbor()) {
    return absl::InvalidArgumentError(absl::StrCat("harbor id ", own_, ", but this node has id ",
                                                   context.node().harbor()));
  }
  if (own_ == 0) {
    for (Slave& slave : slaves_) slave.state = State::kDown;
  }
  context.node().SetHarborService(context.handle());
  return absl::OkStatus();
}

void HarborService::OnMessage(Message message) {
  switch (message.type) {
    case MessageType::kSystem: return OnOutgoing(std::move(message));
    case MessageType::kHarbor: return OnCommand(message);
    case MessageType::kSocket: return OnSocket(message);
    default: return;
  }
}

// -- Messages of each type ------------------------------------------------------------------------

void HarborService::OnOutgoing(Message message) {
  if (!OutgoingFrame::IsPacked(message.payload.bytes())) {
    return Log(absl::StrCat("error: a message of type system from ", FormatHandle(message.source),
                            " that no node made"));
  }
  OutgoingFrame frame(memory(), std::move(message.payload));
  if (frame.destination() == 0) {
    SendToName(std::move(frame));
  } else {
    SendToHandle(std::move(frame));
  }
}

void HarborService::OnCommand(const Message& message) {
  absl::string_view text = message.payload.bytes();
  absl::string_view arguments = text.substr(std::min<size_t>(2, text.size()));
  switch (text.size() >= 2 && text[1] == ' ' ? text[0] : '\0') {
    case 'S': return Attach(arguments, /*is_ours=*/true);
    case 'A': return Attach(arguments, /*is_ours=*/false);
    case 'D': return GiveUp(arguments);
    case 'N': return Bind(arguments, message.source);
    default: Log(absl::StrCat("Unknown command ", text.substr(0, text.find('\n'))));
  }
}

void HarborService::OnSocket(const Message& message) {
  SocketMessage event;
  if (message.payload.size() < sizeof(event)) return;
  std::memcpy(&event, message.payload.data(), sizeof(event));
  auto found = by_fd_.find(event.id);
  if (found != by_fd_.end()) {
    const uint32_t harbor = found->second;
    switch (static_cast<SocketEvent>(event.type)) {
      case SocketEvent::kData:
        OnBytes(harbor, absl::string_view(event.buffer, static_cast<size_t>(event.ud)));
        break;
      case SocketEvent::kClose: TakeDown(harbor, "the connection was closed"); break;
      case SocketEvent::kError:
        TakeDown(harbor, message.payload.bytes().substr(sizeof(event)));
        break;
      case SocketEvent::kWarning:
        if (event.ud > 0) {
          Log(absl::StrCat("harbor ", harbor, ": ", event.ud, " KiB wait to be sent"));
        }
        break;
      default: break;
    }
  }
  FreeSocketBuffer(memory(), message);
}

// -- Commands -------------------------------------------------------------------------------------

void HarborService::Attach(absl::string_view arguments, bool is_ours) {
  const size_t line_end = arguments.find('\n');
  std::vector<absl::string_view> words =
      absl::StrSplit(arguments.substr(0, line_end), ' ', absl::SkipEmpty());
  SocketId fd = 0;
  std::optional<uint32_t> harbor;
  if (words.size() == 2 && absl::SimpleAtoi(words[0], &fd)) harbor = ParseHarbor(words[1]);
  if (!harbor || *harbor == own_) {
    return Log(absl::StrCat("Invalid connection ", arguments.substr(0, line_end)));
  }
  Slave& slave = slaves_[*harbor];
  SocketServer& sockets = context_->node().sockets();
  if (slave.state != State::kWait) {
    Log(absl::StrCat("harbor ", *harbor, " is ", slave.state == State::kDown ? "down" : "connected",
                     ": a further connection is closed"));
    sockets.Shutdown(fd, context_->cause());
    return;
  }
  slave.state = State::kHandshake;
  slave.fd = fd;
  slave.decoder = std::make_unique<HarborFrameDecoder>(
      memory(), context_->node().legacy().reads_harbor_heads_whole);
  by_fd_[fd] = *harbor;
  sockets.Start(context_->handle(), fd, context_->cause());
  const char own_id = static_cast<char>(own_);
  sockets.Send(fd, Payload::Copy(memory(), absl::string_view(&own_id, 1)), context_->cause());
  if (!is_ours) BeginFrames(*harbor);
  if (line_end != absl::string_view::npos) OnBytes(*harbor, arguments.substr(line_end + 1));
}

void HarborService::GiveUp(absl::string_view arguments) {
  std::optional<uint32_t> harbor = ParseHarbor(arguments);
  if (harbor && slaves_[*harbor].state == State::kWait) TakeDown(*harbor, "it never connected");
}

void HarborService::Bind(absl::string_view name, Handle handle) {
  if (name.empty() || name.size() > kNameBytesMax) return Log(absl::StrCat("Invalid name ", name));
  names_[std::string(name)] = handle;
  auto waiting = unnamed_.find(name);
  if (waiting == unnamed_.end()) return;
  std::vector<OutgoingFrame> frames = std::move(waiting->second);
  unnamed_.erase(waiting);
  for (OutgoingFrame& frame : frames) {
    frame.SetDestination(handle);
    SendToHandle(std::move(frame));
  }
}

// -- Out ------------------------------------------------------------------------------------------

void HarborService::SendToName(OutgoingFrame frame) {
  const std::string name(frame.name());
  auto known = names_.find(name);
  if (known == names_.end()) {
    unnamed_[name].push_back(std::move(frame));
    return SendText(absl::StrCat("Q ", name));
  }
  frame.SetDestination(known->second);
  SendToHandle(std::move(frame));
}

void HarborService::SendToHandle(OutgoingFrame frame) {
  const uint32_t harbor = HarborOf(frame.destination());
  if (harbor == 0 || harbor == own_) return Deliver(frame);
  if (!frame.FitsOnWire()) return RefuseLarge(frame);
  Slave& slave = slaves_[harbor];
  if (slave.state == State::kDown) return Drop(frame);
  NoteCall(frame);
  if (slave.state == State::kUp) {
    Write(slave, std::move(frame));
  } else {
    slave.queue.push_back(std::move(frame));
  }
}

// A name may stand for a service of this node.
void HarborService::Deliver(const OutgoingFrame& frame) {
  Message message;
  message.source = frame.source();
  message.session = frame.session();
  message.type = frame.type();
  message.payload = Payload::Copy(memory(), frame.payload());
  message.cause = context_->cause();
  if (!context_->node().Send(frame.destination(), std::move(message))) FailRequest(frame);
}

void HarborService::Write(const Slave& slave, OutgoingFrame frame) {
  context_->node().sockets().Send(slave.fd, frame.TakeFrame(), context_->cause());
}

// The one who waits learns it: that is the receiver, if it is a reply that is too large.
void HarborService::RefuseLarge(const OutgoingFrame& frame) {
  Log(absl::StrFormat("error: %d bytes from %s to %s cannot be sent: a message between nodes has "
                      "at most %d",
                      frame.payload().size(), FormatHandle(frame.source()),
                      FormatHandle(frame.destination()), kHarborPayloadBytesMax));
  if (frame.type() == MessageType::kResponse) {
    SendError(frame.source(), frame.destination(), frame.session());
  } else {
    FailRequest(frame);
  }
}

void HarborService::Drop(const OutgoingFrame& frame) {
  const int64_t now_ns = context_->node().platform().clock.NowNs();
  if (now_ns < quiet_until_ns_) {
    ++quiet_drops_;
  } else {
    std::string before =
        quiet_drops_ > 0 ? absl::StrCat(" (and ", quiet_drops_, " before, not logged)") : "";
    Log(absl::StrFormat("Drop message to harbor %d from %x to %x (session = %d, msgsz = %d)%s",
                        HarborOf(frame.destination()), frame.source(), frame.destination(),
                        frame.session(), frame.payload().size(), before));
    quiet_drops_ = 0;
    quiet_until_ns_ = now_ns + kQuietNs;
  }
  FailRequest(frame);
}

// -- In -------------------------------------------------------------------------------------------

void HarborService::OnBytes(uint32_t harbor, absl::string_view bytes) {
  if (bytes.empty()) return;
  Slave& slave = slaves_[harbor];
  if (slave.state == State::kHandshake) {
    const uint32_t told = static_cast<unsigned char>(bytes[0]);
    if (told != harbor) {
      return TakeDown(harbor, absl::StrCat("the peer says that its harbor id is ", told));
    }
    bytes.remove_prefix(1);
    BeginFrames(harbor);
  }
  absl::Status status = slave.decoder->Feed(
      bytes, [this, harbor](HarborFrame frame) { OnFrame(harbor, std::move(frame)); });
  if (!status.ok()) TakeDown(harbor, status.message());
}

void HarborService::BeginFrames(uint32_t harbor) {
  Slave& slave = slaves_[harbor];
  slave.state = State::kUp;
  for (OutgoingFrame& frame : std::exchange(slave.queue, {})) Write(slave, std::move(frame));
}

void HarborService::OnFrame(uint32_t harbor, HarborFrame frame) {
  if (IsLocalOnly(frame.type)) {
    return Log(absl::StrFormat("error: harbor %d sent a message of type %d, which no node may send",
                               harbor, static_cast<int>(frame.type)));
  }
  Message message;
  message.source = frame.source;
  message.session = frame.session;
  message.type = frame.type;
  message.payload = std::move(frame.payload);
  message.cause = context_->cause();
  const Handle destination = own_ << kHarborShift | frame.destination;
  const bool is_error = frame.type == MessageType::kError;
  const bool is_reply = is_error || frame.type == MessageType::kResponse;
  if (is_reply && frame.session > 0) {
    const bool is_expected = EndCall(destination, frame.session);
    // A peer may answer our reply with an error if nobody is there to take it. The session is the
    // peer's then, and a call of ours with the same number must not fail.
    if (is_error && !is_expected) return;
  }
  if (context_->node().Send(destination, std::move(message)) || is_reply) return;
  Log(absl::StrFormat("Unknown destination %s from %s", FormatHandle(destination),
                      FormatHandle(frame.source)));
  // Of a send too: skynet does. The session of a multicast message is its channel.
  if (frame.type != MessageType::kMulticast) SendError(destination, frame.source, frame.session);
}

void HarborService::TakeDown(uint32_t harbor, absl::string_view why) {
  Slave& slave = slaves_[harbor];
  if (slave.fd != 0) {
    by_fd_.erase(slave.fd);
    context_->node().sockets().Shutdown(slave.fd, context_->cause());
  }
  std::vector<OutgoingFrame> lost = std::move(slave.queue);
  slave = Slave();
  slave.state = State::kDown;
  const size_t calls = FailCalls(harbor);
  for (const OutgoingFrame& frame : lost) {
    if (HarborOf(frame.source()) != own_) FailRequest(frame);  // ours are among the calls
  }
  std::string tally = absl::StrCat("; ", calls, " calls fail, ", lost.size(), " messages are lost");
  Log(absl::StrCat("harbor ", harbor, " is down: ", why,
                   calls + lost.size() == 0 ? "" : tally));
  SendText(absl::StrCat("D ", harbor));
}

// -- Calls in flight ------------------------------------------------------------------------------

void HarborService::NoteCall(const OutgoingFrame& frame) {
  if (HarborOf(frame.source()) != own_ || !ExpectsReply(frame.type(), frame.session())) return;
  calls_[{frame.source(), frame.session()}] = frame.destination();
}

bool HarborService::EndCall(Handle source, int32_t session) {
  return calls_.erase({source, session}) > 0;
}

size_t HarborService::FailCalls(uint32_t harbor) {
  std::vector<std::pair<CallKey, Handle>> failed;
  for (const auto& call : calls_) {
    if (HarborOf(call.second) == harbor) failed.push_back(call);
  }
  std::sort(failed.begin(), failed.end());  // a hash table has no order to repeat
  for (const auto& [key, callee] : failed) {
    calls_.erase(key);
    SendError(callee, key.first, key.second);
  }
  return failed.size();
}

// -- Telling others -------------------------------------------------------------------------------

void HarborService::FailRequest(const OutgoingFrame& frame) {
  if (!ExpectsReply(frame.type(), frame.session()) || frame.source() == 0) return;
  SendError(frame.destination(), frame.source(), frame.session());
}

void HarborService::SendError(Handle from, Handle to, int32_t session) {
  Message error;
  error.source = from;
  error.session = session;
  error.type = MessageType::kError;
  error.cause = context_->cause();
  context_->node().Send(to, std::move(error));
}

void HarborService::SendText(absl::string_view text) {
  context_->Send(slave_service_, MessageType::kText, 0, Payload::Copy(memory(), text));
}

void HarborService::Log(absl::string_view text) {
  context_->node().Log(context_->handle(), text);
}

Memory& HarborService::memory() const { return context_->node().platform().memory; }

}  // namespace skysim
